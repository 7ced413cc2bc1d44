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
  if (stamp->utc_offset) out += " offset " + std::to_string(stamp->utc_offset->ms / 60'000);
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
      {"%Y-%m-%d %H:%M:%S %Z", "2023-07-01 09:14:22 IST [1]", "2023-07-01T09:14:22.000"},
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
       {"", "%Y-%m-%d", "%H:%M:%S", "%Y-%m-%d %H:%M:%Q", "%Y-%m-%d %H:%M:%", "%Y-%d %H:%M",
        "kl. %Y-%m-%d %H:%M på"}) {
    CAPTURE(format);
    CHECK(read(format, "x") == "bad format");
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
