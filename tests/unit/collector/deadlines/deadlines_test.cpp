#include "collector/deadlines/deadlines.h"

#include <doctest/doctest.h>

namespace meldevakt::collector {
namespace {

Instant utc(std::string_view text) {
  return from_rfc3339(text).value();
}

TEST_CASE("purge_deadline: the portal's rules, dated") {
  struct Case {
    std::string_view name;
    std::string_view channel;
    std::string_view sent;  // "" = unknown
    std::string_view receipted;
    std::string_view deadline;  // "" = none
  };
  const Case cases[] = {
      {"the first known loss", "case_system", "2023-02-01T08:14:22Z", "2023-02-01T08:14:25Z",
       "2023-02-15T08:14:25.000Z"},
      {"the last moment of 14 days", "case_system", "2023-06-02T14:29:59.999+02:00",
       "2023-06-02T14:30:05+02:00", "2023-06-16T12:30:05.000Z"},
      {"the first moment of 30 days", "case_system", "2023-06-02T14:30:00+02:00",
       "2023-06-02T14:30:05+02:00", "2023-07-02T12:30:05.000Z"},
      {"no channel", "", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z",
       "2024-01-31T00:00:00.000Z"},
      {"a channel without a rule", "print", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z",
       "2024-01-31T00:00:00.000Z"},
      {"by hand, before", "manual", "2023-06-29T23:59:59+02:00", "2023-06-30T00:00:00Z",
       "2023-07-14T00:00:00.000Z"},
      {"by hand, from then on", "manual", "2023-06-30T00:00:00+02:00", "2023-06-30T00:00:00Z",
       "2023-07-30T00:00:00.000Z"},
      {"SvarUt keeps", "svarut", "2023-02-01T08:14:22Z", "2023-02-01T08:14:25Z", ""},
      {"not receipted", "case_system", "2023-02-01T08:14:22Z", "", ""},
      {"sending unknown: the receipt's time counts", "case_system", "", "2023-06-03T00:00:00Z",
       "2023-07-03T00:00:00.000Z"},
      {"sent before, receipted after", "case_system", "2023-06-02T00:00:00Z",
       "2023-06-03T00:00:00Z", "2023-06-17T00:00:00.000Z"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const auto maybe = [](std::string_view text) {
      return text.empty() ? std::nullopt : std::optional<Instant>{utc(text)};
    };
    const auto got =
        purge_deadline(default_retention(), c.channel, maybe(c.sent), maybe(c.receipted));
    CHECK((got ? to_rfc3339(*got) : std::string{}) == c.deadline);
  }
}

TEST_CASE("purge_deadline: a later rule is one more row, in whatever order") {
  std::vector<RetentionRule> rules = default_retention();
  rules.insert(rules.begin(), {"", utc("2030-01-01T00:00:00Z"), days(60)});
  const Instant before = utc("2029-12-31T00:00:00Z");
  const Instant after = utc("2030-01-01T00:00:00Z");
  CHECK(purge_deadline(rules, "case_system", before, before) == before + days(30));
  CHECK(purge_deadline(rules, "case_system", after, after) == after + days(60));
  CHECK(!purge_deadline({}, "case_system", after, after));
}

TEST_CASE("Category: texts") {
  CHECK(to_string(Category::kA) == "A");
  CHECK(to_string(Category::kB) == "B");
  CHECK(to_string(Category::kC) == "C");
  CHECK(to_string(Category::kNone) == "none");
}

}  // namespace
}  // namespace meldevakt::collector
