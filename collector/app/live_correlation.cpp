#include "collector/app/live_correlation.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "collector/app/view.h"

namespace meldevakt::collector {
namespace {

// Of many problems of one arrival the first are said.
constexpr std::size_t kProblemsSaidMax = 5;

}  // namespace

Duration LiveCorrelation::since_boot() const {
  return milliseconds(parts_.clock.boot_ns() / 1'000'000);
}

Status LiveCorrelation::start() {
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, parts_.store.tenants());
  for (const Tenant& tenant : tenants) {
    MELDEVAKT_TRY_ASSIGN(const std::vector<AgentRecord> agents, parts_.store.agents(tenant.id));
    if (!agents.empty()) places_[tenant.id].load = since_boot();
  }
  MELDEVAKT_TRY_ASSIGN(ToldRegister::OfTenant told, parts_.told.of(""));
  systemic_ = SystemicWatch{std::move(told)};
  return {};
}

void LiveCorrelation::take(const LiveArrival& arrival, bool more) {
  const Instant now = parts_.clock.now();
  const bool is_frame = std::holds_alternative<LiveArrival::Frame>(arrival.what);
  // A tenant without an agent has nothing that rows could be compared with.
  if (!is_frame && !places_.contains(arrival.tenant)) {
    const auto agents = parts_.store.agents(arrival.tenant);
    if (agents && agents.value().empty()) return;
  }
  Place& place = places_[arrival.tenant];
  if (!place.live || std::holds_alternative<LiveArrival::Reread>(arrival.what)) {
    if (!place.load) place.load = since_boot();
    return;
  }
  if (!add(arrival, *place.live)) {  // all of it is read again
    place.load = since_boot() + kRetryAfter;
    return;
  }
  place.used = now;
  if (more) {
    place.due = std::min(place.due.value_or(now), now);
    return;
  }
  settle(arrival.tenant, place);
  make_room(place);
}

Status LiveCorrelation::add(const LiveArrival& arrival, LiveTenant& live) {
  std::vector<std::string> problems;
  if (const auto* const frame = std::get_if<LiveArrival::Frame>(&arrival.what)) {
    live.add(frame->frame, frame->received, problems);
  } else if (const auto* const rows = std::get_if<LiveArrival::Rows>(&arrival.what)) {
    live.add(rows->rows, rows->coverage, rows->told, problems);
  } else {
    MELDEVAKT_TRY_ASSIGN(EntriesOfPeople people, people_of(arrival.tenant));
    live.set_people(std::move(people));
  }
  complain(arrival.tenant, problems);
  return {};
}

void LiveCorrelation::registered() {
  systemic_.look_again();
  for (auto& [id, place] : places_) {
    const bool changed = place.register_changes && *place.register_changes <= parts_.clock.now();
    if (changed || place.live) place.register_changes.reset();
    if (!place.live && changed && !place.load) place.load = since_boot();  // it is heard of now
    if (!place.live) continue;
    const auto entries = parts_.store.registry_entries(id);
    if (!entries) {
      place.load = since_boot() + kRetryAfter;
      continue;
    }
    look_at_register(Registry{entries.value()}, *place.live, place);
    settle(id, place);
  }
}

void LiveCorrelation::look_at_register(const Registry& registry, LiveTenant& live,
                                       Place& place) const {
  const Instant now = parts_.clock.now();
  live.set_fixed_since(registry.fixed_since(now));
  live.set_activated(registry.activated());
  live.set_unused(unused_sources(registry));
  live.set_portal_uses(portal_uses(registry));
  live.set_name(registry.value(EntryKind::kName, now));
  place.register_changes = registry.next_change(now);
}

bool LiveCorrelation::load_one() {
  const Duration now = since_boot();
  for (auto& [id, place] : places_) {
    if (!place.load || now < *place.load) continue;
    place.load.reset();
    if (const Status loaded = load(id, place); !loaded) {
      if (!place.failed) {
        parts_.log(LogLevel::kError, "findings of tenant=" + id +
                                         " wait, it cannot be read: " + loaded.error().message());
      }
      place.failed = true;
      place.load = now + kRetryAfter;
      return true;
    }
    place.failed = false;
    settle(id, place);
    make_room(place);
    return true;
  }
  // One that cannot be read keeps nobody else waiting.
  const auto waits = [](const auto& at) { return at.second.load && !at.second.failed; };
  if (!said_read_ && std::none_of(places_.begin(), places_.end(), waits)) {
    parts_.log(LogLevel::kInfo, "live: " + std::to_string(places_.size()) + " tenants read");
    said_read_ = true;
    const Instant wall = parts_.clock.now();
    if (const auto findings = systemic(wall); !findings.empty()) tell(findings, wall);
  }
  return false;
}

