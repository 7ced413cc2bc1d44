#include "collector/registry/registry.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "collector/registry/registry_csv.h"
#include "common/testing/doubles.h"

namespace meldevakt::collector {
namespace {

Instant day(int year, int month = 1, int date = 1) {
  return as_utc({.year = year, .month = month, .day = date});
}
Interval since(Instant from) {
  return {from, kAlways.to};
}
using Numbers = std::vector<std::string>;

// Whom it serves in the second that begins then.
Numbers served_at(const Registry& registry, Instant at) {
  Numbers out;
  for (const Membership& one : registry.memberships({at, at + seconds(1)})) {
    out.push_back(one.municipality);
  }
  return out;
}

TEST_CASE("registry: what can be meant") {
  struct Case {
    EntryKind kind;
    std::string value;
    std::string label;
    bool good;
  };
  const std::vector<Case> cases{
      {EntryKind::kOrganisation, "123456785", "", true},
      {EntryKind::kOrganisation, "123456786", "", false},
      {EntryKind::kOrganisation, "12345678", "", false},
      {EntryKind::kMunicipality, "0301", "", true},
      {EntryKind::kMunicipality, "301", "", false},
      {EntryKind::kMunicipality, "1505", "1508", true},
      {EntryKind::kMunicipality, "1505", "Ålesund", false},
      {EntryKind::kDistrict, "0301/03", "Sagene", true},
      {EntryKind::kDistrict, "0301-03", "", false},
      {EntryKind::kDistrictId, "b2f6a0c4", "0301/03", true},
      {EntryKind::kDistrictId, "b2f6a0c4", "Sagene", false},
      {EntryKind::kDistrictId, "b2f6 a0c4", "0301/03", false},
      {EntryKind::kPatch, "fixed", "", true},
      {EntryKind::kPatch, "repaired", "", false},
      {EntryKind::kName, "", "", false},
      {EntryKind::kName, std::string(201, 'x'), "", false},
      {EntryKind::kContact, "dpo", "Kari Prøve, dpo@eksempel.example", true},
      {EntryKind::kContact, "dpo", "to\nlinjer", false},
      {EntryKind::kContact, "dpo", std::string(401, 'x'), false},
      {EntryKind::kContact, "dpo", "\xff", false},
      {EntryKind::kPortal, "npb", "", true},
      {EntryKind::kProduct, "Fagsystem 4.2.1", "", true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.value);
    CAPTURE(c.label);
    CHECK(check_entry({c.kind, c.value, c.label, kAlways}).has_value() == c.good);
  }
  CHECK_FALSE(check_entry({EntryKind::kName, "A", "", {day(2024), day(2020)}}));
  // What a contact's label says is never repeated.
  const auto refused = check_entry({EntryKind::kContact, "dpo", "hemmelig\n", kAlways});
  CHECK(refused.error().message().find("hemmelig") == std::string::npos);
}

TEST_CASE("registry: a product's value is its name and its version") {
  struct Case {
    std::string_view value;
    std::string_view product;
    std::string_view version;
  };
  for (const Case& c : std::vector<Case>{{"Fagsystem 4.2.1", "Fagsystem", "4.2.1"},
                                         {"Fagsystem  v3", "Fagsystem", "3"},
                                         {"Eit fagsystem 2023.1", "Eit fagsystem", "2023.1"},
                                         {"Fagsystem", "Fagsystem", ""},
                                         {"Fagsystem vest", "Fagsystem vest", ""},
                                         {"4.2", "4.2", ""},
                                         {"", "", ""}}) {
    CAPTURE(c.value);
    CHECK(product_version(c.value).product == c.product);
    CHECK(product_version(c.value).version == c.version);
  }
}

TEST_CASE("registry: values hold for their time, and the later one ends the one before") {
  const Registry registry{{{EntryKind::kName, "Gamle", "", kAlways},
                           {EntryKind::kName, "Nye", "", since(day(2020))},
                           {EntryKind::kProduct, "Fagsystem 4.1", "", since(day(2019))},
                           {EntryKind::kProduct, "Fagsystem 4.2", "", since(day(2023, 5, 25))},
                           {EntryKind::kProduct, "Fagsystem 4.3", "", since(day(2023, 5, 25))}}};
  CHECK(registry.value(EntryKind::kName, day(2019, 12, 31)) == "Gamle");
  CHECK(registry.value(EntryKind::kName, day(2020)) == "Nye");
  CHECK(registry.value(EntryKind::kProduct, day(2018)).empty());
  CHECK(registry.value(EntryKind::kProduct, day(2023, 5, 24)) == "Fagsystem 4.1");
  CHECK(registry.value(EntryKind::kProduct, day(2024)) == "Fagsystem 4.3");  // entered last
}

TEST_CASE("registry: in use from the first to the last day of its portals") {
  const Interval asked{day(2021), day(2023)};
  const auto used = [&](const std::vector<Interval>& spans) {
    std::vector<RegistryEntry> added;
    for (const Interval& span : spans) {
      added.push_back({EntryKind::kPortal, "p" + std::to_string(added.size()), "", span});
    }
    return Registry{added}.used(asked);
  };
  CHECK(used({}) == asked);
  CHECK(used({kAlways}) == asked);
  CHECK(used({{day(2022), kAlways.to}}) == Interval{day(2022), day(2023)});
  CHECK(used({{day(2020), day(2022)}}) == Interval{day(2021), day(2022)});
  CHECK(used({{day(2020), day(2021, 6, 1)}, {day(2022, 6, 1), kAlways.to}}) == asked);
  CHECK(used({{day(2023), kAlways.to}}).empty());
  CHECK(used({{day(2019), day(2021)}}).empty());
  CHECK(used({{day(2019), day(2021)}, {day(2022), day(2022, 2, 1)}}) ==
        Interval{day(2022), day(2022, 2, 1)});
}

TEST_CASE("registry: an agent or a source that was not in use, and when") {
  const std::string agent(32, 'a');
  const RegistryEntry whole{EntryKind::kUnused, agent, "", since(day(2024))};
  const RegistryEntry source{EntryKind::kUnused, agent + "/trace", "", {kAlways.from, day(2023)}};
  CHECK(check_entry(whole));
  CHECK(check_entry(source));
  CHECK(Registry{{whole, source}}.unused() ==
        std::vector<UnusedEntry>{{agent, "trace", {kAlways.from, day(2023)}},
                                 {agent, "", since(day(2024))}});
  for (const char* value : {"trace", "", "aaaa/trace"}) {
    CAPTURE(value);
    CHECK_FALSE(check_entry({EntryKind::kUnused, value, "", since(day(2024))}));
  }
  CHECK_FALSE(check_entry({EntryKind::kUnused, agent + "/", "", since(day(2024))}));
  CHECK_FALSE(check_entry({EntryKind::kUnused, agent, "", kAlways}));
}

TEST_CASE("registry: an entry is corrected and taken back by a further one") {
  std::vector<RegistryEntry> added{{EntryKind::kMunicipality, "4601", "", kAlways},
                                   {EntryKind::kMunicipality, "4602", "", since(day(2020))}};
  CHECK(served_at(Registry{added}, day(2023)) == Numbers{"4601", "4602"});
  added.push_back({EntryKind::kMunicipality, "4602", "", {day(2020), day(2020)}});
  CHECK(served_at(Registry{added}, day(2023)) == Numbers{"4601"});
  added.push_back({EntryKind::kMunicipality, "4602", "", since(day(2020))});
  CHECK(served_at(Registry{added}, day(2023)) == Numbers{"4601", "4602"});
}

TEST_CASE("registry: a municipality that merged on 1 January is counted where it went") {
  const Registry registry{{{EntryKind::kMunicipality, "1504", "1507", {kAlways.from, day(2020)}},
                           {EntryKind::kMunicipality, "1534", "1507", {kAlways.from, day(2020)}},
                           {EntryKind::kMunicipality, "1507", "1508", {day(2020), day(2024)}},
                           {EntryKind::kMunicipality, "1508", "", since(day(2024))}}};
  CHECK(served_at(registry, day(2019, 12, 31)) == Numbers{"1504", "1534"});
  CHECK(served_at(registry, day(2020)) == Numbers{"1507"});
  CHECK(served_at(registry, day(2023, 12, 31)) == Numbers{"1507"});
  CHECK(served_at(registry, day(2024)) == Numbers{"1508"});
  // Served until then, not merged: only in the time until then.
  const Registry left{{{EntryKind::kMunicipality, "4204", "", {kAlways.from, day(2022)}}}};
  CHECK(left.memberships({day(2021), day(2023)}) ==
        std::vector<Membership>{{"4204", {day(2021), day(2022)}}});
  CHECK(left.memberships({day(2022), day(2023)}).empty());
  CHECK(left.names_municipalities());
  CHECK_FALSE(Registry{}.names_municipalities());
  // What was lost in the old one is counted in the new one, for the time in which it was one.
  CHECK(
      registry.memberships({day(2023), day(2025)}) ==
      std::vector<Membership>{{"1508", {day(2023), day(2024)}}, {"1508", {day(2024), day(2025)}}});
  // Nonsense that goes round in a circle ends.
  const Registry circle{{{EntryKind::kMunicipality, "1001", "1002", {kAlways.from, day(2020)}},
                         {EntryKind::kMunicipality, "1002", "1001", {kAlways.from, day(2020)}}}};
  CHECK(served_at(circle, day(2019)).size() <= 2);
}

TEST_CASE("registry: what is so already changes nothing") {
  const RegistryEntry name{EntryKind::kName, "Bø", "", kAlways};
  const RegistryEntry other{EntryKind::kName, "Midt-Telemark", "", kAlways};
  const RegistryEntry contact{EntryKind::kContact, "dpo", "A", kAlways};
  CHECK(entries_that_change({}, {name, name}) == std::vector<RegistryEntry>{name});
  CHECK(entries_that_change({name, contact}, {name, contact}).empty());
  CHECK(entries_that_change({name}, {other, name}) == std::vector<RegistryEntry>{other, name});
  CHECK(entries_that_change({name, other}, {name}) == std::vector<RegistryEntry>{name});
}

TEST_CASE("registry: activation and patch state") {
  const Registry none{};
  CHECK_FALSE(none.activated());
  CHECK_FALSE(none.fixed_since(day(2024)));
  std::vector<RegistryEntry> added{{EntryKind::kPortal, "npb", "", since(day(2020, 9, 25))},
                                   {EntryKind::kPortal, "svarut", "", kAlways},
                                   {EntryKind::kPatch, "affected", "", since(day(2020, 9, 25))},
                                   {EntryKind::kPatch, "fixed", "", since(day(2023, 5, 22))}};
  CHECK(Registry{added}.activated() == day(2020, 9, 25));
  CHECK(Registry{added}.fixed_since(day(2023, 5, 22)) == day(2023, 5, 22));
  CHECK_FALSE(Registry{added}.fixed_since(day(2023, 5, 21)));  // planned, and not there yet
  added.push_back({EntryKind::kPatch, "affected", "", since(day(2023, 5, 23))});
  CHECK_FALSE(Registry{added}.fixed_since(day(2024)));
  CHECK(Registry{added}.of(EntryKind::kPortal, day(2021)).size() == 2);
}

TEST_CASE("registry: the portal's ids of bydeler, whenever they held, by number") {
  const Instant half{1'600'000'000'000};
  const Registry registry{{{EntryKind::kDistrictId, "a", "0301/03", {kAlways.from, half}},
                           {EntryKind::kDistrictId, "b", "0301/04"},
                           {EntryKind::kDistrictId, "b", "0301/05"},  // corrected
                           {EntryKind::kDistrict, "0301/03", "Sagene"}}};
  const std::map<std::string, std::string> expected{{"a", "03"}, {"b", "05"}};
  CHECK(registry.district_numbers() == expected);
}

TEST_CASE("registry: a CSV's rows, each for itself") {
  meldevakt::testing::RuleTimeZones zones;
  const auto zone = zones.find("Europe/Oslo").value();
  const auto rows = parse_registry(
      "\xEF\xBB\xBFkind;tenant;value;label;until;from\r\n"
      "municipality;Eksempel kommune;1505;1508;2024-01-01;\r\n"
      "contact;Eksempel kommune;dpo;\"Kari Prøve; dpo@eksempel.example\";;2023-07-01\r\n"
      "portal;B kommune;npb;;;2020-09-25T06:00:00Z\r\n"
      "\r\n"
      "municipalty;B kommune;1505;;;\r\n"
      "organisation;B kommune;1;;;\r\n"
      "name;;B;;;\r\n"
      "name;B kommune;B;;;i går\r\n",
      *zone);
  REQUIRE(rows);
  CHECK(rows.value().rows == 7);
  REQUIRE(rows.value().entries.size() == 3);
  CHECK(rows.value().entries[0].entry ==
        RegistryEntry{EntryKind::kMunicipality,
                      "1505",
                      "1508",
                      {kAlways.from, from_rfc3339("2023-12-31T23:00:00Z").value()}});
  CHECK(rows.value().entries[1].entry.label == "Kari Prøve; dpo@eksempel.example");
  CHECK(rows.value().entries[1].entry.span.from == from_rfc3339("2023-06-30T22:00:00Z").value());
  CHECK(rows.value().entries[2].tenant == "B kommune");
  CHECK(rows.value().bad_rows == 4);
  REQUIRE(rows.value().errors.size() == 4);
  CHECK(rows.value().errors[0].row == 6);
  CHECK(rows.value().errors[0].message.find("did you mean 'municipality'?") != std::string::npos);
  CHECK(rows.value().errors[1].message.find("nine digits") != std::string::npos);
  CHECK(rows.value().errors[3].message.find("from") != std::string::npos);

  const std::vector<std::string> refused{"", "tenant;kind\nA;name\n", "tenant;kind;valu\n",
                                         "tenant;kind;value;kind\n", "tenant;kind;value\n\xff;;\n"};
  for (const std::string& csv : refused) {
    CAPTURE(csv);
    CHECK_FALSE(parse_registry(csv, *zone));
  }
}

TEST_CASE("registry_time: a date, RFC 3339, or as it is printed") {
  const auto zone = meldevakt::testing::RuleTimeZones{}.find("Europe/Oslo").value();
  const auto time = [&](std::string_view text) { return registry_time(text, {}, *zone); };
  const Instant midnight = from_rfc3339("2023-01-31T23:00:00Z").value();
  CHECK(time("2023-02-01").value() == midnight);
  CHECK(time("01.02.2023").value() == midnight);
  CHECK(time("01.02.2023 09:14:23").value() == from_rfc3339("2023-02-01T08:14:23Z").value());
  CHECK(time("2023-02-01T08:14:23Z").value() == from_rfc3339("2023-02-01T08:14:23Z").value());
  for (const char* bad : {"1.2.2023", "32.01.2023", "01.02.2023T09:14:23", "01.02.2023 9",
                          "01.02.23", "01.02.2023 09:14:23 ", "x", "2023-02-01 09:14:23"}) {
    CAPTURE(bad);
    CHECK_FALSE(time(bad));
  }
}

TEST_CASE("next_change: when an entry begins or ends to hold") {
  const auto day = [](int n) { return Instant{} + days(n); };
  const Registry registry{{{EntryKind::kName, "Aure", "", kAlways},
                           {EntryKind::kProduct, "Fagsystem 4.1", "", {day(2), day(9)}},
                           {EntryKind::kProduct, "Fagsystem 4.2", "", {day(9), kAlways.to}}}};
  CHECK(registry.next_change(day(1)) == day(2));
  CHECK(registry.next_change(day(2)) == day(9));
  CHECK(registry.next_change(day(9)) == std::nullopt);
  CHECK(Registry{}.next_change(day(1)) == std::nullopt);
}

}  // namespace
}  // namespace meldevakt::collector
