#include "agent/app/finding_command.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

namespace meldevakt::agent {
namespace {

// The child's standard streams: its input from our pipe, its output nowhere, nothing else open.
class SpawnSettings {
 public:
  explicit SpawnSettings(int input) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

std::string words(int number) {
  return std::generic_category().message(number);
}

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

FindingCommand::~FindingCommand() {
  if (child_ <= 0) return;
  ::kill(-child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
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
  if (child_ > 0) collect(steady);
  if (child_ <= 0 && !waiting_.empty()) start(steady);
}

void FindingCommand::collect(Duration steady) {
  int status = 0;
  const pid_t ended = ::waitpid(child_, &status, WNOHANG);
  if (ended == 0) {
    if (killed_ || steady - started_ < kFindingTimeLimit) return;
    log_.warn("on_finding: the program did not end within " +
              std::to_string(kFindingTimeLimit.ms / 1000) + " s and was killed");
    ::kill(-child_, SIGKILL);
    killed_ = true;
    return;
  }
  if (!killed_ && ended > 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
    log_.warn("on_finding: the program ended with " +
              (WIFEXITED(status) ? "status " + std::to_string(WEXITSTATUS(status))
                                 : "signal " + std::to_string(WTERMSIG(status))));
  }
  child_ = -1;
}

void FindingCommand::start(Duration steady) {
  const std::string line = std::move(waiting_.front());
  waiting_.pop_front();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    log_.error("on_finding: no pipe: " + words(errno));
    return;
  }
  // Written before the program runs: a pipe takes far more than one finding without a reader.
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  const bool written =
      ::write(ends[1], line.data(), line.size()) == static_cast<ssize_t>(line.size());
  ::close(ends[1]);
  if (written) {
    const SpawnSettings settings{ends[0]};
    std::array<char*, 2> arguments{program_.data(), nullptr};
    pid_t child = -1;
    const int failed = ::posix_spawn(&child, program_.c_str(), &settings.actions,
                                     &settings.attributes, arguments.data(), environ);
    if (failed == 0) {
      child_ = child;
      started_ = steady;
      killed_ = false;
    } else {
      log_.error("on_finding: " + program_ + " cannot be run: " + words(failed));
    }
  } else {
    log_.error("on_finding: a finding could not be handed over");
  }
  ::close(ends[0]);
}

}  // namespace meldevakt::agent
