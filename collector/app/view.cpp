#include "collector/app/view.h"

#include <algorithm>
#include <map>
#include <utility>

#include "collector/app/clock_watch.h"
#include "collector/app/standing_control.h"
#include "collector/app/systemic_watch.h"
#include "collector/report/times_ahead.h"
#include "common/base/text.h"

namespace meldevakt::collector {
namespace {

// The daily control that should have run and has not; `serve` has stored it when it looked.
Status add_missed_control(Store& store, const Config& config, Instant now, const TimeZone& zone,
                          View& view) {
  MELDEVAKT_TRY_ASSIGN(std::optional<Alarm> missed,
                       missed_control(store, config.control.schedule, view.tenant.id, now, zone));
  if (!missed) return {};
  for (const Alarm& known : view.alarms) {
    if (known.kind == kControlMissed && known.detail.find(missed->detail) == 0) return {};
  }
  missed->detail += ": is serve running?";
  view.alarms.push_back(std::move(*missed));
  return {};
}

std::optional<Alarm> future_times(const View& view, Instant now) {
  const TimesAhead ahead = times_ahead(view.correlation);
  if (ahead.messages == 0) return std::nullopt;
  return Alarm{view.tenant.id, "", "future_time",
               std::to_string(ahead.messages) +
                   " message(s) have times that are still to come, the first " + ahead.first +
                   ": a wrong time zone or a wrong clock; they wait until then",
               now};
}

// An agent's wrong clock; `serve` has stored it when it looked.
void add_wrong_clocks(View& view, Instant now) {
  const std::vector<UnusedEntry> unused = view.registry.unused();
  for (const AgentRecord& agent : view.agents) {
    if (!in_use_since(unused, agent.key.agent, now)) continue;
    const std::optional<Alarm> wrong = wrong_clock(agent);
    const auto is_known = [&](const Alarm& alarm) {
      return alarm.agent == wrong->agent && alarm.kind == wrong->kind;
    };
    if (wrong && std::none_of(view.alarms.begin(), view.alarms.end(), is_known)) {
      view.alarms.push_back(*wrong);
    }
  }
}

// A word that reaches no message must not be lost in silence.
std::optional<Alarm> words_of_nobody(const View& view, const std::vector<LedgerEntry>& entries) {
  const std::vector<TellsOfNobody> found = tells_of_nobody(view.correlation, entries);
  if (found.empty()) return std::nullopt;
  const TellsOfNobody& first = found.front();
  const std::string others =
      found.size() == 1 ? "" : "; " + std::to_string(found.size() - 1) + " more like it";
  return Alarm{view.tenant.id, "", "told_of_nobody",
               "entry " + std::to_string(first.number) + " tells of " + first.name +
                   ", which is no name of one message now (nothing says it any more, or several"
                   " share it): look whose it is, take the entry back and tell it again" +
                   others,
               view.correlation.now};
}

Status add_what_people_told(Store& store, View& view) {
  MELDEVAKT_TRY_ASSIGN(view.told, store.told(view.tenant.id, view.alarms));
  std::vector<LedgerEntry> entries;
  for (const ToldEntry& told : view.told) entries.push_back(told.entry);
  view.people = split_entries(entries);
  if (const auto nobody = words_of_nobody(view, entries)) view.alarms.push_back(*nobody);
  view.counts = apply_testimony(view.correlation, view.people.testimony);
  return {};
}

Status add_conflicts(Store& store, View& view) {
  MELDEVAKT_TRY_ASSIGN(std::vector<Receipt> rows, store.receipt_versions(view.tenant.id));
  for_each_row(view.input, [&](const Receipt& row) { rows.push_back(row); });
  view.conflicts = receipt_conflicts(rows);
  return {};
}

// Their own, and what the register ever called them.
Result<std::vector<std::string>> names_of(Store& store, const std::vector<Tenant>& tenants) {
  std::vector<std::string> out;
  for (const Tenant& tenant : tenants) {
    out.push_back(tenant.name);
    MELDEVAKT_TRY_ASSIGN(const std::vector<RegistryEntry> entries,
                         store.registry_entries(tenant.id));
    for (const RegistryEntry& entry : entries) {
      if (entry.kind == EntryKind::kName) out.push_back(entry.value);
    }
  }
  return out;
}

}  // namespace

Result<std::vector<Tenant>> chosen_tenants(Store& store, const std::string& name,
                                           std::optional<Instant> at) {
  MELDEVAKT_TRY_ASSIGN(std::vector<Tenant> tenants, store.tenants());
  if (name.empty()) return tenants;
  for (const Tenant& tenant : tenants) {
    if (tenant.name == name || tenant.id == name) return std::vector<Tenant>{tenant};
  }
  MELDEVAKT_TRY_ASSIGN(std::vector<Tenant> registered, tenants_registered_as(store, name, at));
  if (registered.size() == 1) return registered;
  if (registered.size() > 1) {
    return Error{Errc::kInvalid, "several tenants are or were named '" + meldevakt::quoted(name) +
                                     "'; give the id of one: " + registered[0].id + ", " +
                                     registered[1].id};
  }
  MELDEVAKT_TRY_ASSIGN(const std::vector<std::string> names, names_of(store, tenants));
  const auto nearest = nearest_name(name, names);
  return Error{Errc::kInvalid, "no tenant is named '" + meldevakt::quoted(name) + "'" +
                                   (nearest ? "; did you mean '" + *nearest + "'?" : "")};
}

Result<std::vector<Tenant>> tenants_registered_as(Store& store, const std::string& name,
                                                  std::optional<Instant> at) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, store.tenants());
  std::vector<Tenant> out;
  for (const Tenant& tenant : tenants) {
    MELDEVAKT_TRY_ASSIGN(const std::vector<RegistryEntry> entries,
                         store.registry_entries(tenant.id));
    const bool so = std::any_of(entries.begin(), entries.end(), [&](const RegistryEntry& entry) {
      const bool names_it =
          entry.kind == EntryKind::kName || entry.kind == EntryKind::kMunicipality;
      return names_it && entry.value == name && (!at || entry.span.contains(*at));
    });
    if (so) out.push_back(tenant);
  }
  return out;
}

