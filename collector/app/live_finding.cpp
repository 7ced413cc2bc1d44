#include "collector/app/live_finding.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "collector/correlate/words.h"
#include "collector/deadlines/clocks.h"
#include "collector/report/systemic.h"
#include "common/base/bytes.h"
#include "common/base/text.h"
#include "common/ports/sha256.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::ordered_json;

// A newer list of the portal settles it: that can be had now.
bool waits_for_a_list(const MessageVerdict& message) {
  return message.cause == kCauseRowTooOld || message.cause == kCausePostingUnknown;
}

Json time_or_null(const std::optional<Instant>& time) {
  return time ? Json(to_rfc3339(*time)) : Json(nullptr);
}

// What every finding begins with.
Json begin(const LiveFinding& finding, const std::string& name, std::string_view kind, Instant at) {
  return Json{{"kind", kind},
              {"tenant", finding.tenant},
              {"name", name},
              {"told", to_rfc3339(at)},
              {"state", finding.told.state},
              {"before", finding.before.empty() ? Json(nullptr) : Json(finding.before)},
              {"needs_action", finding.told.needs_action}};
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string changed_from(const std::string& before) {
  return before.empty() ? "" : " before=" + before;
}

std::string words(std::string_view name, const std::optional<Instant>& time) {
  return time ? " " + std::string{name} + "=" + to_rfc3339(*time) : "";
}

}  // namespace

Telling telling_of(const MessageVerdict& message, const std::optional<Told>& told, Instant now) {
  // Not yet known what it will be.
  if (message.verdict == Verdict::kPending) return {};
  const bool needs = needs_action(message.verdict);
  const bool at_once =
      needs && (message.verdict != Verdict::kUnverifiable || waits_for_a_list(message));
  if (told) {
    const bool changed = told->state != to_string(message.verdict);
    const bool matters = told->needs_action || at_once;
    if (!changed || matters) return {changed, std::nullopt};
  }
  if (!needs) return {};
  if (at_once) return {true, std::nullopt};
  if (!message.purge_deadline || *message.purge_deadline <= now) return {};
  const Instant urgent = *message.purge_deadline - escalation_of(ClockKind::kPurge).urgent;
  if (urgent <= now) return {true, std::nullopt};
  return {false, urgent};
}

bool tells_withdrawal(const std::optional<Told>& told) {
  return told && told->needs_action;
}

bool tells_latent_fault(const std::optional<LatentFault>& fault, const std::optional<Told>& told) {
  const bool present = fault && fault->present;
  return present != (told && told->state == kStateLatentFault);
}

LiveFinding message_finding(const std::string& tenant, const std::string& name,
                            const MessageVerdict& message, const std::optional<Told>& told,
                            Instant at) {
  LiveFinding out;
  out.tenant = tenant;
  out.message = message.message;
  out.told = {std::string{to_string(message.verdict)}, needs_action(message.verdict)};
  if (told) out.before = told->state;
  out.line = "finding tenant=" + tenant + " message=" + message.message +
             " verdict=" + out.told.state + changed_from(out.before) +
             " category=" + std::string{to_string(message.category)} + " cause=" + message.cause +
             words("receipted", message.receipted) +
             words("purge_deadline", message.purge_deadline);
  Json json = begin(out, name, "message", at);
  json["message"] = message.message;
  json["category"] = to_string(message.category);
  json["cause"] = message.cause;
  json["form"] = to_string(message.form);
  json["channel"] = message.channel;
  json["sent"] = time_or_null(message.sent);
  json["receipted"] = time_or_null(message.receipted);
  json["committed"] = time_or_null(message.committed);
  json["failed"] = time_or_null(message.failed);
  json["purge_deadline"] = time_or_null(message.purge_deadline);
  json["sentence"] = message.explanation;
  out.json = text_of(json);
  return out;
}

