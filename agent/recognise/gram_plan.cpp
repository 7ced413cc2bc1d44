#include "agent/recognise/gram_plan.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <tuple>
#include <utility>

#include "agent/recognise/gram_buckets.h"

namespace meldevakt::agent {
namespace {

constexpr std::uint32_t kHighBits = 0x80808080U;

// The gram of `length` characters at character `at`; characters count by their low bytes.
std::uint32_t gram_at(std::string_view text, std::size_t at, std::size_t length, std::size_t unit) {
  std::uint32_t gram = 0;
  for (std::size_t i = 0; i < length; ++i) {
    gram |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(text[(at + i) * unit])) << (8 * i);
  }
  return gram;
}

// The grams of the sample with how often they occur, in the order of the grams.
std::vector<SampleGram> sample_grams(std::string_view sample, std::size_t unit, bool fold) {
  sample = sample.substr(0, kSampleBytesMax);
  std::vector<std::uint32_t> all;
  all.reserve(sample.size() / unit);
  for (std::size_t at = 0; (at + kGramPlaces) * unit <= sample.size(); ++at) {
    const std::uint32_t gram = gram_at(sample, at, kGramPlaces, unit);
    if ((gram & kHighBits) == 0) all.push_back(fold ? folded_gram(gram) : gram);
  }
  std::sort(all.begin(), all.end());
  std::vector<SampleGram> grams;
  for (const std::uint32_t gram : all) {
    if (grams.empty() || grams.back().gram != gram) grams.push_back({gram, 0});
    ++grams.back().count;
  }
  return grams;
}

// A place in a literal where its gram may be taken.
struct Choice {
  std::uint32_t gram = 0;
  std::uint32_t literal = 0;
  std::uint8_t offset = 0;
};

// Weighted set cover, greedily: again and again the gram that costs least for what it newly covers.
class Cover {
 public:
  Cover(std::vector<Choice> choices, std::size_t literals, const std::vector<SampleGram>& sample);
  std::vector<PlannedGram> take();
  void add_others(std::vector<PlannedGram>& grams) const;

 private:
  struct Group {  // of choices with the same gram
    std::size_t from = 0;
    std::size_t to = 0;
    std::uint64_t cost = 0;
  };
  template <typename Visit>
  void for_uncovered(const Group& group, const Visit& visit) const;

  std::vector<Choice> choices_;
  std::vector<Group> groups_;
  std::vector<bool> covered_;  // by literal
};

// A gram that the sample does not hold costs a little too: it has to be looked for, and the more
// common its characters are, the more mixtures of it with others will be met.
constexpr std::uint64_t kGramCost = 32;
constexpr std::uint64_t kOccurrenceCost = 16;

class MixtureCost {
 public:
  explicit MixtureCost(const std::vector<SampleGram>& sample) {
    for (const SampleGram& s : sample) {
      counts_[s.gram & 0xFFU] += s.count;
      total_ += s.count;
    }
  }
  // Of all places in the sample, so many would hold the gram if characters came by themselves.
  [[nodiscard]] std::uint64_t of(std::uint32_t gram) const {
    if (total_ == 0) return 0;
    std::uint64_t expected = total_ * kOccurrenceCost * kMixtures;
    for (std::size_t place = 0; place < kGramPlaces; ++place) {
      expected = expected * (counts_[(gram >> (8 * place)) & 0xFFU] + 1) / total_;
    }
    return expected;
  }