std::vector<UnusedSource> unused_sources(const Registry& registry) {
  std::vector<UnusedSource> out;
  for (UnusedEntry& entry : registry.unused()) {
    out.push_back({std::move(entry.agent), std::move(entry.source), entry.span});
  }
  return out;
}

std::vector<PortalUse> portal_uses(const Registry& registry) {
  std::vector<PortalUse> out;
  for (const RegistryEntry& entry : registry.entries()) {
    if (entry.kind == EntryKind::kPortal) out.push_back({entry.value, entry.span});
  }
  return out;
}

Tenant as_registered(Tenant tenant, const Registry& registry, Instant at) {
  std::string name = registry.value(EntryKind::kName, at);
  if (!name.empty()) tenant.name = std::move(name);
  return tenant;
}

namespace {

// The portal names a bydel by an id of its own: its number, where the register says which is which.
void name_districts(View& view) {
  const std::map<std::string, std::string> numbers = view.registry.district_numbers();
  if (numbers.empty()) return;
  for (MessageVerdict& message : view.correlation.messages) {
    const auto at = numbers.find(message.district);
    if (at != numbers.end()) message.district = at->second;
  }
}

}  // namespace

Result<View> view_of(Store& store, const Config& config, const Tenant& tenant,
                     const ViewOptions& options) {
  View view;
  view.tenant = tenant;
  MELDEVAKT_TRY_ASSIGN(view.alarms, store.alarms(tenant.id));
  std::vector<Alarm> found;
  MELDEVAKT_TRY_ASSIGN(view.input, store.tenant_input(tenant.id, found));
  std::erase_if(view.alarms, [](const Alarm& alarm) { return alarm.closed.has_value(); });
  view.alarms.insert(view.alarms.end(), found.begin(), found.end());
  view.input.policy = config.policy;
  MELDEVAKT_TRY_ASSIGN(const std::vector<RegistryEntry> entries, store.registry_entries(tenant.id));
  view.registry = Registry{entries};
  view.input.unused = unused_sources(view.registry);
  view.input.portal_uses = portal_uses(view.registry);
  view.correlation = correlate(view.input, options.now);
  MELDEVAKT_TRY_ASSIGN(view.agents, store.agents(tenant.id));
  view.tenant = as_registered(tenant, view.registry, options.now);
  // A message that was lost shows the fault, also when somebody has brought it back.
  view.latent = latent_fault(view.correlation, view.registry.fixed_since(options.now));
  MELDEVAKT_TRY(add_what_people_told(store, view));
  MELDEVAKT_TRY(add_conflicts(store, view));
  view.relaxed = relaxed_matches(view.correlation, view.input, view.registry.district_numbers());
  name_districts(view);
  view.overloads = overloads_of(view.input);
  view.incidents =
      apply_decisions(view.correlation, group_incidents(view.correlation), view.people.decisions);
  if (options.schedule_zone != nullptr) {
    MELDEVAKT_TRY(add_missed_control(store, config, options.now, *options.schedule_zone, view));
    if (const auto future = future_times(view, options.now)) view.alarms.push_back(*future);
    add_wrong_clocks(view, options.now);
  }
  return view;
}

