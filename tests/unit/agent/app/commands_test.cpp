// The commands as people and scripts see them: what is printed where, and the exit status.
#include "agent/app/commands.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "common/platform/disk.h"
#include "tests/support/evtx_writer.h"
#include "tests/unit/agent/app/agent_world.h"
#include "tests/unit/agent/app/program.h"

namespace meldevakt::agent {
namespace {

using Json = nlohmann::json;
using testing::AgentWorld;
using testing::kIdA;
using testing::Ran;
using testing::run_program;
using testing::TempFolder;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> out;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) {
    out.push_back(Json::parse(line, nullptr, false));
    CAPTURE(line);
    CHECK(out.back().is_object());
  }
  return out;
}

TEST_CASE("commands: one that is not there is named, with the nearest that is") {
  const TempFolder folder;
  const std::vector<std::pair<std::vector<std::string>, std::string_view>> cases{
      {{"chekc"}, "there is no command 'chekc'; did you mean 'check'?"},
      {{"hold", "opne"}, "there is no command 'opne'; did you mean 'open'?"},
      {{"frobnicate"}, "there is no command 'frobnicate'; --help lists them"}};
  for (const auto& [words, says] : cases) {
    const Ran ran = run_program(folder, words);
    CHECK(ran.status == kExitUsage);
    CHECK_MESSAGE(has(ran.err, says), ran.err);
  }
}

TEST_CASE("commands: each has help and a version, and says what it does not know") {
  const TempFolder folder;
  const std::vector<std::vector<std::string>> commands{{},
                                                       {"run"},
                                                       {"enroll"},
                                                       {"check"},
                                                       {"status"},
                                                       {"sent"},
                                                       {"explain"},
                                                       {"scan"},
                                                       {"rules"},
                                                       {"rules", "test"},
                                                       {"hold", "list"},
                                                       {"hold", "open"},
                                                       {"hold", "erase"},
                                                       {"hold", "key"}};
  for (std::vector<std::string> command : commands) {
    CAPTURE(command);
    command.emplace_back("--help");
    const Ran help = run_program(folder, command);
    CHECK(help.status == kExitDone);
    CHECK(has(help.out, "--help"));
    CHECK(has(help.out, "--version"));
    const bool works = command.size() > 1 && command[command.size() - 2] != "rules";
    CHECK(has(help.out, "--format") == works);
    CHECK(help.err.empty());
    command.back() = "--version";
    const Ran version = run_program(folder, command);
    CHECK(version.status == kExitDone);
    CHECK(version.out == std::string{"meldevakt-agent "} + kSoftwareVersion + "\n");
    command.back() = "--no-such-option";
    const Ran unknown = run_program(folder, command);
    CHECK(unknown.status == kExitUsage);
    CHECK(unknown.out.empty());
    CHECK_FALSE(unknown.err.empty());
  }
  CHECK(run_program(folder, {"status", "--format", "xml"}).status == kExitUsage);
}

TEST_CASE("commands: a wrong configuration is refused with file, line and remedy") {
  const TempFolder folder;
  folder.write("agent.toml",
               "[[tenant]]\nname = \"A\"\n[[source]]\nname = \"trace\"\nfile = [\"x\"]\n"
               "pack = \"familia-like\"\n");
  for (const char* command : {"run", "check", "status", "sent"}) {
    CAPTURE(command);
    const Ran wrong = run_program(folder, {command, "--config", folder / "agent.toml"});
    CHECK(wrong.status == kExitUsage);
    CHECK(has(wrong.err, "agent.toml:5: "));
    CHECK(has(wrong.err, "did you mean 'files'?"));
    CHECK(wrong.out.empty());
    const Ran missing = run_program(folder, {command, "--config", folder / "none.toml"});
    CHECK(missing.status == kExitUsage);
    CHECK(has(missing.err, folder / "none.toml"));
  }
}

// --- beside a running agent -------------------------------------------------------------------

