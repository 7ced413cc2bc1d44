// The program itself, with more to read than its budget lets: how much CPU time the system says it
// took.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <sstream>
#include <string>

#include "tests/unit/agent/app/agent_world.h"
#include "tests/unit/agent/app/program.h"

namespace meldevakt::agent {
namespace {

using testing::AgentWorld;
using Clock = std::chrono::steady_clock;

class Running {
 public:
  explicit Running(const std::string& config) {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    const std::string program = MELDEVAKT_BIN_DIR "/meldevakt-agent";
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(pipe[1], 2);
      ::execl(program.c_str(), program.c_str(), "run", "--config", config.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(pipe[1]);
    errors_ = pipe[0];
  }
  ~Running() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    ::close(errors_);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  // Takes what it logs until `text` is there or the time is over.
  bool wait_for(std::string_view text, std::chrono::milliseconds patience) {
    const auto end = Clock::now() + patience;
    while (logged.find(text) == std::string::npos) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
      pollfd watched{errors_, POLLIN, 0};
      if (left.count() <= 0) return false;
      if (::poll(&watched, 1, static_cast<int>(left.count())) <= 0) continue;
      std::array<char, 4096> buffer{};
      const ssize_t got = ::read(errors_, buffer.data(), buffer.size());
      if (got <= 0) return false;
      logged.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return true;
  }
  // Fields 14 and 15 of /proc/PID/stat, in seconds.
  [[nodiscard]] double cpu_seconds() const {
    std::ifstream file{"/proc/" + std::to_string(child_) + "/stat"};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    std::istringstream fields{text.substr(text.rfind(')') + 2)};
    std::string word;
    for (int i = 3; i < 14; ++i) fields >> word;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }
  int stop() {
    ::kill(child_, SIGTERM);
    static_cast<void>(wait_for("stopped", std::chrono::seconds{30}));
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string logged;

 private:
  pid_t child_ = 0;
  int errors_ = -1;
};

TEST_CASE("run: with a log that it could read for minutes it takes its share of a core") {
  AgentWorld w{
      "[ship]\nmode = \"carry\"\ncarry_to = \"/\"\n"
      "[budget]\ncpu = \"5 %\"\nmemory = \"8 GB\"\n"};
  w.enrol("t1", "A");
  w.folder.write("agent.toml", w.config_text());
  std::string block;
  while (block.size() < 1'000'000) {
    block += "2023-02-01 09:00:00,000 [3] INFO  Vanlig drift - ikke noe å se her i kveld\n";
  }
  for (int i = 0; i < 200; ++i) w.folder.append("app.log", block);

  Running agent{w.folder / "agent.toml"};
  REQUIRE_MESSAGE(agent.wait_for("INFO agent: ready", std::chrono::seconds{60}), agent.logged);
  const auto begin = Clock::now();
  const double before = agent.cpu_seconds();
  double used = 0;
  while ((used = agent.cpu_seconds() - before) < 0.5) {
    const double waited = std::chrono::duration<double>(Clock::now() - begin).count();
    REQUIRE_MESSAGE(waited < 120, agent.logged);
    static_cast<void>(agent.wait_for("never said", std::chrono::milliseconds{50}));
  }
  const double passed = std::chrono::duration<double>(Clock::now() - begin).count();
  // The bucket was full, five seconds' worth, 0.25 s; the rest comes in at 11/12 of the budget. Two
  // turns may be dearer than expected.
  CAPTURE(used);
  CAPTURE(passed);
  CHECK(passed >= (used - 0.25) / 0.05 * 0.6);
  CHECK(agent.stop() == 0);
  const auto status =
      testing::run_program(w.folder, {"status", "--config", w.folder / "agent.toml"});
  CHECK(status.out.find("of 5 % of a core") != std::string::npos);
  CHECK(status.out.find("budget.cpu is used up") != std::string::npos);
}

}  // namespace
}  // namespace meldevakt::agent