Result<Tenant> LiveCorrelation::tenant_of(const std::string& id) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, parts_.store.tenants());
  for (const Tenant& tenant : tenants) {
    if (tenant.id == id) return tenant;
  }
  return Error{Errc::kNotFound, "no such tenant"};
}

// What was told and could not be kept is known here only.
Result<ToldRegister::OfTenant> LiveCorrelation::told_of(const std::string& id, const Place& place) {
  if (place.live) return place.live->told();
  if (place.told) return *place.told;
  return parts_.told.of(id);
}

Result<EntriesOfPeople> LiveCorrelation::people_of(const std::string& id) {
  std::vector<Alarm> alarms;  // an entry that cannot be read is told by whoever asks for alarms
  MELDEVAKT_TRY_ASSIGN(const std::vector<ToldEntry> told, parts_.store.told(id, alarms));
  std::vector<LedgerEntry> entries;
  for (const ToldEntry& one : told) entries.push_back(one.entry);
  return split_entries(entries);
}

Status LiveCorrelation::load(const std::string& id, Place& place) {
  MELDEVAKT_TRY_ASSIGN(Tenant tenant, tenant_of(id));
  MELDEVAKT_TRY_ASSIGN(const std::vector<RegistryEntry> entries, parts_.store.registry_entries(id));
  MELDEVAKT_TRY_ASSIGN(ToldRegister::OfTenant told, told_of(id, place));
  MELDEVAKT_TRY_ASSIGN(EntriesOfPeople people, people_of(id));
  auto live =
      std::make_unique<LiveTenant>(std::move(tenant), parts_.policy, std::move(told), std::nullopt);
  look_at_register(Registry{entries}, *live, place);
  place.told = live->told();
  place.live.reset();  // two of one tenant may be more than there is room for
  std::vector<std::string> problems;
  live->set_people(std::move(people));
  std::vector<Alarm> alarms;  // that bodies cannot be opened is told by whoever asks for alarms
  MELDEVAKT_TRY(parts_.store.read_input(
      id, [&](TenantInput&& part) { live->add(part, problems); }, alarms));
  complain(id, problems);
  place.live = std::move(live);
  place.told.reset();
  place.used = parts_.clock.now();
  return {};
}

void LiveCorrelation::settle_due() {
  const Instant now = parts_.clock.now();
  for (auto& [id, place] : places_) {
    if (!place.due || now < *place.due) continue;
    if (place.live) {
      settle(id, place);
    } else if (!place.load) {
      place.due.reset();
      place.load = since_boot();
    }
  }
  const auto changes = [now](const auto& at) {
    return at.second.register_changes && *at.second.register_changes <= now;
  };
  if (std::any_of(places_.begin(), places_.end(), changes)) registered();
  drop_idle(now);
  if (const Status done = parts_.told.forget_old(now); !done) {
    parts_.log(LogLevel::kError,
               "what was told long ago cannot be forgotten: " + done.error().message());
  }
}

void LiveCorrelation::settle(const std::string& id, Place& place) {
  const Instant now = parts_.clock.now();
  std::vector<LiveFinding> findings = place.live->settle(now);
  place.due = place.live->next_due();
  systemic_.set(id, place.live->sight(now));
  std::vector<LiveFinding> everywhere = systemic(now);
  std::move(everywhere.begin(), everywhere.end(), std::back_inserter(findings));
  if (!findings.empty()) tell(findings, now);
}

