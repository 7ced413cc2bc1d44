#include "collector/app/silence.h"

#include <algorithm>

namespace meldevakt::collector {

Status SilenceWatch::look_at(const AgentRecord& agent, Instant now, std::vector<Alarm>& out) {
  const Instant heard = agent.last_received.value_or(agent.enrolled);
  // Heard at a time that is still to come: the clock was ahead then.
  const Instant since = now < heard ? listening_ : std::max(heard, listening_);
  if (now - since <= silent_after_) return {};
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

Status SilenceWatch::look_at_all(Instant now, std::vector<Alarm>& out) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, store_.tenants());
  for (const Tenant& tenant : tenants) {
    MELDEVAKT_TRY_ASSIGN(const std::vector<AgentRecord> agents, store_.agents(tenant.id));
    for (const AgentRecord& agent : agents) MELDEVAKT_TRY(look_at(agent, now, out));
  }
  return {};
}

SilenceWatch::Looked SilenceWatch::look(Instant now) {
  if (now < looked_ || now - looked_ > kSilenceLookMax) listening_ = now;
  looked_ = now;
  Looked out;
  out.done = look_at_all(now, out.silent);
  // Whoever could not be written of could not be heard either.
  if (!out.done) listening_ = now;
  return out;
}

}  // namespace meldevakt::collector
