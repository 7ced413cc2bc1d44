#include "tests/sim/service_run.h"

#include <algorithm>
#include <utility>

#include "tests/sim/sim_agent.h"

namespace meldevakt::sim {
namespace {

constexpr Duration kImportEvery = days(7);
constexpr Duration kTurnEvery = seconds(1);

struct Event {
  enum class Kind : std::uint8_t { kOutageBegins, kOutageEnds, kRead, kTurn, kImport, kEnd };
  Instant at;
  Kind kind = Kind::kTurn;
  std::size_t index = 0;  // of the outage
};

class ServiceRun {
 public:
  ServiceRun(const ServicePlan& service, const Interval& span, const RunSettings& settings,
             Ledger& ledger)
      : service_{service},
        span_{span},
        settings_{settings},
        history_{live_through(service, span, *settings.zone)},
        trace_{"trace", std::move(history_.trace), service.nodes},
        database_{"database", std::move(history_.database)},
        backup_{"backup", std::move(history_.backup)},
        desk_{ledger, collector::Policy{}, settings.correlates} {}

  Result<ServiceResult> run() {
    MELDEVAKT_TRY(enrol());
    now_ = span_.from;
    for (const Event& event : events()) {
      MELDEVAKT_TRY(pass_time_until(event.at));
      now_ = std::max(now_, event.at);
      MELDEVAKT_TRY(happen(event));
      MELDEVAKT_TRY(deliver());
    }
    ServiceResult out;
    out.last = desk_.judge(span_.to);
    out.truth = std::move(history_.truth);
    out.overloads = std::move(history_.overloads);
    out.changes = desk_.changes();
    out.latent_changes = desk_.latent_changes();
    out.causes_seen = desk_.causes_seen();
    out.causes = desk_.causes();
    out.statements = desk_.statements();
    return out;
  }

 private:
  // An agent and what it is configured for; the first one reads the case system's trace.
  struct Host {
    agent::Config config;
    std::unique_ptr<SimAgent> agent{};
    bool running = true;
  };

  Status enrol() {
    MELDEVAKT_TRY(desk_.open({service_.tenant, service_.name, "", span_.from}, registry_entries(),
                             span_.from));
    const ServiceClocks clocks = clocks_of(service_);
    std::vector<std::string_view> sources{kTraceSource};
    if (service_.backup_apart) sources.push_back(kBackupSource);
    if (!service_.database_apart) sources.push_back(kDatabaseSource);
    MELDEVAKT_TRY(add_host({agent_config(settings_.seal_every, sources)}, clocks.application));
    if (!service_.database_apart) return {};
    return add_host({agent_config(settings_.seal_every, {kDatabaseSource})}, clocks.database);
  }

  Status add_host(Host made, const HostClock& clock) {
    Host& host = *hosts_.emplace_back(std::make_unique<Host>(std::move(made)));
    const std::uint64_t seed = service_.seed + hosts_.size() - 1;
    MELDEVAKT_TRY_ASSIGN(
        host.agent,
        SimAgent::enrol({service_.tenant, service_.name, seed, service_.seed, host.config,
                         *settings_.packs, settings_.zone, trace_, database_, backup_, clock},
                        span_.from));
    const SimAgent::Identity& identity = host.agent->identity();
    return desk_.enrol({identity.agent, identity.enrolment, identity.token, identity.tls_key},
                       span_.from);
  }

  std::vector<collector::RegistryEntry> registry_entries() const {
    using collector::EntryKind;
    const Instant always = collector::kAlways.to;
    std::vector<collector::RegistryEntry> out{
        {EntryKind::kPortal, "npb", "", {span_.from, always}},
        {EntryKind::kProduct, "Fagsystem 4.2.1", "", {span_.from, always}},
        {EntryKind::kPatch, "affected", "", {span_.from, always}},
        {EntryKind::kContact,
         "dpo",
         "personvernombud@" + service_.tenant + ".example",
         {span_.from, always}}};
    if (service_.patch_told) {
      out.push_back({EntryKind::kPatch, "fixed", "", {*service_.patch_told, always}});
    }
    for (const std::string& number : service_.municipalities) {
      out.push_back({EntryKind::kMunicipality, number, "", collector::kAlways});
    }
    return out;
  }

  std::vector<Event> events() const {
    std::vector<Event> out;
    const auto looks = [&](Instant at) {
      out.push_back({at + seconds(1), Event::Kind::kRead, 0});
      out.push_back({at + seconds(4), Event::Kind::kTurn, 0});
      out.push_back({at + seconds(40), Event::Kind::kTurn, 0});
    };
    for (const Instant busy : history_.busy) looks(busy);
    for (std::size_t i = 0; i < service_.outages.size(); ++i) {
      const Interval& outage = service_.outages[i].span;
      out.push_back({outage.from, Event::Kind::kOutageBegins, i});
      out.push_back({outage.to, Event::Kind::kOutageEnds, i});
      looks(outage.to);
    }
    for (Instant at = span_.from + kImportEvery; at < span_.to; at = at + kImportEvery) {
      out.push_back({at, Event::Kind::kImport, 0});
    }
    out.push_back({span_.to - seconds(1), Event::Kind::kImport, 0});
    out.push_back({span_.to, Event::Kind::kEnd, 0});
    std::erase_if(out, [&](const Event& event) { return span_.to < event.at; });
    std::stable_sort(out.begin(), out.end(),
                     [](const Event& a, const Event& b) { return a.at < b.at; });
    return out;
  }

