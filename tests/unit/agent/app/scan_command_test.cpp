// `scan` as people and scripts see it.
#include "agent/app/scan_command.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "agent/app/commands.h"
#include "common/testing/doubles.h"
#include "tests/unit/agent/app/agent_world.h"
#include "tests/unit/agent/app/program.h"

namespace meldevakt::agent {
namespace {

using Json = nlohmann::json;
using testing::Ran;
using testing::run_program;
using testing::TempFolder;

constexpr const char* kId = "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";

constexpr const char* kPack = R"(
pack = "prove"
version = "1.0.0"
observes = ["message.received", "message.committed"]
[record]
starts = '\d{4}-\d\d-\d\d '
time = "%Y-%m-%d %H:%M:%S,%f"
[[rule]]
id = "mottatt"
signal = "message.received"
literal = "Mottatt "
pattern = 'Mottatt (?<ref:portal_message_id>{uuid}) fra (?<ref:case_id>\d{4}/\d{1,6})'
code = "prove/mottatt"
[[rule]]
id = "lagret"
signal = "message.committed"
literal = "er lagret"
)";

std::string log_text() {
  return std::string{"2023-02-01 09:14:22,101 [17] Mottatt "} + kId +
         " fra 2023/4711\n2023-02-01 09:14:23,000 [17] alt vel\n"
         "   fortsetter\n2023-02-01 09:14:24,250 [17] sak 2023/4711 er lagret\n";
}

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> out;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) {
    out.push_back(Json::parse(line, nullptr, false));
  }
  return out;
}

TEST_CASE("scan: one object a finding, last the summary, and no text of the log") {
  const TempFolder folder;
  folder.write("prove.rules.toml", kPack);
  folder.write("a.log", log_text());
  const Ran ran = run_program(folder, {"scan", "--pack", folder / "prove.rules.toml", "--zone",
                                       "Europe/Oslo", folder / "a.log"});
  CHECK(ran.status == kExitFindings);
  CHECK(ran.err.empty());
  const std::vector<Json> lines = lines_of(ran.out);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == Json{{"file", folder / "a.log"},
                         {"line", 1},
                         {"offset", 0},
                         {"time", "2023-02-01T08:14:22.101Z"},
                         {"signal", "message.received"},
                         {"rule", "mottatt"},
                         {"code", "prove/mottatt"},
                         {"ref", kId}});
  CHECK(lines[1]["line"] == 4);
  CHECK(lines[1]["offset"] == log_text().rfind("2023-02-01"));
  CHECK(lines[1]["code"].is_null());
  CHECK(lines[1]["ref"].is_null());
  const Json& summary = lines[2]["summary"];
  CHECK(summary["findings"] == 2);
  CHECK(summary["bytes"] == log_text().size());
  CHECK(summary["lines"] == 4);
  CHECK(summary["time"]["first"] == "2023-02-01T08:14:22.101Z");
  CHECK(summary["time"]["last"] == "2023-02-01T08:14:24.250Z");
  const Json& coverage = summary["coverage"];
  CHECK(coverage["complete"] == true);
  CHECK(coverage["recognised"].get<std::size_t>() + coverage["unrecognised"].get<std::size_t>() +
            coverage["dropped"].get<std::size_t>() ==
        log_text().size());
  CHECK(summary["rules"].size() == 2);
  CHECK(summary["references_withheld"] == 1);  // the case's number: no key, no form
  CHECK(ran.out.find("4711") == std::string::npos);
  CHECK(ran.out.find("alt vel") == std::string::npos);
}

TEST_CASE("scan: exit status, and what is said of what went wrong") {
  const TempFolder folder;
  folder.write("prove.rules.toml", kPack);
  folder.write("stille.log", "2023-02-01 09:14:23,000 [17] alt vel\n");
  folder.write("a.log", log_text());
  folder.write("kuttet.gz", std::string("\x1F\x8B\x08\0\0\0\0\0\0\3", 10));
  const std::string pack = folder / "prove.rules.toml";
  CHECK(run_program(folder, {"scan", "--pack", pack, folder / "stille.log"}).status == kExitDone);
  const Ran cut =
      run_program(folder, {"scan", "--pack", pack, folder / "stille.log", folder / "kuttet.gz"});
  CHECK(cut.status == kExitEnvironment);
  CHECK(cut.err.find("kuttet.gz") != std::string::npos);
  CHECK(lines_of(cut.out).back()["summary"]["coverage"]["complete"] == false);
  CHECK(run_program(folder, {"scan", "--pack", pack, folder / "mangler.log"}).status ==
        kExitEnvironment);
  CHECK(run_program(folder, {"scan"}).status == kExitUsage);
  CHECK(run_program(folder, {"scan", "--pack", "ingen", folder / "a.log"}).status == kExitUsage);
  CHECK(run_program(folder, {"scan", "--zone", "Europe/Osslo", folder / "a.log"}).status ==
        kExitUsage);
  CHECK(run_program(folder, {"scan", "--since", "i fjor", folder / "a.log"}).status == kExitUsage);
  CHECK(run_program(folder, {"scan", "--threads", "0", folder / "a.log"}).status == kExitUsage);
  // Only on a terminal.
  const Ran text = run_program(folder, {"scan", "--pack", pack, "--show-text", folder / "a.log"});
  CHECK(text.status == kExitUsage);
  CHECK(text.out.empty());
}

TEST_CASE("scan: only the time asked for") {
  const TempFolder folder;
  folder.write("prove.rules.toml", kPack);
  folder.write("a.log", log_text());
  const auto found = [&](const std::vector<std::string>& bounds) {
    std::vector<std::string> command{
        "scan", "--pack", folder / "prove.rules.toml", "--format", "text", "--zone", "Europe/Oslo"};
    command.insert(command.end(), bounds.begin(), bounds.end());
    command.push_back(folder / "a.log");
    const std::string out = run_program(folder, command).out;
    std::string rules;
    for (const char* rule : {"mottatt", "lagret"}) {
      if (out.find(std::string{" "} + rule) != std::string::npos) rules += rule + std::string{" "};
    }
    return rules;
  };
  CHECK(found({}) == "mottatt lagret ");
  CHECK(found({"--since", "2023-02-01T09:14:24"}) == "lagret ");
  CHECK(found({"--until", "2023-02-01T08:14:24.250Z"}) == "mottatt ");
  CHECK(found({"--since", "2023-02-02"}).empty());
}

TEST_CASE("parse_moment: as RFC 3339, or as people write it, in a zone") {
  const auto zone = testing::RuleTimeZones{}.find("Europe/Oslo");
  REQUIRE(zone.has_value());
  const auto at = [&](std::string_view text, bool zoned) {
    const auto moment = parse_moment(text, zoned ? zone.value().get() : nullptr);
    return moment ? to_rfc3339(moment.value()) : "refused";
  };
  CHECK(at("2023-02-01", false) == "2023-02-01T00:00:00.000Z");
  CHECK(at("2023-02-01", true) == "2023-01-31T23:00:00.000Z");
  CHECK(at("2023-07-01 09:30", true) == "2023-07-01T07:30:00.000Z");
  CHECK(at("2023-07-01T09:30:01", true) == "2023-07-01T07:30:01.000Z");
  CHECK(at("2023-07-01T09:30:01+05:00", true) == "2023-07-01T04:30:01.000Z");
  for (const char* wrong : {"", "i fjor", "2023", "2023-13-01", "2023-02-01T", "01.02.2023"}) {
    CAPTURE(wrong);
    CHECK(at(wrong, true) == "refused");
  }
}

}  // namespace
}  // namespace meldevakt::agent
