// The agent inside its budgets: the loop with a clock and a meter set by hand.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "agent/app/agent_status.h"
#include "tests/unit/agent/app/agent_world.h"

namespace meldevakt::agent {
namespace {

using testing::AgentWorld;
using testing::kIdA;
using testing::kIdB;
using Json = nlohmann::json;

constexpr std::int64_t kNsPerByte = 400;

// Every byte that is read costs CPU time; time passes as the agent wants it.
struct PacedWorld : AgentWorld {
  explicit PacedWorld(const std::string& budget) : AgentWorld{"[budget]\n" + budget} {
    enrol("t1", "A");
    meter.work = [this] { return handed_on() * kNsPerByte; };
    start();
  }
  // Turns for `time` of the machine's clock, as `run` does.
  void run_paced(Duration time) {
    const Instant end = clock.now() + time;
    while (clock.now() < end) {
      looks_ = 0;
      const bool more = agent->turn();
      const Duration wait = more ? milliseconds(1) : std::max(agent->rest(), milliseconds(1));
      clock.advance(wait);
    }
  }
  // Bytes of the log that were handed on. A turn looks at the meter before it reads, when how far
  // behind it is says nothing of what was written since, and after.
  [[nodiscard]] std::int64_t handed_on() {
    if (++looks_ < 2) return handed_on_;
    std::error_code missing;
    const auto size = std::filesystem::file_size(folder / "app.log", missing);
    if (missing) return handed_on_;
    const auto read = static_cast<std::int64_t>(size) - said()["behind"].get<std::int64_t>();
    return handed_on_ = std::max(handed_on_, read);
  }
  [[nodiscard]] Json said() const { return Json::parse(agent->status_json(), nullptr, false); }
  void fill(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
      text += "2023-02-01 09:00:00,000 [3] INFO  Vanlig drift - ikke noe å se her i kveld nr " +
              std::to_string(i) + "\n";
    }
    folder.append("app.log", text);
  }

 private:
  std::int64_t handed_on_ = 0;
  int looks_ = 0;  // at the meter, in this turn
};

TEST_CASE("budget: reading keeps to its share of a core, says so, and gets through") {
  PacedWorld w{"cpu = \"2 %\"\n"};
  w.fill(60'000);  // 5 MB, two seconds of CPU: a hundred seconds at 2 %
  w.run_paced(seconds(60));
  const std::int64_t used = w.meter.cpu_ns();
  CHECK(used <= 1'236'000'000);
  CHECK(used >= 960'000'000);
  Json status = w.said();
  CHECK(status["reason"] == "cpu_budget");
  CHECK(status["cpu_percent"].get<double>() <= 2.1);
  CHECK(status["cpu_percent"].get<double>() >= 1.6);
  CHECK(status["paced_for_s"].get<int>() >= 40);
  CHECK(status["behind"].get<std::uint64_t>() > 500'000);
  const std::string forecast = status["sources"][0]["forecast"];
  CHECK(forecast.find("behind; reading catches up in") != std::string::npos);
  CHECK(status["sources"][0]["catches_up_in_s"].get<int>() > 20);
  CHECK(status["sources"][0]["catches_up_in_s"].get<int>() < 90);

  w.run_paced(seconds(90));
  status = w.said();
  CHECK(status["behind"] == 0);
  CHECK(status["reason"] == "");
  CHECK(w.logged("WARN") == 0);
}

TEST_CASE("budget: what is found leaves within its time, however far behind reading is") {
  PacedWorld w{"cpu = \"1 %\"\n"};
  w.received(kIdA);
  w.fill(30'000);
  w.run_paced(seconds(10));
  CHECK(w.said()["behind"].get<std::uint64_t>() > 1'000'000);
  CHECK(w.steps() == "received A");
}

TEST_CASE("budget: at the memory ceiling reading pauses with a reason, sealing goes on") {
  PacedWorld w{"memory = \"64 MB\"\n"};
  w.received(kIdA);
  w.run_paced(seconds(5));
  CHECK(w.steps() == "received A");
  w.meter.resident = 60'000'000;
  w.run_paced(seconds(30));
  CHECK(w.meter.trims >= 2);
  CHECK(w.meter.trims <= 4);
  CHECK(w.said()["memory_stage"] == "tight");
  w.meter.resident = 65'000'000;
  w.run_paced(seconds(2));
  w.committed(kIdA);
  w.run_paced(seconds(70));
  CHECK(w.logged("WARN agent: memory is at its ceiling (budget.memory): 65 MB of 64 MB") == 1);
  CHECK(w.said()["reason"] == "memory_full");
  CHECK(w.steps() == "received A");
  const ReadingInterval last =
      w.collector.tenants.at("t1").statements.back().sources.at(0).reading.back();
  CHECK(last.state == ReadState::kGap);
  CHECK(last.reason == "memory_full");
  w.meter.resident = 20'000'000;
  w.run_paced(seconds(10));
  CHECK(w.logged("INFO agent: memory is below its ceiling again") == 1);
  CHECK(w.steps() == "received A, committed A");
  CHECK(w.said()["reason"] == "");
}

TEST_CASE("budget: an idle agent looks less often, and at once when there is something") {
  PacedWorld w{"cpu = \"2 %\"\n"};
  w.received(kIdA);
  w.run_paced(seconds(1));
  CHECK(w.agent->rest() == milliseconds(100));
  w.run_paced(seconds(30));
  CHECK(w.agent->rest() == milliseconds(500));
  w.committed(kIdA);
  w.run_paced(milliseconds(600));
  CHECK(w.agent->rest() == milliseconds(100));
}

TEST_CASE("budget: what is known of rotation survives a restart") {
  AgentWorld w;
  w.enrol("t1", "A");
  w.start();
  w.received(kIdA);
  w.run(seconds(2));
  for (int i = 0; i < 3; ++i) {
    w.folder.rename("app.log", "app.log.1");
    w.received(kIdB);
    w.run(seconds(12));
    w.folder.remove("app.log.1");
    w.run(seconds(30));
  }
  const Json before = Json::parse(w.agent->status_json());
  CHECK(before["sources"][0]["rotated_away"] == 3);
  CHECK(w.agent->stop());
  w.start();
  w.run(seconds(1));
  const Json after = Json::parse(w.agent->status_json());
  CHECK(after["sources"][0]["rotated_away"] == 3);
  CHECK(after["sources"][0]["rotated_away_last"] == before["sources"][0]["rotated_away_last"]);
}

TEST_CASE("rotation_of: what is not of its form is no pace") {
  for (const char* text : {"", "null", "[]", "{}", "{\"sources\":3}", "{\"sources\":[4]}",
                           "{\"sources\":[{\"source\":\"b\",\"rotated_away\":3}]}"}) {
    CAPTURE(text);
    CHECK(rotation_of(text, "a").deleted == 0);
  }
  CHECK(rotation_of("{\"sources\":[{\"source\":\"a\",\"rotated_away\":-3}]}", "a").deleted == 0);
  CHECK(rotation_of("{\"sources\":[{\"source\":\"a\",\"rotated_away\":3}]}", "a").deleted == 3);
}

}  // namespace
}  // namespace meldevakt::agent
