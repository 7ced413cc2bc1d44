// The seed of a property test: new for each run, printed, and given again with
// MELDEVAKT_SEED=<number>.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

#include "common/base/text.h"

namespace meldevakt::testing {

inline std::uint64_t property_seed() {
  const char* const given = std::getenv("MELDEVAKT_SEED");
  std::uint64_t seed = std::random_device{}();
  if (given != nullptr) seed = parse_u64(given).value_or(seed);
  MESSAGE("MELDEVAKT_SEED=" << seed);
  return seed;
}

}  // namespace meldevakt::testing
