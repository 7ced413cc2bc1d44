// The agent of one service in simulated time: the pipelines, lanes and chain that the real program
// runs, over logs in memory; frames come out where the real one would ship them.
//
//   MELDEVAKT_TRY_ASSIGN(auto agent, SimAgent::enrol(parts, now));
//   agent->read(now);                       // a turn that only reads
//   agent->turn(now);                       // reads, and seals what is due
//   for (std::string& frame : agent->take_frames()) ...
//   agent->stop(now);  agent->start(now);   // seals, keeps snapshots; builds everything from them
//
// Thread-safety: none.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/app/log.h"
#include "agent/app/packs.h"
#include "agent/app/source_lane.h"
#include "agent/app/tenant_lane.h"
#include "common/testing/doubles.h"
#include "tests/sim/memory_source.h"

namespace meldevakt::sim {

// The configuration of every agent here: two sources, and how often a statement is sealed.
[[nodiscard]] agent::Config agent_config(Duration seal_every);

class SimAgent {
 public:
  struct Parts {
    std::string tenant;
    std::string name;
    std::uint64_t seed = 0;
    const agent::Config& config;
    const agent::Packs& packs;
    std::shared_ptr<const TimeZone> zone;
    SimLog& trace;
    SimLog& database;
  };
  // `enrolment()` is what it would send to the collector.
  [[nodiscard]] static Result<std::unique_ptr<SimAgent>> enrol(Parts parts, Instant now);

  void read(Instant now);
  [[nodiscard]] Status turn(Instant now);
  [[nodiscard]] Status stop(Instant now);
  [[nodiscard]] Status start(Instant now);

  [[nodiscard]] std::vector<std::string> take_frames();
  // When a statement is due at the latest.
  [[nodiscard]] Instant due_at() const { return tenant_->from() + parts_.config.ship.every; }

  struct Identity {
    std::string agent;
    std::string public_key;
    std::string enrolment;  // the signed envelope
    Sha256 enrolment_link;
    Sha256 tls_key;
    std::string token;  // of its invitation
  };
  [[nodiscard]] const Identity& identity() const { return identity_; }

 private:
  SimAgent(Parts parts, Instant now);
  [[nodiscard]] Status make_identity(Instant now);
  [[nodiscard]] Status build(const std::vector<agent::PipelineRow>& snapshots,
                             const std::string& lives, Instant now);
  [[nodiscard]] Status seal(Instant now);
  [[nodiscard]] std::vector<agent::SourceLane*> lanes() const;
  void pass_to(Instant now);

  Parts parts_;
  testing::SeededRandom random_;
  testing::ManualClock clock_;
  agent::Log log_;
  Identity identity_;
  agent::TenantRow row_;
  std::unique_ptr<agent::TenantLane> tenant_;
  std::vector<std::unique_ptr<agent::SourceLane>> sources_;
  std::string lives_;
  std::vector<agent::PipelineRow> snapshots_;
  std::vector<std::string> frames_;
};

}  // namespace meldevakt::sim
