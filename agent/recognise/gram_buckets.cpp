#include "agent/recognise/gram_buckets.h"

#include <algorithm>
#include <array>

namespace meldevakt::agent {
namespace {

constexpr std::size_t kSampleGramsMax = 2048;  // of the sample, on which changes are tried
constexpr std::size_t kTrials = 400;

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

// Tries changes of bucket and keeps those that let less of the sample through.
class Improver {
 public:
  Improver(std::vector<PlannedGram>& grams, std::size_t first, unsigned buckets,
           std::vector<SampleGram> sample)
      : grams_{grams}, first_{first}, buckets_{buckets}, sample_{std::move(sample)} {}
  void run();

 private:
  [[nodiscard]] std::uint64_t cost() const;
  std::size_t below(std::size_t bound);

  std::vector<PlannedGram>& grams_;
  std::size_t first_;  // the longer grams begin here
  unsigned buckets_;
  std::vector<SampleGram> sample_;
  std::uint64_t random_ = 12345;  // a generator of our own: a plan is the same everywhere
};

std::size_t Improver::below(std::size_t bound) {
  random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
  return static_cast<std::size_t>(random_ >> 33U) % bound;
}

// How often the sample would be looked at.
std::uint64_t Improver::cost() const {
  const GramTables tables = make_tables(grams_, false, 1);
  std::array<std::array<std::uint8_t, 128>, kGramPlaces> allowed{};
  for (std::size_t place = 0; place < kGramPlaces; ++place) {
    for (std::size_t byte = 0; byte < 128; ++byte) {
      allowed[place][byte] = static_cast<std::uint8_t>(tables.low[place][byte & 0x0FU] &
                                                       tables.high[place][byte >> 4U]);
    }
  }
  std::uint64_t cost = 0;
  for (const SampleGram& s : sample_) {
    const int in = allowed[0][character(s.gram, 0)] & allowed[1][character(s.gram, 1)] &
                   allowed[2][character(s.gram, 2)] & allowed[3][character(s.gram, 3)];
    cost += in != 0 ? s.count : 0;
  }
  return cost;
}

void Improver::run() {
  const std::size_t count = grams_.size() - first_;
  if (count < 2 || sample_.empty()) return;
  std::uint64_t best = cost();
  for (std::size_t trial = 0; trial < kTrials && best > 0; ++trial) {
    PlannedGram& one = grams_[first_ + below(count)];
    PlannedGram& other = grams_[first_ + below(count)];
    const std::uint8_t one_was = one.bucket;
    const std::uint8_t other_was = other.bucket;
    one.bucket = trial % 2 == 0 ? static_cast<std::uint8_t>(below(buckets_)) : other_was;
    if (trial % 2 == 1) other.bucket = one_was;
    const std::uint64_t now = cost();
    if (now <= best) {
      best = now;
    } else {
      other.bucket = other_was;
      one.bucket = one_was;
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
  std::sort(sample.begin(), sample.end(), [](const SampleGram& a, const SampleGram& b) {
    return a.count != b.count ? a.count > b.count : a.gram < b.gram;
  });
  if (sample.size() > kSampleGramsMax) sample.resize(kSampleGramsMax);
  Improver{grams, first, buckets, std::move(sample)}.run();
}

}  // namespace meldevakt::agent
