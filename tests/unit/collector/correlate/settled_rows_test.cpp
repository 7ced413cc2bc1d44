// What the rows of a message say together, and beside what the logs tell.
#include "collector/correlate/settled_rows.h"

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/correlate/sent_again.h"
#include "collector/report/latent_fault.h"
#include "tests/unit/collector/correlate/small_world.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::SmallWorld;
using W = SmallWorld&;

constexpr double kDay = 86'400;
constexpr double kHour = 3600;

struct Case {
  std::string_view name;
  std::function<void(W)> world;
  Verdict want;
  std::optional<double> receipted;
  std::string_view in_words = "";
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CAPTURE(c.name);
    SmallWorld w;
    w.trace_covered(-kDay, 4 * kDay);
    c.world(w);
    const MessageVerdict got = w.verdict(3 * kDay);
    CAPTURE(got.explanation);
    CHECK(to_string(got.verdict) == to_string(c.want));
    CHECK(got.receipted == (c.receipted ? std::optional{at(*c.receipted)} : std::nullopt));
    CHECK(got.explanation.find(c.in_words) != std::string::npos);
  }
}

// The row of a sending that was receipted then, and the same as a list in another zone has it.
void two_zones(W w, double confirmed, double apart) {
  w.row(1, at(confirmed - 5), at(confirmed));
  w.row(1, at(confirmed - 5 + apart), at(confirmed + apart));
}

TEST_CASE("rows of two zones: what the logs tell says which is right") {
  check({
      {"the wrong one is later, and the fault stays",
       [](W w) { two_zones(w, 0, kHour), w.committed(30); }, Verdict::kStoredAfterReceipt, 0},
      {"the wrong one is earlier: no fault", [](W w) { two_zones(w, 0, -kHour), w.committed(-1); },
       Verdict::kStored, -kHour},
      {"the wrong one is earlier, and the fault is there",
       [](W w) { two_zones(w, 0, -kHour), w.committed(30); }, Verdict::kStoredAfterReceipt, -kHour},
      {"half an hour, and a quarter beside it",
       [](W w) { two_zones(w, 0, kHour / 2), two_zones(w, 0, kHour / 4), w.committed(30); },
       Verdict::kStoredAfterReceipt, 0},
      {"lost: the earlier counts", [](W w) { two_zones(w, 0, -kHour), w.failed(1); },
       Verdict::kLost, -kHour},
      {"nothing is near: the earlier counts", [](W w) { two_zones(w, 0, kHour); },
       Verdict::kMissing, 0},
      {"stored between them, near none: it may have come after",
       [](W w) { two_zones(w, 0, kHour), w.committed(kHour / 2); }, Verdict::kStoredAfterReceipt,
       0},
      {"sent twice, whole hours apart: it was lost",
       [](W w) {
         two_zones(w, 0, 2 * kHour);
         w.received(0), w.failed(1), w.received(2 * kHour), w.committed(2 * kHour + 1);
       },
       Verdict::kRecovered, 0, "before that it was lost"},
      {"failed without a receipt, and stored when it came again: acknowledged once",
       [](W w) {
         two_zones(w, 0, kHour);
         w.received(0), w.failed(1), w.received(kHour - 1), w.committed(kHour - 0.5);
         w.acknowledged(kHour);
       },
       Verdict::kStored, 0},
      {"stored an hour after it came, before it was acknowledged",
       [](W w) {
         two_zones(w, 0, kHour);
         w.received(0), w.committed(kHour - 0.5), w.acknowledged(kHour);
       },
       Verdict::kStored, 0},
      {"no two of them may be further apart than zones are",
       [](W w) {
         w.row(1, at(-5), at(0)), w.row(1, at(14 * kHour - 5), at(14 * kHour));
         w.row(1, at(28 * kHour - 5), at(28 * kHour)), w.committed(28 * kHour - 1);
       },
       Verdict::kStoredAfterReceipt, 0},
      {"and not whole hours apart",
       [](W w) {
         two_zones(w, 0, 2 * kHour + 60);
         w.received(0), w.failed(1), w.received(2 * kHour + 60), w.committed(2 * kHour + 61);
       },
       Verdict::kRecovered, 0, "before that it was lost"},
  });
}

