// A store with agents that tell of a small evening (small_world.h), and what is concluded live.
// Thread-safety: none.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collector/app/live_correlation.h"
#include "collector/store/sqlite_store.h"
#include "common/testing/doubles.h"
#include "tests/unit/collector/app/program.h"
#include "tests/unit/collector/correlate/small_world.h"
#include "tests/unit/collector/fake_agent.h"

namespace meldevakt::collector::testing {

// What the agent seals of a body and of a trace that was read from - to.
inline VerifiedFrame frame_of(FakeAgent& agent, const std::string& plain, std::size_t facts,
                              double from, double to) {
  const std::string packed = pack(plain);
  Statement statement = agent.next_statement();
  statement.bodies.push_back(
      {sha256(packed), packed.size(), sha256(plain), plain.size(), 0, facts});
  SourceCoverage& source = statement.sources.front();
  SmallWorld world;
  source.observes = world.trace_covered().source.observes;
  source.complete = Interval{at(from), at(to)};
  const std::string bytes = encode_frame(agent.seal_frame(statement, {packed}));
  return verify_frame(bytes, agent.key(), OpenSslVerifier{}).value();
}

inline VerifiedFrame frame_of(FakeAgent& agent, const std::vector<LedgerFact>& facts, double from,
                              double to) {
  Body body;
  body.salt = digits(agent.head().next_sequence + 1, 32);
  for (const LedgerFact& fact : facts) body.facts.push_back(fact.fact);
  return frame_of(agent, encode_body(body), facts.size(), from, to);
}

// A message that was receipted at 0 and whose save failed at 1.
inline std::vector<LedgerFact> lost_message(std::uint64_t m = 1) {
  SmallWorld world;
  world.facts = m * 10;
  world.acknowledged(0, m);
  world.failed(1, Outcome::kFailed, m);
  return world.input.facts;
}

struct LiveWorld {
  explicit LiveWorld(std::uint64_t kept = LiveCorrelation::kKeptMax) : kept_max{kept} {
    REQUIRE(admit(*store, agent));
    REQUIRE(admit(*store, other));
    restart();
  }

  // As after a stop: only the files are left.
  void restart() {
    live.reset();
    told.reset();
    reader.reset();
    reader = SqliteStore::open({folder / "collector.db", "", true}).value();
    told = ToldRegister::open(folder / "told.db", for_program).value();
    Policy policy;
    policy.report_within = seconds(0);
    live = std::make_unique<LiveCorrelation>(
        LiveCorrelation::Parts{*reader, *told, policy, clock,
                               [this](LogLevel level, const std::string& line) {
                                 log.push_back((level == LogLevel::kInfo   ? "INFO "
                                                : level == LogLevel::kWarn ? "WARN "
                                                                           : "ERROR ") +
                                               line);
                               },
                               kept_max});
    REQUIRE(live->start());
    load();
  }
  void load() {
    while (live->load_one()) {
    }
  }
  // Stored, then concluded from.
  void send(FakeAgent& from, const std::vector<LedgerFact>& facts, double covered_from,
            double covered_to) {
    take(from, frame_of(from, facts, covered_from, covered_to));
  }
  void take(FakeAgent& from, const VerifiedFrame& frame) {
    REQUIRE(store->store_frame(frame, clock.now()));
    live->take({from.tenant(), LiveArrival::Frame{frame, clock.now()}});
    load();
  }
  void import(const std::string& tenant, const std::vector<Receipt>& rows,
              const std::optional<ReceiptCoverage>& coverage = {}) {
    const ImportResult result = store->import_receipts(tenant, rows, coverage, clock.now()).value();
    live->take({tenant, LiveArrival::Rows{result.rows, coverage, result.told}});
    load();
  }
  // A person tells or decides something of t1.
  void tell(LedgerEntry entry) {
    set_told(entry, clock.now());
    REQUIRE(store->add_told("t1", entry, clock.now()));
    live->take({"t1", LiveArrival::ToldByPeople{}});
    load();
  }
  // Time goes on, in the steps that the collector asks for.
  void pass(Duration time) {
    const Instant until = clock.now() + time;
    while (clock.now() < until) {
      clock.advance(std::max(std::min(live->idle_for(), until - clock.now()), milliseconds(1)));
      live->settle_due();
      load();
    }
  }
  // The log's lines since the last call that tell of findings, without "finding tenant=".
  std::vector<std::string> findings() {
    std::vector<std::string> out;
    for (std::string& line : std::exchange(log, {})) {
      const std::size_t found = line.find("finding tenant=");
      if (found != std::string::npos) out.push_back(line.substr(0, 5) + line.substr(found + 15));
    }
    return out;
  }
  std::string rebuilt(const std::string& tenant) {
    std::vector<Alarm> alarms;
    TenantInput input = store->tenant_input(tenant, alarms).value();
    input.policy.report_within = seconds(0);
    return dumped(correlate(input, clock.now()));
  }
  std::string concluded(const std::string& tenant) {
    live->settle_due();
    const LiveTenant* const one = live->find(tenant);
    return one == nullptr ? "not in memory" : dumped(one->correlator().correlation());
  }

  std::uint64_t kept_max;
  bool for_program = true;
  Folder folder;
  meldevakt::testing::ManualClock clock{at(10)};
  FakeAgent agent{'a', "t1"};
  FakeAgent other{'b', "t2"};
  std::unique_ptr<SqliteStore> store =
      SqliteStore::open({folder / "collector.db", "", false, nullptr, testing::random_bytes()})
          .value();
  std::unique_ptr<SqliteStore> reader;
  std::unique_ptr<ToldRegister> told;
  std::unique_ptr<LiveCorrelation> live;
  std::vector<std::string> log;
};

}  // namespace meldevakt::collector::testing
