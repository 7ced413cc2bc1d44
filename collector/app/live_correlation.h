// What the running collector concludes by itself, of every tenant that has an agent: told at once,
// in our log and to the operator's program.
//
//   LiveCorrelation live{{reader, told, policy, clock, log}};
//   MELDEVAKT_TRY(live.start());
//   live.take(arrival);                    // after its commit
//   while (live.load_one()) {}             // tenants that wait to be read from the store
//   live.settle_due();                     // after live.idle_for() at the latest
//
// A tenant is read from the store when it is first needed, and again after anything that cannot be
// added (a change of a row that is not known here, an arrival that got lost). It is dropped from
// memory when the tenants together keep more than kKeptMax facts and names (the one used longest
// ago first; never the one that is used) or when nothing came for kIdleAfter; what is dropped is
// read again when its time has come. Order of arrival and repetition never matter, so what is both
// read and added is added twice without harm.
//
// The same cause in two tenants is told as soon as the second one shows it (systemic_watch.h),
// after a start when all tenants were read.
//
// Thread-safety: none; one thread. The store is a connection of its own and only read. Errors of
// the store are said in the log once, and the tenant is read again kRetryAfter later.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "collector/app/live_tenant.h"
#include "collector/app/told_register.h"
#include "collector/http/message.h"
#include "collector/store/store.h"
#include "common/ports/clock.h"

namespace meldevakt::collector {

// What was committed.
struct LiveArrival {
  struct Rows {
    std::vector<Receipt> rows;
    std::optional<ReceiptCoverage> coverage;
    Instant told;  // as it stands in the store
  };
  struct Frame {
    VerifiedFrame frame;
    Instant received;  // as it stands in the ledger
  };
  struct Reread {};        // something of this tenant that is not known by itself
  struct ToldByPeople {};  // entries were added to what people told
  std::string tenant;
  std::variant<Frame, Rows, Reread, ToldByPeople> what;
};

class LiveCorrelation {
 public:
  static constexpr std::uint64_t kKeptMax = 20'000'000;  // some 50 bytes each
  static constexpr Duration kIdleAfter = hours(6);
  static constexpr Duration kRetryAfter = seconds(30);
  static constexpr Duration kLookEvery = seconds(30);

  struct Parts {
    Store& store;
    ToldRegister& told;
    Policy policy;
    meldevakt::Clock& clock;
    LogSink log;
    std::uint64_t kept_max = kKeptMax;
  };
  explicit LiveCorrelation(Parts parts) : parts_{std::move(parts)} {}

  // Marks every tenant that has an agent to be read.
  [[nodiscard]] Status start();
  // `more`: another one waits. It is only added then, and decided with the next one or by
  // settle_due(): an agent that tells of days at once costs one decision, not one a statement.
  void take(const LiveArrival& arrival, bool more = false);
  // The register of some tenant was added to, or what it said of a later time holds now.
  void registered();
  // Reads one tenant that waits for it, settles and tells. False: none waits.
  bool load_one();
  void settle_due();
  // How long neither settle_due() nor load_one() has anything to do: at most kLookEvery, since the
  // wall clock may step.
  [[nodiscard]] Duration idle_for() const;

  [[nodiscard]] std::size_t in_memory() const;
  // nullptr: not in memory.
  [[nodiscard]] const LiveTenant* find(const std::string& tenant) const;

 private:
  struct Place {
    std::unique_ptr<LiveTenant> live;  // null: only in the store
    Instant used;
    std::optional<Instant> due;    // of what is in memory, or was
    std::optional<Duration> load;  // it is to be read from then on; since boot
    bool failed = false;           // and that was said
    // While it is read anew: what was told of it, as far as known here.
    std::optional<ToldRegister::OfTenant> told;
    std::optional<Instant> register_changes;  // when an entry of its begins or ends to hold
  };
  [[nodiscard]] Duration since_boot() const;
  [[nodiscard]] Result<Tenant> tenant_of(const std::string& id);
  [[nodiscard]] Result<ToldRegister::OfTenant> told_of(const std::string& id, const Place& place);
  [[nodiscard]] Status load(const std::string& id, Place& place);
  [[nodiscard]] Result<EntriesOfPeople> people_of(const std::string& id);
  // An error: the tenant must be read anew.
  [[nodiscard]] Status add(const LiveArrival& arrival, LiveTenant& live);
  void settle(const std::string& id, Place& place);
  void tell(const std::vector<LiveFinding>& findings, Instant now);
  [[nodiscard]] std::vector<LiveFinding> systemic(Instant now);
  [[nodiscard]] Result<std::vector<SystemicWatch::Known>> known_tenants();
  void look_at_register(const Registry& registry, LiveTenant& live, Place& place) const;
  void complain(const std::string& tenant, const std::vector<std::string>& problems);
  void make_room(const Place& used);
  void drop_idle(Instant now);

  Parts parts_;
  std::map<std::string, Place> places_;
  bool told_failed_ = false;
  SystemicWatch systemic_;
  bool systemic_failed_ = false;  // and that was said
  bool said_read_ = false;        // that the store's tenants were
};

}  // namespace meldevakt::collector
