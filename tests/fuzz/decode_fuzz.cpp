// Bytes in any encoding become well-formed UTF-8, and what is well-formed stays as it is. The first
// byte of the input chooses the encoding.
#include <array>
#include <string>

#include "agent/decode/encoding.h"
#include "common/base/check.h"
#include "common/base/text.h"
#include "tests/fuzz/input.h"

using meldevakt::agent::Encoding;

int fuzz_decode(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<Encoding, 8> kEncodings{
      Encoding::kUtf8,      Encoding::kUtf16Le,    Encoding::kWindows1252, Encoding::kUtf16Be,
      Encoding::kIso8859_1, Encoding::kIso8859_15, Encoding::kCp850,       Encoding::kCp865};
  if (size == 0) return 0;
  const Encoding encoding = kEncodings.at(data[0] % kEncodings.size());
  const std::string_view bytes = meldevakt::fuzz::text_of(data + 1, size - 1);
  std::uint64_t undecodable = 0;
  const std::string text = meldevakt::agent::decode(encoding, {encoding}, bytes, undecodable);
  MELDEVAKT_CHECK(meldevakt::is_utf8(text) && undecodable <= bytes.size());
  MELDEVAKT_CHECK(meldevakt::agent::valid_utf8_bytes(text) == text.size());
  if (encoding == Encoding::kUtf8) MELDEVAKT_CHECK((text == bytes) == (undecodable == 0));
  // A mark is never longer than the bytes, and once no more may come it is decided.
  const auto mark = meldevakt::agent::mark_of_line(
      bytes.substr(0, meldevakt::agent::kLineMarkBytesMax), encoding, false);
  MELDEVAKT_CHECK(mark.bytes <= bytes.size() && !mark.undecided);
  const auto early = meldevakt::agent::mark_of_line(bytes.substr(0, 2), encoding, true);
  MELDEVAKT_CHECK(early.undecided || size < 2 || early.bytes == mark.bytes);
  return 0;
}
