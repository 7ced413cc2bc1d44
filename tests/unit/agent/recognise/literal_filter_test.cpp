#include "agent/recognise/literal_filter.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

LiteralSet naive(const std::vector<std::string>& literals, const std::string& text) {
  LiteralSet found;
  for (std::size_t i = 0; i < literals.size(); ++i) {
    if (text.find(literals[i]) != std::string::npos) found.set(i);
  }
  return found;
}

TEST_CASE("LiteralFilter: says what a search one by one says") {
  const std::uint64_t seed = 63;
  MESSAGE("seed " << seed);
  testing::SeededRandom random{seed};
  // Few letters, so that literals overlap, repeat and hold one another.
  const auto word = [&random](std::size_t length) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text.push_back("abc\0\xC3"[random.below(5)]);
    return text;
  };
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> literals;
    for (std::size_t i = 0, n = 1 + random.below(6); i < n; ++i)
      literals.push_back(word(3 + random.below(5)));
    const LiteralFilter filter{literals};
    for (int text_number = 0; text_number < 5; ++text_number) {
      const std::string text = word(random.below(40));
      CAPTURE(round);
      REQUIRE(filter.find(text) == naive(literals, text));
    }
  }
}

TEST_CASE("LiteralFilter: a literal at either end, longer than 255 bytes, or none at all") {
  const std::vector<std::string> literals{"start", "slutt", std::string(300, 'x')};
  const LiteralFilter filter{literals};
  CHECK(filter.find("start og slutt") == naive(literals, "start og slutt"));
  CHECK(filter.find(std::string(300, 'x')).test(2));
  CHECK_FALSE(filter.find(std::string(299, 'x')).test(2));
  CHECK(filter.find("").none());
  CHECK(LiteralFilter{{}}.find("start").none());
}

}  // namespace
}  // namespace meldevakt::agent
