#include "agent/app/finding_command.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace meldevakt::agent {

std::string finding_json(const FindingRow& found) {
  nlohmann::ordered_json json;
  json["id"] = found.id;
  json["tenant"] = found.tenant;
  json["kind"] = to_string(found.finding.kind);
  json["time"] = to_rfc3339(found.finding.time);
  json["source"] = found.finding.source;
  json["code"] = found.finding.code;
  json["sentence"] = found.finding.sentence;
  auto& references = json["references"] = nlohmann::ordered_json::array();
  for (const Reference& reference : found.finding.references) {
    references.push_back({{"type", to_string(reference.type)}, {"value", reference.value}});
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void FindingCommand::add(const FindingRow& found) {
  if (waiting_.size() >= kFindingsWaitingMax) {
    log_.error("on_finding: " + std::to_string(kFindingsWaitingMax) +
               " findings wait for the program; finding id=" + found.id + " is not given to it");
    return;
  }
  waiting_.push_back(finding_json(found) + "\n");
}

void FindingCommand::poll(Duration steady) {
  if (const auto ended = program_.poll(steady); ended && !ended->well) {
    log_.warn("on_finding: " + ended->words);
  }
  if (program_.running() || waiting_.empty()) return;
  const std::string line = std::move(waiting_.front());
  waiting_.pop_front();
  if (const Status started = program_.start(line, steady); !started) {
    log_.error("on_finding: " + started.error().message());
  }
}

}  // namespace meldevakt::agent
