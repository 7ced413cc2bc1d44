#include "agent/app/clock_claim.h"

#include <cstdlib>

namespace meldevakt::agent {
namespace {

std::string in_seconds(Duration duration) {
  return std::to_string(duration.ms / 1000) + "." + std::to_string(duration.ms % 1000 / 100) + " s";
}

}  // namespace

Duration known_clock_error(const ClockQuality& quality, Duration error_max) {
  if (!quality.synchronised) return error_max;
  return milliseconds((std::abs(quality.offset_us) + quality.max_error_us) / 1000 + 1);
}

ClockState clock_state(const ClockQuality& quality, Duration error_max,
                       const std::optional<ClockDifference>& difference) {
  ClockState out;
  out.source = quality.synchronised ? "synchronised" : "unsynchronised";
  out.offset_us = quality.synchronised ? quality.offset_us : 0;
  out.max_error_us = quality.synchronised ? quality.max_error_us : error_max.ms * 1000;
  const Duration known = known_clock_error(quality, error_max);
  const Duration claimed = claimed_clock_error(known, difference);
  if (claimed > known) out.max_error_us = claimed.ms * 1000;
  return out;
}

std::string words_of_difference(Duration known, const std::optional<ClockDifference>& difference) {
  if (claimed_clock_error(known, difference) == known) return "";
  if (difference->least > Duration{}) return in_seconds(difference->least) + " ahead of";
  return in_seconds(Duration{} - difference->most) + " behind";
}

}  // namespace meldevakt::agent
