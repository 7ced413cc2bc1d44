// Windows do not depend on the order in which a source's logs are read.
#include "agent/detect/overload_windows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/testing/doubles.h"
#include "tests/unit/agent/detect/script.h"

namespace meldevakt::agent {
namespace {

using testing::events;
using testing::final_facts;
using testing::kContent;
using testing::kNow;
using testing::run;
using testing::settings;
using testing::show;

using Lines = std::vector<std::string>;

TEST_CASE("OverloadWindows: a signal that comes late opens its window again, and leaves a trace") {
  Detector detector{settings()};
  const auto log = events({"0 - db.timeout window", "300 - db.timeout window",
                           "30 - db.lock_wait window", "330 - db.timeout window"});
  detector.observe(log[0], kContent, kNow);
  detector.observe(log[1], kContent, kNow);  // the first is over
  const std::vector<Fact> first = detector.drain();
  CHECK(show(first) == Lines{"0.0 window to 0.0 timeout db.timeout=1"});
  detector.observe(log[2], kContent, kNow + seconds(3));
  detector.idle(log[1].time + seconds(61), kNow + seconds(40));
  const std::vector<Fact> second = detector.drain();
  CHECK(show(second) == Lines{"0.0 window to 30.0 lock_wait db.timeout=1 db.lock_wait=1",
                              "300.0 window to 300.0 timeout db.timeout=1"});
  const auto revision_of = [](const std::vector<Fact>& told, const std::string& id) {
    const auto found =
        std::find_if(told.begin(), told.end(), [&](const Fact& one) { return one.id == id; });
    REQUIRE(found != told.end());
    return found->revision;
  };
  CHECK(revision_of(second, first[0].id) > first[0].revision);
  detector.observe(log[3], kContent, kNow + seconds(41));
  detector.idle(log[3].time + seconds(61), kNow + seconds(80));
  CHECK(show(detector.drain()) == Lines{"300.0 window to 330.0 timeout db.timeout=2"});
}

TEST_CASE("OverloadWindows: work that says how long it took encloses what went on meanwhile") {
  const std::vector<std::pair<std::vector<std::string_view>, Lines>> cases{
      {{"100 - infra.disk_slow window", "130 - infra.disk_slow window",
        "200 - db.maintenance lasted=150"},
       {"50.0 window to 200.0 checkdb infra.disk_slow=2 db.maintenance=1"}},
      {{"100 - infra.disk_slow window", "200 - db.maintenance lasted=99"},  // most of it
       {"100.0 window to 200.0 checkdb infra.disk_slow=1 db.maintenance=1"}},
      {{"0 - infra.disk_slow window", "50 - infra.disk_slow window", "100 - infra.disk_slow window",
        "160 - db.maintenance lasted=60"},  // the smaller part of it, and late
       {"0.0 window to 160.0 disk_slow infra.disk_slow=3 db.maintenance=1"}},
      {{"200 - db.maintenance lasted=150", "100 - infra.disk_slow window"},  // of a second log
       {"50.0 window to 200.0 checkdb infra.disk_slow=1 db.maintenance=1"}},
      {{"200 - db.maintenance lasted=150", "261 - infra.disk_slow window"},
       {"50.0 window to 200.0 checkdb db.maintenance=1",
        "261.0 window to 261.0 disk_slow infra.disk_slow=1"}},
      {{"200 - db.maintenance lasted=59"}, {}},  // too short to tell of by itself
      {{"200 - db.maintenance lasted=59", "190 - infra.disk_slow window"},
       {"190.0 window to 190.0 checkdb infra.disk_slow=1"}}};
  for (const auto& [log, want] : cases) CHECK(show(run(events(log))) == want);
}

TEST_CASE("OverloadWindows: a backup's window is as long as its log says") {
  const std::vector<std::pair<std::vector<std::string_view>, Lines>> cases{
      {{"0 - backup.started window", "2400 - backup.finished"},
       {"0.0 window to 2400.0 backup backup.started=1"}},
      {{"0 - backup.started window", "2400 - backup.failed"},
       {"0.0 window to 2400.0 backup backup.started=1"}},
      {{"0 - backup.started window", "1200 - db.timeout window", "2400 - backup.finished"},
       {"0.0 window to 2400.0 backup backup.started=1",
        "1200.0 window to 1200.0 backup db.timeout=1"}},
      {{"0 - backup.started", "2400 - backup.finished"}, {}},  // a pack that opens none
      {{"2400 - backup.finished"}, {}}};
  for (const auto& [log, want] : cases) CHECK(show(run(events(log))) == want);
}

TEST_CASE(
    "OverloadWindows: what a window was laid to does not change with the nights that follow") {
  std::vector<std::string> lines{"0 - backup.started", "10 - db.timeout window",
                                 "20 - backup.finished"};
  for (std::size_t night = 1; night <= OverloadWindows::kWorksMax + 1; ++night) {
    lines.push_back(std::to_string(86'400 * night) + " - backup.started");
    lines.push_back(std::to_string(86'400 * night + 20) + " - backup.finished");
  }
  const std::vector<std::string_view> log{lines.begin(), lines.end()};
  Detector detector{settings()};
  std::vector<Fact> told;
  for (const SignalEvent& event : events(log)) {
    detector.observe(event, kContent, kNow);
    detector = Detector::restore(settings(), Detector::Limits{}, detector.snapshot()).value();
    testing::append(told, detector.drain());
  }
  detector.idle(testing::kEndOfTime, kNow);
  testing::append(told, detector.drain());
  CHECK(show(final_facts(told)) == Lines{"10.0 window to 10.0 backup db.timeout=1"});
}

// As who reads facts of one source takes them: no further apart than `idle` is one.
std::vector<std::pair<Interval, std::map<Signal, std::uint64_t>>> joined(
    const std::vector<Fact>& told) {
  std::vector<std::pair<Interval, std::map<Signal, std::uint64_t>>> out;
  std::vector<WindowFact> windows;
  for (const Fact& fact : final_facts(told)) windows.push_back(std::get<WindowFact>(fact.what));
  std::sort(windows.begin(), windows.end(),
            [](const WindowFact& a, const WindowFact& b) { return a.span < b.span; });
  for (const WindowFact& window : windows) {
    if (out.empty() || window.span.from > out.back().first.to + settings().window_idle) {
      out.push_back({window.span, {}});
    }
    out.back().first.to = std::max(out.back().first.to, window.span.to);
    for (const WindowFact::Count& count : window.signals) {
      out.back().second[count.signal] += count.count;
    }
  }
  return out;
}

TEST_CASE("OverloadWindows property: in whatever order logs are read, the windows are the same") {
  const char* const given = std::getenv("MELDEVAKT_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20261128;
  MESSAGE("seed " << seed);
  for (std::uint64_t round = 0; round < 150; ++round) {
    CAPTURE(round);
    meldevakt::testing::SeededRandom random{seed + round};
    std::vector<SignalEvent> log;
    Instant time = kNow;
    for (std::uint64_t i = 0; i < 5 + random.below(40); ++i) {
      time = time + seconds(static_cast<std::int64_t>(random.below(9) == 0 ? 61 + random.below(200)
                                                                           : random.below(61)));
      SignalEvent event;
      event.time = time;
      event.signal = random.below(2) == 0 ? Signal::kDbTimeout : Signal::kDbLockWait;
      event.rule = "r";
      event.opens_window = true;
      event.offset = i;
      event.log = "/l/" + std::to_string(random.below(3));
      log.push_back(std::move(event));
    }
    const auto live = joined(run(log));
    // Read late: one log after the other; and in any order at all.
    std::vector<SignalEvent> late = log;
    std::stable_sort(late.begin(), late.end(),
                     [](const SignalEvent& a, const SignalEvent& b) { return a.log < b.log; });
    CHECK(joined(run(late)) == live);
    for (std::size_t i = log.size(); i > 1; --i) std::swap(late[i - 1], late[random.below(i)]);
    CHECK(joined(run(late)) == live);
  }
}

TEST_CASE(
    "OverloadWindows: so many are remembered, and the oldest is told before it is forgotten") {
  Detector detector{settings()};
  std::vector<Fact> told;
  for (std::size_t i = 0; i < OverloadWindows::kWindowsMax + 5; ++i) {
    SignalEvent event;
    event.time = kNow - minutes(10 * static_cast<std::int64_t>(i));  // none is over by the next
    event.signal = Signal::kDbTimeout;
    event.rule = "r";
    event.opens_window = true;
    event.offset = i;
    detector.observe(event, kContent, kNow);
    testing::append(told, detector.drain());
  }
  CHECK(told.size() == 5);
  detector.idle(testing::kEndOfTime, kNow);
  testing::append(told, detector.drain());
  CHECK(final_facts(told).size() == OverloadWindows::kWindowsMax + 5);
}

}  // namespace
}  // namespace meldevakt::agent