TEST_CASE("rows of two zones: how near what is seen must lie") {
  // Stored before the right row; the wrong one is earlier, so that it would tell of a fault.
  struct Near {
    std::string_view name;
    double acknowledged;  // by a gateway whose log says no more
    double committed;
    Duration doubt;
    bool decides;
  };
  const std::vector<Near> cases{
      {"seven minutes before", 900, -420, {}, true},
      {"more", 900, -421, {}, false},
      {"seven minutes after", 420, -421, {}, true},
      {"more than that", 421, -421, {}, false},
      {"that may be an hour off", 0, -421, hours(1), false},
  };
  for (const Near& c : cases) {
    CAPTURE(c.name);
    SmallWorld w;
    w.trace_covered(-kDay, 4 * kDay);
    two_zones(w, 0, -kHour);
    w.committed(c.committed);
    Fact& gateway = w.acknowledged(c.acknowledged);
    gateway.source = "gateway";
    std::get<StepFact>(gateway.what).time_error = c.doubt;
    CHECK(w.verdict(3 * kDay).verdict ==
          (c.decides ? Verdict::kStored : Verdict::kStoredAfterReceipt));
  }
}

TEST_CASE(
    "rows of two zones: what was not read there, and what was confirmed twice, decides nothing") {
  // Receipted and failed, sent again an hour later and stored; nobody read whether the first was
  // acknowledged.
  const auto world = [](double acknowledgements_from) {
    SmallWorld w;
    w.covered("trace", {Signal::kMessageCommitted, Signal::kMessageSaveFailed}, -kDay, 4 * kDay);
    w.covered("web", {Signal::kMessageAcknowledged}, acknowledgements_from, 4 * kDay);
    w.received(-1), w.failed(1);
    w.received(kHour - 201), w.committed(kHour - 200);
    w.acknowledged(kHour - 199).source = "web";
    two_zones(w, 0, kHour);
    return w;
  };
  CHECK(world(kHour / 2).verdict(3 * kDay).verdict == Verdict::kRecovered);
  CHECK(world(-421).verdict(3 * kDay).verdict == Verdict::kRecovered);  // clocks may err
  CHECK(world(-kHour).verdict(3 * kDay).verdict == Verdict::kStored);
  SmallWorld twice = world(-kHour);
  twice.row(1, at(-5), at(kHour - 198));
  CHECK(twice.verdict(3 * kDay).verdict == Verdict::kRecovered);
}

TEST_CASE("rows of two zones: an acknowledgement by a clock as wrong as the list decides nothing") {
  SmallWorld w;
  w.trace_covered(-kDay, 4 * kDay);
  two_zones(w, 0, kHour);
  w.received(-1), w.committed(30);
  w.agent = "a2";
  w.acknowledged(kHour);
  CHECK(w.verdict(3 * kDay).verdict == Verdict::kStoredAfterReceipt);
}

TEST_CASE("rows of two zones: what must have been read reaches to the later, whatever is near") {
  const auto world = [](const std::function<void(W)>& near, double hole) {
    SmallWorld w;
    w.trace_covered(-kDay, 4 * kDay)
        .source.event_gaps.push_back({{at(hole - 60), at(hole + 60)}, "gone"});
    two_zones(w, kHour, -kHour);
    near(w);
    return w.verdict(3 * kDay).verdict;
  };
  const std::vector<std::function<void(W)>> all{
      [](W) {},
      [](W w) { w.received(0).source = "gateway"; },
      [](W w) {
        w.received(-1).source = "gateway";
        w.acknowledged(kHour).source = "gateway";
      },
      [](W w) { w.row(1, std::nullopt, at(-0.5)); },
      [](W w) {
        Fact& gateway = w.acknowledged(-1);
        gateway.source = "gateway";
        std::get<StepFact>(gateway.what).time_error = minutes(30);
      },
      [](W w) { std::get<StepFact>(w.received(kHour - 10).what).time_error = hours(1); },
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(i);
    CHECK(world(all[i], kHour) == Verdict::kUnverifiable);
    CHECK(world(all[i], 0) == Verdict::kUnverifiable);
    CHECK(world(all[i], 3 * kHour) == Verdict::kMissing);
  }
}

