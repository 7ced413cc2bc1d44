#include "agent/recognise/pattern_cost.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/pattern.h"
#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

TEST_CASE("check_cost: what can be divided in many ways is refused") {
  for (const std::string_view pattern : {"(a?)*",
                                         "(?:a*)*b",
                                         "(|a){5}",
                                         "(a{0,5}){0,20}",
                                         "(a{1,5}){0,20}b",
                                         "(?:a+b?){4}",
                                         "(a|a)*",
                                         "(a|ab)*c",
                                         "(?:aa|a)+b",
                                         "(?:[a-c]x|[b-d]y){1,100}",
                                         "(\\w|_)*",
                                         "(?i)(a|A)*",
                                         "\\d+\\d+",
                                         ".*.*x",
                                         ".*\\s*",
                                         "[^\\n]*\\w+",
                                         "a*b?a*",
                                         "(?:a|b)*[ab]*",
                                         "a+(?:b?|c*)a+",
                                         "(?:x\\d*)+\\d+",
                                         "x(?:y(?:a|ab)*)?",
                                         "(?=(a|a)*b)c",
                                         "(?<n>\\d+)\\d*",
                                         "æ+[^a]+",
                                         "[[:alpha:]]*a*",
                                         "\\x41*\\x41*",
                                         "(?:ab|a(?:b)?)*",
                                         "(?:a|ab){1,5}",
                                         "(?:a{1,12}aab*){1,12}",
                                         "\\p{L}*x*"}) {
    CAPTURE(pattern);
    const Status cost = check_cost(pattern);
    CHECK_FALSE(cost.has_value());
  }
}

TEST_CASE("check_cost: what can be divided in one way, or few, is not") {
  for (const std::string_view pattern : {"",
                                         "abc",
                                         "\\d+",
                                         "\\A\\d{4}-\\d\\d",
                                         "(\\d{1,3}\\.){3}\\d{1,3}",
                                         "[^\\n]*feil",
                                         "a[\\s\\S]*?b[\\s\\S]*?c",
                                         "\\s*:\\s*",
                                         "\\w+ \\w+",
                                         "(?:, \\d{1,9}){0,200}",
                                         "(?:abc|xyz)*",
                                         "(?:\\n   [^\\n]*)*",
                                         "(a?){2}",
                                         "(?:ORA|TNS)-\\d{5}",
                                         "a++a",
                                         "(?>a+)a+",
                                         "\\d*+\\d+",

                                         "(?:(?:a|ab)x)*",
                                         "^\\s*$",
                                         "(?i)feil",
                                         "[]a]*b",
                                         "[^]]*\\]",
                                         "x{2}x*",
                                         "a{3}",
                                         "a{,3}",
                                         "\\{uuid\\}",
                                         "(?<!\\d)\\d{11}(?!\\d)",
                                         "(?<f0>\\d+) ms",
                                         "[a-c]*[d-f]*",
                                         "[a\\-z]*x*",
                                         "[\\d.]+,[\\d.]+",
                                         "(?:[0-9]{1,9}(?:\\.[0-9]{1,6})?)"}) {
    CAPTURE(pattern);
    const Status cost = check_cost(pattern);
    if (!cost) FAIL_CHECK(cost.error().message());
  }
}

// Random patterns over two letters, those that are accepted tried on texts that almost match.
class PatternMaker {
 public:
  explicit PatternMaker(std::uint64_t seed) : random_{seed} {}

  std::string make() {
    unbounded_ = 0;
    return alternatives(3);
  }

 private:
  std::string alternatives(int depth) {
    std::string out = sequence(depth);
    while (random_.below(4) == 0) out += "|" + sequence(depth);
    return out;
  }
  std::string sequence(int depth) {
    std::string out;
    for (std::size_t i = 1 + random_.below(3); i > 0; --i) out += operand(depth) + quantifier();
    return out;
  }
  std::string operand(int depth) {
    if (depth > 0 && random_.below(3) == 0) return "(?:" + alternatives(depth - 1) + ")";
    static constexpr std::string_view kOperands[] = {"a", "b", "[ab]", ".", "aa", "ab"};
    return std::string{kOperands[random_.below(std::size(kOperands))]};
  }
  std::string quantifier() {
    static constexpr std::string_view kQuantifiers[] = {"",       "",  "?", "{0,4}", "{2}",
                                                        "{1,12}", "*", "+", "*?"};
    const std::string_view one = kQuantifiers[random_.below(std::size(kQuantifiers))];
    const bool unbounded = one == "*" || one == "+" || one == "*?";
    if (unbounded && ++unbounded_ > 2) return "";
    return std::string{one};
  }

  testing::SeededRandom random_;
  int unbounded_ = 0;
};

TEST_CASE("patterns that are accepted hardly ever reach the match limit") {
  const std::uint64_t seed = 77;
  MESSAGE("seed " << seed);
  PatternMaker maker{seed};
  Matcher matcher;
  std::vector<std::string> texts;
  for (const std::string_view unit : {"a", "b", "ab", "aab"}) {
    std::string text;
    while (text.size() < 48) text += unit;
    texts.push_back(text + "!");
  }
  int accepted = 0;
  int refused = 0;
  int limited = 0;
  for (int round = 0; round < 6000; ++round) {
    // What must follow is never there, so every way has to be tried.
    const std::string text = "(?:" + maker.make() + ")[^ab!]";
    const auto pattern = Pattern::compile_rule(text);
    if (!pattern) {
      ++refused;
      continue;
    }
    ++accepted;
    for (const std::string& subject : texts) {
      if (matcher.match(pattern.value(), subject) == MatchOutcome::kLimited) ++limited;
    }
  }
  MESSAGE(accepted << " accepted, " << refused << " refused, limited " << limited);
  // A chain of bounded repetitions is bounded by its product, which may be large.
  CHECK(limited * 100 <= accepted);
  CHECK(accepted > 1000);
  CHECK(refused > 1000);
}

}  // namespace
}  // namespace meldevakt::agent