Interval asked_of(const View& view, std::optional<Instant> from, std::optional<Instant> until,
                  Instant now) {
  const Instant end = until.value_or(receipts_known_until(view.input, now - kAnsweredWithin));
  std::optional<Instant> begin = from ? from : view.registry.activated();
  if (!begin) {
    for (const LedgerCoverage& claim : view.input.coverage) {
      if (!claim.source.complete || claim.source.observes.empty()) continue;
      const Instant first = claim.source.complete->from;
      begin = std::min(begin.value_or(first), first);
    }
  }
  // Without logs from where receipts are known.
  if (!begin) {
    for (const ReceiptCoverage& list : view.input.receipt_coverage) {
      begin = std::min(begin.value_or(list.span.from), list.span.from);
    }
    for_each_row(view.input, [&](const Receipt& row) {
      const std::optional<Instant> time = row.sent ? row.sent : row.confirmed;
      if (time) begin = std::min(begin.value_or(*time), *time);
    });
  }
  // What is known to be lost is asked about, whatever the register says of when the portal was
  // used.
  const std::optional<Instant> loss = from ? std::nullopt : first_loss(view.correlation);
  if (loss) begin = std::min(begin.value_or(*loss), *loss);
  return {std::min(begin.value_or(view.tenant.created), end), end};
}

Beside beside_of(const View& view) {
  return Beside{
      {view.correlation, view.relaxed, view.overloads, view.conflicts, view.people.decisions}};
}

std::optional<ClockLevel> level_of(const View& view) {
  const Beside beside = beside_of(view);
  std::optional<ClockLevel> out;
  for (const Incident& incident : view.incidents) {
    const auto level = beside.of(incident).level;
    if (level) out = std::max(out.value_or(*level), *level);
  }
  return out;
}

TenantStanding standing_of(const View& view, const Interval& asked) {
  TenantStanding out;
  out.tenant = view.tenant.id;
  const ProductVersion product =
      product_version(view.registry.value(EntryKind::kProduct, asked.to));
  out.product = product.product;
  out.version = product.version;
  std::vector<CausePart> parts;
  for (const Incident& incident : view.incidents) {
    for (CausePart& part : parts_of(incident)) parts.push_back(std::move(part));
  }
  out.seen_in = seen_in(view.registry, parts);
  Interval used = view.registry.used(asked);
  if (used.empty()) used = asked;
  const TenantAnswer answer = answer_of(view.input, view.correlation, used);
  out.covered = hole_in(view.input, used).empty();
  out.answered = answer.answer != Answer::kUnanswered;
  out.patched = view.registry.value(EntryKind::kPatch, asked.to) == "fixed";
  out.messages = view.correlation.messages.size();
  out.incidents = view.incidents;
  return out;
}

