#include "collector/app/writer.h"

#include <poll.h>

#include "collector/app/commands.h"
#include "collector/app/control_socket.h"
#include "collector/app/log_keys.h"
#include "collector/store/sqlite_store.h"
#include "common/crypto/crypto.h"
#include "common/platform/disk.h"
#include "common/platform/signals.h"

namespace meldevakt::collector {
namespace {

constexpr int kWriterPauseMs = 100;

struct LocalWriter {
  Config config;
  ProcessLock lock;
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<StandingControl> control;
  std::unique_ptr<ControlActions> actions;
};

Result<ControlCall> local_writer(const Config& config, Clock& clock, Random& random,
                                 ProcessLock lock) {
  MELDEVAKT_TRY_ASSIGN(std::shared_ptr<const LogKey> log_key, open_log_key(config));
  const auto writer =
      std::make_shared<LocalWriter>(LocalWriter{config, std::move(lock), {}, {}, {}});
  MELDEVAKT_TRY_ASSIGN(writer->store,
                       SqliteStore::open({config.in_data("collector.db"), "", false,
                                          std::move(log_key), std::make_shared<OpenSslRandom>()}));
  MELDEVAKT_TRY_ASSIGN(writer->control,
                       make_standing_control(*writer->store, writer->config, clock));
  writer->actions = std::make_unique<ControlActions>(
      *writer->store, clock, random, agents_url(config, config.agents.port), writer->control.get());
  return ControlCall{[writer](const std::string& line) -> Result<std::string> {
    return writer->actions->handle(line);
  }};
}

}  // namespace

Result<ControlCall> find_writer(const Config& config, Clock& clock, Random& random) {
  for (int attempt = 1;; ++attempt) {
    Result<ControlCall> server = connect_control(config.in_data("control.sock"));
    if (server || server.error().code() != Errc::kNotFound) return server;
    Result<ProcessLock> lock = ProcessLock::acquire(config.in_data("collector.lock"));
    if (lock) return local_writer(config, clock, random, std::move(lock).value());
    if (lock.error().code() != Errc::kExists) return lock.error();
    // Somebody has the lock but does not listen: a server about to, or another command.
    if (attempt >= kWriterAttempts) {
      return Error{Errc::kExists, "another meldevakt-collector has " + config.data + " open"};
    }
    pollfd stop{StopSignal::descriptor(), POLLIN, 0};
    ::poll(&stop, 1, kWriterPauseMs);
    if (StopSignal::requested())
      return Error{Errc::kUnavailable, "stopped while waiting for the writer"};
  }
}

}  // namespace meldevakt::collector
