// What [record] of a pack says, from the file's bytes to events: the shapes of the logs that
// LOGS.md describes, with text of our own.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/recogniser.h"
#include "common/testing/doubles.h"
#include "tests/unit/agent/frame/stored.h"

namespace meldevakt::agent {
namespace {

using testing_stored::stored;

std::string pack_text(std::string_view record, std::string_view rules) {
  return "pack = \"prove\"\nversion = \"1.0.0\"\nobserves = [\"db.slow\"]\n[record]\n" +
         std::string{record} + "\n" + std::string{rules};
}

// One rule of each pair: id, and what its literal and pattern are.
std::string rule(std::string_view id, std::string_view literal, std::string_view pattern) {
  return "[[rule]]\nid = \"" + std::string{id} + "\"\nsignal = \"db.slow\"\nliteral = \"" +
         std::string{literal} + "\"\npattern = '" + std::string{pattern} + "'\n";
}

std::string failure_of(std::string_view record, std::string_view rules) {
  const auto pack = load_pack(pack_text(record, rules), "prove.rules.toml");
  return pack ? "" : pack.error().message();
}

struct Reading {
  std::string_view zone;  // "" for none
  Encoding encoding = Encoding::kUtf8;
  ReadAt read_at = ReadAt::kMeansNothing;
  Instant now{};
};

// "rule@time" of every event, "?" and the doubt behind the time, "^" when it is inherited, the code
// in brackets; and "-" for a record that says nothing and gives no context.
std::string events_of(std::string_view record, std::string_view rules, std::string_view log,
                      const Reading& reading = {}) {
  const auto loaded = load_pack(pack_text(record, rules), "prove.rules.toml");
  if (!loaded) FAIL(loaded.error().message());
  const Pack& pack = *loaded.value();
  std::shared_ptr<const TimeZone> zone;
  if (!reading.zone.empty()) zone = testing::RuleTimeZones{}.find(reading.zone).value();
  Recogniser recogniser{loaded.value(), zone, PrivacyStep{""}};
  recogniser.set_read_at(reading.read_at);
  RecordFramer::Settings settings = framer_settings(pack);
  settings.encodings = {reading.encoding};
  RecordFramer framer{settings, recogniser.line_tests(), 0};
  framer.feed(stored(log, reading.encoding), reading.now);
  framer.finish();
  FileTime file;
  std::string out;
  while (const auto next = framer.next()) {
    const Recognised got = recogniser.recognise(*next, file);
    if (!out.empty()) out += " ";
    if (got.events.empty()) out += next->context ? "c" : got.known ? "known" : "-";
    for (const SignalEvent& event : got.events) {
      out += event.rule + "@" + to_rfc3339(event.time).substr(0, 19);
      if (event.time_doubt != TimeDoubt::kNone)
        out += "?" + std::string{to_string(event.time_doubt)};
      if (event.time_inherited) out += "^";
      if (!event.code.empty()) out += "(" + event.code + ")";
    }
  }
  return out;
}

constexpr std::string_view kErrorlog = R"(
starts = '\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{2} '
time = "%Y-%m-%d %H:%M:%S.%f"
joins = '(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{2} \S+ +)Error: \d+, Severity: \d+'
utc_offset_at = 'UTC adjustment: (-?\d+:\d\d)'
)";

TEST_CASE("record table: two records of one error, in UTC of the file's own words, in UTF-16") {
  const std::string rules =
      rule("deadlock",
           "Error: ", R"(Error: (?<number>{number}), Severity: 13[\s\S]*deadlock victim)") +
      "code_prefix = \"mssql/\"\n" + rule("error", "Error: ", "Error: ") +
      rule("text", "deadlock victim", "deadlock victim");
  constexpr std::string_view kLog =
      "2023-02-01 09:00:00.00 Server      some banner\r\n"
      "\tMar 1 2020\r\n\r\n"
      "2023-02-01 09:00:00.01 Server      UTC adjustment: 1:00\r\n"
      "2023-02-01 09:14:22.10 spid52      Error: 1205, Severity: 13, State: 51.\r\n"
      "2023-02-01 09:14:22.10 spid52      Process 52 was chosen as the deadlock victim.\r\n"
      "2023-02-01 09:14:22.10 spid53      Error: 1205, Severity: 13, State: 51.\r\n"
      "2023-02-01 09:14:22.10 spid52      Another deadlock victim.\r\n";
  for (const Encoding encoding : {Encoding::kUtf8, Encoding::kUtf16Le}) {
    CHECK(events_of(kErrorlog, rules, kLog, {"", encoding}) ==
          "- - deadlock@2023-02-01T08:14:22(mssql/1205) error@2023-02-01T08:14:22 "
          "text@2023-02-01T08:14:22");
  }
  // Before the file has said its offset there is no time, but with a zone.
  constexpr std::string_view kEarly =
      "2023-07-01 09:14:22.10 spid53      Error: 1205, Severity: 1\n";
  CHECK(events_of(kErrorlog, rules, kEarly) == "known");
  CHECK(events_of(kErrorlog, rules, kEarly, {"Europe/Oslo"}) == "error@2023-07-01T07:14:22");
}

TEST_CASE("record table: one header over several messages, of both styles") {
  constexpr std::string_view kAlert = R"(
starts = '\S'
continues = ['ORA-\d', 'Checkpoint not complete']
header_only = ['[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}\Z', '\d{4}-\d{2}-\d{2}T\S+\Z']
time = ["%a %b %d %H:%M:%S %Y", "%Y-%m-%dT%H:%M:%S.%f%z", "%d-%b-%Y %H:%M:%S"]
time_at = ['\A()(?:[A-Z][a-z]{2} [A-Z][a-z]{2} |\d{4}-)', '(?m)^ *Time: ()']
head_lines = 10
)";
  const std::string rules =
      rule("stall", "cannot allocate new log",
           R"(\A[^\n]*cannot allocate new log[^\n]*\nCheckpoint not complete)") +
      rule("ora", "ORA-", "ORA-0*60\\b") + rule("ni", "Fatal NI", "12170");
  CHECK(events_of(kAlert, rules,
                  "Thread 1 cannot allocate new log, sequence 6\nCheckpoint not complete\n"
                  "Wed Feb  1 09:14:22 2023\n"
                  "Thread 1 cannot allocate new log, sequence 7\nCheckpoint not complete\n"
                  "  Current log# 1\n"
                  "Errors in file /x.trc:\nORA-00060: deadlock\n"
                  "2023-02-01T09:14:23.000001+01:00\n"
                  "ORA-60 in front of all\n"
                  "PDB(3):Thread 1 cannot allocate new log, sequence 8\nCheckpoint not complete\n"
                  "***\nFatal NI connect error 12170.\n\n  VERSION\n  Time: 01-FEB-2023 10:00:00\n"
                  "Something\n",
                  {"Europe/Oslo"}) ==
        "known c stall@2023-02-01T08:14:22^ ora@2023-02-01T08:14:22^ c ora@2023-02-01T08:14:23^ "
        "stall@2023-02-01T08:14:23^ - ni@2023-02-01T09:00:00 -");
}

