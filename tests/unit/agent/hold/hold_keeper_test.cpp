// The keeper as logs grow, rotate away and are too many: what a hold says it has is what was
// written, and what it has not it says.
#include "agent/hold/hold_keeper.h"

#include <doctest/doctest.h>

#include <algorithm>
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

TEST_CASE("HoldKeeper: a finding keeps the log of every source, from before to after, and closes") {
  for (const int rotations : {0, 600, 100}) {
    CAPTURE(rotations);
    HoldWorld world;
    const Instant finding = kStart + seconds(1800);
    live_through(world, finding, rotations);
    REQUIRE(world.holds.size() == 1);
    const Hold& hold = world.holds.begin()->second;
    CHECK(hold.state == HoldState::kClosed);
    CHECK(hold.complete());
    world.check_truth(hold);
    Collected got;
    static_cast<void>(world.open(hold, got));
    std::string trace;
    std::string sql;
    for (const auto& [name, bytes] : got.runs) (name[0] == 't' ? trace : sql) += bytes;
    for (int second = 1200; second <= 2100; second += 5) {
      const Instant at = kStart + seconds(second);
      CHECK(trace.find(line(at, "lagrer melding")) != std::string::npos);
      if (second % 30 == 0) {
        CHECK(sql.find(line(at, "I/O requests taking longer")) != std::string::npos);
      }
    }
    CHECK(trace.size() < 300 * line(kStart, "lagrer melding").size());
    const auto manifest = read_manifest(world.disk, hold.id, &hold.manifest,
                                        world.signer->public_key(), OpenSslVerifier{});
    REQUIRE(manifest.has_value());
    CHECK(manifest.value().parts.size() == world.parts.size());
  }
}

TEST_CASE("HoldKeeper: overlapping findings share a hold; a later one stores nothing twice") {
  HoldWorld world;
  std::map<std::string, std::string> twice;
  for (int second = 0; second < 7200; second += 10) {
    const Instant now = kStart + seconds(second);
    world.trace.write(line(now, "lagrer"), now);
    if (second == 1000) world.find("a", now, now);
    if (second == 1100) world.find("b", now - seconds(200), now);
    if (second == 1100) world.find("b", now - seconds(200), now);
    if (second == 2400) world.find("c", now - seconds(500), now);  // its window meets a closed hold
    world.turn(now);
    world.commit();
  }
  REQUIRE(world.holds.size() == 2);
  std::vector<Hold> holds;
  for (const auto& [id, hold] : world.holds) holds.push_back(hold);
  std::sort(holds.begin(), holds.end(),
            [](const Hold& a, const Hold& b) { return a.number < b.number; });
  CHECK(holds[0].findings.size() == 2);
  CHECK(holds[1].shares == std::vector{holds[0].id});
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spans;
  for (const HoldPart& part : world.parts) {
    if (part.source == "trace") spans.emplace_back(part.from, part.to);
  }
  std::sort(spans.begin(), spans.end());
  for (std::size_t i = 1; i < spans.size(); ++i) CHECK(spans[i - 1].second <= spans[i].first);
  for (const Hold& hold : holds) world.check_truth(hold);
}

// Two holds, the later of which stores only what the first has not.
void live_with_two_that_share(HoldWorld& world, int second_is_found, int until) {
  for (int second = 0; second < until; second += 10) {
    const Instant now = kStart + seconds(second);
    world.trace.write(line(now, "lagrer"), now);
    if (second == 1000) world.find("a", now, now);
    if (second == second_is_found) world.find("c", kStart + seconds(1800), now);
    world.turn(now);
    world.commit();
  }
  REQUIRE(world.holds.size() == 2);
}

const Hold& hold_of(HoldWorld& world, const std::string& finding) {
  return std::find_if(world.holds.begin(), world.holds.end(),
                      [&](const auto& one) { return one.second.findings[0].id == finding; })
      ->second;
}

// `hold erase` beside the agent, which sees it within a minute.
void erase_by_hand(HoldWorld& world, const std::string& finding, Instant now) {
  world.disk.files[hold_of(world, finding).id] = {{kTombstoneFile, "krav om sletting"}};
  world.turn(now);
  world.commit();
}