  Status pass_time_until(Instant until) {
    if (settings_.every_second) {
      for (Instant at = now_ + kTurnEvery; at < until; at = at + kTurnEvery) {
        MELDEVAKT_TRY(turn(at));
        now_ = at;
        MELDEVAKT_TRY(deliver());
      }
      return {};
    }
    for (;;) {
      Host* const next = next_due();
      if (next == nullptr || until <= next->agent->due_at()) return {};
      now_ = std::max(now_, next->agent->due_at());
      MELDEVAKT_TRY(next->agent->turn(now_));
      MELDEVAKT_TRY(deliver());
    }
  }

  // Of those that work the one whose statement is due first.
  [[nodiscard]] Host* next_due() const {
    Host* first = nullptr;
    for (const auto& host : hosts_) {
      if (!works(*host)) continue;
      if (first == nullptr || host->agent->due_at() < first->agent->due_at()) first = host.get();
    }
    return first;
  }

  [[nodiscard]] bool works(const Host& host) const { return host.running && !is_silent(); }
  // What waits in an outbox then waits for ever.
  [[nodiscard]] bool is_silent() const {
    return service_.silent_from && *service_.silent_from <= now_;
  }
  Status turn(Instant at) {
    for (const auto& host : hosts_) {
      if (works(*host)) MELDEVAKT_TRY(host->agent->turn(at));
    }
    return {};
  }

  Status happen(const Event& event) {
    switch (event.kind) {
      case Event::Kind::kOutageBegins: return begin_outage(service_.outages[event.index]);
      case Event::Kind::kOutageEnds: return end_outage(service_.outages[event.index]);
      case Event::Kind::kRead:
        for (const auto& host : hosts_) {
          if (works(*host)) host->agent->read(now_);
        }
        return {};
      case Event::Kind::kTurn:
      case Event::Kind::kEnd: return turn(now_);
      case Event::Kind::kImport: return import_rows();
    }
    return {};
  }

  Status begin_outage(const Outage& outage) {
    Host& host = *hosts_.front();
    if (!works(host)) return {};
    switch (outage.kind) {
      case Outage::Kind::kCollectorAway: collector_away_ = true; return {};
      case Outage::Kind::kUnreadable: trace_.set_readable(false); return turn(now_);
      case Outage::Kind::kAgentStopped:
      case Outage::Kind::kLogDestroyed: host.running = false; return host.agent->stop(now_);
    }
    return {};
  }

  Status end_outage(const Outage& outage) {
    collector_away_ = false;
    trace_.set_readable(true);
    Host& host = *hosts_.front();
    if (!host.running) {
      host.running = true;
      trace_.write_until(now_);
      if (outage.kind == Outage::Kind::kLogDestroyed) trace_.destroy();
      return host.agent->start(now_);
    }
    return turn(now_);
  }

  Status import_rows() {
    std::vector<PortalRow> rows;
    while (next_row_ < history_.rows.size() && history_.rows[next_row_].confirmed < now_) {
      rows.push_back(history_.rows[next_row_++]);
    }
    const Interval complete{std::exchange(imported_until_, now_), now_};
    return desk_.import_csv(portal_csv(rows, *settings_.zone), complete, *settings_.zone, now_);
  }

  Status deliver() {
    if (collector_away_ || is_silent()) return {};
    for (const auto& host : hosts_) {
      for (const std::string& frame : host->agent->take_frames()) {
        MELDEVAKT_TRY(desk_.receive(host->agent->identity().agent, frame, now_));
      }
    }
    return {};
  }

  const ServicePlan& service_;
  Interval span_;
  RunSettings settings_;
  ServiceHistory history_;
  SimLog trace_;
  SimLog database_;
  SimLog backup_;
  TenantDesk desk_;
  std::vector<std::unique_ptr<Host>> hosts_;
  Instant now_;
  bool collector_away_ = false;
  std::size_t next_row_ = 0;
  Instant imported_until_ = span_.from;
};

}  // namespace

Result<ServiceResult> run_service(const ServicePlan& service, const Interval& span,
                                  const RunSettings& settings, Ledger& ledger) {
  auto result = ServiceRun{service, span, settings, ledger}.run();
  if (!result) return std::move(result).error().in(service.name);
  return result;
}

}  // namespace meldevakt::sim