TEST_CASE("record table: csv of several widths, with line ends in quotes") {
  constexpr std::string_view kCsv = R"(
kind = "csv"
columns = [["log_time", "severity", "state", "message"], ["log_time", "severity", "state", "message", "backend"]]
starts = '\d{4}-'
time = "%Y-%m-%d %H:%M:%S.%f %Z"
time_field = "log_time"
body_field = "message"
)";
  const std::string rules =
      rule("timeout", "canceling statement", R"(\Acanceling statement[^\n]*\\n[^\n]*due)");
  CHECK(
      events_of(
          kCsv, rules,
          "2023-02-01 09:14:22.101 CET,\"ERROR\",57014,\"canceling statement\ndue to \"\"x\"\"\"\n"
          "2023-07-01 09:14:22.101 CEST,\"LOG\",00000,\"a canceling statement\ndue\",\"client\"\n"
          "2023-07-01 09:14:22.101 CEST,\"LOG\",00000,\"canceling statement\ndue\",\"client\"\n") ==
      "timeout@2023-02-01T08:14:22 - timeout@2023-07-01T07:14:22");
}

TEST_CASE("record table: a counter log names its columns and its bias") {
  constexpr std::string_view kPerfmon = R"toml(
kind = "csv"
columns = "header"
header_only = '"\(PDH-CSV'
time = "%m/%d/%Y %H:%M:%S.%f"
time_at = '\A[^\n=]*=()'
utc_bias_at = '\A"\(PDH-CSV [\d.]+\) \([^)]*\)\((-?\d+)\)"'
every_record = true
)toml";
  const std::string rules =
      rule("cpu", "% Processor Time", R"((?m)Processor Time=(?:9\d|100)(?:\.\d+)?$)");
  constexpr std::string_view kLog =
      "\"(PDH-CSV 4.0) (Vest-Europa (normaltid))(-60)\",\"\\\\VERT\\Processor(_Total)\\% Processor "
      "Time\"\r\n"
      "\"02/01/2023 09:14:22.101\",\" \"\r\n"
      "\"02/01/2023 09:14:32.101\",\"97.25\"\r\n";
  CHECK(events_of(kPerfmon, rules, kLog) == "c - known");  // two brackets in its name: not ours
  std::string plain{kLog};
  plain.replace(plain.find(" (normaltid)"), 12, "");
  CHECK(events_of(kPerfmon, rules, plain) == "c - cpu@2023-02-01T08:14:32");
}

