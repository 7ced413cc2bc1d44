#include "collector/report/table.h"

#include <doctest/doctest.h>

#include "common/testing/doubles.h"

namespace meldevakt::collector {
namespace {

TEST_CASE("with_local_times: what people read has the time of their clock") {
  const auto zone = meldevakt::testing::RuleTimeZones{}.find("Europe/Oslo").value();
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {{"", ""},
                        {"none", "none"},
                        {"2023-02-01T08:14:23.000Z", "01.02.2023 09:14:23"},
                        {"between 2023-02-01T08:14:23.000Z and 2023-07-01T22:30:00.999Z.",
                         "between 01.02.2023 09:14:23 and 02.07.2023 00:30:00."},
                        // A cell of a table keeps its width, the last one of a line does not.
                        {"2023-02-01T08:14:23.000Z  read", "01.02.2023 09:14:23       read"},
                        {"x 2023-02-01T08:14:23.000Z\n", "x 01.02.2023 09:14:23\n"},
                        // What is no such time stays as it is.
                        {"2023-02-31T08:14:23.000Z", "2023-02-31T08:14:23.000Z"},
                        {"2023-02-01T08:14:23Z", "2023-02-01T08:14:23Z"},
                        {"2023-02-01T08:14:23.000", "2023-02-01T08:14:23.000"},
                        {"æ12023-02-01T08:14:23.000Z", "æ101.02.2023 09:14:23"}};
  for (const Case& c : cases) CHECK(with_local_times(c.text, *zone) == c.want);
}

}  // namespace
}  // namespace meldevakt::collector
