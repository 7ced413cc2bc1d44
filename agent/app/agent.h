// The agent's loop, one turn at a time: sources -> pipelines -> life tracker -> statements ->
// state -> dispatchers. One `now` a turn; no thread, no sleep, no network of its own, so that a
// test can drive it by hand.
//
//   MELDEVAKT_TRY_ASSIGN(auto agent, Agent::create(parts));
//   while (!stop) { const bool more = agent->turn(); if (!more) wait(agent->rest()); }
//   agent->stop();
//
// Commit points: positions, snapshots, sealed statements and findings are committed together, at
// once when something was sealed, else at most once a second. When the state cannot be written
// (disk full) everything in memory is dropped, said once, and built anew from the last commit as
// soon as that works: the log files are the buffer, nothing is lost and nothing doubled.
//
// Bounds: what budget.cpu and budget.memory let be read (budget_keeper.h), at most
// CpuPace::kBytesMost a turn over all sources, which take turns in being the first; the outbox by
// budget.outbox: when it is full reading stops, with a read gap "outbox_full", and goes on when the
// collector has taken statements.
//
// Thread-safety: none. Errors of create: kInvalid (not enrolled; configuration), kIo, kCorrupt.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/app/agent_time.h"
#include "agent/app/budget_keeper.h"
#include "agent/app/config.h"
#include "agent/app/finding_command.h"
#include "agent/app/identity.h"
#include "agent/app/log.h"
#include "agent/app/metrics_file.h"
#include "agent/app/metrics_text.h"
#include "agent/app/packs.h"
#include "agent/app/shipping.h"
#include "agent/app/source_lane.h"
#include "agent/app/tenant_lane.h"
#include "agent/hold/hold_keeper.h"
#include "agent/ship/clock_comparison.h"
#include "agent/state/state.h"
#include "common/platform/clock.h"
#include "common/ports/clock.h"
#include "common/ports/process_meter.h"
#include "common/ports/random.h"
#include "common/ports/time_zone.h"

namespace meldevakt::agent {

inline constexpr Duration kCommitEvery = seconds(1);
inline constexpr Duration kAcknowledgeEvery = milliseconds(200);
// What `status` shows of the process goes with a commit, but not more often than this.
inline constexpr Duration kStatusEvery = seconds(5);
// So long after a start the first statement waits for the collector's clock: it claims what is read
// in the time of a clock that nobody has compared yet.
inline constexpr Duration kCompareWait = seconds(3);
inline constexpr Duration kStateRetryFirst = seconds(1);
inline constexpr Duration kStateRetryMax = seconds(10);
// Reading stops this much before the outbox is full, so that what has been read can be sealed.
inline constexpr std::uint64_t kOutboxReserve = 8'000'000;

class Agent {
 public:
  struct Parts {
    Config config;
    Packs packs;
    StateFiles files;
    std::string state_uri;  // "" = files.state()
    TimeZones& zones;
    Clock& clock;
    Random& random;
    ProcessMeter& meter;
    Log& log;
    std::function<ClockQuality()> clock_quality;
    // How the clock and that of the tenant's collector differ; nullopt: not known (yet).
    std::function<std::optional<ClockDifference>(const std::string& tenant)> clock_difference;
    // How a tenant's frames leave; called once a tenant.
    std::function<Result<std::unique_ptr<Dispatcher>>(const TenantRow&)> dispatcher;
    std::string software_version;
    std::string software_sha256;  // of the program's own file, hex; "" where it cannot be read
  };
  [[nodiscard]] static Result<std::unique_ptr<Agent>> create(Parts parts);
  ~Agent();

  // True when there is more to do at once.
  bool turn();
  // How long the next turn may wait, unless something wakes the loop.
  [[nodiscard]] Duration rest() const;
  // Seals what waits, commits, gives the dispatchers a moment. True when everything has ended;
  // false when a dispatcher still hangs in the network, which only the process's end can stop.
  bool stop();

  [[nodiscard]] bool state_works() const { return core_ != nullptr; }
  // What `status` shows of the process (agent_status.h). REQUIRES: state_works().
  [[nodiscard]] std::string status_json() const;

 private:
  // What is built from the state, and thrown away when the state fails.
  struct Core;
  explicit Agent(Parts parts);

  [[nodiscard]] Status build();
  [[nodiscard]] Status build_tenants(Core& core, State::Loaded& loaded);
  [[nodiscard]] Status build_sources(Core& core, State::Loaded& loaded);
  [[nodiscard]] Status build_source(Core& core, State::Loaded& loaded, const SourceConfig& config);
  void build_holds(Core& core, State::Loaded& loaded);
  void note_holds(Core& core);
  [[nodiscard]] bool has_state();
  [[nodiscard]] bool read_sources(Instant now);
  [[nodiscard]] bool read_within(std::size_t bytes, Instant now);
  [[nodiscard]] bool is_outbox_full();
  void hold_sources(std::string_view reason, Instant now);
  void write_metrics(bool always);
  [[nodiscard]] AgentMetrics metrics();
  [[nodiscard]] std::optional<HoldKeeper::Counts> hold_counts() const;
  [[nodiscard]] Status seal_due(Instant now, bool all);
  [[nodiscard]] Status commit_due(Instant now, bool all);
  [[nodiscard]] Status offer();
  void tell(const std::vector<FindingRow>& findings);
  void give(const std::vector<FindingRow>& findings);
  [[nodiscard]] Status look_after_command();
  void fail(const Error& error);
  [[nodiscard]] Duration steady() const;
  [[nodiscard]] bool waits_for_clock(const std::string& tenant) const;
  [[nodiscard]] ClockState clock_of(const std::string& tenant);

  Parts parts_;
  Shipping shipping_;
  FindingCommand command_;
  BudgetKeeper budget_;
  MetricsFile metrics_file_;
  std::map<std::string, std::uint64_t> told_kinds_;   // findings told in this run
  std::map<std::string, Instant> last_acknowledged_;  // by tenant
  std::unique_ptr<Core> core_;
  std::set<std::string> told_;  // in this run
  bool outbox_full_ = false;
  bool may_hold_ = false;  // as the budgets have it, in this turn
  bool said_behind_ = false;
  std::string said_error_;
  Duration retry_at_;
  Duration compare_until_;               // see kCompareWait
  std::set<std::string> clock_differs_;  // tenants of whose collectors that was told
  Duration retry_wait_ = kStateRetryFirst;
  std::size_t first_source_ = 0;  // of the next turn
};

}  // namespace meldevakt::agent
