#include "agent/recognise/gram_buckets.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace meldevakt::agent {
namespace {

constexpr std::size_t kTrials = 1500;

std::uint8_t character(std::uint32_t gram, std::size_t place) {
  return static_cast<std::uint8_t>(gram >> (8 * place));
}

void allow(GramTables& tables, std::size_t place, std::uint8_t byte, unsigned bucket) {
  tables.low[place][byte & 0x0FU] |= static_cast<std::uint8_t>(1U << bucket);
  tables.high[place][byte >> 4U] |= static_cast<std::uint8_t>(1U << bucket);
}

void allow_any(GramTables& tables, std::size_t place, unsigned bucket) {
  for (std::size_t nibble = 0; nibble < 16; ++nibble) {
    tables.low[place][nibble] |= static_cast<std::uint8_t>(1U << bucket);
    tables.high[place][nibble] |= static_cast<std::uint8_t>(1U << bucket);
  }
}

// The tables of grams that come and go.
class LiveTables {
 public:
  void add(const PlannedGram& gram) { change(gram, 1); }
  void remove(const PlannedGram& gram) { change(gram, -1); }

  // The buckets that allow the byte.
  [[nodiscard]] unsigned buckets_of(std::size_t place, std::uint32_t byte) const {
    return allowed_[place][byte & 0xFFU];
  }

 private:
  using Counts = std::array<std::array<std::uint16_t, kGramBuckets>, 16>;

  void change(const PlannedGram& gram, int by) {
    for (std::size_t place = 0; place < kGramPlaces; ++place) {
      const std::uint8_t byte = character(gram.gram, place);
      std::uint16_t& low = low_[place][byte & 0x0FU][gram.bucket];
      std::uint16_t& high = high_[place][byte >> 4U][gram.bucket];
      low = static_cast<std::uint16_t>(low + by);
      high = static_cast<std::uint16_t>(high + by);
      const auto bit = static_cast<std::uint8_t>(1U << gram.bucket);
      // What shares a nibble with the byte may have changed.
      for (unsigned other = 0; other < 16; ++other) {
        allow(place, other << 4U | (byte & 0x0FU), gram.bucket, bit);
        allow(place, (byte & 0xF0U) | other, gram.bucket, bit);
      }
    }
  }
  void allow(std::size_t place, unsigned byte, std::size_t bucket, std::uint8_t bit) {
    const bool is_allowed =
        low_[place][byte & 0x0FU][bucket] > 0 && high_[place][byte >> 4U][bucket] > 0;
    std::uint8_t& allowed = allowed_[place][byte];
    allowed = static_cast<std::uint8_t>(is_allowed ? allowed | bit : allowed & ~bit);
  }

