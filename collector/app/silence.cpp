#include "collector/app/silence.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "common/platform/disk.h"

namespace meldevakt::collector {
namespace {

constexpr std::string_view kSilent = "silent";

bool is_open(const std::vector<Alarm>& stored, const AgentRecord& agent) {
  return std::any_of(stored.begin(), stored.end(), [&](const Alarm& alarm) {
    return alarm.kind == kSilent && alarm.agent == agent.key.agent && !alarm.closed;
  });
}

}  // namespace

Status SilenceWatch::look_at(const AgentRecord& agent, Instant in_use, Instant listening,
                             Instant now, std::vector<Alarm>& out) {
  const Instant heard = agent.last_received.value_or(agent.enrolled);
  // Heard at a time that is still to come: the clock was ahead then.
  const Instant since = now < heard ? listening : std::max({heard, listening, in_use});
  if (now - since <= silent_after_) return {};
  const auto silence = std::pair{agent.key.agent, std::max(heard, in_use)};
  if (recorded_.count(silence) != 0) return {};
  MELDEVAKT_TRY_ASSIGN(const std::vector<Alarm> stored, store_.alarms(agent.key.tenant));
  // Stored by the process before: the agent's next statement closes it.
  if (is_open(stored, agent)) {
    recorded_.insert(silence);
    return {};
  }
  std::string detail = agent.last_received ? "it has told nothing since "
                                           : "it has told nothing since it enrolled at ";
  detail += to_rfc3339(heard);
  if (in_use > heard) detail += ", in use since " + to_rfc3339(in_use);
  const Alarm alarm =
      found_again({agent.key.tenant, agent.key.agent, std::string{kSilent}, std::move(detail), now},
                  stored, now);
  MELDEVAKT_TRY(store_.add_alarm(alarm));
  recorded_.insert(silence);
  out.push_back(alarm);
  return {};
}

// Nobody waits for an agent of which the register says that it is not in use any more.
Status SilenceWatch::close_unused(const AgentRecord& agent, const std::vector<Alarm>& stored,
                                  Instant now) {
  std::erase_if(recorded_, [&](const auto& one) { return one.first == agent.key.agent; });
  if (!is_open(stored, agent)) return {};
  return store_.close_alarms(agent.key.tenant, agent.key.agent, kSilent, now);
}

Status SilenceWatch::look_at_tenant(const std::string& tenant, Instant now,
                                    std::vector<Alarm>& out) {
  const auto deaf = deaf_.find(tenant);
  const Instant listening = deaf == deaf_.end() ? listening_ : std::max(listening_, deaf->second);
  MELDEVAKT_TRY_ASSIGN(const std::vector<AgentRecord> agents, store_.agents(tenant));
  MELDEVAKT_TRY_ASSIGN(const std::vector<RegistryEntry> entries, store_.registry_entries(tenant));
  const std::vector<UnusedEntry> unused = Registry{entries}.unused();
  std::vector<Alarm> stored;
  if (!unused.empty()) {
    MELDEVAKT_TRY_ASSIGN(stored, store_.alarms(tenant));
  }
  for (const AgentRecord& agent : agents) {
    const std::optional<Instant> in_use = in_use_since(unused, agent.key.agent, now);
    if (in_use) MELDEVAKT_TRY(look_at(agent, *in_use, listening, now, out));
    if (!in_use) MELDEVAKT_TRY(close_unused(agent, stored, now));
  }
  return {};
}

SilenceWatch::Looked SilenceWatch::look(Instant now) {
  if (now < looked_ || now - looked_ > kSilenceLookMax) {
    listening_ = now;
    deaf_.clear();
  }
  looked_ = now;
  Looked out;
  const auto tenants = store_.tenants();
  // Whoever could not be written of could not be heard either.
  if (!tenants) {
    listening_ = now;
    return {{}, tenants.error()};
  }
  for (const Tenant& tenant : tenants.value()) {
    Status done = look_at_tenant(tenant.id, now, out.silent);
    if (done) continue;
    deaf_[tenant.id] = now;
    if (out.done) out.done = std::move(done);
  }
  return out;
}

Listening listening_since(const std::string& path, Instant now) {
  const Result<std::string> text = read_file(path, kListenedBytesMax);
  if (!text) return {now, now};
  const nlohmann::json json = nlohmann::json::parse(text.value(), nullptr, false);
  const auto time = [&json](const char* name) -> std::optional<Instant> {
    if (!json.is_object() || !json.contains(name) || !json[name].is_number_integer()) return {};
    return Instant{json[name].get<std::int64_t>()};
  };
  const auto listening = time("listening");
  const auto looked = time("looked");
  const bool went_on = listening && looked && Instant{} <= *listening && *listening <= *looked &&
                       *looked <= now && now - kSilenceLookMax <= *looked;
  return went_on ? Listening{*listening, *looked} : Listening{now, now};
}

Status SilenceWatch::note(const std::string& path) const {
  Instant listening = listening_;  // of the tenant that could be heard last
  for (const auto& [tenant, deaf] : deaf_) listening = std::max(listening, deaf);
  const nlohmann::ordered_json json{{"listening", listening.ms}, {"looked", looked_.ms}};
  return write_file_atomically(path, json.dump() + "\n", FileMode::kOwnerOnly, Replace::kAllowed);
}

}  // namespace meldevakt::collector
