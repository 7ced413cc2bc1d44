#include "agent/recognise/pattern.h"

#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace meldevakt::agent {
namespace {

std::string refusal(std::string_view pattern) {
  const Result<Pattern> compiled = Pattern::compile_rule(pattern);
  return compiled ? "" : compiled.error().message();
}

TEST_CASE("Pattern: what cannot be matched in bounded time is refused, with the reason") {
  struct Case {
    std::string_view pattern;
    std::string_view reason;
  };
  const std::vector<Case> cases{
      {R"((a)\1)", "back-references"},
      {R"((?:a)\g{1})", "back-references"},
      {R"(\k<form>)", "back-references"},
      {R"((?P=form))", "back-references"},
      {R"(a(?R)?b)", "recursion"},
      {R"((a(?1)?b))", "recursion"},
      {R"((a(?-1)?b))", "recursion"},
      {R"((?&x))", "recursion"},
      {R"((?P>x))", "recursion"},
      {R"((?(1)a|b))", "conditional"},
      {R"((?C1)a)", "callouts"},
      {R"((*SKIP)a)", "verbs"},
      {R"((*UTF)a)", "verbs"},
      {R"(a\Kb)", "\\K"},
      {R"(a\Cb)", "\\C"},
      {R"(\Qa.b\E)", "\\Q"},
      {R"((?:a+)*)", "inside unbounded"},
      {R"((?:a+)+b)", "inside unbounded"},
      {R"((?:a*b){2,})", "inside unbounded"},
      {R"((?:(?:x|y*)z)+)", "inside unbounded"},
      {R"((?:\n[^\n]*)*Commit)", "inside unbounded"},
      {R"(a*b*c*d*e*f*g*h*i*)", "more than 8"},
      {R"((?<name>\w{1,20}))", "unknown field 'name'"},
      {R"((?<ref:portal_mesage_id>{uuid}))", "did you mean 'portal_message_id'?"},
      {R"((?<ref:fnr>\d{11}))", "unknown reference type"},
      {R"((?<sqlstat>{sqlstate}))", "did you mean 'sqlstate'?"},
      {R"({uid} er lagret)", "did you mean 'uuid'?"},
      {R"((?'form'a))", "write named groups as"},
      {R"((?P<form>a))", "write named groups as"},
      {R"((a)", "without its ')'"},
      {R"(a))", "without its '('"},
      {R"([a-)", "missing terminating ]"},
      {"", "empty"},
      {"\xFFxx", "not UTF-8"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.pattern);
    const std::string got = refusal(c.pattern);
    CAPTURE(got);
    CHECK(got.find(c.reason) != std::string::npos);
  }
  CHECK(refusal(std::string(Pattern::kPatternBytesMax + 1, 'a')).find("longer") !=
        std::string::npos);
}

TEST_CASE("Pattern: what packs need is taken") {
  for (const std::string_view pattern :
       {R"(\ALagring - [\s\S]*?\n(?: ---> )?Npgsql\.X)", R"([(*?+)\]]{1,3}[^\]]+)",
        R"((?:a{1,20}-){1,20})", R"((?i:feil)(?=x)(?!y)(?<=z)(?<!w)(?>a+)b)",
        R"(\p{Lu}\x{41}\d{4})", R"(a\{2\}\(\))", R"([[:digit:]]+x)", R"((?:a|b+)c)",
        R"((?:a+b){0,3})"}) {
    CAPTURE(pattern);
    CHECK(refusal(pattern).empty());
  }
}

std::string fields_of(std::string_view pattern_text, std::string_view text) {
  const Result<Pattern> pattern = Pattern::compile_rule(pattern_text);
  REQUIRE(pattern.has_value());
  Matcher matcher;
  const MatchOutcome outcome = matcher.match(pattern.value(), text);
  if (outcome == MatchOutcome::kLimited) return "limited";
  if (outcome == MatchOutcome::kNoMatch) return "no match";
  std::string out;
  for (std::size_t i = 0; i < pattern.value().fields().size(); ++i) {
    out += (i > 0 ? "|" : "") + std::string{matcher.field(i).value_or("-")};
  }
  return out;
}

TEST_CASE("Pattern: templates take whole things, never a part of something longer") {
  const std::string uuid = "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";
  const std::string_view ref = "(?<ref:portal_message_id>{uuid})";
  CHECK(fields_of(ref, "melding " + uuid + ", ok") == uuid);
  CHECK(fields_of(ref, "melding x" + uuid) == "no match");
  CHECK(fields_of(ref, "melding " + uuid + "0") == "no match");
  CHECK(fields_of(ref, "melding " + uuid + "-1") == "no match");
  CHECK(fields_of("feil (?<number>{number})", "feil -2") == "-2");
  CHECK(fields_of("feil (?<number>{number})", "feil 123456789") == "123456789");
  CHECK(fields_of("feil (?<number>{number})", "feil 1234567890") == "no match");
  CHECK(fields_of("(?<number>{number})", "12345678901") == "no match");  // nothing of eleven digits
  CHECK(fields_of(": (?<sqlstate>{sqlstate}):", "x: 55P03: y") == "55P03");
  CHECK(fields_of(": (?<sqlstate>{sqlstate}):", "x: 55P034: y") == "no match");
  CHECK(fields_of("(?<ms>{ms}) ms", "duration: 5031.221 ms") == "5031.221");
  CHECK(fields_of("(?<form>PRIVAT|OFFENTLIG)", "skjema=OFFENTLIG") == "OFFENTLIG");
  CHECK(fields_of("a(?: (?<number>{number}))?(?<form>PRIVAT)?", "a") == "-|-");
}

TEST_CASE("Pattern: several fields of one type, and plain groups take nothing") {
  CHECK(fields_of("(x)(?<number>{number}) (y) (?<number>{number})", "x1 y 2") == "1|2");
}

TEST_CASE("Pattern: reaching a match limit is an outcome of its own") {
  // Cubic, which the check cannot see; the limit does.
  const std::string text = std::string(3000, 'a') + "!";
  CHECK(fields_of(R"(a[^b]*a[^b]*a[^b]*a[^b]*a[^b]*\d)", text) == "limited");
  CHECK(fields_of("aaa[a]*!", text).empty());
}

TEST_CASE("Pattern: bytes that are not UTF-8 cannot hurt") {
  CHECK(fields_of("(?<number>{number})", "\xFF\xFE 42 \xC3") == "42");
  CHECK(fields_of("å(?<number>{number})",
                  "\xE5\xC3\xA5"
                  "42") == "42");
  CHECK(fields_of("x", "") == "no match");
}

TEST_CASE("Pattern: plain patterns have so many groups, and may be anchored") {
  CHECK(Pattern::compile_plain(R"(\[(\d+)\])", 1, false).has_value());
  CHECK_FALSE(Pattern::compile_plain(R"(\[\d+\])", 1, false).has_value());
  CHECK_FALSE(Pattern::compile_plain(R"((a)(b))", 1, false).has_value());
  CHECK_FALSE(Pattern::compile_plain(R"((?<form>a))", 1, false).has_value());
  const auto anchored = Pattern::compile_plain("b", 0, true);
  REQUIRE(anchored.has_value());
  Matcher matcher;
  CHECK(matcher.match(anchored.value(), "ab") == MatchOutcome::kNoMatch);
  CHECK(matcher.match(anchored.value(), "ba") == MatchOutcome::kMatch);
}

TEST_CASE("Pattern: threads that first use it at the same time all get it right") {
  for (int round = 0; round < 50; ++round) {
    const auto pattern = Pattern::compile_rule(R"(feil (?<number>\d{1,9}))");
    REQUIRE(pattern.has_value());
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        Matcher matcher;
        const Pattern copy = pattern.value();
        if (matcher.match(copy, "en feil 1205 her") != MatchOutcome::kMatch) return;
        if (matcher.field(0) == std::optional<std::string_view>{"1205"}) ++right;
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(right == 4);
  }
}

}  // namespace
}  // namespace meldevakt::agent
