#include "agent/source/journal_entry.h"

#include <doctest/doctest.h>

#include <string>

namespace meldevakt::agent {
namespace {

const std::string kCursor =
    "s=0123456789abcdef0123456789abcdef;i=1f;b=fedcba9876543210fedcba9876543210;m=a;"
    "t=5f3a0c2d1e0f0;x=c0ffee";

JournalEntry entry(std::vector<JournalField> fields) {
  return {parse_journal_cursor(kCursor).value(), std::move(fields)};
}

// The line behind what every line has.
std::string tail(const JournalEntry& of) {
  const std::string line = to_json_line(of);
  const std::size_t at = line.find("\"_BOOT_ID\":\"");
  return line.substr(at + 12 + 32 + 1);
}

TEST_CASE("journal cursor: read and written back, and refused when it is none") {
  const auto cursor = parse_journal_cursor(kCursor);
  REQUIRE(cursor);
  CHECK(cursor.value().sequence == 0x1f);
  CHECK(to_string(cursor.value()) == kCursor);
  for (const std::string& bad :
       {std::string{}, std::string{"s=1;i=2"}, kCursor + ";i=3", kCursor.substr(0, 40),
        kCursor + ";", std::string(1000, 'x'), "q" + kCursor.substr(1)}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_journal_cursor(bad));
  }
}

TEST_CASE("journal entry: the line that journalctl would write") {
  struct Case {
    std::string_view name;
    std::vector<JournalField> fields;
    std::string_view want;
  };
  const std::vector<Case> cases{
      {"text",
       {{"MESSAGE", "a \"b\" \\ c\n\td æ"}},
       ",\"MESSAGE\":\"a \\\"b\\\" \\\\ c\\n\\td æ\"}\n"},
      {"no UTF-8", {{"MESSAGE", "\xe6x"}}, ",\"MESSAGE\":[230,120]}\n"},
      {"control character", {{"MESSAGE", "\x1b["}}, ",\"MESSAGE\":[27,91]}\n"},
      {"C1 control character", {{"MESSAGE", "\xc2\x85"}}, ",\"MESSAGE\":[194,133]}\n"},
      {"message first",
       {{"PRIORITY", "3"}, {"MESSAGE", "m"}},
       ",\"MESSAGE\":\"m\",\"PRIORITY\":\"3\"}\n"},
      {"repeated",
       {{"X", "1"}, {"MESSAGE", "m"}, {"X", "2"}},
       ",\"MESSAGE\":\"m\",\"X\":[\"1\",\"2\"]}\n"},
      {"trusted ones only where packs use them",
       {{"_CMDLINE", "--password=x"}, {"_PID", "1"}},
       ",\"_PID\":\"1\"}\n"},
      {"a name that is none", {{"a\"b", "1"}, {"", "2"}}, "}\n"}};
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(tail(entry(c.fields)) == c.want);
  }
}

TEST_CASE("journal entry: bounds of a value, of fields and of the line") {
  const std::string letters(kJournalFieldBytesMax - 1, 'a');
  CHECK(tail(entry({{"MESSAGE", letters + "æ"}})) == ",\"MESSAGE\":\"" + letters + "\"}\n");
  CHECK(tail(entry({{"MESSAGE", letters + "b"}})) == ",\"MESSAGE\":\"" + letters + "b\"}\n");
  std::vector<JournalField> many;
  for (std::size_t i = 0; i < 2 * kJournalFieldsMax; ++i) {
    many.push_back({"F" + std::to_string(i), "\xff" + std::string(kJournalFieldBytesMax, '\xff')});
  }
  CHECK(to_json_line(entry(many)).size() <= kJournalLineBytesMax);
  CHECK(to_json_line(entry({{"MESSAGE", many[0].value}})).size() > kJournalFieldBytesMax);
}

TEST_CASE("journal filter: whose entries a source takes") {
  const std::vector<JournalField> unit{{"_SYSTEMD_UNIT", "postgresql@15-main.service"},
                                       {"SYSLOG_IDENTIFIER", "postgres"}};
  const std::vector<JournalField> kernel{{"_TRANSPORT", "kernel"}};
  const std::vector<JournalField> manager{{"_PID", "1"}, {"UNIT", "app.service"}};
  const std::vector<JournalField> liar{{"_PID", "7"}, {"_UID", "1000"}, {"UNIT", "app.service"}};
  const std::vector<JournalField> crash{{"_UID", "0"}, {"COREDUMP_UNIT", "app.service"}};
  struct Case {
    std::vector<std::string> units;
    std::vector<std::string> identifiers;
    std::vector<JournalField> fields;
    bool want;
  };
  const std::vector<Case> cases{{{"*"}, {}, kernel, true},
                                {{"kernel"}, {}, kernel, true},
                                {{"kernel"}, {}, unit, false},
                                {{"postgresql@*"}, {}, unit, true},  // its ending is added
                                {{"postgresql@*.service"}, {}, unit, true},
                                {{}, {"postgres"}, unit, true},
                                {{}, {"postgres"}, kernel, false},
                                {{"app"}, {}, manager, true},
                                {{"app"}, {}, liar, false},
                                {{"app"}, {}, crash, true}};
  for (const Case& c : cases) {
    const auto filter = parse_journal_filter(c.units, c.identifiers);
    REQUIRE(filter);
    CAPTURE(c.fields.front().value);
    CHECK(filter.value().takes(entry(c.fields)) == c.want);
  }
  CHECK_FALSE(parse_journal_filter({}, {}));
  CHECK_FALSE(parse_journal_filter({"a b"}, {}));
  CHECK_FALSE(parse_journal_filter(std::vector<std::string>(kJournalPatternsMax + 1, "a"), {}));
}

}  // namespace
}  // namespace meldevakt::agent
