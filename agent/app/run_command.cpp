// `run`: wires the agent to the machine and turns it until a stop is asked for.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

#include "agent/app/agent.h"
#include "agent/app/collector_connection.h"
#include "agent/app/commands.h"
#include "agent/ship/carry.h"
#include "agent/ship/clock_comparison.h"
#include "agent/ship/collector_answers.h"
#include "agent/ship/https.h"
#include "common/crypto/crypto.h"
#include "common/platform/clock.h"
#include "common/platform/disk.h"
#include "common/platform/executable.h"
#include "common/platform/process_meter.h"
#include "common/platform/signals.h"
#include "common/platform/time_zones.h"

namespace meldevakt::agent {
namespace {

// Wakes the loop from a dispatcher's thread. Lives as long as the process: a thread that hangs in
// the network may still call it at the end.
class Wake {
 public:
  Wake() : descriptor_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {}
  void call() const {
    const std::uint64_t one = 1;
    const ssize_t ignored = ::write(descriptor_, &one, sizeof one);
    static_cast<void>(ignored);
  }
  // Until called, a stop is requested, or the time is over.
  void wait(Duration most) const {
    std::array<pollfd, 2> watched{
        {{descriptor_, POLLIN, 0}, {StopSignal::descriptor(), POLLIN, 0}}};
    ::poll(watched.data(), watched.size(), static_cast<int>(most.ms));
    std::uint64_t count = 0;
    const ssize_t ignored = ::read(descriptor_, &count, sizeof count);
    static_cast<void>(ignored);
  }

 private:
  int descriptor_;
};

Result<std::unique_ptr<FrameSender>> make_sender(const Config& config, const StateFiles& files,
                                                 const TenantRow& tenant, const Verifier& verifier,
                                                 ComparedClocks clocks) {
  if (config.ship.mode == ShipMode::kCarry) {
    // Not made when it is missing: it may be a mount that is not there just now.
    return std::unique_ptr<FrameSender>{
        std::make_unique<CarrySender>(config.ship.carry_to, carry_disk())};
  }
  MELDEVAKT_TRY_ASSIGN(std::unique_ptr<HttpsTransport> transport,
                       connect_collector(config, files, tenant));
  return std::unique_ptr<FrameSender>{std::make_unique<HttpsSender>(
      std::move(transport), LogProofs{tenant.log, verifier}, std::move(clocks))};
}

Result<Config> load_all(const std::string& path, Packs& packs, TimeZones& zones) {
  MELDEVAKT_TRY_ASSIGN(Config config, load_config(path));
  MELDEVAKT_TRY_ASSIGN(packs, load_used_packs(config));
  MELDEVAKT_TRY(check_pack_samples(packs));
  MELDEVAKT_TRY(check_sources(config, packs, zones));
  return config;
}

int turn_until_stopped(Agent& agent, const Config& config, const Wake& wake, Log& log) {
  log.info("ready version=" + std::string{kSoftwareVersion} +
           " sources=" + std::to_string(config.sources.size()) +
           " tenants=" + std::to_string(config.tenants.size()));
  while (!StopSignal::requested()) {
    if (!agent.turn()) wake.wait(agent.rest());
  }
  log.info("stopping");
  const bool ended = agent.stop();
  log.info("stopped");
  // A thread that hangs in the network must not touch what the end of main takes down. Everything
  // that counts is committed.
  if (!ended) std::_Exit(kExitDone);
  return kExitDone;
}

// A statement says which program made it. Where that cannot be read it says so by saying nothing.
std::string own_sha256(Log& log) {
  Result<Sha256> digest = own_executable_sha256();
  if (digest) return digest.value().hex();
  log.warn("statements will not name the program's own hash: " + digest.error().message());
  return {};
}

}  // namespace

int run_agent(const CommonOptions& options) {
  static const Wake wake;
  static OpenSslRandom random;  // outlive a hanging dispatcher
  static const OpenSslVerifier verifier;
  StopSignal::install();
  static SystemClock clock;  // outlives a hanging dispatcher
  SystemTimeZones zones;
  SystemProcessMeter meter;
  std::map<std::string, std::shared_ptr<ClockComparison>> comparisons;  // by tenant
  Log log = stderr_log(clock);

  Packs packs;
  auto config = load_all(options.config, packs, zones);
  if (!config) return complain(config.error());
  const StateFiles files{config.value().state};
  if (auto made = make_private_directory(files.folder); !made) return complain(made.error());
  auto lock = ProcessLock::acquire(files.lock());
  if (!lock) {
    return complain({lock.error().code(),
                     "another agent runs with this state, or it cannot be "
                     "locked: " +
                         lock.error().message()});
  }
  const Config settings = config.value();
  Agent::Parts parts{
      .config = settings,
      .packs = packs,
      .files = files,
      .state_uri = "",
      .zones = zones,
      .clock = clock,
      .random = random,
      .meter = meter,
      .log = log,
      .clock_quality = clock_quality,
      .clock_difference = [&](const std::string& tenant) -> std::optional<ClockDifference> {
        const auto at = comparisons.find(tenant);
        return at == comparisons.end() ? std::nullopt : at->second->newest();
      },
      .dispatcher = [&](const TenantRow& tenant) -> Result<std::unique_ptr<Dispatcher>> {
        const auto comparison = std::make_shared<ClockComparison>();
        MELDEVAKT_TRY_ASSIGN(auto sender,
                             make_sender(settings, files, tenant, verifier, {comparison, &clock}));
        if (settings.ship.mode == ShipMode::kHttps) comparisons[tenant.id] = comparison;
        return std::unique_ptr<Dispatcher>{std::make_unique<Shipper>(
            std::move(sender), settings.ship.retry_max, random, [] { wake.call(); })};
      },
      .software_version = kSoftwareVersion,
      .software_sha256 = own_sha256(log)};
  auto agent = Agent::create(std::move(parts));
  if (!agent) return complain(agent.error());
  return turn_until_stopped(*agent.value(), settings, wake, log);
}

}  // namespace meldevakt::agent