TEST_CASE("record table: JSON lines, and a time that is in one of two members") {
  constexpr std::string_view kJson = R"(
kind = "json-lines"
time = ["%Y-%m-%dT%H:%M:%S.%f%z", "%s"]
time_field = ["@t", "__REALTIME_TIMESTAMP"]
byte_fields = ["MESSAGE"]
scope = { request = '(?m)^RequestId=(\w+)$' }
)";
  const std::string rules = rule("failed", "SaveChanges", R"((?m)^@x=[^\n]*SaveChanges\\r\\n)") +
                            rule("bytes", "lagret", "(?m)^MESSAGE=ikke lagret");
  CHECK(
      events_of(kJson, rules,
                "{\"@t\":\"2023-02-01T08:14:22.1012345Z\",\"@x\":\"X.SaveChanges\\r\\n at y\"}\r\n"
                "{\"__REALTIME_TIMESTAMP\":\"1675239263101234\",\"MESSAGE\":[105,107,107,101,32,"
                "108,97,103,114,101,116,229]}\n"
                "{\"@t\":\"in the morning\",\"@x\":\"SaveChanges\\r\\n\"}\n") ==
      "failed@2023-02-01T08:14:22 bytes@2023-02-01T08:14:23 failed@2023-02-01T08:14:23^");
}

TEST_CASE("record table: XML fragments") {
  constexpr std::string_view kEvents = R"(
kind = "xml"
element = "Event"
time = "%Y-%m-%dT%H:%M:%S.%f%z"
time_field = "System.TimeCreated.SystemTime"
)";
  CHECK(events_of(
            kEvents,
            rule("disk", "153",
                 R"((?m)^System\.Provider\.Name=[Dd]isk$[\s\S]*^System\.EventID=153$)"),
            "<Events><Event xmlns=\"x\"><System><Provider Name=\"disk\"/>"
            "<EventID Qualifiers=\"32772\">153</EventID>"
            "<TimeCreated SystemTime=\"2023-02-01T08:14:22.1012345Z\"/></System></Event>"
            "<Event><System><Provider Name='x'/><EventID>153</EventID>"
            "<TimeCreated SystemTime='2023-02-01T08:14:23.1012345Z'/></System></Event></Events>") ==
        "disk@2023-02-01T08:14:22 -");
}

