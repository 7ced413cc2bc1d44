#include "common/receipts/period.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/testing/doubles.h"

namespace meldevakt {
namespace {

std::string shown(std::string_view name) {
  testing::RuleTimeZones zones;
  const auto period = period_in_name(name, *zones.find("Europe/Oslo").value());
  return period ? to_rfc3339(period->from) + " " + to_rfc3339(period->to) : "";
}

TEST_CASE("period_in_name: two dates are a period of whole days in the zone, the last included") {
  const std::string week = "2023-01-31T23:00:00.000Z 2023-02-07T23:00:00.000Z";
  struct Case {
    std::string_view name;
    std::string want;
  };
  const std::vector<Case> cases{
      {"meldinger 2023-02-01 til 2023-02-07.csv", week},
      {"meldinger_20230201-20230207.csv", week},
      {"Meldinger 01.02.2023\xe2\x80\x93"
       "07.02.2023.csv",
       week},
      {"2023-02-012023-02-07.csv", ""},  // run together: the first is no date
      {"2023-02-01_2023-02-01.csv", "2023-01-31T23:00:00.000Z 2023-02-01T23:00:00.000Z"},
      // The days on which the clock changes have 23 and 25 hours.
      {"2023-03-26 2023-03-26.csv", "2023-03-25T23:00:00.000Z 2023-03-26T22:00:00.000Z"},
      {"2022-10-30 2022-10-30.csv", "2022-10-29T22:00:00.000Z 2022-10-30T23:00:00.000Z"},
      {"2023-02-07 2023-02-01.csv", ""},  // backwards
      {"2023-02-01.csv", ""},             // one date may be that of the export
      {"2023-02-01 2023-02-02 2023-02-03.csv", ""},
      {"2023-02-30 2023-03-01.csv", ""},  // no such day
      {"2023-13-01 2023-02-01.csv", ""},
      {"meldinger.csv", ""},
      {"", ""},
      {"1234567890123 20230201", ""},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(shown(c.name) == c.want);
  }
}

}  // namespace
}  // namespace meldevakt
