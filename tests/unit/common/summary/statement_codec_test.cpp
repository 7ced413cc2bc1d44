#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/base/limits.h"
#include "common/summary/statement.h"
#include "tests/unit/common/property.h"
#include "tests/unit/common/summary/example_values.h"
#include "tests/unit/common/summary/random_values.h"

namespace meldevakt {
namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("statement: what is encoded decodes to itself, and encodes to the same bytes again") {
  testing::RandomValues random{testing::property_seed()};
  int decoded_count = 0;
  for (int round = 0; round < 500; ++round) {
    const Statement statement = random.statement(random.below(4));
    const std::string json = encode_statement(statement);
    CAPTURE(json);
    const auto decoded = decode_statement(json);
    if (json.size() > limits::kStatementBytesMax) {
      REQUIRE_FALSE(decoded.has_value());
      CHECK(decoded.error().code() == Errc::kLimit);
      continue;
    }
    if (!decoded) FAIL(decoded.error().message());
    REQUIRE(decoded.value() == statement);
    REQUIRE(encode_statement(decoded.value()) == json);
    ++decoded_count;
  }
  CHECK(decoded_count > 400);
}

TEST_CASE("enrolment: what is encoded decodes to itself, and encodes to the same bytes again") {
  testing::RandomValues random{testing::property_seed()};
  for (int round = 0; round < 200; ++round) {
    const Enrolment enrolment = random.enrolment();
    const std::string json = encode_enrolment(enrolment);
    CAPTURE(json);
    const auto decoded = decode_enrolment(json);
    if (!decoded) FAIL(decoded.error().message());
    REQUIRE(decoded.value() == enrolment);
    REQUIRE(encode_enrolment(decoded.value()) == json);
  }
}

TEST_CASE("statement: one wrong piece and the whole is refused, saying where") {
  struct Case {
    std::string_view from;
    std::string_view to;
    std::string_view error;
  };
  const std::vector<Case> cases{
      {R"("version":1)", R"("version":2)", "statement.version: not known here"},
      {R"("version":1,)", "", "statement.version: missing"},
      {R"("tenant":"t-8f1c")", R"("tenant":"")", "statement.tenant: not of the form it must have"},
      {R"("tenant":"t-8f1c")", R"("tenant":"t\n")",
       "statement.tenant: not of the form it must have"},
      {R"("agent":"4)", R"("agent":"G)", "statement.agent: not 32 lower-case hexadecimal digits"},
      {R"("epoch":0)", R"("epoch":-1)", "statement.epoch: out of range"},
      {R"("sequence":41)", R"("sequence":41.0)", "statement.sequence: not an integer"},
      {R"("sequence":41)", R"("sequence":"41")", "statement.sequence: not an integer"},
      {R"("sequence":41)", R"("sequence":9223372036854775808)",
       "statement.sequence: not an integer"},
      {R"("sequence":41)", R"("sequence":41,"seq":41)", "statement: unknown member, number 6"},
      {R"("sequence":41)", R"("sequence":41,"sequence":41)",
       "statement: JSON: a name twice in one object"},
      {R"("previous":"5)", R"("previous":")",
       "statement.previous: not 64 lower-case hexadecimal digits"},
      {R"("span":{"from":1675239240000)", R"("span":{"from":-1)",
       "statement: span.from: out of range"},
      {R"("to":1675239300000},"boot)", R"("to":253402300800000},"boot)",
       "statement: span.to: out of range"},
      {R"("source":"synchronised")", R"("source":"perfect")",
       "statement: clock.source: not of the form it must have"},
      {R"("offset_us":-250)", R"("offset_us":-3155760000000001)",
       "statement: clock.offset_us: out of range"},
      {R"("software_sha256":"bb)", R"("software_sha256":"b)",
       "statement.software_sha256: not 64 lower-case hexadecimal digits"},
      {R"("max_error_us":1500)", R"("max_error_us":-1)",
       "statement: clock.max_error_us: out of range"},
      {R"("stepped":false)", R"("stepped":0)", "statement: clock.stepped: not true or false"},
      {R"("signal":"message.received")", R"("signal":"message.lost")",
       "statement: sources[0]: source: observes[0]: observed.signal: not a word of its list"},
      {R"({"signal":"message.received")", R"({"signal":"log.blind")",
       "statement: sources[0]: source.observes: not sorted"},
      {R"("reason":"agent_stopped")", R"("reason":"")",
       "statement: sources[0]: source: reading[0]: reading.reason: belongs to every state but "
       "`read`, always and only"},
      {R"("state":"read","reason":"")", R"("state":"read","reason":"x")",
       "statement: sources[0]: source: reading[1]: reading.reason: belongs to every state but "
       "`read`, always and only"},
      {R"("state":"gap")", R"("state":"fine")",
       "statement: sources[0]: source: reading[0]: reading.state: not a word of its list"},
      {R"("to":1675239252000)", R"("to":1675239252001)",
       "statement.sources: 'trace' reads in intervals that do not touch in order"},
      {R"("from":1048576)", R"("from":1052673)",
       "statement: sources[0]: source: ranges[0]: range.to: before `from`"},
      {R"("pending":72)", R"("pending":73)",
       "statement: sources[0]: source: bytes.read: not the sum of the others"},
      {R"("pending":72)", R"("pending":71)",
       "statement: sources[0]: source: bytes.read: not the sum of the others"},
      {R"("pending":72)", R"("pending":9223372036854775807)",
       "statement: sources[0]: source: bytes.read: not the sum of the others"},
      // A sum that is right again once it has gone round 64 bits.
      {R"("read":4096,"recognised":1024,"unrecognised":3000,"dropped":0,"pending":72)",
       R"("read":0,"recognised":9223372036854775807,"unrecognised":9223372036854775807,)"
       R"("dropped":2,"pending":0)",
       "statement: sources[0]: source: bytes.read: not the sum of the others"},
      {R"("packed_bytes":312)", R"("packed_bytes":2097153)",
       "statement: bodies[0]: body.packed_bytes: out of range"},
      {R"("plain_bytes":1180)", R"("plain_bytes":8388609)",
       "statement: bodies[0]: body.plain_bytes: out of range"},
      {R"("facts":3)", R"("facts":20001)", "statement: bodies[0]: body.facts: out of range"},
      {R"("log_seen_root":"")", R"("log_seen_root":"00")",
       "statement.log_seen_root: not 64 lower-case hexadecimal digits"},
  };
  const std::string good = encode_statement(testing::example_statement());
  REQUIRE(decode_statement(good).has_value());
  for (const Case& c : cases) {
    CAPTURE(c.from);
    CAPTURE(c.to);
    const auto decoded = decode_statement(replaced(good, c.from, c.to));
    REQUIRE_FALSE(decoded.has_value());
    CHECK(decoded.error().code() == Errc::kCorrupt);
    CHECK(decoded.error().message() == c.error);
  }
}