TEST_CASE("record table: a record that names itself has one name in every copy") {
  constexpr std::string_view kNamed = R"(
kind = "json-lines"
time_field = "t"
time = "%s"
named_by = ["host", "id"]
)";
  const auto loaded = load_pack(pack_text(kNamed, rule("a", "slow", "slow")), "prove.rules.toml");
  if (!loaded) FAIL(loaded.error().message());
  const auto name_of = [&](std::string_view line) {
    Recogniser recogniser{loaded.value(), nullptr, PrivacyStep{""}};
    RecordFramer framer{framer_settings(*loaded.value()), recogniser.line_tests(), 0};
    framer.feed(std::string{line} + "\n", Instant{});
    framer.finish();
    FileTime file;
    const auto record = framer.next();
    REQUIRE(record);
    return recogniser.recognise(*record, file).own_name;
  };
  const std::string name = name_of(R"({"t":"1675217662000000","host":"a","id":7,"m":"slow"})");
  CHECK(name != "");
  CHECK(name == name_of(R"({"m":"slow too","id":7,  "host":"a","t":"1675217662000000"})"));
  // Numbers of a log that was cleared begin anew: the time is part of the name.
  CHECK(name != name_of(R"({"t":"1675217663000000","host":"a","id":7,"m":"slow"})"));
  CHECK(name != name_of(R"({"t":"1675217662000000","host":"b","id":7,"m":"slow"})"));
  // Values run into each other in no record.
  CHECK(name_of(R"({"t":"1675217662000000","host":"a\n7","id":"","m":"slow"})") !=
        name_of(R"({"t":"1675217662000000","host":"a","id":"7\n","m":"slow"})"));
  CHECK(name_of(R"({"t":"1675217662000000","host":"a","m":"slow"})") == "");
  CHECK(name_of(R"({"t":"1675217662000000","host":"a","id":7,"m":"says nothing"})") == "");
}

TEST_CASE("record table: W3C is UTC whatever the zone, and its fields change") {
  CHECK(
      events_of("kind = \"w3c\"", rule("busy", "503", "(?m)^sc-status=503$"),
                "#Fields: date time sc-status time-taken\n2023-02-01 09:14:22 503 17\n"
                "#Date: 2023-02-02 00:00:00\n#Fields: time time-taken sc-status\n09:14:23 503 200\n"
                "09:14:24 17 503\n",
                {"Europe/Oslo"}) == "c busy@2023-02-01T09:14:22 c c - busy@2023-02-02T09:14:24");
}

TEST_CASE("record table: records of one failure are joined, whatever their header") {
  constexpr std::string_view kConsole = R"(
starts = ['(?:trce|dbug|info|warn|fail|crit): ']
time = "arrival"
joins = '()fail: Microsoft\.EntityFrameworkCore\.Database\.Command\[20102\]'
)";
  const std::string rules =
      rule("save", "Update[10000]", R"([\s\S]*\[20102\][\s\S]*Update\[10000\])");
  constexpr std::string_view kLog =
      "fail: Microsoft.EntityFrameworkCore.Database.Command[20102]\n      Failed executing "
      "DbCommand (7ms)\n"
      "fail: Microsoft.EntityFrameworkCore.Update[10000]\n      An exception occurred\n"
      "info: X[0]\n      y\n";
  const Instant now = from_rfc3339("2023-02-01T08:14:22Z").value();
  CHECK(events_of(kConsole, rules, kLog, {"", Encoding::kUtf8, ReadAt::kIsArrival, now}) ==
        "save@2023-02-01T08:14:22?arrival^ -");
  CHECK(events_of(kConsole, rules, kLog, {"", Encoding::kUtf8, ReadAt::kBoundsTime, now}) ==
        "known -");
}

