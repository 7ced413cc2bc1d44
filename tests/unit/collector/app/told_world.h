// A municipality with an agent that read its log without a hole: three messages lost, one stored;
// and people who tell things of it as the commands do. A real database in a folder of its own.
// Thread-safety: none.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "collector/app/control.h"
#include "collector/app/control_tell.h"
#include "collector/app/inspect.h"
#include "collector/app/tell_command.h"
#include "collector/store/sqlite_store.h"
#include "common/testing/doubles.h"
#include "tests/unit/collector/app/folder.h"
#include "tests/unit/collector/fake_agent.h"

namespace meldevakt::collector::testing {

// A message of an agent that read its log without a hole.
struct Life {
  std::string message;
  Instant received;
  std::optional<Instant> acknowledged;
  std::optional<Instant> failed;
  std::optional<Instant> committed;
};

inline constexpr const char* kLost = "11111111-0000-4000-8000-000000000001";
inline constexpr const char* kLater = "11111111-0000-4000-8000-000000000002";
inline constexpr const char* kStored = "11111111-0000-4000-8000-000000000003";
inline constexpr const char* kNext = "11111111-0000-4000-8000-000000000004";

inline Fact step(const Life& life, Signal signal, Instant time) {
  StepFact fact;
  fact.signal = signal;
  fact.time = time;
  fact.attribution = Attribution::kNamed;
  fact.references = {{ReferenceType::kPortalMessageId, life.message}};
  if (signal == Signal::kMessageSaveFailed) {
    fact.code = "pg/55P03";
    fact.outcome = Outcome::kFailed;
  }
  const std::string id = sha256(life.message + std::string{to_string(signal)}).hex().substr(0, 32);
  return {id, 0, "trace", "rule", fact};
}

inline std::vector<Fact> facts_of(const std::vector<Life>& lives) {
  std::vector<Fact> out;
  for (const Life& life : lives) {
    out.push_back(step(life, Signal::kMessageReceived, life.received));
    const auto add = [&](Signal signal, const std::optional<Instant>& time) {
      if (time) out.push_back(step(life, signal, *time));
    };
    add(Signal::kMessageAcknowledged, life.acknowledged);
    add(Signal::kMessageSaveFailed, life.failed);
    add(Signal::kMessageCommitted, life.committed);
  }
  std::sort(out.begin(), out.end(), [](const Fact& a, const Fact& b) { return a.id < b.id; });
  return out;
}

// `complete`: the event time that was read, where it is not the time of reading.
inline VerifiedFrame frame_of(FakeAgent& agent, const std::vector<Life>& lives, Interval read,
                              std::optional<Interval> complete = {}) {
  const std::vector<Fact> facts = facts_of(lives);
  const std::string plain = encode_body({std::string(32, 'a'), facts});
  const std::string packed = pack(plain);
  Statement statement = agent.next_statement();
  statement.span = read;
  SourceCoverage& source = statement.sources.front();
  source.reading.front().span = read;
  source.complete = complete.value_or(read);
  for (const Signal signal : {Signal::kMessageReceived, Signal::kMessageSaveFailed,
                              Signal::kMessageCommitted, Signal::kMessageAcknowledged}) {
    source.observes.push_back({signal, std::nullopt});
  }
  statement.bodies.push_back(
      {sha256(packed), packed.size(), sha256(plain), plain.size(), 0, facts.size()});
  const Frame frame = agent.seal_frame(statement, {packed});
  auto verified = verify_frame(encode_frame(frame), agent.key(), OpenSslVerifier{});
  REQUIRE_MESSAGE(verified, (verified ? "" : verified.error().message()));
  return std::move(verified).value();
}

inline Life lost(const char* message, Instant at) {
  return {message, at, at + seconds(1), at + seconds(2), std::nullopt};
}
inline Life stored(const char* message, Instant at) {
  return {message, at, at + seconds(2), std::nullopt, at + seconds(1)};
}

struct ToldWorld {
  ToldWorld() {
    config.data = folder.path;
    store =
        SqliteStore::open({folder / "collector.db", "", false, nullptr, testing::random_bytes()})
            .value();
    REQUIRE(admit(*store, agent));
    tenant = store->tenants().value().front();
    tell_frame(agent,
               {lost(kLost, kStart + hours(1)), lost(kLater, kStart + hours(10)),
                lost(kNext, kStart + hours(10) + minutes(1)), stored(kStored, kStart + hours(2))});
  }
  void tell_frame(FakeAgent& from, const std::vector<Life>& lives) {
    const Instant until = from.head().until;
    const Interval read{until == Instant{} ? kStart : until, clock.now()};
    const auto done = store->store_frame(frame_of(from, lives, read), clock.now());
    REQUIRE_MESSAGE(done, (done ? "" : done.error().message()));
  }
  View view() {
    auto seen = view_of(*store, config, tenant, {clock.now(), nullptr});
    REQUIRE_MESSAGE(seen, (seen ? "" : seen.error().message()));
    return std::move(seen).value();
  }
  // As the command does: made of what is known, then through the writer.
  Result<std::uint64_t> tell(MakeEntry make, TellOptions options) {
    options.tenant = tenant.name;
    if (options.by.empty()) options.by = "Kari Prøve, leiar";
    MELDEVAKT_TRY_ASSIGN(const LedgerEntry entry, make_entry(make, view(), options, *zone));
    return call_tell(call, options.tenant, entry);
  }
  std::string refused(MakeEntry make, const TellOptions& options) {
    const auto told = tell(make, options);
    if (told) return "told";
    CHECK(told.error().code() == Errc::kInvalid);
    return told.error().message();
  }
  Verdict verdict(const char* message) {
    for (const MessageVerdict& one : view().correlation.messages) {
      if (one.message == message) return one.verdict;
    }
    return Verdict::kPending;
  }
  std::string incident_of(const std::string& message) {
    for (const Incident& incident : view().incidents) {
      const auto& all = incident.messages;
      if (std::find(all.begin(), all.end(), message) != all.end()) return incident.id;
    }
    return "";
  }
  InspectOptions options(bool json) {
    InspectOptions out;
    out.now = clock.now();
    out.json = json;
    out.what_if = true;
    return out;
  }

  Folder folder;
  Config config;
  meldevakt::testing::ManualClock clock{kStart + days(1)};
  meldevakt::testing::SeededRandom random{1};
  meldevakt::testing::RuleTimeZones zones;
  std::shared_ptr<const TimeZone> zone = zones.find("Europe/Oslo").value();
  std::unique_ptr<SqliteStore> store;
  FakeAgent agent{'a', "t1"};
  Tenant tenant;
  ControlCall call = [this](const std::string& line) -> Result<std::string> {
    ControlActions actions{*store, clock, random, std::string("https://k.example:8443")};
    return actions.handle(line);
  };
};

inline bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

inline std::string time_of(Instant time) {
  return to_rfc3339(time);
}

}  // namespace meldevakt::collector::testing
