#include "collector/app/live_thread.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/stat.h>

#include <mutex>
#include <nlohmann/json.hpp>

#include "common/platform/clock.h"
#include "tests/unit/collector/app/live_world.h"

namespace meldevakt::collector {
namespace {

using testing::Folder;
using testing::SmallWorld;

// Two agents' store, and a thread that concludes from it by the real clock: the evening is long
// past.
struct World {
  World() {
    REQUIRE(testing::admit(*store, agent));
    folder.write("alarm", "#!/bin/sh\ncat >>" + (folder / "given") + "\n");
    ::chmod((folder / "alarm").c_str(), 0700);
  }
  std::unique_ptr<LiveThread> start(const std::string& program) {
    return LiveThread::start({folder / "collector.db", folder / "told.db", program, Policy{}, clock,
                              [this](LogLevel, const std::string& line) {
                                const std::lock_guard lock{mutex};
                                log += line + "\n";
                              }})
        .value();
  }
  std::string logged() {
    const std::lock_guard lock{mutex};
    return log;
  }
  VerifiedFrame lost(std::uint64_t m) {
    SmallWorld facts;
    facts.facts = m * 10;
    facts.acknowledged(0, m);
    facts.failed(1, Outcome::kFailed, m);
    const VerifiedFrame frame = testing::frame_of(agent, facts.input.facts, -3600, 3600);
    REQUIRE(store->store_frame(frame, clock.now()));
    return frame;
  }
  // Waits until it is so; looks, and gives way for a moment.
  static bool until(const std::function<bool()>& so) {
    for (int i = 0; i < 20'000 && !so(); ++i) ::poll(nullptr, 0, 1);
    return so();
  }
  std::size_t given() const {
    const std::string text = folder.read("given");
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  Folder folder;
  SystemClock clock;
  testing::FakeAgent agent{'a', "t1"};
  std::unique_ptr<SqliteStore> store =
      SqliteStore::open({folder / "collector.db", "", false}).value();
  std::mutex mutex;
  std::string log;
};

TEST_CASE("live thread: what was stored before it and what comes afterwards reach the program") {
  World world;
  (void)world.lost(1);
  {
    const auto live = world.start(world.folder / "alarm");
    REQUIRE(World::until([&] { return world.given() == 1; }));
    live->frame(world.lost(2), world.clock.now());
    REQUIRE(World::until([&] { return world.given() == 2; }));
    live->stop();
    live->stop();
  }
  const std::string text = world.folder.read("given");
  const auto first = nlohmann::json::parse(text.substr(0, text.find('\n')));
  CHECK(first["message"] == testing::portal_id(1));
  CHECK(first["state"] == "lost");
  // Another start tells what is new, and nothing else.
  const auto live = world.start(world.folder / "alarm");
  live->frame(world.lost(3), world.clock.now());
  REQUIRE(World::until([&] { return world.given() == 3; }));
  live->stop();
  CHECK(world.given() == 3);
}

TEST_CASE("live thread: a program that cannot be run is named, and the log has the finding") {
  World world;
  (void)world.lost(1);
  const auto live = world.start(world.folder / "nowhere");
  REQUIRE(World::until(
      [&] { return world.logged().find("cannot be run: No such file") != std::string::npos; }));
  CHECK(world.logged().find("finding tenant=t1 message=" + testing::portal_id(1)) !=
        std::string::npos);
}

TEST_CASE("live thread: a stop while the program runs ends it, and the finding is given again") {
  World world;
  (void)world.lost(1);
  world.folder.write("alarm", "#!/bin/sh\necho begun >>" + (world.folder / "begun") +
                                  "\nexec tail -f /dev/null\n");
  {
    const auto live = world.start(world.folder / "alarm");
    REQUIRE(World::until([&] { return world.folder.has("begun"); }));
  }
  world.folder.write("alarm", "#!/bin/sh\ncat >>" + (world.folder / "given") + "\n");
  const auto live = world.start(world.folder / "alarm");
  REQUIRE(World::until([&] { return world.given() == 1; }));
}

}  // namespace
}  // namespace meldevakt::collector