// An enrolled agent with a message in its log, that carries its frames to a folder.
struct Running : AgentWorld {
  Running() : AgentWorld{"[ship]\nmode = \"carry\"\ncarry_to = \"/\"\n"} {
    enrol("t1", "A");
    start();
    received(kIdA);
    run(seconds(10));
    folder.write("agent.toml", config_text());
  }
  Ran command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--config", folder / "agent.toml"});
    return run_program(folder, arguments);
  }
};

TEST_CASE("status and sent: read the state beside a running agent and leave no trace") {
  Running w;
  const std::string wal = w.folder.read("state/state.db-wal");
  const std::string db = w.folder.read("state/state.db");
  const Ran status = w.command({"status", "--format", "json"});
  CHECK(status.status == kExitDone);
  CHECK(status.err.empty());
  const std::vector<Json> lines = lines_of(status.out);
  REQUIRE(lines.size() == 3);
  CHECK(lines[2]["kind"] == "agent");
  CHECK(lines[2]["cpu_percent_allowed"] == 100);
  CHECK(lines[2]["memory_allowed"] == 8'000'000'000);
  CHECK(lines[2]["reason"] == "");
  CHECK(lines[2]["behind"] == 0);
  CHECK(has(w.command({"status"}).out, "agent: cpu 0.0 of 100 % of a core, memory 0 of 8000 MB"));
  CHECK(lines[0]["kind"] == "source");
  CHECK(lines[0]["source"] == "trace");
  CHECK(lines[0]["state"] == "read");
  CHECK(lines[0]["files"][0]["path"] == w.folder / "app.log");
  CHECK(lines[1]["kind"] == "tenant");
  CHECK(lines[1]["next_sequence"] == w.collector.tenants.at("t1").head.next_sequence);
  const Ran sent = w.command({"sent", "--format", "json"});
  CHECK(sent.status == kExitDone);
  const std::vector<Json> statements = lines_of(sent.out);
  REQUIRE(statements.size() == 1 + w.collector.tenants.at("t1").statements.size());
  CHECK(statements[0]["kind"] == "enrolment");
  CHECK(statements[0].contains("unreadable"));  // this world enrols without asking anybody
  CHECK(has(statements.back()["bodies"].dump() + sent.out, kIdA));
  CHECK(statements[1]["sequence"] == 0);
  CHECK(has(w.command({"status"}).out, "tenant A: agent "));
  CHECK(has(w.command({"sent"}).out, " tenant t1 statement 0/0, "));
  REQUIRE_FALSE(db.empty());
  CHECK(w.folder.read("state/state.db-wal") == wal);
  CHECK(w.folder.read("state/state.db") == db);
  // And the agent goes on.
  w.committed(kIdA);
  w.run(seconds(10));
  CHECK(w.steps() == "received A, committed A");
}

TEST_CASE("status and sent: without enrolment they say how to enrol") {
  AgentWorld w;
  w.folder.write("agent.toml", w.config_text());
  for (const char* command : {"status", "sent"}) {
    const Ran ran = run_program(w.folder, {command, "--config", w.folder / "agent.toml"});
    CHECK(ran.status == kExitUsage);
    CHECK(has(ran.err, "meldevakt-agent enroll --config"));
  }
}

TEST_CASE("check: everything in order is 0, something to look at is 1") {
  Running w;
  const Ran good = w.command({"check", "--format", "json"});
  CHECK(good.status == kExitDone);
  for (const Json& item : lines_of(good.out)) {
    CHECK(item["kind"] == (item.contains("good") ? "check" : "blind_spot"));
    if (item.contains("good")) CHECK(item["good"] == true);
  }
  CHECK(has(w.command({"check"}).out, "ok    source trace"));

  w.folder.remove("app.log");
  const Ran bad = w.command({"check", "--format", "json"});
  CHECK(bad.status == kExitFindings);
  bool found = false;
  for (const Json& item : lines_of(bad.out)) {
    if (item["kind"] == "blind_spot" || item["good"] == true) continue;
    found = true;
    CHECK(item["what"] == "source trace");
    CHECK(item["detail"] == "no file matches " + w.folder / "app.log");
  }
  CHECK(found);
  CHECK(has(w.command({"check"}).out, "LOOK  source trace"));
}

TEST_CASE("check: a carry folder that is not there, and no enrolment") {
  AgentWorld w{"[ship]\nmode = \"carry\"\ncarry_to = \"/no/such/folder\"\n"};
  w.folder.write("app.log", "");
  w.folder.write("agent.toml", w.config_text());
  const auto check = [&] {
    return run_program(w.folder, {"check", "--config", w.folder / "agent.toml"});
  };
  const Ran before = check();
  CHECK(before.status == kExitFindings);
  CHECK(has(before.out, "not enrolled; run: meldevakt-agent enroll"));
  w.enrol("t1", "A");
  const Ran after = check();
  CHECK(after.status == kExitFindings);
  CHECK(has(after.out, "/no/such/folder: is not there; make it, or mount it"));
}

TEST_CASE("run: a second agent on the same state is refused by the environment") {
  Running w;
  const auto lock = ProcessLock::acquire(StateFiles{w.folder / "state"}.lock());
  REQUIRE(lock);
  const Ran ran = w.command({"run"});
  CHECK(ran.status == kExitEnvironment);
  CHECK(has(ran.err, "another agent runs with this state"));
}

// --- packs ------------------------------------------------------------------------------------

std::string pack_text(std::string_view sample) {
  return "pack = \"own\"\nversion = \"1.0.0\"\nproduct = \"a test's\"\n"
         "observes = [\"message.received\"]\n[record]\n"
         "starts = '\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2},\\d{3} \\['\n"
         "time = \"%Y-%m-%d %H:%M:%S,%f\"\n[[rule]]\nid = \"in\"\nsignal = \"message.received\"\n"
         "literal = \"Inn \"\npattern = 'Inn (?<ref:portal_message_id>{uuid})'\nmatch = [\"" +
         std::string{sample} + "\"]\n";
}
const std::string kGoodSample = "2023-02-01 09:14:22,101 [17] Inn " + std::string{kIdA};
constexpr std::string_view kBadSample = "2023-02-01 09:14:22,101 [17] Inn og ut";

TEST_CASE("rules test: good, failing and broken packs") {
  const TempFolder folder;
  folder.write("good.rules.toml", pack_text(kGoodSample));
  folder.write("failing.rules.toml", pack_text(kBadSample));
  folder.write("broken.rules.toml", "pack = \"own\"\nversjon = \"1\"\n");
  const auto test = [&](const std::string& name, const std::string& format) {
    return run_program(folder, {"rules", "test", folder / name, "--format", format});
  };
  CHECK(test("good.rules.toml", "text").out == "own 1.0.0: all samples hold\n");
  const Ran good = test("good.rules.toml", "json");
  CHECK(good.status == kExitDone);
  CHECK(Json::parse(good.out) == Json{{"good", true}, {"pack", "own"}, {"version", "1.0.0"}});
  const Ran failing = test("failing.rules.toml", "text");
  CHECK(failing.status == kExitFindings);
  CHECK(has(failing.out, folder / "failing.rules.toml:13: rule 'in'"));
  const Ran failing_json = test("failing.rules.toml", "json");
  CHECK(failing_json.status == kExitFindings);
  CHECK(lines_of(failing_json.out).at(0)["rule"] == "in");
  const Ran broken = test("broken.rules.toml", "text");
  CHECK(broken.status == kExitUsage);
  CHECK(has(broken.err, "broken.rules.toml:2: "));
  CHECK(test("none.rules.toml", "text").status == kExitUsage);
}

TEST_CASE("run and check: a pack from disk whose samples fail is refused with file and line") {
  AgentWorld w{"packs = [\"PACK\"]\n"};
  w.folder.write("own.rules.toml", pack_text(kBadSample));
  std::string config = w.config_text();
  config.replace(config.find("PACK"), 4, w.folder / "own.rules.toml");
  w.folder.write("agent.toml", config);
  for (const char* command : {"run", "check"}) {
    CAPTURE(command);
    const Ran refused = run_program(w.folder, {command, "--config", w.folder / "agent.toml"});
    CHECK(refused.status == kExitUsage);
    CHECK(has(refused.err, w.folder / "own.rules.toml:13: rule 'in'"));
  }
  w.folder.write("own.rules.toml", pack_text(kGoodSample));
  const Ran good = run_program(w.folder, {"check", "--config", w.folder / "agent.toml"});
  CHECK(good.status == kExitFindings);  // not enrolled
  CHECK(has(good.out, "own.rules.toml, all samples hold"));
}

TEST_CASE("the privacy test's careless pack holds its samples") {
  const TempFolder folder;
  const Ran ran = run_program(
      folder, {"rules", "test", MELDEVAKT_TESTS_DIR "/e2e/packs/with-references.rules.toml"});
  CHECK(ran.out == "with-references 1.0.0: all samples hold\n");
}

// --- explain ----------------------------------------------------------------------------------

TEST_CASE("explain: the events of an event log, and then its damage") {
  const TempFolder folder;
  meldevakt::testing::EvtxWriter log;
  log.events_a_chunk = 2;
  log.add(4, {});
  folder.write("System.evtx", log.file());
  const Ran whole = run_program(folder, {"explain", folder / "System.evtx", "--format", "json"});
  CHECK(whole.status == kExitDone);
  const auto known = [](const std::string& out) {
    std::size_t count = 0;
    for (const Json& line : lines_of(out)) {
      if (line.contains("record") && line["record"].value("known", false)) ++count;
    }
    return count;
  };
  CHECK(known(whole.out) == 4);
  std::string damaged = log.file();
  damaged[agent::kEvtxHeaderBytes] = 'x';
  folder.write("System.evtx", damaged);
  const Ran half = run_program(folder, {"explain", folder / "System.evtx", "--format", "json"});
  CHECK(known(half.out) == 2);
  CHECK(half.status == kExitEnvironment);
  CHECK(has(half.err, "damaged chunks: 1 of 2; everything else was read"));
}

TEST_CASE("explain: text and JSON, and what it refuses") {
  AgentWorld w;
  w.received(kIdA);
  w.say("17", "Innboks - Noe annet om Kari Nordmann");
  const Ran json = run_program(w.folder, {"explain", w.folder / "app.log", "--format", "json"});
  CHECK(json.status == kExitDone);
  const std::vector<Json> lines = lines_of(json.out);
  REQUIRE(lines.size() >= 3);
  CHECK(lines[0].contains("record"));
  REQUIRE(lines.back().contains("summary"));
  CHECK(lines.back()["summary"]["framing"]["zone"].is_string());
  CHECK(lines.back()["summary"]["cost"]["cpu_us_per_record"].is_number());
  CHECK(has(json.out, kIdA));
  CHECK_FALSE(has(json.out, "Kari"));
  const Ran text = run_program(w.folder, {"explain", w.folder / "app.log"});
  CHECK(text.status == kExitDone);
  CHECK(has(text.out, "pack familia-like"));
  CHECK(has(text.out, "-> message.received"));
  CHECK_FALSE(has(text.out, "Kari"));

  w.folder.write("strange.txt", "hello\n");
  struct Case {
    std::vector<std::string> arguments;
    std::string_view says;
  };
  const std::vector<Case> cases{
      {{"explain", w.folder / "none.log"}, "none.log"},
      {{"explain", w.folder / "strange.txt"}, "say which to use: --pack ID"},
      {{"explain", w.folder / "app.log", "--pack", "familia-lik"}, "did you mean 'familia-like'?"},
      {{"explain", w.folder / "app.log", "--show-text"}, "only on a terminal"},
      {{"explain", w.folder / "app.log", "--zone", "Europe/Olso"}, "Olso"}};
  for (const Case& c : cases) {
    CAPTURE(c.says);
    const Ran ran = run_program(w.folder, c.arguments);
    CHECK(ran.status == kExitUsage);
    CHECK(has(ran.err, c.says));
    CHECK(ran.out.empty());
  }
}

}  // namespace
}  // namespace meldevakt::agent