TEST_CASE("record table: a year left out is deduced from when it is read, then from order") {
  constexpr std::string_view kSyslog = R"(
starts = '[A-Z][a-z]{2} [ \d]\d \d{2}:'
time = "%b %e %H:%M:%S"
)";
  const Instant now = from_rfc3339("2024-01-02T00:00:00Z").value();
  CHECK(events_of(kSyslog, rule("a", "disk", "disk"),
                  "Dec 31 23:59:59 host x: disk\nJan  1 00:00:00 host x: disk\n",
                  {"Europe/Oslo", Encoding::kUtf8, ReadAt::kIsArrival, now}) ==
        "a@2023-12-31T22:59:59 a@2023-12-31T23:00:00");
}

TEST_CASE("record table: mistakes are refused with line and remedy") {
  struct Case {
    std::string_view record;
    std::string_view literal;
    std::string_view want;
  };
  constexpr std::string_view kTime = "time = \"%H:%M\"\n";
  const std::vector<Case> cases{
      {"kind = \"cvs\"", "abc", "prove.rules.toml:5: unknown kind 'cvs'; did you mean 'csv'?"},
      {"starts = 'x'", "abc", ":4: the key 'time' is missing"},
      {"", "abc", ":4: the key 'starts' is missing"},
      {"kind = \"w3c\"\nstarts = 'x'", "abc",
       R"(:6: the key 'starts' needs kind = "lines" or "csv")"},
      {"kind = \"w3c\"\ncolumns = \"header\"", "abc",
       R"(:6: the key 'columns' needs kind = "csv")"},
      {"starts = 'x'\ntime_field = \"t\"", "abc",
       "the key 'time_field' needs kind = \"csv\" or \"json-lines\""},
      {"starts = 'x'\nevery_record = true", "abc", "the key 'every_record' needs"},
      {"kind = \"csv\"", "abc", ":4: the key 'columns' is missing"},
      {"kind = \"csv\"\ncolumns = [\"a\", \"b\"]\nheader_only = 'x'", "abc",
       "in csv 'header_only' is for columns"},
      {"kind = \"csv\"\ncolumns = [[\"a\"], [\"b\"]]", "abc",
       ":6: two lists of columns have the same length"},
      {"kind = \"csv\"\ncolumns = [\"a=b\"]", "abc", ":6: a column's name has letters"},
      {"kind = \"csv\"\ncolumns = []", "abc", ":6: a list of the columns' names is needed"},
      {"kind = \"csv\"\ncolumns = [[\"a\"], \"b\"]", "abc", ":6: a list of names is needed"},
      {"kind = \"csv\"\ncolumns = [\"a\"]\ndelimiter = \", \"", "abc",
       ":7: a delimiter is one ASCII character"},
      {"kind = \"csv\"\ncolumns = [\"a\"]\ndelimiter = '\"'", "abc",
       ":7: a delimiter is one ASCII character"},
      {"kind = \"xml\"", "abc", ":4: the key 'element' is missing"},
      {"kind = \"xml\"\nelement = \"a b\"", "abc", ":6: an element's name"},
      {"starts = 'x'\njoins = 'x'", "abc", ":6: joins: the pattern has 0 capturing groups, not 1"},
      {"starts = 'x'\nhead_lines = 51", "abc", ":6: must be between 1 and 50"},
      {"starts = 'x'\ntime = \"%H\"", "abc", ":6: a time format needs hour and minute"},
      {"kind = \"json-lines\"\ntime_field = \"t\"\ntime_at = '()'", "abc", "say the same"},
      {"kind = \"json-lines\"\nbody_field = \"t\"\nbody = '()'", "abc", "say the same"},
      {"starts = 'x'\nutc_bias_at = 'x'", "abc", "utc_bias_at: the pattern has 0 capturing groups"},
      {"starts = 'x'\nnamed_by = \"id\"", "abc",
       "prove.rules.toml:6: the key 'named_by' needs kind = \"csv\" or \"json-lines\""},
      {"kind = \"json-lines\"\nnamed_by = 7", "abc",
       ":6: a string or a list of strings is needed here"},
      {"kind = \"json-lines\"\nnamed_by = [\"id\", \"\"]", "abc",
       ":6: 'named_by' has '': name fields of the record, each once"},
      {"kind = \"json-lines\"\nnamed_by = [\"id\", \"id\"]", "abc",
       ":6: 'named_by' has 'id': name fields of the record, each once"},
      {"kind = \"json-lines\"\nnamed_bye = \"id\"", "abc",
       ":6: unknown key 'named_bye' in [record]; did you mean 'named_by'?"},
      {"kind = \"w3c\"", "a=b", ":6: rule 'a': the literal 'a=b' may be written otherwise"},
      {"kind = \"w3c\"", "a b", "the literal 'a b' may be"},
      {"kind = \"json-lines\"", "a/b", "the literal 'a/b' may be"},
      {"kind = \"json-lines\"", "blå", "may be written otherwise"},
      {"kind = \"xml\"\nelement = \"msg\"", "it's", "may be written otherwise"},
      {"kind = \"csv\"\ncolumns = [\"a\"]\ndelimiter = \";\"", "a;b", "may be written otherwise"},
  };
  for (const Case& c : cases) {
    std::string record{c.record};
    if (record.find("time = ") == std::string::npos && c.want.find("'time'") == std::string::npos &&
        record.find("w3c") == std::string::npos) {
      record += "\n" + std::string{kTime};
    }
    CAPTURE(record);
    const std::string got = failure_of(record, rule("a", c.literal, "abc"));
    CAPTURE(got);
    CHECK(got.find(c.want) != std::string::npos);
  }
  CHECK(failure_of("kind = \"json-lines\"\nevery_record = true\ntime = \"%s\"",
                   rule("a", "blå=x", "abc")) == "");
  std::string many = "starts = [";
  for (int i = 0; i < 17; ++i) many += "'x',";
  CHECK(failure_of(many + "]\n" + std::string{kTime}, rule("a", "abc", "abc"))
            .find("more than 16 patterns") != std::string::npos);
  many = "kind = \"json-lines\"\nnamed_by = [";
  for (int i = 0; i < 17; ++i) many += "\"f" + std::to_string(i) + "\",";
  CHECK(failure_of(many + "]\n" + std::string{kTime}, rule("a", "abc", "abc"))
            .find("prove.rules.toml:6: more than 16 fields in 'named_by': keep those that") == 0);
}

