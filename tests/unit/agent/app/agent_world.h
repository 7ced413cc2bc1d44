// An agent driven by hand: manual clock, real files, a collector that is a function call.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/app/agent.h"
#include "common/crypto/crypto.h"
#include "common/pack/pack.h"
#include "common/ports/sha256.h"
#include "common/seal/chain.h"
#include "common/seal/dsse.h"
#include "common/summary/fact.h"
#include "common/summary/frame.h"
#include "common/testing/doubles.h"
#include "common/testing/manual_process_meter.h"
#include "tests/unit/agent/temp_folder.h"

namespace meldevakt::agent::testing {

using meldevakt::testing::ManualClock;
using meldevakt::testing::RuleTimeZones;
using meldevakt::testing::SeededRandom;
using meldevakt::testing::TempFolder;

inline constexpr std::string_view kIdA = "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";
inline constexpr std::string_view kIdB = "6c1d9f1f-7a1f-4b55-8b4a-2e7a1d2c8b21";

// What a collector does with frames, without a network: decides by the chain, keeps every fact.
struct FakeCollector {
  struct Tenant {
    ChainHead head;
    std::map<std::uint64_t, Sha256> links;
    std::map<std::string, Fact> facts;  // highest revision by id
    std::vector<Statement> statements;
  };
  bool away = false;
  std::map<std::string, Tenant> tenants;

  HandoverResult take(const OutgoingFrame& outgoing) {
    if (away) return {Handover::kRetry, 0, "away"};
    const auto frame = decode_frame(outgoing.bytes);
    REQUIRE(frame);
    const auto envelope = parse_envelope(frame.value().envelope);
    REQUIRE(envelope);
    const auto decoded = decode_statement(envelope.value().payload);
    REQUIRE_MESSAGE(decoded, (decoded ? "" : decoded.error().message()));
    const Statement& statement = decoded.value();
    CHECK(statement.software_sha256 == std::string(64, '5'));
    Tenant& tenant = tenants.at(statement.tenant);
    const Sha256 link = link_hash(kStatementType, envelope.value().payload);
    const auto stored = tenant.links.find(statement.sequence);
    switch (decide(tenant.head, statement, link,
                   stored == tenant.links.end() ? nullptr : &stored->second)) {
      case ChainDecision::kDuplicate: return {Handover::kStored, 0, ""};
      case ChainDecision::kAhead: return {Handover::kAhead, tenant.head.next_sequence, ""};
      case ChainDecision::kFork: FAIL("fork at " << statement.sequence); return {};
      case ChainDecision::kExtends: break;
    }
    tenant.head = advance(statement, link);
    tenant.links[statement.sequence] = link;
    tenant.statements.push_back(statement);
    for (std::size_t i = 0; i < frame.value().bodies.size(); ++i) {
      const auto plain = unpack(frame.value().bodies[i], statement.bodies[i].plain_bytes);
      REQUIRE(plain);
      const auto body = decode_body(plain.value());
      REQUIRE_MESSAGE(body, (body ? "" : body.error().message()));
      for (const Fact& fact : body.value().facts) {
        const auto known = tenant.facts.find(fact.id);
        if (known == tenant.facts.end() || known->second.revision < fact.revision) {
          tenant.facts[fact.id] = fact;
        }
      }
    }
    return {Handover::kStored, 0, ""};
  }
};

// Sends while it is looked at; no thread.
class InlineDispatcher : public Dispatcher {
 public:
  using Send = std::function<HandoverResult(const OutgoingFrame&)>;
  InlineDispatcher(Send send, Clock& clock) : send_{std::move(send)}, clock_{clock} {}
  void offer(std::vector<OutgoingFrame> frames) override { lane_.offer(std::move(frames)); }
  std::size_t waiting() const override { return lane_.waiting(); }
  std::vector<ShipEvent> take_events() override {
    pump();
    return lane_.take_events();
  }
  bool stop(Duration) override {
    pump();
    return true;
  }

 private:
  void pump() {
    const auto now = [this] { return Duration{clock_.boot_ns() / 1'000'000}; };
    while (const OutgoingFrame* next = lane_.next(now())) {
      const OutgoingFrame frame = *next;
      lane_.result(frame, send_(frame), now(), 0);
    }
  }
  Send send_;
  Clock& clock_;
  ShipLane lane_{seconds(1)};
};

// One host with its folder, clock and collector, over any number of agent processes.
class AgentWorld {
 public:
  explicit AgentWorld(std::string more_config = {}, std::string state_uri = {})
      : more_config_{std::move(more_config)}, state_uri_{std::move(state_uri)} {
    std::filesystem::create_directory(folder / "state");
    std::filesystem::permissions(folder / "state", std::filesystem::perms::owner_all);
  }

  void enrol(const std::string& id, const std::string& name) {
    const StateFiles files{folder / "state"};
    const std::string suffix = tenants_ == 0 ? "" : "-" + id;
    auto signer = create_signer(files.signing_key(suffix));
    REQUIRE_MESSAGE(signer, (signer ? "" : signer.error().message()));
    REQUIRE(write_secret(files.tenant_key(id), random.bytes(32)));
    TenantRow row;
    row.id = id;
    row.name = name;
    row.agent = agent_id_of(signer.value()->public_key());
    row.files = suffix;
    row.enrolled = clock.now();
    row.enrolment_link = sha256("enrolment of " + id);
    row.head = {0, 0, row.enrolment_link, Instant{}};
    row.boot_id = clock.boot_id();
    row.boot_ns = clock.boot_ns();
    auto state = State::open(state_uri_.empty() ? files.state() : state_uri_, {});
    REQUIRE(state);
    REQUIRE(state.value()->add_tenant(row));
    collector.tenants[id].head = row.head;
    ++tenants_;
  }

