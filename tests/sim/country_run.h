// A whole country's years: every service after the other, in one or two threads, into one ledger;
// then the ledger is read anew from its bytes, and the truth is opened.
//
//   MELDEVAKT_TRY_ASSIGN(CountryResult result, run_country(plan, settings));
//
// Services do not touch each other, so each is played to its end before the next begins; what
// concerns several of them (when the fault was first seen anywhere) is put in order of time
// afterwards.
//
// Thread-safety: none; it has threads of its own. Errors: of agent, store or correlator; any of
// them ends the run.
#pragma once

#include <string>
#include <vector>

#include "collector/app/view.h"
#include "tests/sim/comparison.h"
#include "tests/sim/service_run.h"

namespace meldevakt::sim {

struct CountrySettings {
  RunSettings run;
  unsigned threads = 2;
  std::string database;  // the store's file, in a folder of its own
};

struct ServiceOutcome {
  std::string name;
  collector::FleetRow row;                   // as the fleet's report has it, from what is stored
  std::optional<Instant> latent_fault_seen;  // first
  Comparison comparison;
};

struct CountryResult {
  collector::FleetTotals totals;
  std::vector<ServiceOutcome> services;  // in the plan's order
  std::vector<LossFound> losses;         // sorted by `sent`
  std::vector<std::string> wrong;
  std::optional<Instant> latent_fault_seen;  // anywhere
  std::uint64_t found_in_time = 0;
  std::uint64_t messages = 0;
  std::uint64_t statements = 0;
};

// All that the collector's commands would say of a tenant, read from the store.
[[nodiscard]] Result<collector::View> stored_view(collector::Store& store,
                                                  const std::string& tenant, Instant now);

[[nodiscard]] Result<CountryResult> run_country(const CountryPlan& plan,
                                                const CountrySettings& settings);

}  // namespace meldevakt::sim
