// Which 4-grams to look for so that no occurrence of any literal is missed and hardly any other
// place is looked at: the plan that a LiteralScanner runs.
//
//   GramPlan plan = make_plan(literals, sample, unit);
//
// Every literal is covered by one gram of its own text. A few grams that many literals share are
// chosen (`or: ` covers 42 messages of SQL Server), rare ones in the sample rather than frequent
// ones, and put into buckets so that their mixtures are rare too. The sample is text of the log to
// be scanned, or none; it changes how fast a plan is, never what is found. Deterministic: equal
// arguments give an equal plan on every machine.
//
// Literals shorter than a gram allow any character in the places they do not have.
// Private to agent/recognise. Thread-safety: pure functions.
// Bounds: kSampleBytesMax of the sample are used; kOffsetMax is the last place of a gram in a
// literal. REQUIRES: literals are not empty; in UTF-16 (`unit` 2) they are whole units.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/gram_kernel.h"

namespace meldevakt::agent {

struct ScanLiteral {
  std::string bytes;         // as they stand in the file
  bool ignore_case = false;  // of ASCII letters
  auto operator<=>(const ScanLiteral&) const = default;
};

inline constexpr std::size_t kSampleBytesMax = 64 * 1024;
inline constexpr std::size_t kOffsetMax = 255;  // characters

struct PlannedLiteral {
  std::uint32_t literal = 0;  // index of the literal
  std::uint8_t offset = 0;    // characters before its gram
};
// One gram and the literals it covers.
struct PlannedGram {
  std::uint32_t gram = 0;   // its characters' low bytes, the first one lowest; lower-case if folded
  std::uint8_t length = 0;  // in characters; less than kGramPlaces for a short literal
  std::uint8_t bucket = 0;
  std::vector<PlannedLiteral> literals;
  // While planning, of a gram with one literal: the other grams it could be.
  struct Other {
    std::uint32_t gram = 0;
    std::uint8_t offset = 0;
  };
  std::vector<Other> others;
};

struct GramPlan {
  GramTables tables;
  bool folded = false;  // grams are compared in lower case, because a literal ignores case
  std::vector<PlannedGram> grams;
};

[[nodiscard]] GramPlan make_plan(const std::vector<ScanLiteral>& literals, std::string_view sample,
                                 std::size_t unit);

// Lower case of ASCII letters, of one character and of the four of a gram.
[[nodiscard]] constexpr char folded(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] std::uint32_t folded_gram(std::uint32_t gram);

}  // namespace meldevakt::agent
