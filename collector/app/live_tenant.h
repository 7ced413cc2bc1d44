// One tenant while the collector runs: its Correlator, and what is to be told of it.
//
//   LiveTenant live{tenant, policy, told, fixed_since};
//   MELDEVAKT_TRY(live.add(input));                       // all of it, from the store
//   live.add(verified_frame, received, problems);         // and what comes afterwards
//   for (const LiveFinding& finding : live.settle(now)) ...
//   live.next_due()                                       // settle() again then at the latest
//
// What people told changes what is told: a message that they recovered needs nothing any more; one
// that they call the sender's mistake, or whose incident they closed, they know of: that it needs
// action is not told of it. Counts of stored messages are compared by whoever asks and by the
// standing control, not here.
//
// Pure. Thread-safety: none. Memory: as the Correlator's; besides, what messages of
// incidents have as their causes, the undecided messages whose purge is not urgent yet (at most
// kUndecidedMax, what comes beyond is told at once) and what was told.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collector/admit/admit.h"
#include "collector/app/systemic_watch.h"
#include "collector/app/told_register.h"
#include "collector/correlate/claims.h"
#include "collector/correlate/correlator.h"
#include "collector/correlate/testimony.h"
#include "collector/incidents/cause_watch.h"
#include "collector/incidents/ledger_entry.h"
#include "collector/report/latent_watch.h"
#include "collector/store/store.h"

namespace meldevakt::collector {

class LiveTenant {
 public:
  static constexpr std::size_t kUndecidedMax = 100'000;

  LiveTenant(Tenant tenant, Policy policy, ToldRegister::OfTenant told,
             std::optional<Instant> fixed_since);

  // What cannot be added costs itself and is said in `problems`.
  void add(const TenantInput& input, std::vector<std::string>& problems);
  void add(const VerifiedFrame& frame, Instant received, std::vector<std::string>& problems);
  // Of a list that was imported at `told`.
  void add(const std::vector<Receipt>& rows, const std::optional<ReceiptCoverage>& coverage,
           Instant told, std::vector<std::string>& problems);
  // Everything that people told and decided of it.
  void set_people(EntriesOfPeople people);
  void set_fixed_since(std::optional<Instant> fixed_since) { fixed_since_ = fixed_since; }
  // As the register calls it now; "": as it was made.
  void set_name(const std::string& name) { tenant_.name = name.empty() ? made_as_ : name; }
  void set_portal_uses(std::vector<PortalUse> uses) {
    correlator_.set_portal_uses(std::move(uses));
  }
  void set_unused(std::vector<UnusedSource> unused) { correlator_.set_unused(std::move(unused)); }
  // When its first portal was activated, where that is known.
  void set_activated(std::optional<Instant> activated) { activated_ = activated; }

  // What is to be told now; it counts as told.
  [[nodiscard]] std::vector<LiveFinding> settle(Instant now);
  [[nodiscard]] std::optional<Instant> next_due() const;

  // As of the last settle(): what it has in common with other tenants.
  [[nodiscard]] SystemicWatch::Sight sight(Instant now) const;

  [[nodiscard]] const ToldRegister::OfTenant& told() const { return told_; }
  [[nodiscard]] const Correlator& correlator() const { return correlator_; }
  [[nodiscard]] std::uint64_t kept() const { return correlator_.kept(); }

 private:
  struct Undecided {
    Instant look;  // when its purge is urgent
    MessageVerdict message;
  };
  void note(const LedgerCoverage& claim);
  [[nodiscard]] std::optional<Told> told_of(const std::string& message) const;
  void take(const Correlator::Change& change, Instant now, std::vector<LiveFinding>& out);
  void consider_all(Instant now, std::vector<LiveFinding>& out);
  void find_closed(Instant now);
  [[nodiscard]] MessageVerdict with_words(const MessageVerdict& message) const;
  [[nodiscard]] bool is_worse_than_closed(const MessageVerdict& message) const;
  [[nodiscard]] bool is_seen_to(const MessageVerdict& message) const;
  void consider(const MessageVerdict& message, Instant now, std::vector<LiveFinding>& out);
  void wait(const MessageVerdict& message, Instant look);
  void stop_waiting(const std::string& message);
  void tell(LiveFinding finding, std::vector<LiveFinding>& out);

  Tenant tenant_;
  std::string made_as_;  // its own name
  Correlator correlator_;
  LatentWatch watch_;
  CauseWatch causes_;
  std::optional<LatentFault> fault_;  // as of the last settle()
  ToldRegister::OfTenant told_;
  std::optional<Instant> fixed_since_;
  std::optional<Instant> activated_;
  StatementClaims claims_;
  std::optional<Instant> read_from_;  // the earliest that was read of what a pack observes
  WordsOfPeople words_;
  std::vector<IncidentDecision> decisions_;
  // Names of messages of incidents that people closed, with how bad each was when that was looked
  // up: what gets worse than that may have opened its incident again.
  std::unordered_map<std::string, int> closed_;
  bool people_changed_ = false;
  std::map<std::string, Undecided> undecided_;
  std::set<std::pair<Instant, std::string>> looks_;
};

}  // namespace meldevakt::collector
