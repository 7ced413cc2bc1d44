#include "agent/recognise/time_format.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"

namespace meldevakt::agent {
namespace {

std::string read(std::string_view format, std::string_view text) {
  const Result<TimeFormat> parsed = TimeFormat::parse(format);
  if (!parsed) return "bad format";
  const auto stamp = parsed.value().read(text);
  if (!stamp) return "none";
  std::string out = to_rfc3339(as_utc(stamp->local));
  out.pop_back();
  if (!stamp->has_year) out = out.substr(5);
  if (!stamp->has_date) out = out.substr(6);
  if (stamp->utc_offset) out += " offset " + std::to_string(stamp->utc_offset->ms / 60'000);
  if (stamp->unknown_zone) out += " unknown zone";
  return out;
}

TEST_CASE("TimeFormat: reads what logs write") {
  struct Case {
    std::string_view format;
    std::string_view text;
    std::string_view want;
  };
  const std::vector<Case> cases{
      {"%Y-%m-%d %H:%M:%S,%f", "2023-02-01 09:14:22,101 [17] INFO", "2023-02-01T09:14:22.101"},
      {"%Y-%m-%d %H:%M:%S.%f", "2023-02-01 09:14:22.1", "2023-02-01T09:14:22.100"},
      {"%Y-%m-%d %H:%M:%S.%f", "2023-02-01 09:14:22.123456789", "2023-02-01T09:14:22.123"},
      {"%Y-%m-%d %H:%M:%S.%f", "2023-02-01 09:14:22.", "none"},
      {"%Y-%m-%d %H:%M:%S.%f %Z", "2023-02-01 09:14:22.5 CET x",
       "2023-02-01T09:14:22.500 offset 60"},
      {"%Y-%m-%d %H:%M:%S %Z", "2023-07-01 09:14:22 CEST", "2023-07-01T09:14:22.000 offset 120"},
      {"%Y-%m-%d %H:%M:%S %Z", "2023-07-01 09:14:22 MSK [1]", "2023-07-01T09:14:22.000 offset 180"},
      {"%Y-%m-%d %H:%M:%S %Z", "2023-07-01 09:14:22 -03 [1]",
       "2023-07-01T09:14:22.000 offset -180"},
      {"%Y-%m-%d %H:%M:%S %Z", "2023-07-01 09:14:22 IST [1]",
       "2023-07-01T09:14:22.000 unknown zone"},
      {"%Y-%m-%d %H:%M:%S %Z", "2023-07-01 09:14:22 [1]", "none"},
      {"%Y-%m-%dT%H:%M:%S%z", "2019-03-14T00:22:56+00:00 app", "2019-03-14T00:22:56.000 offset 0"},
      {"%Y-%m-%dT%H:%M:%S%z", "2019-03-14T00:22:56Z", "2019-03-14T00:22:56.000 offset 0"},
      {"%Y-%m-%dT%H:%M:%S%z", "2019-03-14T00:22:56-0930", "2019-03-14T00:22:56.000 offset -570"},
      {"%Y-%m-%dT%H:%M:%S%z", "2019-03-14T00:22:56+05", "2019-03-14T00:22:56.000 offset 300"},
      {"%Y-%m-%dT%H:%M:%S%z", "2019-03-14T00:22:56+99:00", "none"},
      {"%b %d %Y %H:%M", "Feb  3 2023 09:14", "2023-02-03T09:14:00.000"},
      {"%d-%b-%Y %H:%M:%S", "28-Jun-2017 17:58:01 * x", "2017-06-28T17:58:01.000"},
      {"%d-%b-%Y %H:%M:%S", "28-Xyz-2017 17:58:01", "none"},
      {"%Y%%%m-%d %H:%M", "2023%02-01 09:14", "2023-02-01T09:14:00.000"},
      {"%Y-%m-%d %H:%M:%S", "2023-02-30 09:14:22", "none"},
      {"%Y-%m-%d %H:%M:%S", "2023-02-01 24:14:22", "none"},
      {"%Y-%m-%d %H:%M:%S", "2023-02-01 09:14:2", "none"},
      {"%Y-%m-%d %H:%M:%S", "", "none"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.format);
    CAPTURE(c.text);
    CHECK(read(c.format, c.text) == c.want);
  }
}

TEST_CASE("TimeFormat: a format that cannot give a time is refused") {
  for (const std::string_view format :
       {"", "%Y-%m-%d", "%H", "%Y %H:%M", "%m %H:%M", "%d %H:%M", "%I:%M", "%H:%M %p", "%s %Y",
        "%s%f", "%-Y-%m-%d %H:%M", "%-", "%-%", "%Y-%m-%d %H:%M:%Q", "%Y-%m-%d %H:%M:%",
        "%Y-%d %H:%M", "kl. %Y-%m-%d %H:%M på"}) {
    CAPTURE(format);
    CHECK(read(format, "x") == "bad format");
  }
}

// Every time stamp of LOGS.md and DOMAIN.md, in its own words.
TEST_CASE("TimeFormat: the formats of all logs that we know") {
  struct Case {
    std::string_view who;
    std::string_view format;
    std::string_view text;
    std::string_view want;
  };
  const std::vector<Case> cases{
      // SQL Server
      {"ERRORLOG", "%Y-%m-%d %H:%M:%S.%f", "2023-02-01 09:14:22.10 spid52",
       "2023-02-01T09:14:22.100"},
      {"process id line", "%-m/%-d/%Y %-I:%M:%S %p", "3/9/2023 1:05:07 AM (local)",
       "2023-03-09T01:05:07.000"},
      {"process id line, noon", "%-m/%-d/%Y %-I:%M:%S %p", "12/31/2023 12:00:00 PM",
       "2023-12-31T12:00:00.000"},
      {"process id line, midnight", "%-m/%-d/%Y %-I:%M:%S %p", "1/1/2023 12:00:00 am",
       "2023-01-01T00:00:00.000"},
      {"backup's creation date", "%Y/%m/%d(%H:%M:%S)", "2025/06/01(12:19:11)",
       "2025-06-01T12:19:11.000"},
      // .NET
      {"log4net", "%Y-%m-%d %H:%M:%S,%f", "2023-02-01 09:14:22,101 [17]",
       "2023-02-01T09:14:22.101"},
      {"Serilog", "%Y-%m-%d %H:%M:%S.%f %z", "2023-02-01 09:14:22.101 +01:00 [ERR]",
       "2023-02-01T09:14:22.101 offset 60"},
      {"CLEF, ticks", "%Y-%m-%dT%H:%M:%S.%f%z", "2023-02-01T08:14:22.1012345Z",
       "2023-02-01T08:14:22.101 offset 0"},
      {"CLEF, whole seconds", "%Y-%m-%dT%H:%M:%S%z", "2023-02-01T08:14:22Z",
       "2023-02-01T08:14:22.000 offset 0"},
      {"NLog", "%Y-%m-%d %H:%M:%S.%f", "2024-01-15 10:30:00.1234|ERROR|",
       "2024-01-15T10:30:00.123"},
      // Oracle
      {"alert log, old", "%a %b %d %H:%M:%S %Y", "Wed Feb 01 09:14:22 2023",
       "2023-02-01T09:14:22.000"},
      {"alert log, old, padded", "%a %b %d %H:%M:%S %Y", "Wed Feb  1 09:14:22 2023",
       "2023-02-01T09:14:22.000"},
      {"alert log, new", "%Y-%m-%dT%H:%M:%S.%f%z", "2025-12-14T00:18:54.058656+00:00",
       "2025-12-14T00:18:54.058 offset 0"},
      {"log.xml", "%Y-%m-%dT%H:%M:%S.%f%z", "2019-05-02T16:52:30.837+02:00",
       "2019-05-02T16:52:30.837 offset 120"},
      {"listener", "%d-%b-%Y %H:%M:%S", "28-JUN-2017 17:58:01 * (CONNECT",
       "2017-06-28T17:58:01.000"},
      {"RMAN", "%m/%d/%Y %H:%M:%S", "10/21/2023 17:16:45", "2023-10-21T17:16:45.000"},
      // PostgreSQL, MariaDB
      {"%t", "%Y-%m-%d %H:%M:%S %Z", "2023-02-01 09:14:22 CET [17]",
       "2023-02-01T09:14:22.000 offset 60"},
      {"%m, csvlog, jsonlog, pgbouncer", "%Y-%m-%d %H:%M:%S.%f %Z", "2024-06-27 00:00:07.369 CEST",
       "2024-06-27T00:00:07.369 offset 120"},
      {"%n", "%s", "1675239262.101 [17]", "2023-02-01T08:14:22.101 offset 0"},
      {"MySQL 5", "%y%m%d %k:%M:%S", "080721  3:04:00 [ERROR]", "2008-07-21T03:04:00.000"},
      {"MySQL 5, afternoon", "%y%m%d %k:%M:%S", "080721 13:04:00 [ERROR]",
       "2008-07-21T13:04:00.000"},
      {"MySQL 8", "%Y-%m-%dT%H:%M:%S.%f%z", "2019-05-02T14:52:30.123456Z 0 [Warning]",
       "2019-05-02T14:52:30.123 offset 0"},
      {"MariaDB", "%Y-%m-%d %k:%M:%S", "2019-05-02  6:52:30 0 [ERROR]", "2019-05-02T06:52:30.000"},
      {"slow log", "%s", "1675239262;", "2023-02-01T08:14:22.000 offset 0"},
      // Windows
      {"SystemTime", "%Y-%m-%dT%H:%M:%S.%f%z", "2017-07-12T17:16:28.214161600Z",
       "2017-07-12T17:16:28.214 offset 0"},
      {"perfmon", "%m/%d/%Y %H:%M:%S.%f", "01/15/2024 10:30:00.123", "2024-01-15T10:30:00.123"},
      {"IIS, with the Z of our view", "%Y-%m-%d %H:%M:%S%z", "2024-01-15 10:30:00Z",
       "2024-01-15T10:30:00.000 offset 0"},
      // Backup
      {"Veeam, syslog", "%Y-%m-%dT%H:%M:%S.%f%z", "2024-01-15T10:30:00.12345+01:00 HOST",
       "2024-01-15T10:30:00.123 offset 60"},
      {"Veeam, job log", "[%d.%m.%Y %H:%M:%S]", "[15.01.2024 10:30:00] <01> Info",
       "2024-01-15T10:30:00.000"},
      {"TSM", "%m/%d/%Y %H:%M:%S", "01/15/2024 10:30:00  ANR2507I", "2024-01-15T10:30:00.000"},
      {"TSM, two-digit year", "%m/%d/%y   %H:%M:%S", "01/15/24   10:30:00",
       "2024-01-15T10:30:00.000"},
      // Linux
      {"RFC 3164", "%b %e %H:%M:%S", "Feb  1 09:14:22 host", "02-01T09:14:22.000"},
      {"RFC 3164, leap day", "%b %e %H:%M:%S", "Feb 29 09:14:22 host", "02-29T09:14:22.000"},
      {"RFC 5424", "%Y-%m-%dT%H:%M:%S.%f%z", "2023-02-01T09:14:22.003+01:00 host",
       "2023-02-01T09:14:22.003 offset 60"},
      {"journal", "%s", "1675239262101234", "2023-02-01T08:14:22.101 offset 0"},
      {"sar", "%I:%M:%S %p", "10:30:01 PM     all", "22:30:01.000"},
      // Receivers
      {"logback", "%Y-%m-%d %H:%M:%S,%f", "2023-02-01 09:14:22,101 [main]",
       "2023-02-01T09:14:22.101"},
      {"forsendelser.log", "%Y-%m-%d %H:%M:%S;", "2023-02-01 09:14:22;3 nye",
       "2023-02-01T09:14:22.000"},
      {"time of day", "%H:%M:%S.%f", "09:14:22.101 [main]", "09:14:22.101"},
      {"Spring Boot", "%Y-%m-%d %H:%M:%S.%f", "2023-02-01 09:14:22.101  INFO",
       "2023-02-01T09:14:22.101"},
      // Portals and Norwegian Windows
      {"ISO local", "%Y-%m-%dT%H:%M:%S", "2021-11-08T09:24:45", "2021-11-08T09:24:45.000"},
      {"epoch milliseconds", "%s", "1675239262101", "2023-02-01T08:14:22.101 offset 0"},
      {"epoch nanoseconds", "%s", "1675239262101234567", "2023-02-01T08:14:22.101 offset 0"},
      {"Norwegian", "%d.%m.%Y %H:%M:%S", "01.02.2023 09:14:22", "2023-02-01T09:14:22.000"},
      {"Norwegian, points", "%d.%m.%Y %H.%M.%S", "01.02.2023 09.14.22", "2023-02-01T09:14:22.000"},
      {"Norwegian, narrow", "%-d.%-m.%Y %-H:%M", "1.2.2023 9:14", "2023-02-01T09:14:00.000"},
      {"Norwegian month", "%-d. %b %Y %H:%M:%S", "1. desember 2023 09:14:22",
       "2023-12-01T09:14:22.000"},
      {"Norwegian short month", "%a %d. %b %Y kl. %H.%M", "ons. 01. okt. 2023 kl. 09.14",
       "2023-10-01T09:14:00.000"},
      {"Norwegian weekday", "%a %-d. %b %Y %H:%M", "LØRDAG 6. Mai 2023 09:14",
       "2023-05-06T09:14:00.000"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.who);
    CAPTURE(c.text);
    CHECK(read(c.format, c.text) == c.want);
    // What is cut short is no time, unless what is missing was the fraction's or the zone's end.
    for (std::size_t length = 0; length < c.text.size(); ++length) {
      const std::string short_text = read(c.format, c.text.substr(0, length));
      REQUIRE(short_text != "bad format");
    }
  }
}

TEST_CASE("TimeFormat: what only looks like it is none") {
  struct Case {
    std::string_view format;
    std::string_view text;
  };
  const std::vector<Case> cases{
      {"%a %b %d %H:%M:%S %Y", "Wod Feb 01 09:14:22 2023"},
      {"%a %b %d %H:%M:%S %Y", "Wed Febr 01 09:14:22 2023"},
      {"%I:%M %p", "13:30 PM"},
      {"%I:%M %p", "00:30 AM"},
      {"%I:%M %p", "10:30 XM"},
      {"%s", "12345678"},
      {"%s", "16752392621012345678"},
      {"%s", "9999999999999999999"},
      {"%-d.%-m.%Y %H:%M", ".2.2023 09:14"},
      {"%-d.%-m.%Y %H:%M", "001.2.2023 09:14"},
      {"%y%m%d %k:%M:%S", "080721 3:04:00"},
      {"%b %e %H:%M:%S", "Feb 30 09:14:22"},
      {"%H:%M", "24:00"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(read(c.format, c.text) == "none");
  }
}

TEST_CASE("offset_from_text: offsets and abbreviations, whole") {
  CHECK(offset_from_text("1:00") == hours(1));
  CHECK(offset_from_text("-4:00") == hours(-4));
  CHECK(offset_from_text("+0530") == minutes(330));
  CHECK(offset_from_text("09:30") == minutes(570));
  CHECK(offset_from_text("2") == hours(2));
  CHECK(offset_from_text("CET") == hours(1));
  CHECK(offset_from_text("Z") == hours(0));
  for (const std::string_view text : {"", "+", "IST", "1:0", "16:00", "1:60", "1:00x", "--1:00"}) {
    CAPTURE(text);
    CHECK_FALSE(offset_from_text(text).has_value());
  }
}

TEST_CASE("TimeFormat: abbreviations that mean two things mean none") {
  CHECK(offset_of_abbreviation("CEST") == hours(2));
  CHECK(offset_of_abbreviation("UTC") == hours(0));
  for (const std::string_view name : {"IST", "BST", "CST", "EST", "cet", ""}) {
    CHECK_FALSE(offset_of_abbreviation(name).has_value());
  }
}

}  // namespace
}  // namespace meldevakt::agent
