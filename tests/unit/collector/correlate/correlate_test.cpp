#include "collector/correlate/correlate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "tests/unit/collector/correlate/small_world.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::case_number;
using testing::portal;
using testing::portal_id;
using testing::SmallWorld;
using testing::transport;

struct Case {
  std::string name;
  std::function<void(SmallWorld&)> make;
  Verdict verdict;
  std::string says;  // a piece of the explanation
  double now = 3000;
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CAPTURE(c.name);
    SmallWorld world;
    c.make(world);
    const MessageVerdict got = world.verdict(c.now);
    CAPTURE(got.explanation);
    CHECK(to_string(got.verdict) == to_string(c.verdict));
    CHECK(got.explanation.find(c.says) != std::string::npos);
    REQUIRE(!got.explanation.empty());
    CHECK(got.explanation.back() == '.');
  }
}

using W = SmallWorld&;

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

TEST_CASE("correlate: clocks that are not one clock get the benefit of their errors") {
  const auto two_agents = [](double receipt, double commit) {
    return [=](W w) {
      w.acknowledged(receipt);
      w.trace_covered().clock_error = milliseconds(300);
      w.agent = "a2";
      w.committed(commit);
      w.covered("db", {Signal::kMessageCommitted}, -3600, 3600).clock_error = milliseconds(200);
    };
  };
  const auto portal_row = [](double receipt, double commit) {
    return [=](W w) {
      w.row(1, at(0), at(receipt));
      w.committed(commit);
      w.trace_covered().clock_error = milliseconds(500);
    };
  };
  check({
      {"two agents, within", two_agents(1, 1.5), Verdict::kStored, ""},
      {"two agents, beyond", two_agents(1, 1.501), Verdict::kStoredAfterReceipt, ""},
      // 2 s of policy, 0.5 s of the agent
      {"portal, within", portal_row(1.25, 3.75), Verdict::kStored, ""},
      {"portal, beyond", portal_row(1.25, 3.751), Verdict::kStoredAfterReceipt, ""},
      {"portal in whole seconds, within", portal_row(1, 4.5), Verdict::kStored, ""},
      {"portal in whole seconds, beyond", portal_row(1, 4.501), Verdict::kStoredAfterReceipt, ""},
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
      {"the log begins later, but before the receipt", silent(-1, 3600), Verdict::kMissing, ""},
      {"at the receipt", silent(0, 3600), Verdict::kMissing, ""},
      {"after the receipt", silent(0.001, 3600), Verdict::kUnverifiable,
       "was not read from 2026-03-02T09:50:00.000Z to 2026-03-02T10:00:00.001Z"},
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
  });
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

TEST_CASE("correlate: what could be its or another's") {
  const auto with_receipt_and = [](auto more) {
    return [more](W w) {
      w.acknowledged(0), w.trace_covered();
      more(w);
    };
  };
  check({
      {"a commit of one of two", with_receipt_and([](W w) {
         w.step(Signal::kMessageCommitted, 2, {}, {portal(1), portal(2)});
       }),
       Verdict::kUnverifiable, "a commit at 2026-03-02T10:00:02.000Z may be its or another's of 2"},
      {"a commit of one of two others", with_receipt_and([](W w) {
         w.step(Signal::kMessageCommitted, 2, {}, {portal(2), portal(3)});
       }),
       Verdict::kMissing, ""},
      {"a commit of nobody, near",
       with_receipt_and([](W w) { w.step(Signal::kMessageCommitted, -120, {}); }),
       Verdict::kUnverifiable, "may be its or another message's"},
      {"a commit of nobody, far",
       with_receipt_and([](W w) { w.step(Signal::kMessageCommitted, -120.001, {}); }),
       Verdict::kMissing, ""},
      {"a failure of one of two: not stored, whosever it is", with_receipt_and([](W w) {
         w.step(Signal::kMessageSaveFailed, 2, {}, {portal(1), portal(2)});
       }),
       Verdict::kMissing, "a failed save at 2026-03-02T10:00:02.000Z may be its or another's of 2"},
      {"its own failure, and a commit of one of two", with_receipt_and([](W w) {
         w.failed(1);
         w.step(Signal::kMessageCommitted, 2, {}, {portal(1), portal(2)});
       }),
       Verdict::kUnverifiable, ""},
      {"its own commit, and a failure of one of two", with_receipt_and([](W w) {
         w.committed(1);
         w.step(Signal::kMessageSaveFailed, 2, {}, {portal(1), portal(2)});
       }),
       Verdict::kStoredAfterReceipt, ""},
      {"two names that turn out to be its own", with_receipt_and([](W w) {
         w.step(Signal::kMessageCommitted, 2, {}, {portal(1), transport(1)});
         w.alias({portal(1), transport(1)});
       }),
       Verdict::kStoredAfterReceipt, ""},
      {"one candidate alone is not named",
       with_receipt_and([](W w) { w.step(Signal::kMessageCommitted, 2, {}, {portal(1)}); }),
       Verdict::kUnverifiable, ""},
      {"a receipt of one of two, no commit",
       [](W w) {
         w.received(0), w.trace_covered();
         w.step(Signal::kMessageAcknowledged, 1, {}, {portal(1), portal(2)});
       },
       Verdict::kUnverifiable, "a receipt at 2026-03-02T10:00:01.000Z may be its"},
      {"as yet",
       [](W w) {
         w.received(0), w.trace_covered();
         w.step(Signal::kMessageAcknowledged, 1, {}, {portal(1), portal(2)});
       },
       Verdict::kPending, "a receipt at", 30.9},
      {"a receipt of one of two, and a commit",
       [](W w) {
         w.received(0), w.committed(2), w.trace_covered();
         w.step(Signal::kMessageAcknowledged, 1, {}, {portal(1), portal(2)});
       },
       Verdict::kStored, "no receipt of it is known"},
  });
}

TEST_CASE("correlate: no receipt") {
  constexpr double day = 86400;
  const auto complete = [](W w, double from = -3600, double to = 3600) {
    w.input.receipt_coverage.push_back({"npb", {at(from), at(to)}});
  };
  check({
      {"sent, not confirmed", [](W w) { w.row(1, at(0), std::nullopt); }, Verdict::kPending,
       "not receipted yet", day - 1},
      {"its time ran out", [](W w) { w.row(1, at(0), std::nullopt); }, Verdict::kUndelivered,
       "the portal never got a receipt", day},
      {"a failure does not change that", [](W w) { w.row(1, at(0), std::nullopt), w.failed(1); },
       Verdict::kUndelivered, "", day},
      {"the case system's own receipt counts",
       [](W w) { w.row(1, at(0), std::nullopt), w.acknowledged(1), w.trace_covered(); },
       Verdict::kMissing, "", day},
      {"refused", [](W w) { w.received(0), w.failed(1), w.rejected(2); }, Verdict::kFallback,
       "could not take it (the database gave up waiting for a lock (pg/55P03))"},
      {"refused, and time ran out", [](W w) { w.row(1, at(0), std::nullopt), w.rejected(2); },
       Verdict::kFallback, "", day},
      {"refused, and confirmed as a letter",
       [](W w) { w.row(1, at(0), at(500), kPrintChannel), w.rejected(2), w.trace_covered(); },
       Verdict::kFallback, ""},
      {"a letter, no trace of a refusal",
       [](W w) { w.row(1, at(0), at(500), kPrintChannel), w.trace_covered(); }, Verdict::kFallback,
       "prints it"},
      {"refused and receipted", [](W w) { w.rejected(2), w.acknowledged(3), w.trace_covered(); },
       Verdict::kMissing, ""},
      {"seen, not receipted", [](W w) { w.received(0); }, Verdict::kPending, "not receipted yet"},
      {"for a day, nobody could see receipts", [](W w) { w.received(0); }, Verdict::kUnverifiable,
       "no receipt is known", day},
      {"for a day, and the log tells of receipts",
       [](W w) { w.received(0), w.trace_covered(-10, 2 * day); }, Verdict::kUndelivered,
       "never receipted", day},
      {"but was not read throughout",
       [](W w) { w.received(0), w.trace_covered(-10, 100), w.trace_covered(101, 2 * day); },
       Verdict::kUnverifiable, "was not read", day},
      {"stored, and the portal's complete list does not know it",
       [=](W w) { w.committed(1), complete(w); }, Verdict::kUnreceipted, "does not know it",
       day + 1},
      {"not before a day has passed", [=](W w) { w.committed(1), complete(w); }, Verdict::kStored,
       "", day},
      {"the list is not complete long enough before",
       [=](W w) { w.committed(1), complete(w, -598); }, Verdict::kStored, "", day + 1},
      {"nor until then", [=](W w) { w.committed(1), complete(w, -3600, 1); }, Verdict::kStored, "",
       day + 1},
      {"stored, and the portal's row is not confirmed",
       [=](W w) { w.row(1, at(0), std::nullopt), w.committed(1), complete(w); },
       Verdict::kUnreceipted, "has no receipt", day},
      {"another portal's list",
       [=](W w) {
         w.row(1, at(0), std::nullopt).portal = "other";
         w.committed(1), complete(w);
       },
       Verdict::kStored, "", day},
      {"stored and printed",
       [=](W w) { w.row(1, at(0), at(9), kPrintChannel), w.committed(1), complete(w); },
       Verdict::kStored, "", day},
  });
}

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
    CHECK(got.purge_deadline == at(0) + days(30));
  }
  SUBCASE("category: still there, purged, in SvarUt, none where it is stored") {
    CHECK(w.verdict(100).category == Category::kB);
    CHECK(w.verdict(30 * 86400.0 - 1).category == Category::kB);
    CHECK(w.verdict(30 * 86400.0).category == Category::kA);
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
    CHECK(got.purge_deadline == at(500) + days(30));
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
