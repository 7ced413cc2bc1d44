#include "collector/app/clock_watch.h"

#include <algorithm>
#include <utility>

#include "collector/registry/registry.h"

namespace meldevakt::collector {
namespace {

bool is_open(const std::vector<Alarm>& stored, const std::string& agent, std::string_view kind) {
  return std::any_of(stored.begin(), stored.end(), [&](const Alarm& alarm) {
    return alarm.agent == agent && alarm.kind == kind && !alarm.closed;
  });
}

}  // namespace

std::optional<Alarm> wrong_clock(const AgentRecord& agent) {
  if (!agent.last_received || agent.head.next_sequence == 0) return std::nullopt;
  const Instant received = *agent.last_received;
  const Instant until = agent.head.until;
  if (until - received > kAheadMax) {
    return Alarm{agent.key.tenant, agent.key.agent, std::string{kClockAhead},
                 "it tells of " + to_rfc3339(until) + ", received at " + to_rfc3339(received) +
                     ": its clock is wrong",
                 received};
  }
  if (received - until > kBehindMax) {
    return Alarm{agent.key.tenant, agent.key.agent, std::string{kClockBehind},
                 "what came last, at " + to_rfc3339(received) + ", ends at " + to_rfc3339(until) +
                     ": it tells of old times still, or its clock is slow",
                 received};
  }
  return std::nullopt;
}

Status ClockWatch::look_at(const std::string& tenant, Instant now, std::vector<Alarm>& out) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<AgentRecord> agents, store_.agents(tenant));
  MELDEVAKT_TRY_ASSIGN(const std::vector<Alarm> stored, store_.alarms(tenant));
  MELDEVAKT_TRY_ASSIGN(const std::vector<RegistryEntry> entries, store_.registry_entries(tenant));
  const std::vector<UnusedEntry> unused = Registry{entries}.unused();
  for (const AgentRecord& agent : agents) {
    // What an agent told last that is not in use any more nobody waits to see corrected.
    const bool in_use = in_use_since(unused, agent.key.agent, now).has_value();
    const std::optional<Alarm> wrong = in_use ? wrong_clock(agent) : std::nullopt;
    for (const std::string_view kind : {kClockAhead, kClockBehind}) {
      const bool known = is_open(stored, agent.key.agent, kind);
      const bool holds = wrong && wrong->kind == kind;
      if (known && !holds) {
        MELDEVAKT_TRY(store_.close_alarms(tenant, agent.key.agent, kind, now));
      } else if (holds && !known) {
        Alarm alarm = found_again(*wrong, stored, now);
        MELDEVAKT_TRY(store_.add_alarm(alarm));
        out.push_back(std::move(alarm));
      }
    }
  }
  return {};
}

// One tenant that cannot be looked at costs no other its alarm.
ClockWatch::Looked ClockWatch::look(Instant now) {
  Looked out;
  const auto tenants = store_.tenants();
  if (!tenants) return {{}, tenants.error()};
  for (const Tenant& tenant : tenants.value()) {
    Status done = look_at(tenant.id, now, out.wrong);
    if (!done && out.done) out.done = std::move(done);
  }
  return out;
}

}  // namespace meldevakt::collector
