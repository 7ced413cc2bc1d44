#include "agent/recognise/fixed_shape.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/pattern.h"
#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

TEST_CASE("FixedShape: takes the starts of log records, leaves the rest to PCRE2") {
  for (const std::string_view simple : {R"(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2},\d{3} \[)",
                                        R"(\d{4}-\d{2}-\d{2}[ T]\d{2})", "abc", R"(\.\\\])"}) {
    CAPTURE(simple);
    CHECK(FixedShape::of(simple).has_value());
  }
  for (const std::string_view other :
       {R"(\d+)",  "a*",    "a|b",  "(a)",         "^a",      ".",      R"(\w)",  R"(\D)",
        "[a-z]",   "[^a]",  "[]a]", "[[:alpha:]]", R"([\d])", "a{1,2}", "a{2,}",  "a{2}+",
        "a{2}{2}", "a{2}?", "a{",   "æ",           R"(\x41)", "a?",     "{uuid}", "\\"}) {
    CAPTURE(other);
    CHECK_FALSE(FixedShape::of(other).has_value());
  }
}

TEST_CASE("FixedShape: says what PCRE2 says") {
  const std::uint64_t seed = 22;
  MESSAGE("seed " << seed);
  testing::SeededRandom random{seed};
  const std::vector<std::string_view> parts{"\\d", "\\d{2}", "a",       "[ T]",
                                            "\\[", "-",      "[ab]{2}", "\\d{0}"};
  Matcher matcher;
  for (int round = 0; round < 2000; ++round) {
    std::string pattern;
    for (std::size_t i = 0, n = 1 + random.below(4); i < n; ++i)
      pattern += parts[random.below(parts.size())];
    CAPTURE(pattern);
    const auto shape = FixedShape::of(pattern);
    REQUIRE(shape.has_value());
    const auto compiled = Pattern::compile_plain(pattern, 0, true);
    REQUIRE(compiled.has_value());
    for (int text_number = 0; text_number < 20; ++text_number) {
      std::string text;
      for (std::size_t i = 0, n = random.below(6); i < n; ++i)
        text.push_back("07aTb [-\x80\x81"[random.below(10)]);
      REQUIRE(shape->matches_start(text) ==
              (matcher.match(compiled.value(), text) == MatchOutcome::kMatch));
    }
  }
}

}  // namespace
}  // namespace meldevakt::agent