TEST_CASE("HoldKeeper: a closed hold whose shared bytes are erased says so, and which source's") {
  HoldWorld world;
  live_with_two_that_share(world, 2400, 7200);
  const Hold before = hold_of(world, "c");
  REQUIRE(before.complete());
  REQUIRE(before.shares.size() == 1);
  CHECK(before.sources[0].shares == before.shares);
  CHECK(before.sources[1].shares.empty());  // nothing was written there
  erase_by_hand(world, "a", kStart + seconds(7300));
  const Hold& after = hold_of(world, "c");
  CHECK_FALSE(after.complete());
  CHECK(after.shares.empty());
  REQUIRE(after.sources[0].gaps.size() == 1);
  CHECK(after.sources[0].gaps[0].reason == "erased");
  CHECK(after.sources[1].gaps.empty());
  world.check_truth(after);
}

TEST_CASE("HoldKeeper: what a hold that still collects shared is read again when that is erased") {
  HoldWorld world;
  live_with_two_that_share(world, 1800, 1820);
  REQUIRE(hold_of(world, "c").state == HoldState::kCollecting);
  erase_by_hand(world, "a", kStart + seconds(1900));
  for (int second = 1910; second < 4000; second += 10) {
    world.turn(kStart + seconds(second));
    world.commit();
  }
  const Hold& after = hold_of(world, "c");
  CHECK(after.complete());
  const std::string wanted = line(kStart + seconds(1250), "lagrer");
  const std::uint64_t at = world.trace.content["t0"].find(wanted);
  CHECK(std::any_of(world.parts.begin(), world.parts.end(), [&](const HoldPart& part) {
    return part.hold == after.id && part.from <= at && at < part.to;
  }));
}

TEST_CASE(
    "HoldKeeper: a file that is gone is a gap that is named; the last bytes are held all the "
    "same") {
  HoldWorld world;
  for (int second = 0; second < 1000; second += 5) {
    const Instant now = kStart + seconds(second);
    world.trace.write(line(now, "lagrer melding"), now);
  }
  const Instant at = kStart + seconds(995);
  world.trace.gone["t0"] = true;
  world.find("f", at, at);
  for (int second = 1000; second < 2500; second += 5) world.turn(kStart + seconds(second));
  world.commit();
  const Hold& hold = world.holds.begin()->second;
  CHECK(hold.state == HoldState::kClosed);
  CHECK_FALSE(hold.complete());
  REQUIRE(hold.sources[0].gaps.size() == 1);
  CHECK(hold.sources[0].gaps[0].reason == "gone");
  CHECK(hold.sources[0].bytes >= 3500);
  world.check_truth(hold);
}

TEST_CASE("HoldKeeper: bounds: too much log, too many holds, old holds, a full disk") {
  HoldWorld world;
  world.settings.source_bytes = 2'000'000;
  world.settings.bytes = 60'000;
  world.settings.keep = days(1);
  world.start();
  meldevakt::testing::SeededRandom random{3};
  Instant now = kStart;
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 40; ++i) {
      now = now + seconds(30);
      world.trace.write(to_hex(random.bytes(600)), now);
      world.turn(now);
    }
    world.find("f" + std::to_string(round), now, now,
               round == 4 ? std::string{kOverloadWindow} : "failed_commit");
    for (int i = 0; i < 80; ++i) {
      now = now + seconds(30);
      world.turn(now);
      world.commit();
    }
  }
  std::uint64_t bytes = 0;
  for (const auto& [id, hold] : world.holds) {
    bytes += hold.stored_bytes;
    if (hold.findings[0].id == "f4") CHECK(hold.state == HoldState::kErased);
    if (hold.findings[0].id == "f5") CHECK(hold.state == HoldState::kClosed);
    if (hold.state == HoldState::kErased) CHECK(hold.erased_why.find("room") != std::string::npos);
  }
  CHECK(bytes <= 60'000);
  now = now + days(2);
  world.turn(now);
  world.commit();
  world.turn(now);
  for (const auto& [id, hold] : world.holds) CHECK(hold.state == HoldState::kErased);
  CHECK(world.disk.files.empty());

  world.disk.room = 1000;
  world.find("full", now, now);
  world.trace.write("linje\n", now);
  world.turn(now + seconds(1));
  CHECK(world.said.back().find("nearly full") != std::string::npos);
  world.disk.room = 1'000'000'000;
  world.turn(now + seconds(30));
  CHECK(world.said.back().find("held again") != std::string::npos);
}

