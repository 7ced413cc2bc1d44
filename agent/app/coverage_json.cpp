#include "agent/app/coverage_json.h"

#include <nlohmann/json.hpp>

namespace meldevakt::agent {

std::string coverage_json(const SourceYield& yield) {
  const SourceCoverage& coverage = yield.coverage;
  nlohmann::ordered_json json;
  const bool any = !coverage.reading.empty();
  json["state"] = to_string(any ? coverage.reading.back().state : ReadState::kUnknown);
  json["reason"] = any ? coverage.reading.back().reason : "";
  json["read"] = coverage.bytes.read;
  json["recognised"] = coverage.bytes.recognised;
  json["unrecognised"] = coverage.bytes.unrecognised;
  json["dropped"] = coverage.bytes.dropped;
  json["pending"] = coverage.bytes.pending;
  json["records"] = coverage.records;
  json["complete_until"] = yield.watermark.ms > 0 ? to_rfc3339(yield.watermark) : "";
  json["pack"] = coverage.pack.id;
  json["version"] = coverage.pack.version;
  auto& observes = json["observes"] = nlohmann::ordered_json::object();
  for (const Observed& observed : coverage.observes) {
    auto& last = observes[std::string{to_string(observed.signal)}];
    if (observed.last_seen) last = to_rfc3339(*observed.last_seen);
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace meldevakt::agent
