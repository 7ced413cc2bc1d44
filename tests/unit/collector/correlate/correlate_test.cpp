// Verdicts by table: each with its neighbours, one condition flipped at a time.
#include "collector/correlate/correlate.h"

#include <doctest/doctest.h>

#include "tests/unit/collector/correlate/cases.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::check;
using testing::portal;
using testing::W;

TEST_CASE("correlate: a commit of its own is stored, and the order of receipt and commit is told") {
  check({
      {"commit, then receipt", [](W w) { w.committed(1), w.acknowledged(2), w.trace_covered(); },
       Verdict::kStored, "Stored at 2026-03-02T10:00:01.000Z; receipted at 2026-03-02T10:00:02"},
      {"at the same time", [](W w) { w.committed(1), w.acknowledged(1); }, Verdict::kStored, ""},
      {"receipt, then commit", [](W w) { w.acknowledged(1), w.committed(1.001); },
       Verdict::kStoredAfterReceipt, "0.001 s before it was stored"},
      {"no coverage is needed", [](W w) { w.committed(1), w.acknowledged(2); }, Verdict::kStored,
       ""},
      {"at once, in the time of grace", [](W w) { w.acknowledged(1), w.committed(2); },
       Verdict::kStoredAfterReceipt, "", 2.5},
      {"a failure before does not matter",
       [](W w) { w.failed(0), w.retried(0.5), w.committed(1), w.acknowledged(2); },
       Verdict::kStored, ""},
      {"nor an unanswered one",
       [](W w) { w.failed(0, Outcome::kUnknown), w.committed(1), w.acknowledged(2); },
       Verdict::kStored, ""},
      {"nor a failure after it", [](W w) { w.committed(1), w.acknowledged(2), w.failed(3); },
       Verdict::kStored, ""},
      {"commit, and no receipt known", [](W w) { w.committed(1); }, Verdict::kStored,
       "no receipt of it is known"},
      {"stored again on a second delivery",
       [](W w) { w.committed(1), w.acknowledged(2), w.acknowledged(50), w.committed(60); },
       Verdict::kStored, ""},
      {"lost first, stored on a second delivery",
       [](W w) { w.acknowledged(1), w.failed(2), w.committed(60), w.acknowledged(61); },
       Verdict::kStoredAfterReceipt, ""},
  });
}

