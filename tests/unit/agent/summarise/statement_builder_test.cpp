#include "agent/summarise/statement_builder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/base/limits.h"
#include "common/pack/pack.h"
#include "common/ports/sha256.h"
#include "common/seal/dsse.h"
#include "common/summary/fact.h"
#include "tests/unit/agent/summarise/trace.h"

namespace meldevakt::agent {
namespace {

using meldevakt::testing::SeededRandom;
using testing::at;

StatementContext context() {
  StatementContext out;
  out.tenant = "00000000000000000000000000000001";
  out.agent = "00000000000000000000000000000002";
  out.from = at(0);
  out.to = at(60);
  out.boot_id = "00000000-0000-4000-8000-000000000001";
  out.boottime_from_ns = 1'000'000'000;
  out.boottime_to_ns = 61'000'000'000;
  out.clock = {"synchronised", 0, 500, false};
  out.configuration = sha256("agent.toml");
  out.software_version = "0.1.0";
  return out;
}

ChainHead start() {
  ChainHead head;
  head.link = sha256("enrolment");
  return head;
}

Fact fact(std::uint64_t number, SeededRandom& random) {
  Fact out;
  out.id = to_hex(random.bytes(16));
  out.source = "trace";
  out.rule = "received";
  StepFact step;
  step.signal = Signal::kMessageReceived;
  step.time = at(static_cast<double>(number % 1000));
  step.attribution = Attribution::kNamed;
  step.references = {{ReferenceType::kTransportId, to_hex(random.bytes(16))}};
  out.what = step;
  return out;
}

SourceYield yield(const std::string& name, std::size_t facts, SeededRandom& random) {
  SourceYield out;
  out.coverage.id = name;
  out.coverage.kind = "file";
  out.coverage.pack = {"test-trace", "1.0.0", sha256("pack")};
  out.coverage.observes = {{Signal::kMessageReceived, at(7)}, {Signal::kMessageCommitted, {}}};
  out.coverage.reading = {{{at(0), at(60)}, ReadState::kRead, ""}};
  out.coverage.complete = Interval{at(0), at(59)};
  out.coverage.bytes = {100, 60, 40, 0, 0};
  for (std::size_t i = 0; i < facts; ++i) out.facts.push_back(fact(i, random));
  return out;
}

// Everything a collector will check, and the facts that come out.
std::vector<Fact> verify(const std::vector<Draft>& drafts, const ChainHead& head,
                         const StatementContext& of) {
  std::vector<Fact> facts;
  ChainHead at_head = head;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    CAPTURE(i);
    const Draft& draft = drafts[i];
    const bool last = i + 1 == drafts.size();
    CHECK(draft.payload.size() <= limits::kStatementBytesMax);
    const auto statement = decode_statement(draft.payload);
    REQUIRE_MESSAGE(statement, (statement ? "" : statement.error().message()));
    const Statement& s = statement.value();
    const Sha256 link = link_hash(kStatementType, draft.payload);
    CHECK(decide(at_head, s, link, nullptr) == ChainDecision::kExtends);
    at_head = advance(s, link);
    CHECK(draft.head == at_head);
    CHECK(s.span.from == of.from);
    CHECK(s.span.to == (last ? of.to : of.from));
    CHECK(s.sources.empty() != last);
    CHECK(s.boottime_to_ns == (last ? of.boottime_to_ns : of.boottime_from_ns));
    CHECK(s.bodies.size() <= limits::kBodiesPerStatementMax);
    REQUIRE(s.bodies.size() == draft.bodies.size());
    REQUIRE(s.bodies.size() == draft.plain.size());
    std::size_t frame = limits::kEnvelopeBytesMax;
    for (std::size_t b = 0; b < s.bodies.size(); ++b) {
      frame += draft.bodies[b].size() + 4;
      CHECK(s.bodies[b].packed == sha256(draft.bodies[b]));
      CHECK(s.bodies[b].packed_bytes == draft.bodies[b].size());
      CHECK(s.bodies[b].plain == sha256(draft.plain[b]));
      const auto plain = unpack(draft.bodies[b], s.bodies[b].plain_bytes);
      REQUIRE(plain);
      CHECK(plain.value() == draft.plain[b]);
      const auto body = decode_body(plain.value());
      REQUIRE(body);
      CHECK(body.value().facts.size() == s.bodies[b].facts);
      facts.insert(facts.end(), body.value().facts.begin(), body.value().facts.end());
    }
    CHECK(frame <= limits::kFrameBytesMax);
  }
  return facts;
}

TEST_CASE("build_statements: one statement, with and without facts") {
  SeededRandom random{1};
  for (const std::size_t count : {0U, 1U, 10U}) {
    CAPTURE(count);
    std::vector<SourceYield> yields{yield("trace", count, random), yield("sql", 0, random)};
    const std::vector<Fact> want = yields[0].facts;
    const auto drafts = build_statements(context(), start(), yields, random);
    REQUIRE_MESSAGE(drafts, (drafts ? "" : drafts.error().message()));
    REQUIRE(drafts.value().size() == 1);
    CHECK(verify(drafts.value(), start(), context()) == want);
    CHECK(drafts.value()[0].bodies.size() == (count == 0 ? 0 : 1));
    CHECK(drafts.value()[0].head.until == at(60));
  }
}

TEST_CASE("build_statements: equal facts make different bodies, so a body cannot be guessed") {
  SeededRandom random{2};
  const std::vector<SourceYield> yields{yield("trace", 1, random)};
  const auto one = build_statements(context(), start(), yields, random);
  const auto two = build_statements(context(), start(), yields, random);
  REQUIRE(one);
  REQUIRE(two);
  CHECK(one.value()[0].plain != two.value()[0].plain);
}

TEST_CASE("build_statements: more facts than one frame holds make several, coverage comes last") {
  SeededRandom random{3};
  std::vector<SourceYield> yields{yield("trace", 70'000, random), yield("sql", 11, random)};
  std::vector<Fact> want = yields[0].facts;
  want.insert(want.end(), yields[1].facts.begin(), yields[1].facts.end());
  const auto drafts = build_statements(context(), start(), std::move(yields), random);
  REQUIRE_MESSAGE(drafts, (drafts ? "" : drafts.error().message()));
  CHECK(drafts.value().size() > 1);
  CHECK(verify(drafts.value(), start(), context()) == want);
}

TEST_CASE("build_statements: facts as large as facts may be") {
  SeededRandom random{4};
  SourceYield big = yield("trace", 0, random);
  for (int i = 0; i < 16'000; ++i) {
    Fact one = fact(1, random);
    StepFact step;
    step.signal = Signal::kMessageSaveFailed;
    step.time = at(1);
    step.outcome = Outcome::kUnknown;
    step.attribution = Attribution::kAmbiguous;
    for (std::size_t c = 0; c < limits::kCandidatesPerFactMax; ++c) {
      step.candidates.push_back({ReferenceType::kTransportId, to_hex(random.bytes(16))});
    }
    std::sort(step.candidates.begin(), step.candidates.end());
    one.what = step;
    big.facts.push_back(std::move(one));
  }
  const std::vector<Fact> want = big.facts;
  const auto drafts = build_statements(context(), start(), {big}, random);
  REQUIRE_MESSAGE(drafts, (drafts ? "" : drafts.error().message()));
  CHECK(drafts.value().size() == 2);  // few bodies, but more bytes than one frame holds
  CHECK(verify(drafts.value(), start(), context()) == want);
}

TEST_CASE("build_statements: the next goes on where the one before ended") {
  SeededRandom random{5};
  const auto first = build_statements(context(), start(), {yield("trace", 1, random)}, random);
  REQUIRE(first);
  const ChainHead head = first.value().back().head;
  StatementContext next = context();
  next.from = at(60);
  next.to = at(120);
  SourceYield later = yield("trace", 1, random);
  later.coverage.reading = {{{at(60), at(120)}, ReadState::kRead, ""}};
  const auto second = build_statements(next, head, {later}, random);
  REQUIRE_MESSAGE(second, (second ? "" : second.error().message()));
  verify(second.value(), head, next);
  CHECK(decode_statement(second.value()[0].payload).value().sequence == 1);

  next.from = at(61);
  later.coverage.reading = {{{at(61), at(120)}, ReadState::kRead, ""}};
  const auto hole = build_statements(next, head, {later}, random);
  REQUIRE_FALSE(hole);
  CHECK(hole.error().code() == Errc::kInvalid);
}

TEST_CASE("build_statements: what would not be believed is not made") {
  SeededRandom random{6};
  SUBCASE("reading with a hole") {
    SourceYield holed = yield("trace", 0, random);
    holed.coverage.reading = {{{at(0), at(59)}, ReadState::kRead, ""}};
    CHECK_FALSE(build_statements(context(), start(), {holed}, random));
  }
  SUBCASE("backwards") {
    StatementContext backwards = context();
    backwards.to = at(-1);
    CHECK_FALSE(build_statements(backwards, start(), {}, random));
  }
}

// One source in the worst shape a minute can give it, observing the first `signals` signals.
SourceYield troubled(int number, std::size_t signals, SeededRandom& random) {
  SourceYield out = yield(std::string(60, 's') + std::to_string(number), 0, random);
  out.coverage.observes.clear();
  for (std::size_t s = 0; s < signals; ++s) {
    out.coverage.observes.push_back({static_cast<Signal>(s), at(1)});
  }
  out.coverage.reading.clear();
  for (int s = 0; s < 60; ++s) {
    const bool even = s % 2 == 0;
    out.coverage.reading.push_back(
        {{at(s), at(s + 1)}, even ? ReadState::kRead : ReadState::kGap, even ? "" : "permission"});
  }
  for (std::size_t r = 0; r < SourceCoverage::kRangesMax; ++r) {
    out.coverage.ranges.push_back({to_hex(random.bytes(16)), 0, 100});
  }
  for (int g = 0; g < 16; ++g) {
    out.coverage.event_gaps.push_back({{at(2 * g), at(2 * g + 1)}, "content_lost"});
  }
  out.coverage.digest = std::string(64, 'd');
  return out;
}

TEST_CASE("statement_bytes_needed: what it lets pass can always be sealed") {
  SeededRandom random{8};
  std::size_t passed = 0;
  std::size_t refused = 0;
  for (const int sources : {0, 1, 8, 20, 31, 32}) {
    for (std::size_t signals = 0; signals <= kSignalCount; signals += 3) {
      CAPTURE(sources);
      CAPTURE(signals);
      std::vector<SourceYield> yields;
      std::vector<SourceCoverage> bare;
      for (int i = 0; i < sources; ++i) {
        yields.push_back(troubled(i, signals, random));
        bare.push_back(yields.back().coverage);
      }
      const std::size_t needed = statement_bytes_needed(bare);
      (needed <= limits::kStatementBytesMax ? passed : refused) += 1;
      const auto drafts = build_statements(context(), start(), yields, random);
      if (needed > limits::kStatementBytesMax) continue;
      REQUIRE_MESSAGE(drafts, (drafts ? "" : drafts.error().message()));
      CHECK(drafts.value().back().payload.size() <= limits::kStatementBytesMax);
    }
  }
  CHECK(passed > 50);
  CHECK(refused > 5);
}

TEST_CASE("statement_bytes_needed: the most sources there may be, with twenty signals each, fit") {
  SeededRandom random{9};
  std::vector<SourceCoverage> bare;
  for (std::size_t i = 0; i < limits::kSourcesPerAgentMax; ++i) {
    bare.push_back(troubled(static_cast<int>(i), 20, random).coverage);
    bare.back().id = "source-" + std::to_string(i);
  }
  CHECK(statement_bytes_needed(bare) <= limits::kStatementBytesMax);
}

TEST_CASE("build_statements: a statement that grows too large says less, and nothing untrue") {
  SeededRandom random{7};
  std::vector<SourceYield> yields;
  for (int i = 0; i < 16; ++i) {
    yields.push_back(troubled(i, 2, random));
    yields.back().facts.push_back(fact(static_cast<std::size_t>(i), random));
  }
  const auto drafts = build_statements(context(), start(), yields, random);
  REQUIRE_MESSAGE(drafts, (drafts ? "" : drafts.error().message()));
  CHECK(verify(drafts.value(), start(), context()).size() == 16);
  const auto statement = decode_statement(drafts.value().back().payload);
  REQUIRE(statement);
  for (const SourceCoverage& source : statement.value().sources) {
    REQUIRE(source.reading.size() == 1);
    CHECK(source.reading[0].state == ReadState::kGap);  // the worst there was
    CHECK(source.complete == Interval{at(0), at(59)});
  }

  std::vector<SourceYield> too_many;
  for (int i = 0; i < 32; ++i) too_many.push_back(troubled(i, kSignalCount, random));
  const auto refused = build_statements(context(), start(), too_many, random);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kLimit);
  CHECK(refused.error().message().find("fewer sources") != std::string::npos);
}

}  // namespace
}  // namespace meldevakt::agent
