// Who is who, which revision counts, and what stands beside a verdict.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/collector/correlate/small_world.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::case_number;
using testing::portal;
using testing::portal_id;
using testing::SmallWorld;
using testing::transport;

TEST_CASE("correlate: names") {
  SUBCASE("an alias joins what two names tell") {
    SmallWorld w;
    w.trace_covered();
    w.acknowledged(0);
    w.step(Signal::kMessageCommitted, 2, {transport(7)});
    CHECK(w.verdict().verdict == Verdict::kMissing);
    const std::string alias = w.alias({portal(1), transport(7)}).id;
    const MessageVerdict joined = w.verdict();
    CHECK(joined.verdict == Verdict::kStoredAfterReceipt);
    CHECK(joined.references == std::vector<Reference>{portal(1), transport(7)});
    CHECK(std::find(joined.evidence.begin(), joined.evidence.end(), alias) !=
          joined.evidence.end());
  }
  SUBCASE("a step with two names joins as well, and over more than one step") {
    SmallWorld w;
    w.acknowledged(0);
    w.step(Signal::kMessageReceived, -1, {portal(1), transport(7)});
    w.step(Signal::kMessageRetried, 1, {transport(7), case_number(9)});
    w.step(Signal::kMessageCommitted, 2, {case_number(9)});
    CHECK(w.verdict().verdict == Verdict::kStoredAfterReceipt);
  }
  SUBCASE("a case number of two messages makes neither stored by the other's commit") {
    SmallWorld w;
    w.trace_covered();
    w.acknowledged(0, 1), w.acknowledged(0, 2);
    w.alias({portal(1), case_number(9)});
    w.alias({portal(2), case_number(9)});
    w.committed(2, 2);
    CHECK(w.verdict(3000, 1).verdict == Verdict::kMissing);
    CHECK(w.verdict(3000, 2).verdict == Verdict::kStoredAfterReceipt);
    w.step(Signal::kMessageCommitted, 3, {case_number(9)});
    const MessageVerdict unsure = w.verdict(3000, 1);
    CHECK(unsure.verdict == Verdict::kUnverifiable);
    CHECK(unsure.candidates == std::vector<std::string>{portal_id(1), portal_id(2)});
    CHECK(w.verdict(3000, 2).verdict == Verdict::kStoredAfterReceipt);
  }
  SUBCASE("a message without a portal id is named by type and value") {
    SmallWorld w;
    w.step(Signal::kMessageReceived, 0, {transport(7)});
    const Correlation all = correlate(w.input, at(10));
    REQUIRE(all.messages.size() == 1);
    CHECK(all.messages[0].message == "transport_id:" + transport(7).value);
  }
  SUBCASE("names without a step or a receipt are no message") {
    SmallWorld w;
    w.alias({portal(1), transport(7)});
    w.step(Signal::kMessageCommitted, 3, {}, {portal(2), portal(3)});
    CHECK(correlate(w.input, at(10)).messages.empty());
  }
}

TEST_CASE("correlate: the highest revision of a fact is the fact") {
  SmallWorld w;
  w.trace_covered();
  w.acknowledged(0);
  Fact& failure = w.failed(2, Outcome::kUnknown);
  Fact refined = failure;
  refined.revision = 1;
  std::get<StepFact>(refined.what).outcome = Outcome::kRolledBack;
  CHECK(w.verdict().verdict == Verdict::kInDoubt);
  w.input.facts.push_back({"a1", refined});
  CHECK(w.verdict().verdict == Verdict::kLost);
  std::swap(w.input.facts.back(), w.input.facts.front());
  CHECK(w.verdict().verdict == Verdict::kLost);
}

TEST_CASE("correlate: what stands beside the verdict") {
  SmallWorld w;
  w.trace_covered();
  Receipt& row = w.row(1, at(-10), at(0));
  row.form = FormType::kPrivate;
  w.failed(2);
  const Fact window =
      w.add(WindowFact{{at(-60), at(-8)}, false, {{Signal::kDbLockWait, 4}}, "backup"});
  w.add(WindowFact{{at(4.001), at(90)}, false, {}, "cpu"});  // begins 2 s after the last step
  SUBCASE("times, form, channel, windows, evidence") {
    const MessageVerdict got = w.verdict();
    CHECK(got.verdict == Verdict::kLost);
    CHECK(got.cause == "pg/55P03");
    CHECK(got.sent == at(-10));
    CHECK(got.receipted == at(0));
    CHECK(got.failed == at(2));
    CHECK(!got.committed);
    CHECK(got.form == FormType::kPrivate);
    CHECK(got.channel == kCaseSystemChannel);
    REQUIRE(got.windows.size() == 1);
    CHECK(got.windows[0].fact_id == window.id);
    CHECK(got.evidence == std::vector<std::string>{testing::digits(1, 32)});
    CHECK(got.purge_deadline == at(0) + days(30) - hours(1));
  }
  SUBCASE("category: still there, purged, in SvarUt, none where it is stored") {
    CHECK(w.verdict(100).category == Category::kB);
    CHECK(w.verdict(30 * 86400.0 - 3601).category == Category::kB);
    CHECK(w.verdict(30 * 86400.0 - 3600).category == Category::kA);
    w.input.receipts[0].channel = kSvarUtChannel;
    CHECK(w.verdict(30 * 86400.0).category == Category::kC);
    CHECK(!w.verdict(100).purge_deadline);
    w.committed(3);
    CHECK(w.verdict(100).category == Category::kNone);
  }
  SUBCASE("several rows: the earliest receipt counts, the portal keeps it from the latest") {
    w.row(1, at(-9), at(500));
    const MessageVerdict got = w.verdict();
    CHECK(got.sent == at(-10));
    CHECK(got.receipted == at(0));
    CHECK(got.purge_deadline == at(500) + days(30) - hours(1));
  }
}

TEST_CASE("correlate: verdicts and their texts") {
  for (int i = 0; i <= static_cast<int>(Verdict::kUnreceipted); ++i) {
    const auto verdict = static_cast<Verdict>(i);
    CHECK(verdict_from_string(to_string(verdict)) == verdict);
  }
  CHECK(!verdict_from_string("gone"));
  CHECK(needs_action(Verdict::kLost));
  CHECK(!needs_action(Verdict::kStoredAfterReceipt));
}

}  // namespace
}  // namespace meldevakt::collector
