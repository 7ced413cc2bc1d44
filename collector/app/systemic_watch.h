// The same fault in several municipalities, told as soon as a second one shows it (report
// 003, 5.2.1: in 2023 it took 23 days from the first support case until other customers were told).
//
//   SystemicWatch watch{told};
//   watch.set("t1", sight);                                  // whenever a tenant's causes change
//   for (const LiveFinding& f : watch.findings(tenants, all_seen, now)) ...
//
// Told once when it becomes systemic, again whenever the tenants that show it are others, and when
// it is not so any more: but that it is in fewer only when something is known of every tenant.
// Whoever reads our log and runs on_finding operates the collector and may see all of its tenants.
//
// Of a tenant that is not in memory counts what was last seen of it. Pure. Thread-safety: none.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "collector/app/live_finding.h"
#include "collector/app/told_register.h"
#include "collector/incidents/signatures.h"
#include "collector/registry/registry.h"
#include "collector/store/store.h"

namespace meldevakt::collector {

// In what a tenant saw its causes, by what the register says of when it did: its product when it
// saw a cause last, and the versions of that product when it saw it first and last.
[[nodiscard]] std::map<std::string, SeenIn> seen_in(const Registry& registry,
                                                    const std::vector<CausePart>& parts);

class SystemicWatch {
 public:
  // What one tenant's messages and logs say.
  struct Sight {
    std::vector<CausePart> causes;
    bool covered = false;   // its logs were read, without a hole, for as long as is asked about
    bool answered = false;  // and whether it is hit is known
    std::uint64_t messages = 0;
    auto operator<=>(const Sight&) const = default;
  };
  struct Known {
    Tenant tenant;
    Registry registry;
  };

  SystemicWatch() = default;
  explicit SystemicWatch(ToldRegister::OfTenant told) : told_{std::move(told)} {}

  void set(const std::string& tenant, Sight sight);
  [[nodiscard]] bool has(const std::string& tenant) const { return sights_.contains(tenant); }
  // What is known of tenants beside their messages may have changed.
  void look_again() { news_ = true; }
  // Whether a tenant was seen for the first time, or a cause came or went, since the findings were
  // last asked for, or look_again().
  [[nodiscard]] bool has_news() const { return news_; }
  // What is to be told now; it counts as told. `known`: every tenant there is. `all_seen`: whatever
  // messages any of them has were looked at.
  [[nodiscard]] std::vector<LiveFinding> findings(const std::vector<Known>& known, bool all_seen,
                                                  Instant now);

 private:
  [[nodiscard]] std::vector<TenantStanding> standings(const std::vector<Known>& known,
                                                      Instant now) const;
  std::map<std::string, Sight> sights_;
  ToldRegister::OfTenant told_;
  bool news_ = true;
};

}  // namespace meldevakt::collector
