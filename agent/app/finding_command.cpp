#include "agent/app/finding_command.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

namespace meldevakt::agent {
namespace {

constexpr Duration kLookEvery = milliseconds(10);

}  // namespace

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
  if (known_.contains(found.id)) {
    const bool waits =
        found.id == running_ || std::any_of(waiting_.begin(), waiting_.end(),
                                            [&](const Waiting& one) { return one.id == found.id; });
    if (!waits) given_.push_back(found.id);  // what said so was not committed
    return;
  }
  if (waiting_.size() >= kFindingsWaitingMax) {
    more_ = true;
    return;
  }
  known_.insert(found.id);
  waiting_.push_back({found.id, finding_json(found) + "\n"});
}

void FindingCommand::look(Duration steady) {
  const auto ended = program_.poll(steady);
  if (!ended) return;
  if (!ended->well) log_.warn("on_finding: " + ended->words);
  given_.push_back(std::exchange(running_, {}));
}

void FindingCommand::poll(Duration steady) {
  look(steady);
  if (program_.running() || waiting_.empty() || steady < retry_at_) return;
  const Status started = program_.start(waiting_.front().line, steady);
  if (started) {
    said_.clear();
    running_ = std::move(waiting_.front().id);
    waiting_.pop_front();
    return;
  }
  if (std::exchange(said_, started.error().message()) != said_) {
    log_.error("on_finding: " + started.error().message());
  }
  if (started.error().code() == Errc::kLimit) {  // it never will
    given_.push_back(std::move(waiting_.front().id));
    waiting_.pop_front();
    return;
  }
  retry_at_ = steady + kFindingRetryEvery;
}

void FindingCommand::end(const std::function<Duration()>& steady, Duration patience) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock{mutex};
  const Duration until = steady() + patience;
  for (look(steady()); program_.running() && steady() < until; look(steady())) {
    never.wait_for(lock, std::chrono::milliseconds{kLookEvery.ms});
  }
}

}  // namespace meldevakt::agent
