#include "collector/app/silence.h"

#include <algorithm>

namespace meldevakt::collector {

Status SilenceWatch::look_at(const AgentRecord& agent, Instant now, std::vector<Alarm>& out) {
  const Instant heard = agent.last_received.value_or(agent.enrolled);
  if (now - std::max(heard, listening_) <= silent_after_) return {};
  const auto silence = std::pair{agent.key.agent, heard};
  if (recorded_.count(silence) != 0) return {};
  const Alarm alarm{agent.key.tenant, agent.key.agent, "silent",
                    (agent.last_received ? "it has told nothing since "
                                         : "it has told nothing since it enrolled at ") +
                        to_rfc3339(heard),
                    now};
  MELDEVAKT_TRY(store_.add_alarm(alarm));
  recorded_.insert(silence);
  out.push_back(alarm);
  return {};
}

Result<std::vector<Alarm>> SilenceWatch::look(Instant now) {
  std::vector<Alarm> out;
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, store_.tenants());
  for (const Tenant& tenant : tenants) {
    MELDEVAKT_TRY_ASSIGN(const std::vector<AgentRecord> agents, store_.agents(tenant.id));
    for (const AgentRecord& agent : agents) MELDEVAKT_TRY(look_at(agent, now, out));
  }
  return out;
}

}  // namespace meldevakt::collector
