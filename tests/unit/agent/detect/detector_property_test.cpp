// What must not matter does not matter, and what the rules say is what a plain reading of them
// says.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/detect/detector.h"
#include "common/testing/doubles.h"
#include "tests/unit/agent/detect/script.h"

namespace meldevakt::agent {
namespace {

using meldevakt::testing::SeededRandom;
using testing::append;
using testing::final_facts;
using testing::kContent;
using testing::kEndOfTime;
using testing::kNow;
using testing::reference;
using testing::run;
using testing::settings;
using testing::show;

std::uint64_t seed() {
  const char* const given = std::getenv("MELDEVAKT_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20231126;
}

struct World {
  std::uint64_t scopes = 3;
  std::uint64_t messages = 4;
  bool nested = true;    // requests on threads
  bool disorder = true;  // times go back and forth, two events a record, dropped names
};

SignalEvent random_event(SeededRandom& random, const World& world) {
  static const std::vector<Signal> kSignals{
      Signal::kMessageReceived,   Signal::kMessageSaveFailed, Signal::kMessageSaveFailed,
      Signal::kMessageSaveFailed, Signal::kMessageCommitted,  Signal::kMessageAcknowledged,
      Signal::kMessageRetried,    Signal::kDbTimeout,         Signal::kDbLockWait,
      Signal::kBackupStarted,     Signal::kBackupFinished,    Signal::kProcessStarted};
  SignalEvent event;
  if (random.below(5) > 0) event.signal = kSignals[random.below(kSignals.size())];
  event.rule = event.signal ? std::string{to_string(*event.signal)} : "names";
  if (random.below(10) > 0) {
    event.scopes.push_back("thread=" + std::to_string(random.below(world.scopes)));
    if (world.nested && random.below(3) == 0) {
      event.scopes.push_back("request=" + std::to_string(random.below(world.scopes)));
    }
  }
  if (!event.signal || random.below(3) == 0) {
    event.references.push_back(reference("P" + std::to_string(1 + random.below(world.messages))));
  }
  if (world.disorder && random.below(8) == 0) {
    const std::string number = std::to_string(1 + random.below(world.messages));
    event.references.push_back(reference("T" + number));
    if (random.below(2) == 0) event.references.push_back(reference("P" + number));
  }
  std::sort(event.references.begin(), event.references.end());
  event.references.erase(std::unique(event.references.begin(), event.references.end()),
                         event.references.end());
  if (event.signal == Signal::kMessageSaveFailed || event.signal == Signal::kDbTimeout) {
    if (random.below(2) == 0) event.code = "pg/5" + std::to_string(random.below(3)) + "P03";
    if (random.below(2) == 0) event.outcome = static_cast<Outcome>(random.below(3));
  }
  event.ends_scope = random.below(12) == 0;
  event.restarts_process = random.below(60) == 0;
  event.opens_window = event.signal && random.below(4) == 0;
  if (event.opens_window && random.below(3) == 0) event.driver = "vacuum";
  if (world.disorder && random.below(30) == 0) event.references_dropped = 1;
  return event;
}

std::vector<SignalEvent> random_log(SeededRandom& random, const World& world, std::size_t length) {
  std::vector<SignalEvent> log;
  Instant time = kNow;
  std::uint64_t offset = 0;
  while (log.size() < length) {
    SignalEvent event = random_event(random, world);
    const std::uint64_t dice = random.below(40);
    if (dice == 0) {
      time = time + seconds(1 + static_cast<std::int64_t>(random.below(70)));
    } else if (dice == 1 && world.disorder) {
      time = time - milliseconds(static_cast<std::int64_t>(random.below(8000)));
    } else {
      time = time + milliseconds(1 + static_cast<std::int64_t>(random.below(1500)));
    }
    const bool same_record = world.disorder && !log.empty() && random.below(10) == 0;
    if (same_record) {
      event.scopes = log.back().scopes;
      event.references = log.back().references;
      event.rule += "-" + std::to_string(log.size());  // each rule speaks once a record
      time = log.back().time;
    } else {
      offset += 1 + random.below(200);
    }
    event.time = time;
    event.offset = offset;
    log.push_back(std::move(event));
  }
  return log;
}

TEST_CASE("Detector property: idle, drain, snapshots and the wall clock never change the facts") {
  MESSAGE("seed " << seed());
  SeededRandom random{seed()};
  for (int round = 0; round < 150; ++round) {
    CAPTURE(round);
    const World world{1 + random.below(4), 1 + random.below(5), random.below(2) == 0,
                      random.below(3) > 0};
    const std::vector<SignalEvent> log = random_log(random, world, 20 + random.below(120));
    const Detector::Limits limits{1 + random.below(2) * 4095, 1 + random.below(2) * 4095};
    Detector plain{settings(), limits};
    for (const SignalEvent& event : log) plain.observe(event, kContent, kNow);
    plain.idle(kEndOfTime, kNow);
    const std::vector<Fact> want = final_facts(plain.drain());

    Detector detector{settings(), limits};
    std::vector<Fact> told;
    Instant now = kNow;
    for (const SignalEvent& event : log) {
      detector.observe(event, kContent, now);
      now = now + milliseconds(static_cast<std::int64_t>(random.below(2500)) - 200);
      if (random.below(3) == 0) {
        const auto back = static_cast<std::int64_t>(random.below(20'000)) - 5000;
        detector.idle(event.time - milliseconds(back), now);
      }
      if (random.below(4) == 0) append(told, detector.drain());
      if (random.below(4) == 0) {
        auto restored = Detector::restore(settings(), limits, detector.snapshot());
        REQUIRE(restored);
        CHECK(restored.value().snapshot() == detector.snapshot());
        CHECK(restored.value().has_urgent() == detector.has_urgent());
        detector = std::move(restored).value();
      }
    }
    detector.idle(kEndOfTime, now);
    append(told, detector.drain());
    const std::vector<Fact> got = final_facts(told);
    REQUIRE(show(got) == show(want));
    REQUIRE(got == want);
    CHECK(detector.stats().ambiguous == plain.stats().ambiguous);
    CHECK(detector.stats().unattributed == plain.stats().unattributed);
    CHECK(detector.stats().steps_forced == plain.stats().steps_forced);
    CHECK(detector.stats().scopes_evicted == plain.stats().scopes_evicted);
  }
}

TEST_CASE("Detector property: no step is lost or made up, and each fact is well formed") {
  MESSAGE("seed " << seed());
  SeededRandom random{seed() + 1};
  for (int round = 0; round < 100; ++round) {
    CAPTURE(round);
    const std::vector<SignalEvent> log = random_log(random, World{}, 150);
    std::size_t records = 0;
    std::size_t extra = 0;  // records of the database that joined failures
    for (const SignalEvent& event : log) {
      if (event.signal && is_message_signal(*event.signal)) ++records;
      if (event.signal == Signal::kDbTimeout || event.signal == Signal::kDbLockWait) ++extra;
    }
    std::size_t told = 0;
    const std::vector<Fact> facts = final_facts(run(log));
    for (const Fact& fact : facts) {
      if (const auto* const step = std::get_if<StepFact>(&fact.what)) told += step->records;
    }
    std::size_t twice = 0;  // one record by two rules of failure counts once
    for (std::size_t i = 1; i < log.size(); ++i) {
      if (log[i].offset == log[i - 1].offset) ++twice;
    }
    CHECK(told <= records + extra);
    CHECK(told + twice >= records);
    const auto decoded = decode_body(encode_body({std::string(32, 's'), facts}));
    REQUIRE_MESSAGE(decoded, (decoded ? "" : decoded.error().message()));
    CHECK(decoded.value().facts == facts);
  }
}

TEST_CASE("Detector property: two logs of one source, woven in any way, are as each by itself") {
  MESSAGE("seed " << seed());
  SeededRandom random{seed() + 7};
  for (int round = 0; round < 120; ++round) {
    CAPTURE(round);
    // The same threads in both, and the same times; the second may lie an hour behind.
    std::vector<std::vector<SignalEvent>> logs(2);
    std::vector<Fact> apart;
    for (std::size_t l = 0; l < logs.size(); ++l) {
      World world{2, 3, random.below(2) == 0, true};
      logs[l] = random_log(random, world, 60);
      for (SignalEvent& event : logs[l]) {
        event.log = l == 0 ? "/l/node1.log" : "/l/node2.log";
        event.opens_window = false;
        event.offset = event.offset * 2 + l;
        if (random.below(9) == 0) event.time_doubt = TimeDoubt::kTwoReadings;
        if (l == 1 && round % 3 == 0) event.time = event.time - hours(1);
        for (Reference& name : event.references) name.value[5] = static_cast<char>('1' + l);
        std::sort(event.references.begin(), event.references.end());
      }
      append(apart, run(logs[l]));
    }
    Detector woven{settings()};
    std::vector<std::size_t> next(2, 0);
    while (next[0] < logs[0].size() || next[1] < logs[1].size()) {
      std::size_t l = random.below(2);
      if (next[l] == logs[l].size()) l = 1 - l;
      // What one record says by two rules is said at once.
      do {
        woven.observe(logs[l][next[l]], kContent, kNow);
        ++next[l];
      } while (next[l] < logs[l].size() && logs[l][next[l]].offset == logs[l][next[l] - 1].offset);
      if (random.below(10) > 0) continue;
      auto restored = Detector::restore(settings(), {}, woven.snapshot());
      REQUIRE(restored);
      woven = std::move(restored).value();
    }
    woven.idle(kEndOfTime, kNow);
    REQUIRE(show(woven.drain()) == show(apart));
  }
}

TEST_CASE("Detector: logs are bounded") {
  Detector::Limits limits;
  limits.logs_max = 3;
  Detector detector{settings(), limits};
  SignalEvent event;
  event.rule = "names";
  event.time_doubt = TimeDoubt::kTwoReadings;
  for (int l = 0; l < 50; ++l) {
    event.log = "/l/" + std::to_string(l);
    event.time = kNow + seconds(l);
    event.offset = static_cast<std::uint64_t>(l);
    detector.observe(event, kContent, kNow);
  }
  const std::string kept = detector.snapshot();
  CHECK(kept.find("/l/49") != std::string::npos);
  CHECK(kept.find("/l/46") == std::string::npos);
}

TEST_CASE("Detector property: threads with their own messages do not see each other") {
  MESSAGE("seed " << seed());
  SeededRandom random{seed() + 2};
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    // Each thread's log by itself, and all of them woven together in order of time.
    std::vector<std::vector<SignalEvent>> threads(3);
    std::vector<SignalEvent> woven;
    for (std::size_t t = 0; t < threads.size(); ++t) {
      threads[t] = random_log(random, {1, 3, false, false}, 40);
      for (SignalEvent& event : threads[t]) {
        event.scopes = {"thread=" + std::to_string(t)};
        event.restarts_process = false;
        event.opens_window = false;
        event.offset = event.offset * 4 + t;
        for (Reference& name : event.references) name.value[5] = static_cast<char>('1' + t);
        woven.push_back(event);
      }
    }
    std::stable_sort(woven.begin(), woven.end(),
                     [](const auto& a, const auto& b) { return a.time < b.time; });
    std::vector<Fact> apart;
    for (const auto& thread : threads) append(apart, run(thread));
    CHECK(final_facts(apart) == final_facts(run(woven)));
  }
}

// --- a plain reading of the rules, for one scope a record and times that only grow ---------------

bool names_one(const SignalEvent& event) {
  return !event.references.empty();
}
bool shares_scope(const SignalEvent& a, const SignalEvent& b) {
  return !a.scopes.empty() && a.scopes == b.scopes;
}
bool received(const SignalEvent& event) {
  return event.signal == Signal::kMessageReceived;
}

// The record that named whom the scope of log[at] works on, and the last that surely was its.
std::optional<std::pair<std::size_t, Instant>> holder_before(const std::vector<SignalEvent>& log,
                                                             std::size_t at) {
  const SignalEvent& event = log[at];
  if (received(event) || event.restarts_process) return std::nullopt;
  std::vector<std::size_t> since;  // of the scope, newest first
  Instant later = event.time;
  for (std::size_t i = at; i-- > 0;) {
    if (shares_scope(log[i], event)) {
      if (later - log[i].time > settings().scope_age_max || log[i].ends_scope) return std::nullopt;
      since.push_back(i);
      later = log[i].time;
      if (names_one(log[i])) break;
      if (received(log[i])) return std::nullopt;
    }
    if (log[i].restarts_process) return std::nullopt;
  }
  if (since.empty() || !names_one(log[since.back()])) return std::nullopt;
  Instant sure = log[since.back()].time;
  for (auto i = since.rbegin() + 1; i != since.rend(); ++i) {
    if (log[*i].time - sure <= settings().look_back_max) sure = log[*i].time;
  }
  return std::pair{since.back(), sure};
}

const SignalEvent* named_next(const std::vector<SignalEvent>& log, std::size_t at) {
  if (log[at].ends_scope) return nullptr;
  for (std::size_t i = at + 1; i < log.size(); ++i) {
    if (log[i].restarts_process) return nullptr;
    if (!shares_scope(log[i], log[at])) continue;
    if (log[i].time - log[at].time > settings().look_back_max) return nullptr;
    if (received(log[i])) return nullptr;
    if (names_one(log[i])) return &log[i];
    if (log[i].ends_scope) return nullptr;
  }
  return nullptr;
}

StepFact plain_reading(const std::vector<SignalEvent>& log, std::size_t at) {
  const SignalEvent& event = log[at];
  StepFact step;
  if (names_one(event)) {
    step.attribution = Attribution::kNamed;
    step.references = event.references;
    return step;
  }
  if (event.scopes.empty()) return step;
  const SignalEvent* const next = named_next(log, at);
  const auto held = holder_before(log, at);
  if (!held) {
    if (next == nullptr) return step;
    step.attribution = Attribution::kLookBack;
    step.references = next->references;
    return step;
  }
  const std::vector<Reference>& holder = log[held->first].references;
  const bool doubtful = event.time - held->second > settings().look_back_max;
  if (doubtful && next != nullptr && next->references != holder) {
    step.attribution = Attribution::kAmbiguous;
    step.candidates = {holder.front(), next->references.front()};
    std::sort(step.candidates.begin(), step.candidates.end());
    return step;
  }
  step.attribution = Attribution::kScope;
  step.references = holder;
  return step;
}

TEST_CASE("Detector property: whose a step is, against a plain reading of the rules") {
  MESSAGE("seed " << seed());
  SeededRandom random{seed() + 3};
  std::map<Attribution, int> seen;
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    const std::vector<SignalEvent> log =
        random_log(random, {1 + random.below(3), 3, false, false}, 60);
    Detector::Settings apart = settings();
    apart.failure_join = milliseconds(-1);  // each failure by itself
    apart.look_back_signals_max = 1000;
    std::map<Instant, StepFact> got;
    for (const Fact& fact : final_facts(run(log, apart))) {
      if (const auto* const step = std::get_if<StepFact>(&fact.what)) got[step->time] = *step;
    }
    for (std::size_t i = 0; i < log.size(); ++i) {
      if (!log[i].signal || !is_message_signal(*log[i].signal)) continue;
      CAPTURE(i);
      const StepFact want = plain_reading(log, i);
      const StepFact& is = got.at(log[i].time);
      REQUIRE(to_string(is.attribution) == to_string(want.attribution));
      REQUIRE(is.references == want.references);
      REQUIRE(is.candidates == want.candidates);
      ++seen[is.attribution];
    }
  }
  for (const Attribution attribution :
       {Attribution::kNamed, Attribution::kScope, Attribution::kLookBack, Attribution::kAmbiguous,
        Attribution::kNone}) {
    CAPTURE(to_string(attribution));
    CHECK(seen[attribution] > 20);  // the logs are not all of one kind
  }
}

}  // namespace
}  // namespace meldevakt::agent