TEST_CASE("statement: each member is required, and none may be doubled or renamed") {
  const std::string good = encode_statement(testing::example_statement());
  // Every name in the text, wherever it stands, changed by one letter.
  std::size_t names = 0;
  for (std::size_t at = good.find("\":"); at != std::string::npos; at = good.find("\":", at + 1)) {
    std::string changed = good;
    changed.insert(at, "x");
    CAPTURE(changed.substr(at > 20 ? at - 20 : 0, 30));
    CHECK_FALSE(decode_statement(changed).has_value());
    ++names;
  }
  CHECK(names > 60);
}

TEST_CASE("statement: bounds of its lists and of the whole") {
  const auto code_of = [](const Statement& statement) {
    const auto decoded = decode_statement(encode_statement(statement));
    return decoded ? std::string{"ok"} : std::string{to_string(decoded.error().code())};
  };
  Statement statement = testing::example_statement();
  const SourceCoverage source = statement.sources[0];
  statement.sources[0].ranges.assign(SourceCoverage::kRangesMax, source.ranges[0]);
  CHECK(code_of(statement) == "ok");
  statement.sources[0].ranges.push_back(source.ranges[0]);
  CHECK(code_of(statement) == "limit");

  statement = testing::example_statement();
  statement.bodies.assign(limits::kBodiesPerStatementMax, statement.bodies[0]);
  CHECK(code_of(statement) == "ok");
  statement.bodies.push_back(statement.bodies[0]);
  CHECK(code_of(statement) == "limit");

  statement = testing::example_statement();
  statement.sources.push_back(source);
  CHECK(decode_statement(encode_statement(statement)).error().message() ==
        "statement.sources: one source twice");

  statement.sources.clear();
  for (std::size_t i = 0; i <= limits::kSourcesPerAgentMax; ++i) {
    SourceCoverage small = source;
    small.id = std::to_string(i);
    small.observes.clear();
    small.ranges.clear();
    small.event_gaps.clear();
    small.reading = {{statement.span, ReadState::kRead, ""}};
    statement.sources.push_back(small);
  }
  CHECK(code_of(statement) == "limit");
  CHECK(decode_statement(std::string(limits::kStatementBytesMax + 1, ' ')).error().code() ==
        Errc::kLimit);
}