TEST_CASE("rows of two zones: the portal keeps it no longer than the earlier says") {
  SmallWorld one;
  one.trace_covered(-kDay, 2 * kDay);
  one.row(1, at(-5), at(0));
  SmallWorld two = one;
  two.row(1, at(7195), at(7200));
  REQUIRE(one.verdict(kDay).verdict == Verdict::kMissing);
  CHECK(two.verdict(kDay).purge_deadline == one.verdict(kDay).purge_deadline);
  // Confirmed twice, of one sending: it keeps it from the later on.
  one.row(1, at(-5), at(7200));
  CHECK(one.verdict(kDay).purge_deadline > two.verdict(kDay).purge_deadline);
}

TEST_CASE("rows of two zones: one list in a wrong zone does not take the latent fault away") {
  for (const double apart : {kHour, -kHour}) {
    SmallWorld w;
    w.trace_covered(-kDay, 4 * kDay);
    for (std::uint64_t m = 1; m <= 20; ++m) {
      const double confirmed = 600.0 * static_cast<double>(m);
      w.row(m, at(confirmed - 5), at(confirmed));
      w.committed(confirmed + 30, m);
      w.row(m, at(confirmed - 5 + apart), at(confirmed + apart));
    }
    const auto fault = latent_fault(correlate(w.input, at(3 * kDay)));
    REQUIRE(fault);
    CHECK(fault->present);
    CHECK(fault->messages == 20);
  }
}

TEST_CASE("a row without a channel is of the letter whose posting it tells") {
  check({
      {"a letter, told by a list without a channel, too",
       [](W w) {
         w.rejected(0);
         w.row(1, at(-5), at(kHour), kPrintChannel), w.row(1, at(-5), at(kHour), "");
       },
       Verdict::kFallback, std::nullopt},
      {"told to the millisecond by one of them",
       [](W w) {
         w.rejected(0);
         w.row(1, at(-5), at(kHour), kPrintChannel), w.row(1, at(-5), at(kHour + 0.4), "");
       },
       Verdict::kFallback, std::nullopt},
      {"told in another zone by the one without a channel",
       [](W w) {
         w.rejected(0);
         w.row(1, at(-5), at(kDay), kPrintChannel), w.row(1, at(kHour - 5), at(kDay + kHour), "");
       },
       Verdict::kFallback, std::nullopt},
      {"another time is another receipt",
       [](W w) { w.row(1, at(-5), at(kHour), kPrintChannel), w.row(1, at(-5), at(0), ""); },
       Verdict::kMissing, 0},
      {"two lists say otherwise: the receipt counts",
       [](W w) {
         w.row(1, at(-5), at(0), kPrintChannel), w.row(1, at(-5), at(0), "");
         w.row(1, at(-5), at(0), kCaseSystemChannel);
       },
       Verdict::kMissing, 0},
      {"another portal's letter",
       [](W w) {
         w.row(1, at(-5), at(0), kPrintChannel).portal = "other";
         w.row(1, at(-5), at(0), "");
       },
       Verdict::kMissing, 0},
  });
}

TEST_CASE("fetched by hand, and the newest row leaves the channel open") {
  SmallWorld w;
  w.trace_covered(-kDay, 2 * kDay);
  w.row(1, at(-5), at(kHour), kManualChannel);
  w.row(1, at(-5), at(kHour), "").form = FormType::kPrivate;
  CHECK(w.verdict(kDay).verdict == Verdict::kUnverifiable);
  CHECK(w.verdict(kDay).channel == kManualChannel);
}

