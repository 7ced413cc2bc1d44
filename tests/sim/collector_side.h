// The collector as one tenant's frames and the portal's rows reach it: nothing else does. Frames
// are admitted and stored by the real code; what is watched is the real correlator's word: after
// every arrival, and at every point in time in between at which time or the register may change it.
// What time changes before something arrives is decided without it: nobody knew of it yet.
//
//   Ledger ledger{store};
//   TenantDesk desk{ledger, policy, true};
//   MELDEVAKT_TRY(desk.open(tenant, entries, now));
//   MELDEVAKT_TRY(desk.enrol(identity..., now));        // each of its agents
//   MELDEVAKT_TRY(desk.receive(agent, frame, now));
//   MELDEVAKT_TRY(desk.import_csv(csv, span, zone, now));
//   desk.changes()                          // every verdict that became another one, and when
//
// Thread-safety: a Ledger may be shared; a TenantDesk belongs to one thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "collector/correlate/correlator.h"
#include "collector/incidents/cause_watch.h"
#include "collector/registry/registry.h"
#include "collector/report/latent_watch.h"
#include "collector/store/store.h"
#include "common/ports/time_zone.h"

namespace meldevakt::sim {

// One writer, as in the program: whoever has the lock.
class Ledger {
 public:
  explicit Ledger(collector::Store& store) : store_{store} {}
  [[nodiscard]] Status write(const std::function<Status(collector::Store&)>& work) {
    const std::lock_guard lock{mutex_};
    return work(store_);
  }

 private:
  std::mutex mutex_;
  collector::Store& store_;
};

struct VerdictChange {
  Instant at;  // the collector's time
  std::string message;
  collector::Verdict verdict = collector::Verdict::kPending;
  Instant arrived;  // the newest of what it stands on; never after `at`
};

// When it was first said that the case system receipts before it stores, or no longer does.
struct LatentChange {
  Instant at;
  bool present = false;
};

// From when on a tenant's messages had which causes in common with others' (the real watch's word).
struct CausesSeen {
  Instant at;
  std::vector<collector::CausePart> causes;
};

// What an agent sends when it enrols.
struct Enrolling {
  std::string agent;
  std::string enrolment;  // signed envelope
  std::string token;
  Sha256 tls_key;
};

class TenantDesk {
 public:
  TenantDesk(Ledger& ledger, collector::Policy policy, bool correlates);

  [[nodiscard]] Status open(const collector::Tenant& tenant,
                            const std::vector<collector::RegistryEntry>& entries, Instant now);
  [[nodiscard]] Status enrol(const Enrolling& enrolling, Instant now);
  [[nodiscard]] Status receive(const std::string& agent, std::string_view frame, Instant now);
  [[nodiscard]] Status import_csv(std::string_view csv, const Interval& complete,
                                  const TimeZone& zone, Instant now);
  // The last word.
  [[nodiscard]] collector::Correlation judge(Instant now);

  [[nodiscard]] const std::vector<VerdictChange>& changes() const { return changes_; }
  [[nodiscard]] const std::vector<LatentChange>& latent_changes() const { return latent_; }
  [[nodiscard]] const std::vector<CausesSeen>& causes_seen() const { return causes_seen_; }
  // As of the last word.
  [[nodiscard]] std::vector<collector::CausePart> causes() const { return causes_.parts(); }
  [[nodiscard]] std::uint64_t statements() const { return statements_; }

 private:
  // Lets time go on to `now`; called before what arrives then is added.
  void pass_time_until(Instant now);
  void settle_at(Instant now);
  void note_causes(Instant now, const std::optional<collector::LatentFault>& fault);

  Ledger& ledger_;
  bool correlates_;
  std::string tenant_;
  std::map<std::string, collector::AgentKey> keys_;  // by agent
  collector::Policy policy_;
  collector::Correlator correlator_;
  collector::LatentWatch watch_;
  collector::CauseWatch causes_;
  std::vector<VerdictChange> changes_;
  collector::Registry registry_;
  std::optional<Instant> registry_changes_;  // when what the register says is another thing next
  std::vector<LatentChange> latent_;
  std::vector<CausesSeen> causes_seen_;
  Instant arrived_;
  std::uint64_t statements_ = 0;
};

}  // namespace meldevakt::sim
