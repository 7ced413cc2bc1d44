// The keeper under a disk that fails, power that goes, and hands that change what lies there.
#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <string>

#include "tests/unit/agent/hold/hold_world.h"

namespace meldevakt::agent {
namespace {

using testing::Collected;
using testing::HoldWorld;
using testing::kStart;
using testing::line;
using testing::live_through;

TEST_CASE(
    "HoldKeeper: every n-th disk call fails and then power is cut: the hold is whole or says it is "
    "not") {
  for (std::size_t fail_at = 0; fail_at < 60; ++fail_at) {
    for (const bool committed : {false, true}) {
      CAPTURE(fail_at);
      CAPTURE(committed);
      HoldWorld world;
      const Instant finding = kStart + seconds(900);
      bool cut = false;
      world.disk.fail_at = fail_at;
      for (int second = 0; second < 3000; second += 5) {
        const Instant now = kStart + seconds(second);
        if (second % 400 == 0 && second > 0) world.trace.rotate("t" + std::to_string(second));
        world.trace.write(line(now, "lagrer melding"), now);
        if (second == 930) world.find("f", finding, now);
        world.turn(now);
        const bool failing = world.disk.calls > world.disk.fail_at;
        if (failing && !cut) {  // the power goes; the row of the last part may or may not be there
          cut = true;
          if (committed) world.commit();
          if (!committed) world.keep_marks();  // read again, and marked again
          world.disk.fail_at = SIZE_MAX;
          world.start();
        }
        world.commit();
      }
      REQUIRE(world.holds.size() == 1);
      const Hold& hold = world.holds.begin()->second;
      CHECK(hold.state == HoldState::kClosed);
      CHECK(hold.complete());
      world.check_truth(hold);
      CHECK(world.disk.files[hold.id].size() == world.parts.size() + 1);
    }
  }
}

TEST_CASE(
    "HoldKeeper: killed at random moments under rotation, a hold still has every byte of its "
    "window") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    meldevakt::testing::SeededRandom random{seed};
    HoldWorld world;
    const Instant finding = kStart + seconds(1200 + static_cast<std::int64_t>(random.below(600)));
    std::map<std::string, std::string> wanted;
    for (int second = 0; second < 3600; second += 3) {
      const Instant now = kStart + seconds(second);
      if (random.below(100) == 0) world.trace.rotate("t" + std::to_string(second));
      const std::string text = line(now, std::string(random.below(200), 'x'));
      world.trace.write(text, now);
      const bool inside = now >= finding - minutes(10) && now < finding + minutes(5);
      if (inside) wanted[world.trace.current] += text;
      if (now >= finding + seconds(30) && now < finding + seconds(33)) {
        world.find("f", finding, now);
      }
      world.turn(now);
      if (random.below(5) == 0) world.commit();
      if (random.below(60) == 0) {
        // Marks of a file are committed with its position; what came after is read again.
        world.commit();
        world.start();
      }
    }
    world.commit();
    REQUIRE(world.holds.size() == 1);
    const Hold& hold = world.holds.begin()->second;
    CHECK(hold.complete());
    world.check_truth(hold);
    Collected got;
    const OpenReport report = world.open(hold, got);
    for (const auto& entry : wanted) {
      const std::string& key = entry.first;
      const std::string& text = entry.second;
      bool found = false;
      for (const OpenedRun& run : report.runs) {
        found = found || (run.key == key && run.source == "trace" &&
                          got.runs["trace/" + run.name].find(text) != std::string::npos);
      }
      CAPTURE(key);
      CAPTURE(text.size());
      CAPTURE(world.trace.content[key].find(text));
      CAPTURE(finding.ms - kStart.ms);
      for (const OpenedRun& run : report.runs) {
        if (run.key == key) CAPTURE(run.from);
      }
      CHECK(found);
    }
  }
}

TEST_CASE("HoldKeeper: what is changed, cut or swapped on disk is told, and the rest is given") {
  HoldWorld world;
  live_through(world, kStart + seconds(1800), 100);
  const Hold hold = world.holds.begin()->second;
  auto& files = world.disk.files[hold.id];
  REQUIRE(world.parts.size() >= 4);
  const std::string first = part_file_name(1);
  const std::string second = part_file_name(2);
  const auto problems = [&] {
    Collected got;
    return world.open(hold, got).problems.size();
  };
  CHECK(problems() == 0);
  const auto before = files;
  files[first][files[first].size() / 2] ^= 1;
  CHECK(problems() == 1);
  files = before;
  files[first].pop_back();
  CHECK(problems() == 1);
  files = before;
  std::swap(files[first], files[second]);
  CHECK(problems() == 2);
  files = before;
  files.erase(first);
  CHECK(problems() == 1);
  files = before;
  files[kManifestFile][200] ^= 1;
  CHECK_FALSE(read_manifest(world.disk, hold.id, &hold.manifest, world.signer->public_key(),
                            OpenSslVerifier{})
                  .has_value());
}

}  // namespace
}  // namespace meldevakt::agent
