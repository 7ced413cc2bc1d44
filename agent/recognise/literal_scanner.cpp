#include "agent/recognise/literal_scanner.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "common/base/check.h"

namespace meldevakt::agent {
namespace {

constexpr unsigned kHashBits = 32;
constexpr std::size_t kSlotsPerGram = 4;

std::uint32_t hash_of(std::uint32_t gram) {
  return gram * 0x9E3779B1U;
}

std::uint32_t gram_of(const char* at, std::size_t unit) {
  std::uint32_t gram = 0;
  for (std::size_t i = 0; i < kGramPlaces; ++i) {
    gram |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(at[i * unit])) << (8 * i);
  }
  return gram;
}

bool equal(const ScanLiteral& literal, std::string_view text) {
  if (!literal.ignore_case) return text == literal.bytes;
  return std::equal(text.begin(), text.end(), literal.bytes.begin(), literal.bytes.end(),
                    [](char a, char b) { return folded(a) == folded(b); });
}

}  // namespace

LiteralScanner::LiteralScanner(std::vector<ScanLiteral> literals, std::string_view sample,
                               std::size_t unit, CpuPath path)
    : literals_{std::move(literals)},
      plan_{make_plan(literals_, sample, unit)},
      path_{path},
      find_block_{agent::find_block(path, plan_.tables)} {
  MELDEVAKT_CHECK(unit == 1 || unit == 2);
  fill_slots();
}

void LiteralScanner::fill_slots() {
  std::size_t size = 64;
  while (size < plan_.grams.size() * kSlotsPerGram) size *= 2;
  slots_.resize(size);
  slot_shift_ = kHashBits;
  for (std::size_t rest = size; rest > 1; rest /= 2) --slot_shift_;
  for (const PlannedGram& gram : plan_.grams) {
    Slot slot;
    slot.gram = gram.gram;
    slot.length = gram.length;
    slot.first = static_cast<std::uint32_t>(covered_.size());
    slot.count = static_cast<std::uint16_t>(gram.literals.size());
    MELDEVAKT_CHECK(slot.count == gram.literals.size());
    covered_.insert(covered_.end(), gram.literals.begin(), gram.literals.end());
    if (gram.length < kGramPlaces) {
      short_slots_.push_back(slot);
      continue;
    }
    std::size_t at = hash_of(gram.gram) >> slot_shift_;
    while (slots_[at].count > 0) at = (at + 1) % slots_.size();
    slots_[at] = slot;
  }
}

std::optional<LiteralHit> LiteralScanner::compare(const Slot& slot, std::string_view text,
                                                  std::size_t at) const {
  const std::size_t unit = plan_.tables.stride;
  for (std::size_t i = slot.first; i < slot.first + std::size_t{slot.count}; ++i) {
    const std::size_t before = covered_[i].offset * unit;
    if (before > at) continue;
    const ScanLiteral& literal = literals_[covered_[i].literal];
    if (equal(literal, text.substr(at - before, literal.bytes.size()))) {
      return LiteralHit{at - before, at + unit, covered_[i].literal};
    }
  }
  return std::nullopt;
}

// Whether a literal has its gram at `at`, where the tables say it may.
std::optional<LiteralHit> LiteralScanner::check(std::string_view text, std::size_t at) const {
  const std::size_t unit = plan_.tables.stride;
  if (unit == 2 && at % 2 != 0) return std::nullopt;
  if (text.size() - at > (kGramPlaces - 1) * unit) {
    std::uint32_t gram = gram_of(text.data() + at, unit);
    if (plan_.folded) gram = folded_gram(gram);
    for (std::size_t i = hash_of(gram) >> slot_shift_; slots_[i].count > 0;
         i = (i + 1) % slots_.size()) {
      if (slots_[i].gram != gram) continue;
      if (auto hit = compare(slots_[i], text, at)) return hit;
      break;
    }
  }
  for (const Slot& slot : short_slots_) {
    if (auto hit = compare(slot, text, at)) return hit;
  }
  return std::nullopt;
}

std::optional<LiteralHit> LiteralScanner::first_of(std::string_view text, std::size_t block,
                                                   std::uint64_t mask,
                                                   std::uint64_t& candidates) const {
  for (; mask != 0; mask &= mask - 1) {
    const std::size_t at = block + static_cast<std::size_t>(__builtin_ctzll(mask));
    if (at >= text.size()) break;
    if (auto hit = check(text, at)) return hit;
    ++candidates;
  }
  return std::nullopt;
}

// The last bytes, fewer than the kernel may read: in a copy with room behind them.
std::optional<LiteralHit> LiteralScanner::find_in_tail(std::string_view text, std::size_t from,
                                                       std::uint64_t& candidates) const {
  constexpr std::size_t kBeyondMax = (kGramPlaces - 1) * 2;
  std::array<char, 2 * kKernelBlockBytes + kBeyondMax> copy{};
  const std::size_t size = text.size() - from;
  MELDEVAKT_CHECK(size <= 2 * kKernelBlockBytes);
  std::memcpy(copy.data(), text.data() + from, size);
  const std::size_t blocks = (size + kKernelBlockBytes - 1) / kKernelBlockBytes;
  const char* const stop = copy.data() + blocks * kKernelBlockBytes;
  for (const char* at = copy.data(); at < stop; at += kKernelBlockBytes) {
    std::uint64_t mask = 0;
    at = find_block_(plan_.tables, at, stop, mask);
    if (at == stop) break;
    const std::size_t block = from + static_cast<std::size_t>(at - copy.data());
    if (auto hit = first_of(text, block, mask, candidates)) return hit;
  }
  return std::nullopt;
}

std::optional<LiteralHit> LiteralScanner::find(std::string_view text, std::size_t from,
                                               std::uint64_t* candidates) const {
  if (literals_.empty() || from >= text.size()) return std::nullopt;
  std::uint64_t looked_at = 0;
  const std::size_t beyond = (kGramPlaces - 1) * plan_.tables.stride;
  const std::size_t left = text.size() - from;
  const std::size_t whole = left > beyond ? (left - beyond) / kKernelBlockBytes : 0;
  const char* const stop = text.data() + from + whole * kKernelBlockBytes;
  std::optional<LiteralHit> hit;
  for (const char* at = text.data() + from; at < stop && !hit; at += kKernelBlockBytes) {
    std::uint64_t mask = 0;
    at = find_block_(plan_.tables, at, stop, mask);
    if (at == stop) break;
    hit = first_of(text, static_cast<std::size_t>(at - text.data()), mask, looked_at);
  }
  if (!hit) hit = find_in_tail(text, from + whole * kKernelBlockBytes, looked_at);
  if (candidates != nullptr) *candidates += looked_at;
  return hit;
}

}  // namespace meldevakt::agent