LiveFinding withdrawn_finding(const std::string& tenant, const std::string& name,
                              const std::string& message, const Told& told, Instant at) {
  LiveFinding out;
  out.tenant = tenant;
  out.message = message;
  out.told = {std::string{kStateWithdrawn}, false};
  out.before = told.state;
  out.line = "finding tenant=" + tenant + " message=" + message + " withdrawn" +
             changed_from(out.before) + ": it is part of another message now";
  Json json = begin(out, name, "message", at);
  json["message"] = message;
  out.json = text_of(json);
  return out;
}

LiveFinding latent_finding(const std::string& tenant, const std::string& name,
                           const std::optional<LatentFault>& fault, const std::optional<Told>& told,
                           Instant at) {
  const bool present = fault && fault->present;
  LiveFinding out;
  out.tenant = tenant;
  out.told = {std::string{present ? kStateLatentFault : kStateOver}, present};
  if (told) out.before = told->state;
  out.line = "finding tenant=" + tenant + (present ? " latent_fault" : " latent_fault is over") +
             ": the case system receipts messages before it has stored them";
  if (fault) {
    out.line += " messages=" + std::to_string(fault->messages) + words("first", fault->first) +
                words("last", fault->last);
  }
  Json json = begin(out, name, kStateLatentFault, at);
  json["messages"] = fault ? fault->messages : 0;
  json["first"] = time_or_null(fault ? std::optional{fault->first} : std::nullopt);
  json["last"] = time_or_null(fault ? std::optional{fault->last} : std::nullopt);
  out.json = text_of(json);
  return out;
}

LiveFinding systemic_finding(const SystemicIncident& incident,
                             const std::map<std::string, std::string>& names,
                             const std::optional<Told>& told, Instant at) {
  LiveFinding out;
  out.message = incident.id;
  // Of what people have brought back everything, nobody must do anything; the fault may do it
  // again.
  out.told = {systemic_state(incident),
              needs_action(incident.worst) || incident.worst == Verdict::kStoredAfterReceipt};
  if (told) out.before = told->state;
  out.line = "finding systemic=" + incident.id + " cause=" + incident.cause +
             " tenants=" + std::to_string(incident.tenants.size()) +
             " messages=" + std::to_string(incident.messages) + words("first", incident.first) +
             " exposed=" + std::to_string(incident.exposed.size()) + changed_from(out.before);
  Json json = begin(out, "", "systemic", at);
  json["incident"] = Json::parse(systemic_json(incident), nullptr, false);
  json["names"] = Json::object();
  for (const std::string& tenant : incident.tenants) {
    if (const auto name = names.find(tenant); name != names.end())
      json["names"][tenant] = name->second;
  }
  out.json = text_of(json);
  return out;
}

std::string systemic_state(const SystemicIncident& incident) {
  std::vector<std::string> tenants = incident.tenants;
  std::sort(tenants.begin(), tenants.end());
  std::string named;
  for (const std::string& tenant : tenants) {
    append_u64(named, tenant.size());
    named += tenant;
  }
  constexpr std::size_t kDigits = 8;
  return std::string{kStateSystemic} + std::to_string(tenants.size()) + "/" +
         sha256(named).hex().substr(0, kDigits);
}

LiveFinding systemic_over_finding(const std::string& id, const Told& told, Instant at) {
  LiveFinding out;
  out.message = id;
  out.told = {std::string{kStateOver}, false};
  out.before = told.state;
  out.line = "finding systemic=" + id + " is over: the cause is not seen in two tenants any more" +
             changed_from(out.before);
  Json json = begin(out, "", "systemic", at);
  json["incident"] = {{"id", id}};
  out.json = text_of(json);
  return out;
}

std::size_t systemic_tenants(const Told& told) {
  if (told.state.rfind(kStateSystemic, 0) != 0) return 0;
  std::string_view count = std::string_view{told.state}.substr(kStateSystemic.size());
  count = count.substr(0, count.find('/'));
  return static_cast<std::size_t>(parse_u64(count).value_or(0));
}

}  // namespace meldevakt::collector
