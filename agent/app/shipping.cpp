#include "agent/app/shipping.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/limits.h"
#include "common/platform/disk.h"

namespace meldevakt::agent {

CarrySender::Disk carry_disk() {
  CarrySender::Disk disk;
  disk.read = [](const std::string& path) { return read_file(path, limits::kFrameBytesMax); };
  disk.write = [](const std::string& path, std::string_view bytes) {
    return write_file_atomically(path, bytes, FileMode::kOwnerOnly, Replace::kNever);
  };
  disk.rewrite = [](const std::string& path, std::string_view bytes) {
    return write_file_atomically(path, bytes, FileMode::kOwnerOnly, Replace::kAllowed);
  };
  return disk;
}

void Shipping::add(const std::string& tenant, const std::string& agent,
                   std::unique_ptr<Dispatcher> dispatcher) {
  Lane lane;
  lane.agent = agent;
  lane.dispatcher = std::move(dispatcher);
  lanes_[tenant] = std::move(lane);
}

Status Shipping::restart(State& state) {
  acknowledged_.clear();
  for (auto& [tenant, lane] : lanes_) {
    lane.dispatcher->offer({});
    for (const ShipEvent& event : lane.dispatcher->take_events()) take_event(tenant, lane, event);
    MELDEVAKT_TRY_ASSIGN(const auto begin, state.outbox_begin(tenant));
    lane.epoch = begin.first;
    lane.sequence = begin.second;
    lane.rewound = false;
  }
  return {};
}

void Shipping::take_event(const std::string& tenant, Lane& lane, const ShipEvent& event) {
  const std::string where = " tenant=" + tenant + " epoch=" + std::to_string(event.epoch) +
                            " sequence=" + std::to_string(event.sequence);
  switch (event.kind) {
    case ShipEvent::Kind::kAcknowledged:
      acknowledged_.push_back({tenant, event.epoch, event.sequence, event.proof, event.log});
      return;
    case ShipEvent::Kind::kWanted:
      log_.warn("ship: the collector asks for earlier statements again" + where);
      lane.epoch = event.epoch;
      lane.sequence = event.sequence;
      lane.rewound = true;
      return;
    case ShipEvent::Kind::kTrouble:
      log_.warn("ship: not handed over, tried again until it is; nothing is lost" + where + ": " +
                event.detail);
      return;
    case ShipEvent::Kind::kRefused:
      log_.error("ship: refused; kept and tried again, but a person should look" + where + ": " +
                 event.detail);
      return;
    case ShipEvent::Kind::kWell: log_.info("ship: works again" + where); return;
    case ShipEvent::Kind::kFork:
      lane.stuck = true;
      log_.error(
          "ship: the collector has another history under this number; nothing more is sent "
          "and everything is kept until a person has looked and restarted the agent" +
          where + ": " + event.detail);
      return;
    case ShipEvent::Kind::kFalseLog:
      lane.stuck = true;
      log_faults_.push_back({tenant, event.detail + "\n" + event.proof});
      log_.error(
          "ship: the collector's log is false; nothing more is sent and everything is kept, with "
          "what was shown, until a person has looked and restarted the agent" +
          where + ": " + event.detail);
      return;
  }
}

std::vector<Acknowledgement> Shipping::take_acknowledged() {
  for (auto& [tenant, lane] : lanes_) {
    for (const ShipEvent& event : lane.dispatcher->take_events()) take_event(tenant, lane, event);
  }
  return std::exchange(acknowledged_, {});
}

Status Shipping::offer(State& state, const std::map<std::string, ChainHead>& ends) {
  for (auto& [tenant, lane] : lanes_) {
    const auto end = ends.find(tenant);
    if (end == ends.end() || lane.stuck) continue;
    MELDEVAKT_TRY(offer(state, tenant, lane, end->second));
  }
  return {};
}

Status Shipping::offer(State& state, const std::string& tenant, Lane& lane, const ChainHead& end) {
  const auto next = std::pair{lane.epoch, lane.sequence};
  if (next >= std::pair{end.epoch, end.next_sequence} || lane.dispatcher->waiting() > 0) return {};
  MELDEVAKT_TRY_ASSIGN(std::vector<StatementRow> rows,
                       state.frames(tenant, lane.epoch, lane.sequence, kOfferBytesMax));
  if (rows.empty()) return {};
  if (lane.rewound && rows.front().sequence != lane.sequence) {
    lane.stuck = true;
    log_.error("ship: the collector wants statement " + std::to_string(lane.sequence) +
               " and the journal begins at " + std::to_string(rows.front().sequence) +
               "; nothing more is sent until a person has looked tenant=" + tenant);
    return {};
  }
  lane.rewound = false;
  std::vector<OutgoingFrame> frames;
  for (StatementRow& row : rows) {
    frames.push_back({tenant, lane.agent, row.epoch, row.sequence, std::move(row.frame)});
  }
  lane.epoch = frames.back().epoch;
  lane.sequence = frames.back().sequence + 1;
  lane.dispatcher->offer(std::move(frames));
  return {};
}

bool Shipping::stop(Duration patience) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{patience.ms};
  bool ended = true;
  for (auto& [tenant, lane] : lanes_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    ended = lane.dispatcher->stop({std::max<std::int64_t>(0, left.count())}) && ended;
  }
  return ended;
}

}  // namespace meldevakt::agent
