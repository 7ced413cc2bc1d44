// Which pack fits a log: tried on the beginning of the file.
//
//   const Pack* pack = best_fit(packs, first_bytes, zones);     // nullptr: none fits
//
// A pack fits as much as it gives records a time of their own, and more where its rules know what
// they say. The first of equals, in the order of ids. Thread-safety: pure.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "agent/recognise/pack.h"
#include "common/ports/time_zone.h"

namespace meldevakt::agent {

// How much of a file is looked at.
inline constexpr std::size_t kFitBytes = 64 * 1024;

struct FitCandidate {
  std::shared_ptr<const Pack> pack;
  std::shared_ptr<const TimeZone> zone;
};
[[nodiscard]] const FitCandidate* best_fit(const std::vector<FitCandidate>& candidates,
                                           std::string_view first_bytes);

}  // namespace meldevakt::agent
