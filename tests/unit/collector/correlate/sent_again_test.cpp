// A message that was not stored when it was first delivered, and was when it was sent again.
#include "collector/correlate/sent_again.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "collector/correlate/testimony.h"
#include "collector/report/fleet.h"
#include "collector/report/latent_fault.h"
#include "tests/unit/collector/correlate/small_world.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::portal_id;
using testing::SmallWorld;

constexpr double kDay = 86'400;

// Receipted, not stored, and read for forty days.
SmallWorld first_delivery() {
  SmallWorld w;
  w.trace_covered(-3600, 40 * kDay);
  w.row(1, at(-5), at(0));
  w.acknowledged(0);
  w.failed(1);
  return w;
}

TEST_CASE("sent again: what a second delivery makes of a message") {
  struct Case {
    std::string_view name;
    std::function<void(SmallWorld&)> then;
    Verdict want;
    Category category;
    std::string_view cause;
  };
  const Case cases[] = {
      {"not sent again", [](SmallWorld&) {}, Verdict::kLost, Category::kB, "pg/55P03"},
      {"received, stored and receipted once more",
       [](SmallWorld& w) {
         w.received(2 * kDay);
         w.committed(2 * kDay + 1);
         w.acknowledged(2 * kDay + 2);
       },
       Verdict::kRecovered, Category::kB, "pg/55P03"},
      {"receipted once more before it was stored",
       [](SmallWorld& w) {
         w.acknowledged(2 * kDay);
         w.committed(2 * kDay + 1);
       },
       Verdict::kRecovered, Category::kB, "pg/55P03"},
      {"after the portal's purge",
       [](SmallWorld& w) {
         w.received(31 * kDay);
         w.committed(31 * kDay + 1);
       },
       Verdict::kRecovered, Category::kA, "pg/55P03"},
      {"days after a retry of its own",
       [](SmallWorld& w) {
         w.retried(30);
         w.received(2 * kDay);
         w.committed(2 * kDay + 1);
       },
       Verdict::kRecovered, Category::kB, "pg/55P03"},
      {"as only the portal's next list tells",
       [](SmallWorld& w) {
         w.committed(2 * kDay);
         w.row(1, at(-5), at(2 * kDay + 1));
       },
       Verdict::kRecovered, Category::kB, "pg/55P03"},
      {"by the case system itself, late", [](SmallWorld& w) { w.committed(2 * kDay); },
       Verdict::kStoredAfterReceipt, Category::kNone, "receipt_before_commit"},
      {"by the case system itself, and then sent in vain",
       [](SmallWorld& w) {
         w.committed(60);
         w.received(2 * kDay);
         w.row(1, at(-5), at(2 * kDay));
       },
       Verdict::kStoredAfterReceipt, Category::kNone, "receipt_before_commit"},
      {"tried again at once",
       [](SmallWorld& w) {
         w.retried(10);
         w.committed(20);
       },
       Verdict::kStoredAfterReceipt, Category::kNone, "receipt_before_commit"},
      {"at a time of which a part was not read",
       [](SmallWorld& w) {
         w.input.coverage.back().source.event_gaps.push_back({{at(3), at(4)}, "gone"});
         w.received(2 * kDay);
         w.committed(2 * kDay + 1);
       },
       Verdict::kStoredAfterReceipt, Category::kNone, "receipt_before_commit"},
      {"after the database gave no answer",
       [](SmallWorld& w) {
         w.failed(2, Outcome::kUnknown);
         w.received(2 * kDay);
         w.committed(2 * kDay + 1);
       },
       Verdict::kRecovered, Category::kB, "pg/55P03"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    SmallWorld w = first_delivery();
    c.then(w);
    const MessageVerdict got = w.verdict(35 * kDay);
    CAPTURE(got.explanation);
    const bool lost = c.want == Verdict::kLost;
    CHECK(got.verdict == c.want);
    CHECK(got.category == (lost ? Category::kA : c.category));  // purged by now
    CHECK(got.cause == c.cause);
    if (c.want != Verdict::kRecovered) continue;
    CHECK(got.explanation.find("and stored; before that it was ") != std::string::npos);
  }
}

TEST_CASE("sent again: nothing was logged of the first delivery") {
  SmallWorld w;
  w.trace_covered(-3600, 4 * kDay);
  w.received(-1);
  w.acknowledged(0);
  w.received(2 * kDay);
  w.committed(2 * kDay + 1);
  const MessageVerdict got = w.verdict(3 * kDay);
  CHECK(got.verdict == Verdict::kRecovered);
  CHECK(got.explanation.find("before that it was missing: ") != std::string::npos);
}

TEST_CASE("sent again: what is no second delivery") {
  struct Case {
    std::string_view name;
    std::function<void(SmallWorld&)> world;
    Verdict want;
  };
  const Case cases[] = {
      {"a queue: the case system receives it once, long after the portal's receipt",
       [](SmallWorld& w) {
         w.row(1, at(-5), at(0));
         w.received(3600);
         w.committed(3601);
       },
       Verdict::kStoredAfterReceipt},
      {"told twice by two agents",
       [](SmallWorld& w) {
         w.acknowledged(0);
         w.agent = "a2";
         w.acknowledged(3600);
         w.committed(3601);
       },
       Verdict::kStoredAfterReceipt},
      {"acknowledged twice within minutes",
       [](SmallWorld& w) {
         w.acknowledged(0);
         w.acknowledged(60);
         w.committed(61);
       },
       Verdict::kStoredAfterReceipt},
      {"tried again by itself, late, and confirmed then",
       [](SmallWorld& w) {
         w.row(1, at(-5), at(0));
         w.acknowledged(0);
         w.failed(1);
         w.retried(3600);
         w.committed(3601);
         w.acknowledged(3602);
         w.row(1, at(-5), at(3602));
       },
       Verdict::kStoredAfterReceipt},
      {"tried again by itself, late, after a second failure",
       [](SmallWorld& w) {
         w.row(1, at(-5), at(0));
         w.acknowledged(0);
         w.failed(1);
         w.failed(3600);
         w.committed(3601);
         w.row(1, at(-5), at(3602));
       },
       Verdict::kStoredAfterReceipt},
      {"a queue that is confirmed on both of its sides",
       [](SmallWorld& w) {
         w.row(1, at(-5), at(0));
         w.committed(3601);
         w.acknowledged(3602);
         w.row(1, at(-5), at(3602));
       },
       Verdict::kStoredAfterReceipt},
      {"two logs of one agent: a gateway's, and the case system's",
       [](SmallWorld& w) {
         w.received(-1).source = "gateway";
         w.acknowledged(0).source = "gateway";
         w.received(3600);
         w.committed(3601);
       },
       Verdict::kStoredAfterReceipt},
      {"tried again by itself, late, and received from its own queue",
       [](SmallWorld& w) {
         w.acknowledged(0);
         w.failed(1);
         w.retried(3600);
         w.received(7200);
         w.committed(7201);
       },
       Verdict::kStoredAfterReceipt},
      {"one list read in a wrong zone",
       [](SmallWorld& w) {
         w.row(1, at(-3605), at(-3600));
         w.row(1, at(-5), at(0));
         w.committed(-1);
         w.acknowledged(0);
       },
       Verdict::kStored},
      {"one list read in a wrong zone, the later one: the order stays as the right one has it",
       [](SmallWorld& w) {
         w.row(1, at(-5), at(0));
         w.row(1, at(3595), at(3600));
         w.committed(30);
       },
       Verdict::kStoredAfterReceipt},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    SmallWorld w;
    w.trace_covered(-7200, 4 * kDay);
    c.world(w);
    const MessageVerdict got = w.verdict(3 * kDay);
    CAPTURE(got.explanation);
    CHECK(got.verdict == c.want);
    CHECK(got.category == Category::kNone);
  }
}

TEST_CASE("rows of two zones: what must have been read reaches to the later receipt") {
  SmallWorld w;
  w.trace_covered(-7200, 2 * kDay).source.event_gaps.push_back({{at(3590), at(3610)}, "gone"});
  w.row(1, at(-5), at(0));
  CHECK(w.verdict(kDay).verdict == Verdict::kMissing);
  w.row(1, at(3595), at(3600));
  CHECK(w.verdict(kDay).verdict == Verdict::kUnverifiable);
}

TEST_CASE("sent again: clocks that err by hours tell no second delivery") {
  SmallWorld w = first_delivery();
  w.input.coverage.back().clock_error = hours(3);
  w.input.coverage.back().span = {at(-kDay), at(4 * kDay)};
  w.received(3600);
  w.committed(3601);
  CHECK(w.verdict(3 * kDay).verdict != Verdict::kRecovered);
}

TEST_CASE("sent again: what may be its or another's after that changes nothing of before") {
  SmallWorld w = first_delivery();
  w.received(2 * kDay);
  w.committed(2 * kDay + 1);
  w.step(Signal::kMessageCommitted, 3 * kDay, {}, {testing::portal(1), testing::portal(2)});
  CHECK(w.verdict(4 * kDay).verdict == Verdict::kRecovered);
}

TEST_CASE("sent again: it shows the fault that lost it") {
  SmallWorld w = first_delivery();
  w.received(2 * kDay);
  w.committed(2 * kDay + 1);
  const auto fault = latent_fault(correlate(w.input, at(3 * kDay)), std::nullopt);
  REQUIRE(fault);
  CHECK(fault->present);
  CHECK(fault->messages == 1);
}

TEST_CASE("sent again: it stays a loss in the fleet's report, and its incident's cause") {
  SmallWorld w = first_delivery();
  w.input.coverage.back().source.observes.push_back({Signal::kDbLockWait, std::nullopt});
  w.add(WindowFact{{at(-60), at(30)}, false, {{Signal::kDbLockWait, 4}}, "backup"});
  w.add(WindowFact{{at(kDay), at(kDay + 30)}, false, {}, "cpu"});
  w.received(2 * kDay);
  w.committed(2 * kDay + 1);
  const Correlation all = correlate(w.input, at(3 * kDay));
  REQUIRE(all.messages.size() == 1);
  CHECK(all.messages[0].windows.size() == 1);  // of the first delivery
  CHECK(losses_in(all, {at(-10), at(10)}) == 1);
  CHECK(first_loss(all) == at(0));
  const TenantAnswer answer = answer_of(w.input, all, {at(-10), at(60)});
  CHECK(answer.answer == Answer::kAffected);
  CHECK(answer.lost == 1);
}

TEST_CASE("sent again: what a person told of it stands beside what the logs say") {
  SmallWorld w = first_delivery();
  const auto told = [&](RecoveredHow how) {
    Correlation all = correlate(w.input, at(3 * kDay));
    Testimony entry;
    entry.number = 1;
    entry.person = "Kari Nordmann";
    entry.what = MessageRecovered{portal_id(1), at(2 * kDay), how};
    apply_testimony(all, {entry});
    return all.messages[0];
  };
  SUBCASE("the logs tell of the second delivery") {
    w.received(2 * kDay);
    w.committed(2 * kDay + 1);
    const MessageVerdict got = told(RecoveredHow::kSentAgain);
    CHECK(got.verdict == Verdict::kRecovered);
    CHECK(got.explanation.find("Delivered again at ") == 0);
    CHECK(got.explanation.find("sent again, says Kari Nordmann.") != std::string::npos);
  }
  SUBCASE("they tell of its commit alone: a person stored it") {
    w.committed(2 * kDay);
    CHECK(w.verdict(3 * kDay).verdict == Verdict::kStoredAfterReceipt);
    const MessageVerdict got = told(RecoveredHow::kStoredByHand);
    CHECK(got.verdict == Verdict::kRecovered);
    CHECK(got.category == Category::kB);
    // Who found it says that it was there.
    CHECK(told(RecoveredHow::kFound).verdict == Verdict::kStoredAfterReceipt);
  }
  SUBCASE("it was stored long before: what was done was done in vain") {
    w.committed(60);
    CHECK(told(RecoveredHow::kSentAgain).verdict == Verdict::kStoredAfterReceipt);
  }
  SUBCASE("found after all: it was never lost") {
    const MessageVerdict got = told(RecoveredHow::kFound);
    CHECK(got.verdict == Verdict::kRecovered);
    CHECK(got.category == Category::kNone);
  }
}

TEST_CASE("channel: a name that only SvarUt gives says that it came by SvarUt") {
  SmallWorld w;
  w.trace_covered();
  const Reference shipment{ReferenceType::kShipmentId, testing::digits(7, 32)};
  w.step(Signal::kMessageAcknowledged, 0, {shipment});
  w.step(Signal::kMessageSaveFailed, 1, {shipment});
  const Correlation all = correlate(w.input, at(3000));
  REQUIRE(all.messages.size() == 1);
  CHECK(all.messages[0].verdict == Verdict::kLost);
  CHECK(all.messages[0].channel == kSvarUtChannel);
  CHECK(all.messages[0].category == Category::kC);
  CHECK(!all.messages[0].purge_deadline);  // SvarUt keeps it
}

TEST_CASE("rows: what the newest leaves open an older one says; one that lies ahead says nothing") {
  SmallWorld w;
  w.trace_covered();
  w.row(1, at(-5), at(0)).form = FormType::kPrivate;
  w.input.receipts.back().district = "b-7";
  Receipt ahead = w.input.receipts.back();
  ahead.confirmed = at(365 * kDay);
  ahead.form = FormType::kPublic;
  w.row(1, at(-5), at(2)).channel.clear();
  w.failed(1);
  const MessageVerdict without = w.verdict();
  CHECK(without.form == FormType::kPrivate);
  CHECK(without.channel == kCaseSystemChannel);
  CHECK(without.district == "b-7");
  CHECK(without.receipted == at(0));
  add_row(w.input, ahead, at(10));
  REQUIRE(w.input.rows_ahead.size() == 1);
  const MessageVerdict with = w.verdict();
  CHECK(with.verdict == Verdict::kLost);
  CHECK(with.purge_deadline == without.purge_deadline);
  CHECK(with.form == FormType::kPrivate);
  // Told once more when its time has come, a year late: still a wrong time.
  add_row(w.input, ahead, at(366 * kDay));
  CHECK(w.verdict().purge_deadline == without.purge_deadline);
}

}  // namespace
}  // namespace meldevakt::collector
