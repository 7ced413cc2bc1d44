#include "agent/app/coverage_json.h"

#include <utility>

#include "common/summary/json.h"

namespace meldevakt::agent {

std::string coverage_json(const SourceYield& yield) {
  const SourceCoverage& coverage = yield.coverage;
  const bool any = !coverage.reading.empty();
  JsonWriter json;
  json.begin_object();
  json.member("state", to_string(any ? coverage.reading.back().state : ReadState::kUnknown));
  json.member("reason", any ? std::string_view{coverage.reading.back().reason} : "");
  json.member("read", coverage.bytes.read).member("recognised", coverage.bytes.recognised);
  json.member("unrecognised", coverage.bytes.unrecognised);
  json.member("dropped", coverage.bytes.dropped).member("pending", coverage.bytes.pending);
  json.member("records", coverage.records);
  json.member("complete_until", yield.watermark.ms > 0 ? to_rfc3339(yield.watermark) : "");
  json.member("pack", coverage.pack.id).member("version", coverage.pack.version);
  json.name("observes").begin_object();
  for (const Observed& observed : coverage.observes) {
    json.name(to_string(observed.signal));
    if (observed.last_seen) {
      json.value(to_rfc3339(*observed.last_seen));
    } else {
      json.raw("null");
    }
  }
  return std::move(json.end_object().end_object()).take();
}

}  // namespace meldevakt::agent
