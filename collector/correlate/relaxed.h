// Where logs name no message: which stored messages could be which receipted ones, by time, form
// type and bydel. Told beside the verdict, flagged as what it is, and never a verdict: a relaxed
// match makes nothing `stored`.
//
//   for (const RelaxedMatch& match : relaxed_matches(correlate(input, now), input, numbers)) ...
//
// For each commit that names nobody: the messages that are receipted, not refused and without a
// commit of their own, whose receipt or failure lies within Policy::nearby of it (more where its
// time is in doubt), and whose form and bydel are the same or unknown on either side. Logs tell a
// bydel's number, the portal an id of its own: they are compared through `numbers`, and an id that
// it does not hold is unknown. `only`: it could be of one message alone, and that message could
// have no other commit.
//
// Pure. Thread-safety: pure function. Bounds: kListedCandidatesMax alternatives a match; how many
// more there are is told. Cost: O((n + m) log n) of n
// messages and m commits: of how many there are more is counted, not found one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "collector/correlate/correlate.h"

namespace meldevakt::collector {

// The number of each bydel by the portal's id of it: {"b2f6...", "03"}
// (Registry::district_numbers).
using DistrictNumbers = std::map<std::string, std::string>;

struct RelaxedMatch {
  std::string fact_id;  // of the commit
  std::string agent;
  std::string source;
  Instant time;
  FormType form = FormType::kUnknown;
  std::string district;               // its number; "" when the log does not say
  std::vector<std::string> messages;  // the nearest first; kListedCandidatesMax of them
  std::size_t more = 0;
  bool only = false;
};

// Sorted by time and fact; commits that fit no message at all are told with an empty list.
// `looked_at`: what it cost.
[[nodiscard]] std::vector<RelaxedMatch> relaxed_matches(const Correlation& all,
                                                        const TenantInput& input,
                                                        const DistrictNumbers& numbers,
                                                        std::uint64_t* looked_at = nullptr);

}  // namespace meldevakt::collector