TEST_CASE("correlate: without a commit, what is covered decides") {
  const auto silent = [](double from, double to) {
    return [=](W w) { w.acknowledged(0), w.trace_covered(from, to); };
  };
  const auto received = [](double from, double to) {
    return [=](W w) { w.received(-5), w.acknowledged(0), w.trace_covered(from, to); };
  };
  check({
      {"in the time of grace", silent(-3600, 3600), Verdict::kPending, "time of grace", 29.9},
      {"when it is over", silent(-3600, 3600), Verdict::kMissing, "no commit is logged", 30},
      {"read exactly as far as needed", silent(-600, 30), Verdict::kMissing, ""},
      {"read a moment less at the end", silent(-600, 29.999), Verdict::kUnverifiable,
       "is read no further than 2026-03-02T10:00:29.999Z"},
      {"as yet", silent(-600, 29.999), Verdict::kPending, "is read no further than", 149.9},
      {"no longer as yet", silent(-600, 29.999), Verdict::kUnverifiable, "", 150},
      {"as yet, but a failure of somebody's is near",
       [](W w) {
         w.acknowledged(0), w.trace_covered(-600, 29.999);
         w.step(Signal::kMessageSaveFailed, 2, {});
       },
       Verdict::kUnverifiable, "a failed save at", 31},
      {"as yet, but it was tried again",
       [](W w) { w.acknowledged(0), w.retried(1), w.trace_covered(-600, 29.999); },
       Verdict::kUnverifiable, "", 32},
      // A sound system commits before it receipts: in the time of grace before, at the latest.
      {"the log begins later, but long enough before the receipt", silent(-30, 3600),
       Verdict::kMissing, "no commit is logged from 2026-03-02T09:59:30.000Z to"},
      {"not long enough", silent(-29.999, 3600), Verdict::kUnverifiable,
       "was not read from 2026-03-02T09:50:00.000Z to 2026-03-02T09:59:30.001Z"},
      {"at the receipt", silent(0, 3600), Verdict::kUnverifiable, ""},
      {"from its own message.received on", received(-5, 3600), Verdict::kMissing, ""},
      {"a moment less", received(-4.999, 3600), Verdict::kUnverifiable, "was not read"},
      {"never read", [](W w) { w.acknowledged(0), w.trace_covered().source.complete.reset(); },
       Verdict::kUnverifiable, "has not been read at all"},
      {"no source at all", [](W w) { w.acknowledged(0); }, Verdict::kUnverifiable,
       "no source that is read logs commits or failed saves"},
      {"a source that sees neither",
       [](W w) { w.acknowledged(0), w.covered("sql", {Signal::kMessageReceived}, -3600, 3600); },
       Verdict::kUnverifiable, "no source that is read logs commits or failed saves"},
      {"a gap that is admitted",
       [](W w) {
         w.acknowledged(0);
         w.trace_covered().source.event_gaps.push_back({{at(5), at(6)}, "lost"});
       },
       Verdict::kUnverifiable, "from 2026-03-02T10:00:05.000Z to 2026-03-02T10:00:06.000Z"},
      {"a gap is no matter of waiting",
       [](W w) {
         w.acknowledged(0);
         w.trace_covered().source.event_gaps.push_back({{at(5), at(6)}, "lost"});
       },
       Verdict::kUnverifiable, "", 31},
      {"a gap before its own message.received",
       [](W w) {
         w.received(-5), w.acknowledged(0);
         w.trace_covered().source.event_gaps.push_back({{at(-7), at(-6)}, "lost"});
       },
       Verdict::kMissing, ""},
      {"a gap in the ten minutes before, without it",
       [](W w) {
         w.acknowledged(0);
         w.trace_covered().source.event_gaps.push_back({{at(-7), at(-6)}, "lost"});
       },
       Verdict::kUnverifiable, ""},
      {"two statements that touch",
       [](W w) { w.acknowledged(0), w.trace_covered(-3600, 5), w.trace_covered(5, 3600); },
       Verdict::kMissing, ""},
      {"two statements that do not",
       [](W w) { w.acknowledged(0), w.trace_covered(-3600, 5), w.trace_covered(5.001, 3600); },
       Verdict::kUnverifiable, ""},
      {"a second source that could have seen it, of another agent",
       [](W w) {
         w.acknowledged(0), w.trace_covered();
         w.agent = "a2";
         w.covered("app2", {Signal::kMessageCommitted}, -3600, 10);
         w.covered("app2", {Signal::kMessageCommitted}, 11, 3600);
       },
       Verdict::kUnverifiable, "source app2 of agent a2"},
      {"a second source that could not",
       [](W w) {
         w.acknowledged(0), w.trace_covered();
         w.agent = "a2";
         w.covered("app2", {Signal::kMessageSaveFailed}, -3600, 10);
       },
       Verdict::kMissing, ""},
      {"receipted by the portal alone", [](W w) { w.row(1, at(-1), at(0)), w.trace_covered(); },
       Verdict::kMissing, ""},
      {"named otherwise by what logs commits",
       [](W w) {
         w.row(1, at(-1), at(0)), w.failures_covered();
         w.covered("svarut", {Signal::kMessageCommitted}, -3600, 3600).source.names = {
             ReferenceType::kShipmentId};
       },
       Verdict::kNoFailureSeen, "does not log what it stores"},
      {"named so by what logs commits",
       [](W w) {
         w.row(1, at(-1), at(0)), w.failures_covered();
         w.covered("svarut", {Signal::kMessageCommitted}, -3600, 3600).source.names = {
             ReferenceType::kPortalMessageId, ReferenceType::kShipmentId};
       },
       Verdict::kMissing, ""},
      {"a gap in a log that names messages otherwise",
       [](W w) {
         w.acknowledged(0), w.trace_covered();
         w.covered("svarut", {Signal::kMessageCommitted}, 5, 3600).source.names = {
             ReferenceType::kShipmentId};
       },
       Verdict::kMissing, ""},
  });
}

