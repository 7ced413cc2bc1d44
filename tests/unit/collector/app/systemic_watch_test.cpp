#include "collector/app/systemic_watch.h"

#include <doctest/doctest.h>

namespace meldevakt::collector {
namespace {

constexpr Instant kNow{1'772'445'600'000};

std::vector<SystemicWatch::Known> three() {
  std::vector<SystemicWatch::Known> out;
  for (const char* id : {"t1", "t2", "t3"}) out.push_back({{id, id, "", kNow}, Registry{}});
  return out;
}

SystemicWatch::Sight hit() {
  SystemicWatch::Sight out;
  out.causes = {{"pg/55P03", Verdict::kLost, kNow, kNow, 1}};
  out.covered = out.answered = true;
  return out;
}

SystemicWatch::Sight clean() {
  SystemicWatch::Sight out;
  out.covered = out.answered = true;
  return out;
}

TEST_CASE("seen_in: by what the register says of when a cause was seen") {
  const Instant kStart{1'600'000'000'000};
  const Instant upgrade = kStart + days(10);
  const Registry registry{
      {{EntryKind::kProduct, "Fagsystem 4.2.1", "", kAlways},
       {EntryKind::kProduct, "Fagsystem 4.3.0", "", {upgrade, kAlways.to}},
       {EntryKind::kProduct, "Annet 1.0", "", {upgrade + days(9), kAlways.to}}}};
  const auto seen = [&](Duration first, Duration last) {
    return seen_in(registry, {{"pg/55P03", Verdict::kLost, kStart + first, kStart + last, 2}})
        .at("pg/55P03");
  };
  using Versions = std::set<std::string>;
  CHECK(seen(days(1), days(2)).versions == Versions{"4.2.1"});
  CHECK(seen(days(1), days(12)).versions == Versions{"4.2.1", "4.3.0"});
  CHECK(seen(days(11), days(12)).product == "Fagsystem");
  CHECK(seen(days(11), days(30)).product == "Annet");
  CHECK(seen(days(11), days(30)).versions == Versions{"1.0"});
  CHECK(seen_in(registry, {}).empty());
}

TEST_CASE("SystemicWatch: what one that is seen late ends is told then, and nothing before") {
  SystemicWatch before;
  before.set("t1", hit());
  before.set("t2", hit());
  before.set("t3", clean());
  const auto told = before.findings(three(), true, kNow);
  REQUIRE(told.size() == 1);
  // A new start, at which the second tenant cannot be read.
  SystemicWatch watch{{{told[0].message, told[0].told}}};
  watch.set("t1", hit());
  watch.set("t3", clean());
  CHECK(watch.findings(three(), false, kNow).empty());
  CHECK_FALSE(watch.has_news());
  watch.set("t2", clean());  // and now it can: what was lost is stored after all
  REQUIRE(watch.has_news());
  const auto over = watch.findings(three(), true, kNow);
  REQUIRE(over.size() == 1);
  CHECK(over[0].told == Told{std::string{kStateOver}, false});
  CHECK(over[0].before == told[0].told.state);
  watch.set("t2", clean());
  CHECK_FALSE(watch.has_news());
}

}  // namespace
}  // namespace meldevakt::collector