 private:
  static constexpr std::uint64_t kMixtures = 16;  // of two nibbles at each of four places, or so
  std::array<std::uint64_t, 256> counts_{};
  std::uint64_t total_ = 0;
};

Cover::Cover(std::vector<Choice> choices, std::size_t literals,
             const std::vector<SampleGram>& sample)
    : choices_{std::move(choices)}, covered_(literals) {
  std::sort(choices_.begin(), choices_.end(), [](const Choice& a, const Choice& b) {
    return std::tie(a.gram, a.literal, a.offset) < std::tie(b.gram, b.literal, b.offset);
  });
  const MixtureCost mixtures{sample};
  for (std::size_t at = 0; at < choices_.size();) {
    const std::uint32_t gram = choices_[at].gram;
    Group group{at, at, kGramCost + mixtures.of(gram)};
    while (at < choices_.size() && choices_[at].gram == gram) ++at;
    group.to = at;
    const auto known =
        std::lower_bound(sample.begin(), sample.end(), gram,
                         [](const SampleGram& a, std::uint32_t b) { return a.gram < b; });
    if (known != sample.end() && known->gram == gram) group.cost += kOccurrenceCost * known->count;
    groups_.push_back(group);
  }
}

// Each literal once, at its first place.
template <typename Visit>
void Cover::for_uncovered(const Group& group, const Visit& visit) const {
  for (std::size_t i = group.from; i < group.to; ++i) {
    const bool repeated = i > group.from && choices_[i].literal == choices_[i - 1].literal;
    if (!repeated && !covered_[choices_[i].literal]) visit(choices_[i]);
  }
}

std::vector<PlannedGram> Cover::take() {
  std::vector<PlannedGram> grams;
  while (true) {
    const Group* best = nullptr;
    std::uint64_t best_newly = 0;
    for (const Group& group : groups_) {
      std::uint64_t newly = 0;
      for_uncovered(group, [&newly](const Choice&) { ++newly; });
      if (newly == 0) continue;
      if (best != nullptr && group.cost * best_newly >= best->cost * newly) continue;
      best = &group;
      best_newly = newly;
    }
    if (best == nullptr) return grams;
    PlannedGram gram{choices_[best->from].gram, kGramPlaces, 0, {}, {}};
    for_uncovered(*best, [&gram](const Choice& choice) {
      gram.literals.push_back({choice.literal, choice.offset});
    });
    for (const PlannedLiteral& literal : gram.literals) covered_[literal.literal] = true;
    grams.push_back(std::move(gram));
  }
}

void Cover::add_others(std::vector<PlannedGram>& grams) const {
  std::vector<PlannedGram*> alone(covered_.size());  // by literal
  for (PlannedGram& gram : grams) {
    if (gram.literals.size() == 1) alone[gram.literals.front().literal] = &gram;
  }
  for (const Choice& choice : choices_) {
    PlannedGram* const gram = alone[choice.literal];
    if (gram != nullptr) gram->others.push_back({choice.gram, choice.offset});
  }
}

// A literal that is no longer than a gram has but one place for it, its beginning.
void add_short(std::vector<PlannedGram>& grams, std::uint32_t gram, std::size_t length,
               std::uint32_t literal) {
  for (PlannedGram& known : grams) {
    if (known.gram == gram && known.length == length) {
      known.literals.push_back({literal, 0});
      return;
    }
  }
  grams.push_back({gram, static_cast<std::uint8_t>(length), 0, {{literal, 0}}, {}});
}

// ASCII grams where the literal has any: the loop for them is shorter.
void add_choices(std::vector<Choice>& choices, const ScanLiteral& literal, std::uint32_t index,
                 std::size_t unit, bool fold) {
  const std::size_t last = std::min(literal.bytes.size() / unit - kGramPlaces, kOffsetMax);
  const auto at = [&](std::size_t offset) {
    return gram_at(literal.bytes, offset, kGramPlaces, unit);
  };
  bool has_ascii = false;
  for (std::size_t i = 0; i <= last; ++i) has_ascii |= (at(i) & kHighBits) == 0;
  for (std::size_t i = 0; i <= last; ++i) {
    if (has_ascii && (at(i) & kHighBits) != 0) continue;
    choices.push_back({fold ? folded_gram(at(i)) : at(i), index, static_cast<std::uint8_t>(i)});
  }
}

}  // namespace

std::uint32_t folded_gram(std::uint32_t gram) {
  std::uint32_t out = 0;
  for (std::size_t place = 0; place < kGramPlaces; ++place) {
    const auto c = static_cast<char>(gram >> (8 * place));
    out |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(folded(c))) << (8 * place);
  }
  return out;
}

GramPlan make_plan(const std::vector<ScanLiteral>& literals, std::string_view sample,
                   std::size_t unit) {
  GramPlan plan;
  for (const ScanLiteral& literal : literals) plan.folded |= literal.ignore_case;
  std::vector<SampleGram> seen = sample_grams(sample, unit, plan.folded);
  std::vector<Choice> choices;
  for (std::uint32_t i = 0; i < literals.size(); ++i) {
    const std::size_t length = literals[i].bytes.size() / unit;
    if (length >= kGramPlaces) {
      add_choices(choices, literals[i], i, unit, plan.folded);
    } else {
      const std::uint32_t gram = gram_at(literals[i].bytes, 0, length, unit);
      add_short(plan.grams, plan.folded ? folded_gram(gram) : gram, length, i);
    }
  }
  Cover cover{std::move(choices), literals.size(), seen};
  std::vector<PlannedGram> longer = cover.take();
  cover.add_others(longer);
  std::move(longer.begin(), longer.end(), std::back_inserter(plan.grams));
  assign_buckets(plan.grams, std::move(seen));
  for (PlannedGram& gram : plan.grams) gram.others.clear();
  plan.tables = make_tables(plan.grams, plan.folded, unit);
  return plan;
}

}  // namespace meldevakt::agent
