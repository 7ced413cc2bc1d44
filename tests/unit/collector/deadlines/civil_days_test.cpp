#include "collector/deadlines/civil_days.h"

#include <doctest/doctest.h>

#include "collector/deadlines/clocks.h"
#include "collector/deadlines/deadlines.h"
#include "collector/incidents/running_clocks.h"
#include "common/testing/doubles.h"

namespace meldevakt::collector {
namespace {

Instant utc(std::string_view text) {
  return from_rfc3339(text).value();
}

TEST_CASE("civil days: the same time of day, over both changes of a year") {
  struct Case {
    std::string_view name;
    std::string_view from;
    int count;
    std::string_view due;
  };
  const Case cases[] = {
      {"no change", "2023-02-01T09:00:00+01:00", 14, "2023-02-15T09:00:00+01:00"},
      {"put forward on 26 March: an hour less", "2023-03-20T09:00:00+01:00", 7,
       "2023-03-27T09:00:00+02:00"},
      {"put back on 29 October: an hour more", "2023-10-25T09:00:00+02:00", 7,
       "2023-11-01T09:00:00+01:00"},
      {"ends right before the clock is put forward", "2023-03-19T01:59:59+01:00", 7,
       "2023-03-26T01:59:59+01:00"},
      {"ends right after it", "2023-03-19T03:00:00+01:00", 7, "2023-03-26T03:00:00+02:00"},
      {"ends in the hour that is left out: the earlier reading", "2023-03-19T02:30:00+01:00", 7,
       "2023-03-26T01:30:00+01:00"},
      {"ends in the hour that is repeated: the first of both", "2023-10-22T02:30:00+02:00", 7,
       "2023-10-29T02:30:00+02:00"},
      {"ends right after the repeated hour", "2023-10-22T03:00:00+02:00", 7,
       "2023-10-29T03:00:00+01:00"},
      {"over both changes", "2023-03-01T12:00:00+01:00", 275, "2023-12-01T12:00:00+01:00"},
      {"nothing", "2023-10-29T02:30:00+02:00", 0, "2023-10-29T02:30:00+02:00"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(to_rfc3339(add_civil_days(utc(c.from), c.count)) == to_rfc3339(utc(c.due)));
  }
}

TEST_CASE("civil days: the rule is that of Europe/Oslo") {
  meldevakt::testing::RuleTimeZones zones;
  const auto oslo = zones.find("Europe/Oslo").value();
  for (Instant at = utc("2020-01-01T00:00:00Z"); at < utc("2036-01-01T00:00:00Z");
       at = at + minutes(30)) {
    if (oslo_offset(at) == oslo->utc_offset(at)) continue;
    CAPTURE(to_rfc3339(at));
    REQUIRE(oslo_offset(at).ms == oslo->utc_offset(at).ms);
  }
}

TEST_CASE("deadlines: the act's are in days, those of the regulation in hours, over both changes") {
  struct Case {
    std::string_view sent;
    std::string_view look_at;
    std::string_view feedback;
  };
  for (const Case& c :
       {Case{"2023-03-20T09:00:00+01:00", "2023-03-27T09:00:00+02:00", "2023-04-10T09:00:00+02:00"},
        Case{"2023-10-25T09:00:00+02:00", "2023-11-01T09:00:00+01:00",
             "2023-11-15T09:00:00+01:00"}}) {
    CAPTURE(c.sent);
    MessageVerdict message;
    message.verdict = Verdict::kLost;
    message.sent = utc(c.sent);
    const auto clocks = clocks_of(message, *message.sent);
    REQUIRE(clocks.size() == 2);
    CHECK(clocks[0].due == utc(c.look_at));
    CHECK(clocks[1].due == utc(c.feedback));
  }
  for (const std::string_view aware : {"2023-03-25T09:00:00+01:00", "2023-10-28T09:00:00+02:00"}) {
    const auto clocks = clocks_of(Incident{}, utc(aware), utc(aware));
    REQUIRE(clocks.size() == 1);
    CHECK(clocks[0].due == utc(aware) + hours(72));
  }
}

TEST_CASE("purge_deadline: of both ways to count days, the earlier: nobody knows the portal's") {
  const auto purged = [](std::string_view at, const std::vector<RetentionRule>& rules) {
    return purge_deadline(rules, "", utc(at), utc(at)).value();
  };
  const std::string_view spring = "2024-03-20T09:00:00+01:00";
  const std::string_view autumn = "2024-10-20T09:00:00+02:00";
  CHECK(purged(spring, default_retention()) == utc("2024-04-19T09:00:00+02:00"));
  CHECK(purged(autumn, default_retention()) == utc(autumn) + days(30));
  // Not in whole days: hours.
  const std::vector<RetentionRule> rules{{"", {}, days(14) + hours(1)}};
  CHECK(purged(spring, rules) == utc(spring) + days(14) + hours(1));
}

}  // namespace
}  // namespace meldevakt::collector
