// An agent of a service in simulated time: the pipelines, lanes and chain that the real program
// runs, over logs in memory; frames come out where the real one would ship them. Every `now` is the
// true time; the agent knows its host's clock only.
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
#include <string_view>
#include <vector>

#include "agent/app/log.h"
#include "agent/app/packs.h"
#include "agent/app/source_lane.h"
#include "agent/app/tenant_lane.h"
#include "common/platform/clock.h"
#include "common/testing/doubles.h"
#include "tests/sim/host_clock.h"
#include "tests/sim/memory_source.h"

namespace meldevakt::sim {

inline constexpr std::string_view kTraceSource = "trace";
inline constexpr std::string_view kDatabaseSource = "database";
inline constexpr std::string_view kBackupSource = "backup";
// What an agent here reads, and how often it seals a statement.
[[nodiscard]] agent::Config agent_config(Duration seal_every,
                                         const std::vector<std::string_view>& sources = {
                                             kTraceSource, kDatabaseSource});

class SimAgent {
 public:
  struct Parts {
    std::string tenant;
    std::string name;
    std::uint64_t seed = 0;
    std::uint64_t tenant_seed = 0;  // of what the agents of a tenant share
    const agent::Config& config;
    const agent::Packs& packs;
    std::shared_ptr<const TimeZone> zone;
    SimLog& trace;
    SimLog& database;
    SimLog& backup;
    HostClock clock;
  };
  // `enrolment()` is what it would send to the collector.
  [[nodiscard]] static Result<std::unique_ptr<SimAgent>> enrol(Parts parts, Instant now);

  void read(Instant now);
  [[nodiscard]] Status turn(Instant now);
  [[nodiscard]] Status stop(Instant now);
  [[nodiscard]] Status start(Instant now);

  [[nodiscard]] std::vector<std::string> take_frames();
  // When a statement is due at the latest.
  [[nodiscard]] Instant due_at() const {
    return parts_.clock.true_time(tenant_->from() + parts_.config.ship.every);
  }

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
  [[nodiscard]] Status seal();
  [[nodiscard]] std::vector<agent::SourceLane*> lanes() const;
  [[nodiscard]] SimLog& log_of(std::string_view source) const;
  // What the host's clock says at that time, which is passed to; the logs are written until then.
  Instant pass_to(Instant now);
  // A host whose clock swings does not know by how much: its kernel vouches for nothing.
  [[nodiscard]] ClockQuality clock_quality() const;

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