TEST_CASE("correlate: what a person fetched by hand no log names") {
  check({
      {"nothing is logged of it",
       [](W w) { w.row(1, at(-1), at(0), kManualChannel), w.trace_covered(); },
       Verdict::kUnverifiable, "look it up in the case system"},
      {"in its grace it waits like any other",
       [](W w) { w.row(1, at(-1), at(2990), kManualChannel), w.trace_covered(); },
       Verdict::kPending, "the time of grace is not over"},
      {"the case system logs that it was stored all the same",
       [](W w) { w.row(1, at(-1), at(9), kManualChannel), w.committed(1), w.trace_covered(); },
       Verdict::kStored, "Stored at"},
      {"the case system received it itself",
       [](W w) { w.row(1, at(-1), at(0), kManualChannel), w.received(-1), w.trace_covered(); },
       Verdict::kMissing, "no failure of it is logged"},
  });
}

TEST_CASE("correlate: a server that was replaced keeps nobody waiting, and hides nothing") {
  testing::SmallWorld world;
  world.trace_covered(-3600, -600);
  world.agent = "a2";
  world.received(-5), world.acknowledged(0);
  world.trace_covered(-620, 3600);
  CHECK(world.verdict().verdict == Verdict::kUnverifiable);
  const Instant end = at(1e9);
  world.input.unused = {{"a1", "", {at(-600), end}}};
  CHECK(world.verdict().verdict == Verdict::kMissing);
  // Nobody looked while neither was in use.
  world.input.unused.push_back({"a2", "trace", {at(-1e9), at(-4)}});
  CHECK(world.verdict().verdict == Verdict::kUnverifiable);
  world.input.unused.back().span.to = at(-5);
  CHECK(world.verdict().verdict == Verdict::kMissing);
}

TEST_CASE("correlate: a product that does not log commits") {
  check({
      {"no failure", [](W w) { w.row(1, at(-1), at(0)), w.failures_covered(); },
       Verdict::kNoFailureSeen, "does not log what it stores"},
      {"it logs commits after all", [](W w) { w.row(1, at(-1), at(0)), w.trace_covered(); },
       Verdict::kMissing, ""},
      {"not covered", [](W w) { w.row(1, at(-1), at(0)), w.failures_covered(-3600, 7); },
       Verdict::kUnverifiable, "is read no further than"},
      {"a failure of its own",
       [](W w) { w.row(1, at(-1), at(0)), w.failed(2), w.failures_covered(); }, Verdict::kLost,
       "the database gave up waiting for a lock (pg/55P03)"},
      {"whose end nobody knows",
       [](W w) { w.row(1, at(-1), at(0)), w.failed(2, Outcome::kUnknown), w.failures_covered(); },
       Verdict::kInDoubt, "got no answer"},
      {"tried again, end unknown",
       [](W w) { w.row(1, at(-1), at(0)), w.failed(2), w.retried(3), w.failures_covered(); },
       Verdict::kUnverifiable, "tried again at 2026-03-02T10:00:03"},
      {"tried again, failed again",
       [](W w) {
         w.row(1, at(-1), at(0)), w.failed(2), w.retried(3), w.failed(4), w.failures_covered();
       },
       Verdict::kLost, ""},
      {"somebody's failure nearby",
       [](W w) {
         w.row(1, at(-1), at(0)), w.failures_covered();
         w.step(Signal::kMessageSaveFailed, 120, {});
       },
       Verdict::kUnverifiable, "may be its or another message's"},
      {"somebody's failure not so near",
       [](W w) {
         w.row(1, at(-1), at(0)), w.failures_covered();
         w.step(Signal::kMessageSaveFailed, 120.001, {});
       },
       Verdict::kNoFailureSeen, ""},
      {"a failure of one of two",
       [](W w) {
         w.row(1, at(-1), at(0)), w.failures_covered();
         w.step(Signal::kMessageSaveFailed, 2, {}, {portal(1), portal(2)});
       },
       Verdict::kUnverifiable, "of 2 messages"},
  });
}

