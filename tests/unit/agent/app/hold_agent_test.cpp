// Holds in the whole agent: log that rotation packed before the finding was made, kills while a
// hold is being collected, and what of it never leaves.
#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "agent/state/hold_rows.h"
#include "common/pack/pack.h"
#include "common/ports/sha256.h"
#include "common/seal/dsse.h"
#include "common/summary/frame.h"
#include "tests/unit/agent/app/holding.h"
#include "tests/unit/agent/app/program.h"

namespace meldevakt::agent {
namespace {

using testing::files_with;
using testing::has;
using testing::Holding;
using testing::kIdA;
using testing::Running;

constexpr std::string_view kText = "Saksflyt";  // in every line that is no message's

// What the hold has, all files after one another, and whether all of it verified.
std::pair<std::string, nlohmann::json> opened(Holding& w, const std::string& id) {
  const auto ran = w.hold({"open", id, "--to", w.folder / ("ut-" + id), "--format", "json"});
  CAPTURE(ran.err);
  REQUIRE(ran.status == kExitDone);
  auto report = nlohmann::json::parse(ran.out);
  std::string text;
  for (const auto& file : report["files"]) {
    text += w.folder.read("ut-" + id + "/" + file["file"].get<std::string>());
  }
  std::filesystem::remove_all(w.folder / ("ut-" + id));
  return {text, std::move(report)};
}

TEST_CASE(
    "hold: log that was rotated away and packed before the finding is held from the archive") {
  Holding w;
  w.start();
  for (int i = 0; i < 40; ++i) {
    w.say_something(i);
    w.run(milliseconds(500));
    w.clock.advance(seconds(2));
  }
  // As logrotate does with `compress`; a new process has nothing of it in memory.
  const std::string first = w.folder.read("app.log");
  w.folder.write("app.log.1.zst", pack(first));
  std::filesystem::remove(w.folder / "app.log");
  w.folder.write("app.log", "");
  w.run(seconds(3));
  w.start();
  w.acknowledged(kIdA);
  for (int i = 40; i < 160; ++i) {
    w.say_something(i);
    w.run(milliseconds(500));
    w.clock.advance(seconds(4));
  }
  const nlohmann::json holds = w.list();
  REQUIRE(holds.size() == 1);
  CAPTURE(holds[0].dump());
  CHECK(holds[0]["state"] == "closed");
  CHECK(holds[0]["complete"] == true);
  const auto [text, report] = opened(w, holds[0]["id"]);
  CHECK(has(text, first));
}

TEST_CASE("hold: killed while it collects, it loses nothing it had and leaves no text of the log") {
  Holding w;
  w.start();
  std::map<std::pair<std::string, std::uint64_t>, Sha256> held;  // rows that were committed
  int kills = 0;
  for (int second = 0; second < 720; second += 3) {
    w.say_something(second);
    if (second == 300) w.acknowledged(kIdA);
    if (second % 240 == 0 && second > 0) w.rotate();
    w.run(milliseconds(100 * (1 + second % 7)));
    w.clock.advance(seconds(3));
    if (second < 330 || second % 2 != 0) continue;
    w.start();  // killed
    ++kills;
    auto db = open_state_for_reading(StateFiles{w.folder / "state"}.state());
    REQUIRE(db);
    const auto stored = read_holds(db.value());
    REQUIRE(stored);
    std::map<std::pair<std::string, std::uint64_t>, Sha256> now;
    for (const HoldPart& part : stored.value().parts) {
      now[{part.hold, part.number}] = part.stored;
      const std::string file =
          w.folder.read("state/hold/" + part.hold + "/" + part_file_name(part.number));
      CHECK(sha256(file) == part.stored);
    }
    for (const auto& entry : held) CHECK(now[entry.first] == entry.second);
    held = std::move(now);
    CHECK(files_with(w.folder / "state", kText).empty());
  }
  w.run(seconds(3));
  CHECK(kills > 50);
  CHECK(held.size() > 3);
  const nlohmann::json holds = w.list();
  REQUIRE(holds.size() == 1);
  CAPTURE(holds[0].dump());
  CHECK(holds[0]["complete"] == true);
  const auto [text, report] = opened(w, holds[0]["id"]);
  for (int second = 0; second < 580; second += 3) {
    CHECK(has(text, "steg " + std::to_string(second) + " "));
  }
}

TEST_CASE("hold: nothing of it is ever in what is sent") {
  std::size_t statements[2]{};
  std::string steps[2];
  for (const bool enabled : {false, true}) {
    Holding w{enabled ? "" : "[hold]\nenabled = false\n"};
    std::string sent;  // all frames, packed and unpacked
    w.send = [&](const OutgoingFrame& outgoing) {
      sent += outgoing.bytes;
      const auto frame = decode_frame(outgoing.bytes);
      REQUIRE(frame);
      const auto envelope = parse_envelope(frame.value().envelope);
      REQUIRE(envelope);
      sent += envelope.value().payload;
      const auto statement = decode_statement(envelope.value().payload);
      REQUIRE(statement);
      for (std::size_t i = 0; i < frame.value().bodies.size(); ++i) {
        sent += unpack(frame.value().bodies[i], statement.value().bodies[i].plain_bytes).value();
      }
      return w.collector.take(outgoing);
    };
    w.live();
    statements[enabled] = w.collector.tenants.at("t1").statements.size();
    steps[enabled] = w.steps();
    CHECK(has(sent, kIdA));
    CHECK_FALSE(has(sent, kText));
    CHECK_FALSE(has(sent, "MVHOLD"));
    CHECK_FALSE(has(sent, "hold"));
    if (!enabled) continue;
    const nlohmann::json holds = w.list();
    REQUIRE(holds.size() == 1);
    CHECK_FALSE(has(sent, holds[0]["id"].get<std::string>()));
  }
  CHECK(statements[0] == statements[1]);
  CHECK(steps[0] == steps[1]);
}

// --- the program itself

// Ten minutes of log up to half an hour ago, 12 MB, with a receipt that no commit followed.
std::string long_log(Instant base) {
  std::string out;
  const auto line = [&](Instant at, std::string_view thread, const std::string& text) {
    std::string time = to_rfc3339(at);
    time[10] = ' ';
    time[19] = ',';
    time.pop_back();
    out += time + " [" + std::string{thread} + "] INFO  " + text + "\n";
  };
  for (int second = 0; second < 600; ++second) {
    for (int i = 0; i < 200; ++i) {
      line(base + seconds(second) + milliseconds(i), "23",
           "Saksflyt - steg " + std::to_string(second * 1000 + i) + " for Bærum og Ås");
    }
    if (second == 300) {
      line(base + seconds(second) + milliseconds(500), "17",
           "Kvittering - Sendte kvittering mottatt for melding " + std::string{kIdA});
    }
  }
  return out;
}

bool is_there(const std::string& folder, const std::string& name) {
  if (!std::filesystem::exists(folder)) return false;
  for (const auto& hold : std::filesystem::directory_iterator{folder}) {
    if (std::filesystem::exists(hold.path() / name)) return true;
  }
  return false;
}

TEST_CASE("hold: the program, killed -9 between two parts, goes on with what it has") {
  Holding w{"[ship]\nmode = \"carry\"\ncarry_to = \"/\"\n[hold]\nafter = \"60s\"\n"};
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const std::string log = long_log(Instant{now.count()} - minutes(40));
  w.folder.write("app.log", log);
  w.folder.write("agent.toml", w.config_text());
  for (const char* part : {"part-000001.hold", "part-000003.hold", "part-000005.hold"}) {
    CAPTURE(part);
    Running agent{w.folder / "agent.toml"};
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{120};
    while (!is_there(w.folder / "state/hold", part)) {
      REQUIRE_MESSAGE(std::chrono::steady_clock::now() < end, agent.logged);
      static_cast<void>(agent.wait_for("never said", std::chrono::milliseconds{5}));
    }
    agent.kill_at_once();
    CHECK(files_with(w.folder / "state", kText).empty());
  }
  Running agent{w.folder / "agent.toml"};
  REQUIRE_MESSAGE(agent.wait_for("keeps the log around", std::chrono::seconds{120}), agent.logged);
  CHECK(agent.stop() == 0);
  const nlohmann::json holds = w.list();
  REQUIRE(holds.size() == 1);
  CAPTURE(holds[0].dump());
  CHECK(holds[0]["complete"] == true);
  const auto [text, report] = opened(w, holds[0]["id"]);
  CHECK(has(log, text));
  CHECK(has(text, "steg 10000 "));
  CHECK(has(text, "steg 390000 "));
}

}  // namespace
}  // namespace meldevakt::agent
