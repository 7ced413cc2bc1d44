// Tables of worlds with the verdict that is right for message 1.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/unit/collector/correlate/small_world.h"

namespace meldevakt::collector::testing {

struct Case {
  std::string name;
  std::function<void(SmallWorld&)> make;
  Verdict verdict;
  std::string says;  // a piece of the explanation
  double now = 3000;
};

inline void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CAPTURE(c.name);
    SmallWorld world;
    c.make(world);
    const MessageVerdict got = world.verdict(c.now);
    CAPTURE(got.explanation);
    CHECK(to_string(got.verdict) == to_string(c.verdict));
    CHECK(got.explanation.find(c.says) != std::string::npos);
    REQUIRE(!got.explanation.empty());
    CHECK(got.explanation.back() == '.');
  }
}

using W = SmallWorld&;

}  // namespace meldevakt::collector::testing