TEST_CASE("correlate: failed saves") {
  check({
      {"lost", [](W w) { w.received(-1), w.acknowledged(0), w.failed(2), w.trace_covered(); },
       Verdict::kLost,
       "its save failed at 2026-03-02T10:00:02.000Z: the database gave up waiting for a lock "
       "(pg/55P03); no commit followed"},
      {"rolled back",
       [](W w) { w.acknowledged(0), w.failed(2, Outcome::kRolledBack), w.trace_covered(); },
       Verdict::kLost, ""},
      {"no answer",
       [](W w) { w.acknowledged(0), w.failed(2, Outcome::kUnknown), w.trace_covered(); },
       Verdict::kInDoubt, "only the database can tell"},
      {"no answer, then a failure",
       [](W w) {
         w.acknowledged(0), w.failed(2, Outcome::kUnknown), w.failed(4), w.trace_covered();
       },
       Verdict::kInDoubt, ""},
      {"tried again, no commit",
       [](W w) { w.acknowledged(0), w.failed(2), w.retried(3), w.trace_covered(); }, Verdict::kLost,
       ""},
      {"a commit may hide after it",
       [](W w) {
         w.acknowledged(0), w.failed(2), w.trace_covered(-3600, 29), w.trace_covered(31, 3600);
       },
       Verdict::kUnverifiable, "and its save failed at"},
      {"grace runs from the last attempt",
       [](W w) { w.acknowledged(0), w.failed(50), w.trace_covered(-3600, 79.999); },
       Verdict::kUnverifiable, "read no further than 2026-03-02T10:01:19.999Z"},
      {"and ends there", [](W w) { w.acknowledged(0), w.failed(50), w.trace_covered(-3600, 80); },
       Verdict::kLost, ""},
      {"a failure is told even while its log is not read further",
       [](W w) { w.acknowledged(0), w.failed(2), w.trace_covered(-3600, 5); },
       Verdict::kUnverifiable, "", 31},
      {"a gap before the failure does not matter",
       [](W w) {
         w.acknowledged(0), w.failed(2), w.trace_covered(-3600, 0), w.trace_covered(1, 3600);
       },
       Verdict::kLost, ""},
      {"but where it was received before",
       [](W w) {
         w.received(-1), w.acknowledged(0), w.failed(2);
         w.trace_covered(-3600, 0), w.trace_covered(1, 3600);
       },
       Verdict::kUnverifiable, "was not read"},
      {"or where the database held its row already: what stored it may hide",
       [](W w) {
         w.acknowledged(0), w.trace_covered(-3600, -60), w.trace_covered(-50, 3600);
         std::get<StepFact>(w.failed(2).what).code = "pg/23505";
       },
       Verdict::kUnverifiable, "was not read"},
      {"and all was read",
       [](W w) {
         w.acknowledged(0), w.trace_covered();
         std::get<StepFact>(w.failed(2).what).code = "pg/23505";
       },
       Verdict::kLost, ""},
      {"in the time of grace", [](W w) { w.acknowledged(0), w.failed(2), w.trace_covered(); },
       Verdict::kPending, "", 29},
      {"no code",
       [](W w) {
         w.acknowledged(0), w.trace_covered();
         std::get<StepFact>(w.failed(2).what).code.clear();
       },
       Verdict::kLost, "no reason was logged"},
  });
}

TEST_CASE("correlate: a row that an agent told counts like one that was imported, once") {
  using testing::at;
  testing::SmallWorld imported;
  imported.trace_covered();
  imported.received(0);
  imported.failed(1);
  testing::SmallWorld told = imported;
  imported.row(1, at(-5), at(2));

  Fact row;
  row.id = testing::digits(900, 32);
  row.source = "portal";
  row.rule = "row";
  row.what = imported.input.receipts.front();
  std::vector<ReceiptCoverage> lists;
  add_fact(told.input, "a2", row, at(9), lists);
  add_fact(told.input, "a2", row, at(9), lists);
  Fact complete = row;
  complete.what = ReceiptCoverage{"npb", {at(-60), at(60)}};
  add_fact(told.input, "a2", complete, at(9), lists);
  CHECK(lists.size() == 1);
  CHECK(told.input.receipt_coverage.empty());  // not before the whole statement is there
  CHECK(told.input.facts.size() == imported.input.facts.size());
  CHECK(imported.verdict().verdict == Verdict::kLost);
  CHECK(told.verdict().verdict == Verdict::kLost);
  CHECK(told.verdict().explanation == imported.verdict().explanation);
  CHECK(told.verdict().purge_deadline == imported.verdict().purge_deadline);
}

}  // namespace
}  // namespace meldevakt::collector
