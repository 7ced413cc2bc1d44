// Between the outbox and the dispatchers: what to offer next to each tenant's collector, and what
// their events mean. Outlives the state when that has to be opened anew.
// Thread-safety: none (the dispatchers have threads of their own).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/app/log.h"
#include "agent/ship/carry.h"
#include "agent/ship/shipper.h"
#include "agent/state/state.h"

namespace meldevakt::agent {

inline constexpr std::uint64_t kOfferBytesMax = 4 * 1024 * 1024;

// The real disk under a CarrySender, durable by common/platform/disk.h.
[[nodiscard]] CarrySender::Disk carry_disk();

class Shipping {
 public:
  explicit Shipping(Log& log) : log_{log} {}

  void add(const std::string& tenant, const std::string& agent,
           std::unique_ptr<Dispatcher> dispatcher);
  [[nodiscard]] bool has(const std::string& tenant) const { return lanes_.contains(tenant); }
  // After the state was opened: offering starts where its outbox does.
  [[nodiscard]] Status restart(State& state);

  // What has come of what was offered, to commit.
  [[nodiscard]] std::vector<Acknowledgement> take_acknowledged();
  // What a collector's log was caught at: kept here until it is committed, since it is shown once.
  [[nodiscard]] const std::vector<LogFault>& log_faults() const { return log_faults_; }
  void log_faults_committed() { log_faults_.clear(); }
  // The next frames to each dispatcher that has none. `ends`: by tenant, where its chain ends.
  [[nodiscard]] Status offer(State& state, const std::map<std::string, ChainHead>& ends);

  // True when every dispatcher ended within the patience, together.
  [[nodiscard]] bool stop(Duration patience);

 private:
  struct Lane {
    std::string agent;
    std::unique_ptr<Dispatcher> dispatcher;
    std::uint64_t epoch = 0;  // of the next to offer
    std::uint64_t sequence = 0;
    bool rewound = false;  // the collector asked for `sequence`, it must be there
    bool stuck = false;    // a person is needed
  };
  void take_event(const std::string& tenant, Lane& lane, const ShipEvent& event);
  [[nodiscard]] Status offer(State& state, const std::string& tenant, Lane& lane,
                             const ChainHead& end);

  Log& log_;
  std::map<std::string, Lane> lanes_;
  std::vector<Acknowledgement> acknowledged_;
  std::vector<LogFault> log_faults_;
};

}  // namespace meldevakt::agent