// While tenants are still to be read after a start, what they have in common is not known.
std::vector<LiveFinding> LiveCorrelation::systemic(Instant now) {
  if (!said_read_ || !systemic_.has_news()) return {};
  const Result<std::vector<SystemicWatch::Known>> known = known_tenants();
  if (!known) {
    if (!systemic_failed_) {
      parts_.log(LogLevel::kError,
                 "what tenants have in common is not told, the register cannot be"
                 " read: " +
                     known.error().message());
    }
    systemic_failed_ = true;  // asked again after the next decision
    return {};
  }
  systemic_failed_ = false;
  const bool all_seen = std::all_of(places_.begin(), places_.end(),
                                    [this](const auto& at) { return systemic_.has(at.first); });
  return systemic_.findings(known.value(), all_seen, now);
}

Result<std::vector<SystemicWatch::Known>> LiveCorrelation::known_tenants() {
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, parts_.store.tenants());
  std::vector<SystemicWatch::Known> out;
  for (const Tenant& tenant : tenants) {
    MELDEVAKT_TRY_ASSIGN(const std::vector<RegistryEntry> entries,
                         parts_.store.registry_entries(tenant.id));
    Registry registry{entries};
    Tenant named = as_registered(tenant, registry, parts_.clock.now());
    out.push_back({std::move(named), std::move(registry)});
  }
  return out;
}

// Said first and kept afterwards: killed in between, it is said again rather than never.
void LiveCorrelation::tell(const std::vector<LiveFinding>& findings, Instant now) {
  for (const LiveFinding& finding : findings) {
    parts_.log(finding.told.needs_action ? LogLevel::kWarn : LogLevel::kInfo, finding.line);
  }
  const Result<std::uint64_t> refused = parts_.told.add(findings, now);
  if (!refused) {
    if (!told_failed_) {
      parts_.log(LogLevel::kError,
                 "what was told cannot be kept, it is told again after a restart"
                 " and not given to on_finding: " +
                     refused.error().message());
    }
    told_failed_ = true;
    return;
  }
  told_failed_ = false;
  if (refused.value() == 0) return;
  parts_.log(LogLevel::kError, "on_finding: " + std::to_string(ToldRegister::kWaitingMax) +
                                   " findings wait for the program; " +
                                   std::to_string(refused.value()) + " are not given to it");
}

void LiveCorrelation::complain(const std::string& tenant,
                               const std::vector<std::string>& problems) {
  for (std::size_t i = 0; i < problems.size() && i < kProblemsSaidMax; ++i) {
    parts_.log(LogLevel::kWarn, "tenant=" + tenant + " cannot be counted: " + problems[i]);
  }
  if (problems.size() <= kProblemsSaidMax) return;
  parts_.log(LogLevel::kWarn, "tenant=" + tenant + " and " +
                                  std::to_string(problems.size() - kProblemsSaidMax) + " more");
}

void LiveCorrelation::make_room(const Place& used) {
  std::uint64_t kept = 0;
  std::vector<Place*> others;
  for (auto& [id, place] : places_) {
    if (!place.live) continue;
    kept += place.live->kept();
    if (&place != &used) others.push_back(&place);
  }
  if (kept <= parts_.kept_max) return;
  std::sort(others.begin(), others.end(),
            [](const Place* a, const Place* b) { return a->used < b->used; });
  for (Place* const oldest : others) {
    if (kept <= parts_.kept_max) return;
    kept -= oldest->live->kept();
    oldest->live.reset();
  }
}

void LiveCorrelation::drop_idle(Instant now) {
  for (auto& [id, place] : places_) {
    if (place.live && place.used + kIdleAfter < now) place.live.reset();
  }
}

Duration LiveCorrelation::idle_for() const {
  const Instant now = parts_.clock.now();
  Duration out = kLookEvery;
  for (const auto& [id, place] : places_) {
    if (place.load) out = std::min(out, *place.load - since_boot());
    if (place.register_changes) out = std::min(out, *place.register_changes - now);
    if (place.due && (place.live || !place.load)) out = std::min(out, *place.due - now);
  }
  return std::max(out, Duration{});
}

std::size_t LiveCorrelation::in_memory() const {
  return static_cast<std::size_t>(std::count_if(
      places_.begin(), places_.end(), [](const auto& at) { return at.second.live != nullptr; }));
}

const LiveTenant* LiveCorrelation::find(const std::string& tenant) const {
  const auto at = places_.find(tenant);
  return at == places_.end() ? nullptr : at->second.live.get();
}

}  // namespace meldevakt::collector
