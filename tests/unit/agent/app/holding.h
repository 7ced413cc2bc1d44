// An agent with a log that rotates, and the real program that lists and opens what it held.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "agent/app/commands.h"
#include "tests/unit/agent/app/agent_world.h"
#include "tests/unit/agent/app/program.h"

namespace meldevakt::agent::testing {

struct Holding : AgentWorld {
  std::string written;  // all of the log, whatever became of its files
  std::size_t kept = 0;

  explicit Holding(const std::string& more = {}) : AgentWorld{more} { enrol("t1", "A"); }
  void say_something(int number) {
    say("23", "Saksflyt - steg " + std::to_string(number) + " for Bærum og Ås");
  }
  void rotate() {
    written += folder.read("app.log").substr(kept);
    kept = 0;
    // Four generations: what a finding finds is there, and goes soon after it.
    std::filesystem::remove(folder / "app.log.4");
    for (int i = 3; i >= 1; --i) {
      const std::string from = folder / ("app.log." + std::to_string(i));
      if (!std::filesystem::exists(from)) continue;
      std::filesystem::rename(from, folder / ("app.log." + std::to_string(i + 1)));
    }
    std::filesystem::rename(folder / "app.log", folder / "app.log.1");
    folder.write("app.log", "");
  }
  std::string all() { return written + folder.read("app.log"); }
  nlohmann::json list() {
    folder.write("agent.toml", config_text());
    const Ran ran = run_program(
        folder, {"hold", "list", "--config", folder / "agent.toml", "--format", "json"});
    REQUIRE(ran.status == kExitDone);
    nlohmann::json out = nlohmann::json::array();
    std::size_t from = 0;
    for (std::size_t end = ran.out.find('\n'); end != std::string::npos;
         end = ran.out.find('\n', from)) {
      out.push_back(nlohmann::json::parse(ran.out.substr(from, end - from)));
      from = end + 1;
    }
    return out;
  }
  Ran hold(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "hold");
    arguments.insert(arguments.end(), {"--config", folder / "agent.toml"});
    return run_program(folder, arguments);
  }
  // A receipt without commit, amid twelve minutes of log, with rotations and kills.
  void live() {
    start();
    for (int second = 0; second < 720; second += 4) {
      if (second % 100 == 0 && second > 0) rotate();
      if (second % 140 == 0 && second > 0) start();  // killed
      say_something(second);
      if (second == 300) acknowledged(kIdA);
      run(seconds(1));
      clock.advance(seconds(3));
    }
    run(seconds(3));
  }
};

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Files below `folder` that hold `text`.
inline std::vector<std::string> files_with(const std::string& folder, std::string_view text) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{folder}) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file{entry.path(), std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    if (has(bytes, text)) out.push_back(entry.path().string());
  }
  return out;
}

}  // namespace meldevakt::agent::testing
