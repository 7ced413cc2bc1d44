// The shapes that are played: the public figures of 2023, and smaller worlds for tests.
#include <string>

#include "common/testing/doubles.h"
#include "tests/sim/plan.h"

namespace meldevakt::sim {
namespace {

Instant utc(int year, int month, int day) {
  return as_utc({.year = year, .month = month, .day = day});
}

Quarter quarter(Instant from, Instant to, unsigned public_forms, unsigned private_forms) {
  return {{from, to}, public_forms, private_forms};
}

// The report's table 1; of the last quarter two thirds, since it is played until the end of May.
std::vector<Quarter> quarters_of_table_1() {
  return {quarter(utc(2020, 10, 1), utc(2021, 1, 1), 615, 554),
          quarter(utc(2021, 1, 1), utc(2021, 4, 1), 1019, 764),
          quarter(utc(2021, 4, 1), utc(2021, 7, 1), 1286, 746),
          quarter(utc(2021, 7, 1), utc(2021, 10, 1), 891, 830),
          quarter(utc(2021, 10, 1), utc(2022, 1, 1), 1391, 959),
          quarter(utc(2022, 1, 1), utc(2022, 4, 1), 1476, 970),
          quarter(utc(2022, 4, 1), utc(2022, 7, 1), 1813, 1048),
          quarter(utc(2022, 7, 1), utc(2022, 10, 1), 1273, 1081),
          quarter(utc(2022, 10, 1), utc(2023, 1, 1), 2234, 1103),
          quarter(utc(2023, 1, 1), utc(2023, 4, 1), 2756, 1178),
          quarter(utc(2023, 4, 1), utc(2023, 6, 1), 1842, 901)};
}

std::string numbered(const std::string& what, unsigned number) {
  const std::string digits = std::to_string(number);
  return what + " " + std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0') + digits;
}

}  // namespace

CountryShape whole_country() {
  CountryShape out;
  out.span = {utc(2020, 9, 25), utc(2023, 6, 5)};
  out.asked_until = utc(2023, 6, 2);
  out.patches = {utc(2023, 5, 31), utc(2023, 6, 14)};
  out.quarters = quarters_of_table_1();
  out.affected.push_back({"Bergen",
                          1,
                          24,
                          14.0,
                          {utc(2021, 1, 1), utc(2023, 5, 24)},
                          {utc(2023, 2, 1) + hours(9), utc(2023, 5, 23) + hours(11)},
                          utc(2023, 5, 25)});
  // 22 municipalities are 18 services: four of them in this region, two in one other. Assumed.
  out.affected.push_back({"Kristiansandsregionen", 4, 12, 9.0, {}, {}, {}});
  for (unsigned i = 3; i <= 18; ++i) {
    const unsigned losses = i <= 7 ? 3 : i == 8 ? 2 : 1;  // assumed; together 27
    out.affected.push_back(
        {numbered("Berørt tjeneste", i), i == 4 ? 2U : 1U, losses, 3.0, {}, {}, {}});
  }
  out.unaffected = 220;
  return out;
}

// One small country in eight is played while the portal begins to keep messages longer, one is
// patched early in one place: late enough after it, the order of what is stored shows it.
CountryShape small_country(std::uint64_t seed) {
  testing::SeededRandom random{seed};
  const bool kept_longer = seed % 8 == 6;
  const bool patched_early = seed % 8 == 4;
  CountryShape out;
  out.sends_again = seed % 2 == 1;
  Instant from = utc(2021, 1, 1) + days(static_cast<std::int64_t>(random.below(700)));
  if (kept_longer) from = utc(2023, 5, 1) + days(static_cast<std::int64_t>(random.below(30)));
  out.span = {from, from + days(56)};
  out.asked_until = out.span.to - days(2);
  out.patches = {from + days(40), from + days(54)};
  out.quarters = {quarter(from + days(1), from + days(28), 70, 50),
                  quarter(from + days(28), from + days(52), 60, 40)};
  for (unsigned i = 1; i <= 3; ++i) {
    const auto losses = static_cast<unsigned>(1 + random.below(4));
    out.affected.push_back({numbered("Berørt tjeneste", i),
                            static_cast<unsigned>(1 + random.below(3)),
                            losses,
                            3.0,
                            {from + days(1), from + days(39)},
                            {},
                            {}});
  }
  if (patched_early) {
    AffectedService& early = out.affected.back();
    early.weight = 2 * early.weight;
    early.losses_within.to = from + days(14);
    early.patched = from + days(16);
  }
  out.unaffected = static_cast<unsigned>(5 + random.below(5));
  return out;
}

CountryShape one_month(bool apart) {
  CountryShape out;
  out.all_apart = apart;
  out.span = {utc(2022, 10, 1), utc(2022, 11, 1)};
  out.asked_until = utc(2022, 10, 30);
  out.patches = {utc(2023, 5, 31), utc(2023, 6, 14)};
  out.quarters = {quarter(utc(2022, 10, 2), utc(2022, 10, 29), 36, 24)};
  out.affected.push_back({"Berørt tjeneste 001", 1, 4, 1.0, {}, {}, {}});
  return out;
}

}  // namespace meldevakt::sim