  [[nodiscard]] std::string config_text() const {
    std::string text = "state = \"" + (folder / "state") + "\"\n" + more_config_;
    if (more_config_.find("[[tenant]]") == std::string::npos) {
      text += "[[tenant]]\nname = \"A\"\n";
    }
    // The program is run with sanitizers, which take their own time and memory.
    if (more_config_.find("[budget]") == std::string::npos) {
      text += "[budget]\ncpu = \"100 %\"\nmemory = \"8 GB\"\n";
    }
    return text + "[[source]]\nname = \"trace\"\nfiles = [\"" + (folder / "app.log") +
           "\"]\npack = \"familia-like\"\nzone = \"UTC\"\n";
  }

  // Statements that wait in the outbox, as the disk has them.
  [[nodiscard]] std::int64_t waiting() const {
    auto db = open_state_for_reading(StateFiles{folder / "state"}.state());
    REQUIRE(db);
    const auto count =
        db.value().number("SELECT count(*) FROM statements WHERE acknowledged_ms IS NULL");
    REQUIRE(count);
    return count.value();
  }

  // Loaded once: there are many, and agents are started often.
  static const Packs& packs() {
    static const Packs loaded = built_in_packs().value();
    return loaded;
  }

  Result<std::unique_ptr<Agent>> create() {
    auto config = parse_config(config_text(), "agent.toml");
    REQUIRE_MESSAGE(config, (config ? "" : config.error().message()));
    return Agent::create(Agent::Parts{
        .config = config.value(),
        .packs = packs(),
        .files = {folder / "state"},
        .state_uri = state_uri_,
        .zones = zones,
        .clock = clock,
        .random = random,
        .meter = meter,
        .log = log,
        .clock_quality =
            [] {
              return ClockQuality{true, 0, 1000};
            },
        .clock_difference =
            clocks_are_compared
                ? [this](const std::string&) { return difference; }
                : std::function<std::optional<ClockDifference>(const std::string&)>{},
        .dispatcher = [this](const TenantRow&) -> Result<std::unique_ptr<Dispatcher>> {
          return std::unique_ptr<Dispatcher>{std::make_unique<InlineDispatcher>(send, clock)};
        },
        .software_version = "test",
        .software_sha256 = std::string(64, '5')});
  }
  void start() {
    agent.reset();
    auto created = create();
    REQUIRE_MESSAGE(created, (created ? "" : created.error().message()));
    agent = std::move(created).value();
  }
  void turn() {
    while (agent->turn()) {
    }
    clock.advance(milliseconds(100));
  }
  void run(Duration time) {
    for (std::int64_t ms = 0; ms < time.ms; ms += 100) turn();
  }

  // One line of the case system's trace, written now.
  void say(std::string_view thread, std::string_view text) {
    std::string time = to_rfc3339(clock.now());  // 2023-02-01T09:14:22.101Z
    time[10] = ' ';
    time[19] = ',';
    time.pop_back();
    folder.append("app.log",
                  time + " [" + std::string{thread} + "] INFO  " + std::string{text} + "\n");
  }
  void received(std::string_view id) {
    say("17", "Innboks - Mottatt melding " + std::string{id} + " skjema=PRIVAT");
  }
  void committed(std::string_view id) {
    say("17", "Lagring - Melding " + std::string{id} + " er lagret (journalpost 2023/1)");
  }
  void acknowledged(std::string_view id) {
    say("17", "Kvittering - Sendte kvittering mottatt for melding " + std::string{id});
  }

  // The steps the collector knows of a tenant, in event order: "received A, committed A".
  [[nodiscard]] std::string steps(const std::string& tenant = "t1") {
    std::vector<std::pair<Instant, std::string>> found;
    for (const auto& [id, fact] : collector.tenants.at(tenant).facts) {
      const auto* step = std::get_if<StepFact>(&fact.what);
      if (step == nullptr) continue;
      std::string text{to_string(step->signal)};
      text.erase(0, text.find('.') + 1);
      for (const Reference& reference : step->references) {
        if (reference.value == kIdA) text += " A";
        if (reference.value == kIdB) text += " B";
      }
      found.emplace_back(step->time, text);
    }
    std::sort(found.begin(), found.end());
    std::string out;
    for (const auto& [time, text] : found) out += (out.empty() ? "" : ", ") + text;
    return out;
  }
  [[nodiscard]] std::size_t logged(std::string_view text) const {
    std::size_t count = 0;
    for (const std::string& line : lines) {
      if (line.find(text) != std::string::npos) ++count;
    }
    return count;
  }

  TempFolder folder;
  ManualClock clock{Instant{1'675'242'862'000}};
  SeededRandom random{1};
  meldevakt::testing::ManualProcessMeter meter;
  RuleTimeZones zones;
  // What the comparison with the collector's clock says, once it is made.
  bool clocks_are_compared = false;
  std::optional<ClockDifference> difference;
  std::vector<std::string> lines;
  Log log{clock, [this](std::string_view line) { lines.emplace_back(line); }};
  FakeCollector collector;
  InlineDispatcher::Send send = [this](const OutgoingFrame& frame) {
    return collector.take(frame);
  };
  std::unique_ptr<Agent> agent;

 private:
  std::string more_config_;
  std::string state_uri_;
  int tenants_ = 0;
};

}  // namespace meldevakt::agent::testing