// The naive reading: every millisecond of the span lies in exactly one interval, in order.
bool tiles(const Interval& span, const std::vector<Interval>& intervals) {
  std::vector<std::int64_t> covered;
  for (const Interval& i : intervals) {
    if (i.to < i.from) return false;
    for (std::int64_t ms = i.from.ms; ms < i.to.ms; ++ms) covered.push_back(ms);
  }
  std::vector<std::int64_t> wanted;
  for (std::int64_t ms = span.from.ms; ms < span.to.ms; ++ms) wanted.push_back(ms);
  return covered == wanted;
}

TEST_CASE("check_tiling: every way to lay up to three intervals in a span of three milliseconds") {
  Statement statement;
  statement.span = {{1}, {4}};
  statement.sources.resize(1);
  constexpr std::int64_t points = 6;  // 0 to 5
  for (std::size_t count = 0; count <= 3; ++count) {
    std::size_t worlds = 1;
    for (std::size_t i = 0; i < 2 * count; ++i) worlds *= points;
    for (std::size_t world = 0; world < worlds; ++world) {
      std::vector<Interval> intervals(count);
      std::size_t rest = world;
      bool has_empty = false;
      for (Interval& i : intervals) {
        i.from.ms = static_cast<std::int64_t>(rest % points);
        i.to.ms = static_cast<std::int64_t>(rest / points % points);
        has_empty = has_empty || i.from == i.to;
        rest /= points * points;
      }
      if (has_empty) continue;  // the naive reading cannot see them
      statement.sources[0].reading.clear();
      for (const Interval& i : intervals) {
        statement.sources[0].reading.push_back({i, ReadState::kRead, ""});
      }
      CAPTURE(world);
      REQUIRE(check_tiling(statement).has_value() == tiles(statement.span, intervals));
    }
  }
  // An empty interval must lie where it touches.
  statement.sources[0].reading = {{{{1}, {1}}, ReadState::kGap, "x"},
                                  {{{1}, {4}}, ReadState::kRead, ""}};
  CHECK(check_tiling(statement).has_value());
  statement.sources[0].reading[0].span = {{2}, {2}};
  CHECK_FALSE(check_tiling(statement).has_value());
}

TEST_CASE("enrolment: one wrong piece and the whole is refused") {
  const std::string good = encode_enrolment(testing::example_enrolment());
  REQUIRE(decode_enrolment(good).has_value());
  const std::vector<std::pair<std::string_view, std::string_view>> cases{
      {R"("version":1)", R"("version":0)"},
      {R"("signing_key":"a2tr)", R"("signing_key":"a2t)"},
      {R"("signing_key":"a2tr)", R"("signing_key":"AAAAa2tr)"},
      {R"("tls_key":"9)", R"("tls_key":"G)"},
      {R"("invitation":"a)", R"("invitation":"A)"},
      {R"("time":1675072800000)", R"("time":"2023-01-30T10:00:00Z")"},
      {R"("software_version":"0.1.0")", R"("software_version":"")"},
      {R"("software_version":"0.1.0")", R"("software_version":"0.1.0","host":"fagsystem01")"},
  };
  for (const auto& [from, to] : cases) {
    CAPTURE(to);
    CHECK_FALSE(decode_enrolment(replaced(good, from, to)).has_value());
  }
  // A statement is not an enrolment and the other way round.
  CHECK_FALSE(decode_statement(good).has_value());
  CHECK_FALSE(decode_enrolment(encode_statement(testing::example_statement())).has_value());
}

}  // namespace
}  // namespace meldevakt
