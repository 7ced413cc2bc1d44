// The program itself, with more to read than its budget lets: how much CPU time the system says it
// took.
#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "tests/unit/agent/app/agent_world.h"
#include "tests/unit/agent/app/program.h"

namespace meldevakt::agent {
namespace {

using testing::AgentWorld;
using testing::Running;
using Clock = std::chrono::steady_clock;

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
