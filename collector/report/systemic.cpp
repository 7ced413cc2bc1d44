#include "collector/report/systemic.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "collector/correlate/words.h"
#include "collector/report/table.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::ordered_json;

std::string_view words(ExposedWhy why) {
  switch (why) {
    case ExposedWhy::kSameVersion: return "the same version, not corrected";
    case ExposedWhy::kNoCoverage: return "not everything was read";
    case ExposedWhy::kNotAnswered: return "not answered";
  }
  return "";
}

std::string name_of(const std::string& tenant, const std::map<std::string, std::string>& names) {
  const auto at = names.find(tenant);
  return printable(at == names.end() ? tenant : at->second);
}

}  // namespace

std::string systemic_json(const SystemicIncident& incident) {
  Json exposed = Json::array();
  Json sample = Json::array();
  for (const Exposed& one : incident.exposed) {
    Json why = Json::array();
    for (const ExposedWhy reason : one.why) why.push_back(to_string(reason));
    exposed.push_back(
        {{"tenant", one.tenant}, {"why", std::move(why)}, {"messages", one.messages}});
    if (sample.size() < kSampleNext) sample.push_back(one.tenant);
  }
  const Json json{{"id", incident.id},
                  {"cause", incident.cause},
                  {"product", incident.product},
                  {"worst", to_string(incident.worst)},
                  {"messages", incident.messages},
                  {"tenants", incident.tenants},
                  {"first", to_rfc3339(incident.first)},
                  {"raised", to_rfc3339(incident.raised)},
                  {"last", to_rfc3339(incident.last)},
                  {"exposed", std::move(exposed)},
                  {"sample_next", std::move(sample)},
                  {"reason", incident.reason}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string systemic_text(const SystemicIncident& incident,
                          const std::map<std::string, std::string>& names, const TimeZone& zone) {
  std::string out = "SYSTEMIC " + incident.id + ": " + printable(describe_cause(incident.cause));
  if (!incident.product.empty()) out += ", in " + printable(incident.product);
  out += "; " + std::to_string(incident.messages) + " messages in " +
         std::to_string(incident.tenants.size()) + " tenants, first seen " +
         local_time(incident.first, zone) + ", in a second one " +
         local_time(incident.raised, zone) + ", last " + local_time(incident.last, zone) + "\n";
  out += "  seen at: ";
  for (std::size_t i = 0; i < incident.tenants.size(); ++i) {
    out += (i == 0 ? "" : ", ") + name_of(incident.tenants[i], names);
  }
  out += "\n";
  const std::size_t listed = std::min(incident.exposed.size(), kSampleNext);
  for (std::size_t i = 0; i < listed; ++i) {
    const Exposed& one = incident.exposed[i];
    out += "  look next at " + name_of(one.tenant, names) + ": ";
    for (std::size_t k = 0; k < one.why.size(); ++k) {
      out += (k == 0 ? "" : ", ") + std::string{words(one.why[k])};
    }
    out += "; " + std::to_string(one.messages) + " messages\n";
  }
  if (listed < incident.exposed.size()) {
    out += "  and " + std::to_string(incident.exposed.size() - listed) + " more may be hit\n";
  }
  return out;
}

}  // namespace meldevakt::collector