  std::array<Counts, kGramPlaces> low_{};  // grams by nibble and bucket
  std::array<Counts, kGramPlaces> high_{};
  std::array<std::array<std::uint8_t, 256>, kGramPlaces> allowed_{};  // buckets by byte
};

// Tries changes of bucket and keeps those that let less of the sample through.
class Improver {
 public:
  Improver(std::vector<PlannedGram>& grams, std::size_t first, unsigned buckets,
           std::vector<SampleGram> sample)
      : grams_{grams}, first_{first}, buckets_{buckets}, sample_{std::move(sample)} {
    for (std::size_t i = first; i < grams.size(); ++i) tables_.add(grams[i]);
    std::sort(sample_.begin(), sample_.end(), [](const SampleGram& a, const SampleGram& b) {
      return character(a.gram, 0) < character(b.gram, 0);
    });
    for (const SampleGram& s : sample_) ++begins_[character(s.gram, 0) + 1U];
    for (std::size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
  }
  void run();

 private:
  using Costs = std::array<std::uint64_t, kGramBuckets>;
  // How often the sample would be looked at for a bucket.
  [[nodiscard]] std::uint64_t cost_of(unsigned bucket) const;
  struct Place {
    std::uint32_t gram = 0;
    std::uint8_t bucket = 0;
    std::uint8_t offset = 0;
  };
  void move(PlannedGram& gram, std::uint8_t bucket);
  bool take_other(PlannedGram& gram);
  void put_back(PlannedGram& gram, const Place& was);
  std::size_t below(std::size_t bound);
  PlannedGram& costly_gram(const Costs& costs);

  std::vector<PlannedGram>& grams_;
  std::size_t first_;  // the longer grams begin here
  unsigned buckets_;
  std::vector<SampleGram> sample_;         // by first character
  std::array<std::size_t, 257> begins_{};  // where those with a first character begin
  LiveTables tables_;
  std::uint64_t random_ = 12345;  // a generator of our own: a plan is the same everywhere
};

std::size_t Improver::below(std::size_t bound) {
  random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
  return static_cast<std::size_t>(random_ >> 33U) % bound;
}

std::uint64_t Improver::cost_of(unsigned bucket) const {
  std::uint64_t cost = 0;
  for (std::uint32_t first = 0; first < begins_.size() - 1; ++first) {
    if ((tables_.buckets_of(0, first) >> bucket & 1U) == 0) continue;
    for (std::size_t i = begins_[first]; i < begins_[first + 1]; ++i) {
      const std::uint32_t gram = sample_[i].gram;
      const unsigned in = tables_.buckets_of(1, gram >> 8U) & tables_.buckets_of(2, gram >> 16U) &
                          tables_.buckets_of(3, gram >> 24U);
      if ((in >> bucket & 1U) != 0) cost += sample_[i].count;
    }
  }
  return cost;
}

void Improver::move(PlannedGram& gram, std::uint8_t bucket) {
  tables_.remove(gram);
  gram.bucket = bucket;
  tables_.add(gram);
}

// Of the bucket that costs most, more often than not.
PlannedGram& Improver::costly_gram(const Costs& costs) {
  const auto worst =
      static_cast<std::uint8_t>(std::max_element(costs.begin(), costs.end()) - costs.begin());
  const std::size_t count = grams_.size() - first_;
  const std::size_t start = below(count);
  if (below(4) == 0) return grams_[first_ + start];
  for (std::size_t i = 0; i < count; ++i) {
    PlannedGram& gram = grams_[first_ + (start + i) % count];
    if (gram.bucket == worst) return gram;
  }
  return grams_[first_ + start];
}

// Takes another gram of the only literal, in the same bucket or another; false when it has none, or
// it is another's already.
bool Improver::take_other(PlannedGram& gram) {
  if (gram.others.size() < 2) return false;
  const PlannedGram::Other other = gram.others[below(gram.others.size())];
  const bool is_taken = std::any_of(grams_.begin(), grams_.end(), [&](const PlannedGram& known) {
    return known.gram == other.gram && known.length == kGramPlaces;
  });
  if (is_taken) return false;
  tables_.remove(gram);
  gram.gram = other.gram;
  gram.literals.front().offset = other.offset;
  if (below(2) == 0) gram.bucket = static_cast<std::uint8_t>(below(buckets_));
  tables_.add(gram);
  return true;
}

void Improver::put_back(PlannedGram& gram, const Place& was) {
  tables_.remove(gram);
  gram.gram = was.gram;
  gram.bucket = was.bucket;
  gram.literals.front().offset = was.offset;
  tables_.add(gram);
}

void Improver::run() {
  const std::size_t count = grams_.size() - first_;
  if (count < 2 || sample_.empty()) return;
  Costs costs{};
  for (unsigned bucket = 0; bucket < buckets_; ++bucket) costs[bucket] = cost_of(bucket);
  for (std::size_t trial = 0; trial < kTrials; ++trial) {
    PlannedGram& one = costly_gram(costs);
    PlannedGram& other = grams_[first_ + below(count)];
    const Place one_was{one.gram, one.bucket, one.literals.front().offset};
    const Place other_was{other.gram, other.bucket, other.literals.front().offset};
    if (trial % 4 == 0) {
      move(one, static_cast<std::uint8_t>(below(buckets_)));
    } else if (trial % 4 == 1) {
      move(one, other_was.bucket);
      move(other, one_was.bucket);
    } else if (!take_other(one)) {
      continue;
    }
    Costs now = costs;
    for (const unsigned bucket : {unsigned{one_was.bucket}, unsigned{one.bucket}}) {
      now[bucket] = cost_of(bucket);
    }
    if (std::accumulate(now.begin(), now.end(), std::uint64_t{0}) <=
        std::accumulate(costs.begin(), costs.end(), std::uint64_t{0})) {
      costs = now;
    } else {
      put_back(other, other_was);
      put_back(one, one_was);
    }
  }
}

}  // namespace

GramTables make_tables(const std::vector<PlannedGram>& grams, bool folded, std::size_t unit) {
  GramTables tables;
  tables.stride = static_cast<std::uint8_t>(unit);
  for (const PlannedGram& gram : grams) {
    for (std::size_t place = 0; place < kGramPlaces; ++place) {
      if (place >= gram.length) {
        allow_any(tables, place, gram.bucket);
        tables.ascii_only = false;
        continue;
      }
      const std::uint8_t byte = character(gram.gram, place);
      if (byte >= 0x80) tables.ascii_only = false;
      allow(tables, place, byte, gram.bucket);
      if (folded && byte >= 'a' && byte <= 'z') {
        allow(tables, place, static_cast<std::uint8_t>(byte - 'a' + 'A'), gram.bucket);
      }
    }
  }
  return tables;
}

void assign_buckets(std::vector<PlannedGram>& grams, std::vector<SampleGram> sample) {
  const auto longer = std::stable_partition(
      grams.begin(), grams.end(), [](const PlannedGram& g) { return g.length < kGramPlaces; });
  const bool has_short = longer != grams.begin();
  const unsigned buckets = has_short ? kGramBuckets - 1 : kGramBuckets;
  for (auto gram = grams.begin(); gram != longer; ++gram) gram->bucket = kGramBuckets - 1;
  // Neighbours in the order of their first characters are alike.
  std::sort(longer, grams.end(), [](const PlannedGram& a, const PlannedGram& b) {
    for (std::size_t place = 0; place < kGramPlaces; ++place) {
      if (character(a.gram, place) != character(b.gram, place)) {
        return character(a.gram, place) < character(b.gram, place);
      }
    }
    return false;
  });
  const auto first = static_cast<std::size_t>(longer - grams.begin());
  const std::size_t count = grams.size() - first;
  for (std::size_t i = 0; i < count; ++i) {
    grams[first + i].bucket = static_cast<std::uint8_t>(i * buckets / count);
  }
  Improver{grams, first, buckets, std::move(sample)}.run();
}

}  // namespace meldevakt::agent