namespace {

// Whom it served while it used a portal, by when it did.
std::vector<FleetMember> members_of(const View& view, const Interval& asked, const Interval& used) {
  std::map<Interval, std::vector<std::string>> served;
  // No time has passed yet of which one could ask: whoever is served now is unanswered.
  const bool now_only = asked.empty();
  const Interval within = now_only ? Interval{asked.to, asked.to + milliseconds(1)} : used;
  for (Membership& one : view.registry.memberships(within, asked.to)) {
    served[now_only ? asked : one.span].push_back(std::move(one.municipality));
  }
  // Of whom no number is known, it is one municipality, under its own name.
  if (!view.registry.names_municipalities() && (!used.empty() || now_only)) {
    served[used] = {view.tenant.id};
  }
  std::vector<FleetMember> out;
  for (auto& [span, municipalities] : served) {
    out.push_back({std::move(municipalities), answer_of(view.input, view.correlation, span), span});
  }
  return out;
}

// No entry of the register takes a loss away: one that lies where it says that no portal was used,
// or nobody served, is told all the same, of those that were served last.
void add_losses_outside(const View& view, const Interval& asked, FleetRow& row) {
  if (losses_in(view.correlation, asked) > row.answer.lost) {
    row.asked = asked;
    row.answer = answer_of(view.input, view.correlation, asked);
    row.answer.reason += "; some of them when it used no portal, as the register says";
  }
  if (row.answer.lost == 0) return;
  if (row.members.empty()) row.members.push_back({{view.tenant.id}, row.answer, asked});
  const bool told = std::any_of(row.members.begin(), row.members.end(),
                                [](const FleetMember& one) { return one.answer.lost > 0; });
  if (!told) row.members.back().answer = row.answer;
}

void add_answers(const View& view, const Interval& asked, FleetRow& row) {
  const Interval used = view.registry.used(asked);
  row.members = members_of(view, asked, used);
  row.mergers = view.registry.mergers(asked.to);
  if (row.members.empty()) {
    row.answer.answer = Answer::kNotUsing;
    row.answer.reason = used.empty() ? "it received from no portal in that time"
                                     : "it served no municipality in that time";
  } else {
    row.asked = asked.empty() ? asked : used;
    // What was read is looked up once, where all were served all the time.
    const bool all_the_time = row.members.size() == 1 && row.members.front().span == row.asked;
    row.answer = all_the_time ? row.members.front().answer
                              : answer_of(view.input, view.correlation, row.asked);
  }
  add_losses_outside(view, asked, row);
  if (counts_short_in(view.counts, row.asked) == 0) return;
  // Some that look well are not there, and nobody knows which.
  constexpr std::string_view kShort = "a person counted fewer stored messages than should be there";
  const auto doubt = [&](TenantAnswer& answer) {
    if (answer.answer != Answer::kClean) return;
    answer.answer = Answer::kUnanswered;
    answer.reason = kShort;
  };
  doubt(row.answer);
  for (FleetMember& member : row.members) doubt(member.answer);
}

}  // namespace

FleetRow fleet_row_of(const View& view, const Interval& asked) {
  FleetRow row = summarise_tenant(view.correlation, view.incidents);
  row.tenant = view.tenant.id;
  row.name = view.tenant.name;
  row.agents = view.agents.size();
  for (const AgentRecord& agent : view.agents) {
    row.last_statement = std::max(row.last_statement, agent.last_received);
  }
  row.open_incidents = open_incidents(view);
  row.alarms = view.alarms.size();
  row.asked = asked;
  add_answers(view, asked, row);
  row.latent = view.latent;
  row.product = view.registry.value(EntryKind::kProduct, asked.to);
  row.patch = view.registry.value(EntryKind::kPatch, asked.to);
  row.activated = view.registry.activated();
  row.level = level_of(view);
  for (const Overload& overload : view.overloads) {
    if (overload.span.to <= row.asked.from || row.asked.to <= overload.span.from) continue;
    ++(overload.state == OverloadState::kConfirmed ? row.overloads_confirmed
                                                   : row.overloads_suspected);
  }
  return row;
}

std::uint64_t open_incidents(const View& view) {
  return static_cast<std::uint64_t>(
      std::count_if(view.incidents.begin(), view.incidents.end(),
                    [](const Incident& incident) { return incident.open; }));
}

bool is_open(const View& view) {
  return open_incidents(view) > 0 || !view.alarms.empty() ||
         (view.latent && view.latent->present) || counts_short_in(view.counts, kAlways) > 0;
}

}  // namespace meldevakt::collector