// A product that logs failures only, delivered so often before a save failed; then what follows.
MessageVerdict often_delivered(int before, int after) {
  SmallWorld w;
  double time = 0;
  w.failures_covered(-kDay, 20 * kDay);
  w.acknowledged(0);
  const auto deliver = [&] { w.received(time += 1000); };
  for (int i = 0; i < before; ++i) deliver();
  w.failed(time + 1);
  time += 1000;
  deliver();                         // lost as of then
  for (int i = 0; i < after; ++i) {  // after a hole nobody can say it any more
    w.failures_covered(-kDay, 20 * kDay)
        .source.event_gaps.push_back({{at(time + 1), at(time + 100)}, "gone"});
    w.failed(time + 99);
    time += 1000;
    deliver();
  }
  w.committed(time + 1);
  return w.verdict(10 * kDay);
}

TEST_CASE("sent again: of very many deliveries those are looked at that may tell") {
  for (const int before : {3, 20, 200}) {
    CAPTURE(before);
    const MessageVerdict got = often_delivered(before, 1);
    CHECK(got.verdict == Verdict::kRecovered);
    CHECK(got.explanation.find("before that it was lost") != std::string::npos);
  }
}

TEST_CASE("sent again: between two attempts the first and the last delivery are looked at") {
  SmallWorld w;
  w.trace_covered(-kDay, 4 * kDay);
  w.acknowledged(0);
  w.failed(1);
  const auto many = static_cast<int>(kDeliveriesMax) + 4;
  const double last = 1000.0 * many;
  for (int i = 1; i <= many; ++i) w.received(1000.0 * i);
  w.committed(last + 1);
  const auto at_first = w.verdict(3 * kDay);
  CHECK(at_first.verdict == Verdict::kRecovered);
  CHECK(at_first.explanation.find("again at " + to_rfc3339(at(1000))) != std::string::npos);
  w.input.policy.grace = seconds(2500);  // at the first it could still have been stored
  const auto at_last = w.verdict(3 * kDay);
  CHECK(at_last.verdict == Verdict::kRecovered);
  CHECK(at_last.explanation.find("again at " + to_rfc3339(at(last))) != std::string::npos);
}

TEST_CASE("sent again: of few deliveries each is looked at") {
  // A nameless commit at the third may be its: only at the second it was missing.
  SmallWorld w;
  w.trace_covered(-kDay, 4 * kDay);
  w.input.policy.grace = minutes(15);
  w.acknowledged(0), w.acknowledged(700), w.acknowledged(1700);
  w.step(Signal::kMessageCommitted, 1750, {});
  w.acknowledged(2400), w.committed(2401);
  CHECK(w.verdict(3 * kDay).verdict == Verdict::kRecovered);
}

TEST_CASE("sent again: where more than is looked at may tell, it is said") {
  constexpr std::string_view kSaid = "too often for each time to be looked at";
  SmallWorld w;
  w.trace_covered(-kDay, 20 * kDay).source.event_gaps.push_back({{at(1), at(2)}, "gone"});
  w.acknowledged(0);
  double time = 0;
  const auto tried = [&](std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) {
      w.failed(time + 1);
      w.received(time + 1000);
      time += 2000;
    }
  };
  tried(kDeliveriesMax);
  SmallWorld all = w;
  all.committed(time);
  CHECK(all.verdict(10 * kDay).verdict == Verdict::kStoredAfterReceipt);
  CHECK(all.verdict(10 * kDay).explanation.find(kSaid) == std::string::npos);
  tried(1);
  w.committed(time);
  CHECK(w.verdict(10 * kDay).explanation.find(kSaid) != std::string::npos);
}

}  // namespace
}  // namespace meldevakt::collector