TEST_CASE("HoldKeeper: a file whose name is no UTF-8 is held, and verifies") {
  HoldWorld world;
  world.trace.folder = "/logg\xe6\x01/" + std::string(4000, '\x02');
  live_through(world, kStart + seconds(1800), 0);
  const Hold& hold = world.holds.begin()->second;
  CHECK(hold.complete());
  CHECK(world.parts.at(0).path.substr(0, 8) == "/logg" + std::string(2, '?') + "/");
  world.check_truth(hold);
}

TEST_CASE("HoldKeeper: more holds than there may be go by age; parts of old ones leave memory") {
  HoldWorld world;
  Instant now = kStart;
  for (std::size_t i = 0; i < kHoldsMax + 20; ++i) {
    now = now + hours(3);
    world.trace.write(line(now, "lagrer"), now);
    world.find("f" + std::to_string(i), now, now);
    world.turn(now);
    world.commit();
    now = now + hours(1);
    world.trace.write(line(now, "venter"), now);
    world.turn(now);
    world.commit();
    if (i == 100) world.start();
  }
  std::uint64_t first_kept = 0;
  std::size_t kept = 0;
  for (const auto& [id, hold] : world.holds) {
    if (hold.state == HoldState::kErased) {
      CHECK(hold.erased_why.find("400 holds") != std::string::npos);
      continue;
    }
    ++kept;
    if (first_kept == 0 || hold.number < first_kept) first_kept = hold.number;
  }
  CHECK(kept == kHoldsMax);
  CHECK(first_kept == 21);  // the oldest went first
  CHECK(world.keeper->counts().holds == kHoldsMax);
  CHECK(world.keeper->counts().erased_for_room == 20);
  CHECK(world.keeper->parts_at_hand() <= 2 * kHoldsAtHandMax + 4);
}

TEST_CASE("HoldKeeper: more than a source may have in one hold is a gap called bound") {
  HoldWorld world;
  world.settings.source_bytes = 1'000'000;
  world.start();
  Instant now = kStart;
  meldevakt::testing::SeededRandom random{4};
  for (int i = 0; i < 100; ++i) {
    now = now + seconds(5);
    world.trace.write(random.bytes(20'000), now);
  }
  world.find("f", now, now);
  for (int i = 0; i < 300; ++i) {
    now = now + seconds(5);
    world.trace.write(random.bytes(20'000), now);
    world.turn(now);
  }
  world.commit();
  const Hold& hold = world.holds.begin()->second;
  CHECK(hold.state == HoldState::kClosed);
  CHECK(hold.sources[0].bytes == 1'000'000);
  const auto& gaps = hold.sources[0].gaps;
  CHECK(
      std::any_of(gaps.begin(), gaps.end(), [](const HoldGap& g) { return g.reason == "bound"; }));
  world.check_truth(hold);
}

TEST_CASE(
    "HoldKeeper: erased by hand beside the agent: nothing more is written, the reason stays") {
  HoldWorld world;
  for (int second = 0; second < 1000; second += 5) {
    world.trace.write(line(kStart + seconds(second), "x"), kStart + seconds(second));
  }
  world.find("f", kStart + seconds(990), kStart + seconds(995));
  world.turn(kStart + seconds(1000));
  world.commit();
  const std::string id = world.holds.begin()->first;
  world.disk.files[id] = {{kTombstoneFile, "by hand: ønske fra personvernombudet"}};
  for (int second = 1000; second < 3000; second += 10) {
    world.turn(kStart + seconds(second));
    world.commit();
  }
  CHECK(world.holds[id].state == HoldState::kErased);
  CHECK(world.holds[id].erased_why == "by hand: ønske fra personvernombudet");
  CHECK(world.disk.files.empty());
  world.find("f", kStart + seconds(990), kStart + seconds(3000));
  CHECK(world.holds.size() == 1);
}

TEST_CASE("HoldKeeper: names of files that are opened are harmless") {
  CHECK(harmless_name("/var/log/app.log") == "app.log");
  CHECK(harmless_name("..") == "log..");
  CHECK(harmless_name("/x/") == "log");
  CHECK(harmless_name("a\nb") == "a_b");
  CHECK(harmless_name(std::string(500, 'a')).size() == 200);
}

}  // namespace
}  // namespace meldevakt::agent