TEST_CASE("record table: samples may have in front of them what tells how they are read") {
  const auto failures = [](std::string_view record, std::string_view sample) {
    const std::string rules =
        rule("a", "503", "503") + "match = [\"\"\"" + std::string{sample} + "\"\"\"]\n";
    const auto pack = load_pack(pack_text(record, rules), "prove.rules.toml");
    if (!pack) FAIL(pack.error().message());
    std::string out;
    for (const SampleFailure& failure : check_samples(*pack.value())) out += failure.message;
    return out;
  };
  constexpr std::string_view kW3c = "kind = \"w3c\"";
  CHECK(failures(kW3c, "#Fields: date time s\n2023-02-01 10:00:00 503\n") == "");
  CHECK(failures(kW3c, "2023-02-01 10:00:00 503").find("no whole record of kind \"w3c\"") !=
        std::string::npos);
  CHECK(failures(kW3c, "#Fields: date").find("holds no record") != std::string::npos);
  CHECK(failures(kW3c, "#Fields: date time s\n2023-02-01 10:00:00 503\n2023-02-01 10:00:00 503")
            .find("its line 3 starts a record") != std::string::npos);
  CHECK(failures(kErrorlog, "2023-02-01 09:14:22.10 spid5 503\n") == "");
}

}  // namespace
}  // namespace meldevakt::agent
