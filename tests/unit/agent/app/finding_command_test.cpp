#include "agent/app/finding_command.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/testing/doubles.h"
#include "tests/unit/agent/temp_folder.h"

namespace meldevakt::agent {
namespace {

FindingRow finding(const std::string& id) {
  FindingRow row;
  row.id = id;
  row.tenant = "t1";
  row.finding.kind = FindingKind::kReceiptWithoutCommit;
  row.finding.references = {
      {ReferenceType::kPortalMessageId, "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"}};
  row.finding.source = "trace";
  row.finding.sentence = "En \"setning\" med blåbær.";
  return row;
}

struct Fixture {
  meldevakt::testing::TempFolder folder;
  meldevakt::testing::ManualClock clock{Instant{1'600'000'000'000}};
  std::vector<std::string> lines;
  Log log{clock, [this](std::string_view line) { lines.emplace_back(line); }};

  std::string program(const std::string& body) {
    folder.write("alarm", "#!/bin/sh\n" + body);
    ::chmod((folder / "alarm").c_str(), 0700);
    return folder / "alarm";
  }
  // Waits for the child by looking; each look gives way for a moment at most.
  void finish(FindingCommand& command, Duration steady) {
    for (int i = 0; i < 10'000 && command.busy(); ++i) {
      command.poll(steady);
      ::poll(nullptr, 0, 1);
    }
  }
};

TEST_CASE("FindingCommand: one line of JSON on standard input, nothing in the arguments") {
  Fixture f;
  FindingCommand command{
      f.program("echo \"$# $*\" >>" + (f.folder / "args") + "; cat >>" + (f.folder / "out") + "\n"),
      f.log};
  command.add(finding("one"));
  command.add(finding("two"));
  f.finish(command, {});
  REQUIRE_FALSE(command.busy());
  CHECK(f.folder.read("args") == "0 \n0 \n");
  const std::string out = f.folder.read("out");
  const std::string first = out.substr(0, out.find('\n'));
  CHECK(first == finding_json(finding("one")));
  const auto json = nlohmann::json::parse(first);
  CHECK(json["kind"] == "receipt_without_commit");
  CHECK(json["references"][0]["value"] == "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10");
  CHECK(json["sentence"] == "En \"setning\" med blåbær.");
  CHECK(f.lines.empty());
}

TEST_CASE("FindingCommand: a program that does not end is killed, and the next one runs") {
  Fixture f;
  FindingCommand command{
      f.program("read line; case \"$line\" in *one*) exec tail -f /dev/null;; esac; "
                "echo done >" +
                (f.folder / "out") + "\n"),
      f.log};
  command.add(finding("one"));
  command.add(finding("two"));
  command.poll({});
  command.poll(kFindingTimeLimit - milliseconds(1));
  CHECK(f.lines.empty());
  f.finish(command, kFindingTimeLimit);
  REQUIRE(f.lines.size() == 1);
  CHECK(f.lines[0].find("WARN agent: on_finding: the program did not end within 10 s") !=
        std::string::npos);
  CHECK(f.folder.read("out") == "done\n");
}

TEST_CASE("FindingCommand: failures are named, and the queue is bounded") {
  Fixture f;
  SUBCASE("bad status") {
    FindingCommand command{f.program("cat >/dev/null; exit 3\n"), f.log};
    command.add(finding("one"));
    f.finish(command, {});
    REQUIRE(f.lines.size() == 1);
    CHECK(f.lines[0].find("ended with status 3") != std::string::npos);
  }
  SUBCASE("no such program: said once, and tried again") {
    FindingCommand command{f.folder / "alarm", f.log};
    command.add(finding("one"));
    command.poll({});
    command.poll(kFindingRetryEvery - milliseconds(1));
    command.poll(kFindingRetryEvery);
    REQUIRE(f.lines.size() == 1);
    CHECK(f.lines[0].find("cannot be run: No such file") != std::string::npos);
    CHECK(command.take_given().empty());
    static_cast<void>(f.program("cat >/dev/null\n"));
    f.finish(command, kFindingRetryEvery + kFindingRetryEvery);
    CHECK(command.take_given() == std::vector<std::string>{"one"});
  }
  SUBCASE("too many: what there is no room for is asked for later") {
    FindingCommand command{f.program("cat >/dev/null\n"), f.log};
    for (std::size_t i = 0; i <= kFindingsWaitingMax; ++i) command.add(finding(std::to_string(i)));
    CHECK_FALSE(command.wants_more());
    f.finish(command, {});
    CHECK(command.take_given().size() == kFindingsWaitingMax);
    CHECK(command.wants_more());
    command.takes_more();
    command.add(finding("7"));  // had already; that was not committed
    command.add(finding("100"));
    f.finish(command, {});
    CHECK(command.take_given() == std::vector<std::string>{"7", "100"});
    CHECK_FALSE(command.wants_more());
    CHECK(f.lines.empty());
  }
}

TEST_CASE("FindingCommand: at the end what runs may end, and nothing more is started") {
  Fixture f;
  FindingCommand command{f.program("cat >>" + (f.folder / "out") + "\n"), f.log};
  command.add(finding("one"));
  command.add(finding("two"));
  command.poll({});
  command.end([] { return Duration{}; }, seconds(1));
  CHECK(command.take_given() == std::vector<std::string>{"one"});
  CHECK(f.folder.read("out") == finding_json(finding("one")) + "\n");
  CHECK(command.busy());
}

}  // namespace
}  // namespace meldevakt::agent
