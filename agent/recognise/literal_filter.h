// Which of a pack's literals occur in a text, in one pass: the cheap question before any pattern.
//
//   LiteralFilter filter{{"Mottatt melding ", "PostgresException"}};
//   LiteralSet found = filter.find(text);           // bit i: literal i occurs
//
// Wu and Manber's method: the text is looked at in windows as long as the shortest literal, and the
// last two bytes of a window tell how far it may move; most bytes are never looked at. A private
// part of agent/recognise. Thread-safety: const and pure. REQUIRES: literals of kLiteralBytesMin
// bytes or more, at most kLiteralsMax of them.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meldevakt::agent {

inline constexpr std::size_t kLiteralBytesMin = 3;
inline constexpr std::size_t kLiteralsMax = 256;
using LiteralSet = std::bitset<kLiteralsMax>;

class LiteralFilter {
 public:
  explicit LiteralFilter(std::vector<std::string> literals);
  [[nodiscard]] LiteralSet find(std::string_view text) const;

 private:
  static constexpr std::size_t kBuckets = 8192;
  [[nodiscard]] static std::size_t bucket(const char* end) {  // of the two bytes before `end`
    const auto a = static_cast<std::uint8_t>(end[-2]);
    const auto b = static_cast<std::uint8_t>(end[-1]);
    return (static_cast<std::size_t>(a) * 31U + b) % kBuckets;
  }

  static constexpr std::uint16_t kNone = 0xFFFF;

  std::vector<std::string> literals_;
  std::size_t window_ = 0;            // length of the shortest literal
  std::vector<std::uint8_t> shift_;   // by bucket: how far the window may move, 0 = look
  std::vector<std::uint16_t> first_;  // by bucket with shift 0: a literal to compare, or kNone
  std::vector<std::uint16_t> next_;   // by literal: another one of its bucket, or kNone
};

}  // namespace meldevakt::agent
