// How long what was told is kept.
#include "collector/app/told_register.h"

#include <doctest/doctest.h>

#include "tests/unit/collector/app/folder.h"

namespace meldevakt::collector {
namespace {

constexpr Instant kNow{1'675'000'000'000};

LiveFinding finding(const std::string& message, bool needs_action, Instant told) {
  LiveFinding out;
  out.tenant = "t1";
  out.message = message;
  out.told = {needs_action ? "lost" : "stored_after_receipt", needs_action};
  out.json = R"({"message":")" + message + R"(","told":")" + to_rfc3339(told) + "\"}";
  return out;
}

struct World {
  World() {
    REQUIRE(told->add({finding("closed", false, kNow), finding("open", true, kNow)}, kNow));
  }
  bool keeps(const std::string& message) {
    const auto all = told->of("t1");
    REQUIRE(all);
    return all.value().count(message) != 0;
  }
  testing::Folder folder;
  std::unique_ptr<ToldRegister> told = ToldRegister::open(folder / "told.db", true).value();
};

TEST_CASE("told: what is closed leaves after a month, what is open after a year and more") {
  struct Case {
    const char* name;
    Duration later;
    bool closed;
    bool open;
  };
  for (const Case& c : {Case{"at once", {}, true, true},
                        {"on the last day", ToldRegister::kClosedKept, true, true},
                        {"past it", ToldRegister::kClosedKept + milliseconds(1), false, true},
                        {"the last day of what is open", ToldRegister::kOpenKept, false, true},
                        {"past it", ToldRegister::kOpenKept + milliseconds(1), false, false}}) {
    CAPTURE(c.name);
    World world;
    REQUIRE(world.told->forget_old(kNow + c.later));
    CHECK(world.keeps("closed") == c.closed);
    CHECK(world.keeps("open") == c.open);
    CHECK(world.told->waiting().value().has_value() == c.closed);
  }
}

TEST_CASE("told: a change begins its time anew; one look a day; a clock set back looks again") {
  World world;
  const Instant later = kNow + days(29);
  REQUIRE(world.told->add({finding("closed", false, later)}, later));
  REQUIRE(world.told->forget_old(kNow + days(40)));
  CHECK(world.keeps("closed"));
  REQUIRE(world.told->add({finding("old", false, kNow)}, kNow));
  REQUIRE(world.told->forget_old(kNow + days(40) + hours(23)));
  CHECK(world.keeps("old"));
  REQUIRE(world.told->forget_old(kNow + days(41)));
  CHECK_FALSE(world.keeps("old"));
  CHECK(world.keeps("closed"));
  REQUIRE(world.told->add({finding("old", false, kNow)}, kNow));
  REQUIRE(world.told->forget_old(kNow + days(35)));
  CHECK_FALSE(world.keeps("old"));
}

}  // namespace
}  // namespace meldevakt::collector
