// Puts the grams of a plan into buckets, and buckets into tables. Private to agent/recognise.
// Thread-safety: pure functions, deterministic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/recognise/gram_plan.h"

namespace meldevakt::agent {

struct SampleGram {
  std::uint32_t gram = 0;
  std::uint32_t count = 0;
};

// A bucket allows every mixture of the characters of its grams: grams that are alike go together,
// and what the sample then lets through by mistake is made little by trying changes.
// Short grams, which allow anything in some places, have the last bucket to themselves.
void assign_buckets(std::vector<PlannedGram>& grams, std::vector<SampleGram> sample);

[[nodiscard]] GramTables make_tables(const std::vector<PlannedGram>& grams, bool folded,
                                     std::size_t unit);

}  // namespace meldevakt::agent
