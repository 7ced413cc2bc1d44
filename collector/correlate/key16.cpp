#include "collector/correlate/key16.h"

#include <cstring>

#include "common/base/bytes.h"

namespace meldevakt::collector {
namespace {

std::uint8_t digit_of(char c) {
  return static_cast<std::uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10);
}

}  // namespace

Key16 key_of(std::string_view text) {
  Key16 key{};
  std::size_t at = 0;
  for (const char c : text) {
    if (c == '-') continue;
    const std::uint8_t digit = digit_of(c);
    key[at / 2] = static_cast<std::uint8_t>(at % 2 == 0 ? digit << 4 : key[at / 2] | digit);
    ++at;
  }
  return key;
}

std::string hex_of(const Key16& key) {
  return to_hex({reinterpret_cast<const char*>(key.data()), key.size()});
}

std::string uuid_of(const Key16& key) {
  std::string text = hex_of(key);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

std::uint64_t hash_of(const Key16& key, std::uint64_t salt) {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, key.data(), 8);
  std::memcpy(&low, key.data() + 8, 8);
  std::uint64_t h = high + 0x9e37'79b9'7f4a'7c15 * (low + salt + 1);
  h = (h ^ (h >> 30)) * 0xbf58'476d'1ce4'e5b9;
  h = (h ^ (h >> 27)) * 0x94d0'49bb'1331'11eb;
  return h ^ (h >> 31);
}

}  // namespace meldevakt::collector
