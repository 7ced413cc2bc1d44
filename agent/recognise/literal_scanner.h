// Finds the places of a raw text where one of many literals stands, at the speed of memory: the
// kernel of `scan`. LiteralFilter asks which literals a record holds; this asks where, in a whole
// chunk as it lies in the file, the next record worth looking at is.
//
//   LiteralScanner scanner{literals, sample};
//   for (std::size_t from = 0; auto hit = scanner.find(text, from, &candidates);) {
//     ...                       // text.substr(hit->at, literal's length) is literal hit->literal
//     from = hit->next;
//   }
//
// Every place where any literal stands is found, once for each of its grams' occurrences, in the
// order of the grams; where several literals share gram and place the first is named, and `next` is
// behind the gram, so that a caller who goes on there sees every other place. Nothing outside
// `text` is read. Plans differ in speed only (gram_plan.h).
//
// Thread-safety: const and pure. REQUIRES: see make_plan(); in UTF-16, `text` begins with a whole
// unit. Bounds: memory is linear in the literals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/recognise/gram_plan.h"

namespace meldevakt::agent {

struct LiteralHit {
  std::size_t at = 0;         // where the literal begins
  std::size_t next = 0;       // where to look for the next
  std::uint32_t literal = 0;  // which
};

class LiteralScanner {
 public:
  // `unit`: bytes of a character in the text, 2 in UTF-16LE. Without literals nothing is found.
  LiteralScanner(std::vector<ScanLiteral> literals, std::string_view sample, std::size_t unit = 1,
                 CpuPath path = best_cpu_path());

  // `candidates`: grows by the places looked at that were none.
  [[nodiscard]] std::optional<LiteralHit> find(std::string_view text, std::size_t from,
                                               std::uint64_t* candidates = nullptr) const;

  // A plan is worth making anew, from the text at hand, when more places than this are looked at in
  // vain: one in so many bytes.
  static constexpr std::uint64_t kBytesPerCandidateMin = 500;

  [[nodiscard]] const std::vector<ScanLiteral>& literals() const { return literals_; }
  [[nodiscard]] CpuPath path() const { return path_; }
  [[nodiscard]] std::size_t unit() const { return plan_.tables.stride; }

 private:
  struct Slot {  // of a hash table with linear probing; count 0: empty
    std::uint32_t gram = 0;
    std::uint16_t count = 0;
    std::uint16_t length = 0;
    std::uint32_t first = 0;  // in covered_
  };
  void fill_slots();
  [[nodiscard]] std::optional<LiteralHit> check(std::string_view text, std::size_t at) const;
  [[nodiscard]] std::optional<LiteralHit> compare(const Slot& slot, std::string_view text,
                                                  std::size_t at) const;
  [[nodiscard]] std::optional<LiteralHit> find_in_tail(std::string_view text, std::size_t from,
                                                       std::uint64_t& candidates) const;
  [[nodiscard]] std::optional<LiteralHit> first_of(std::string_view text, std::size_t block,
                                                   std::uint64_t mask,
                                                   std::uint64_t& candidates) const;

  std::vector<ScanLiteral> literals_;
  GramPlan plan_;
  CpuPath path_;
  FindBlock* find_block_;
  std::vector<Slot> slots_;
  std::vector<Slot> short_slots_;
  std::vector<PlannedLiteral> covered_;
  unsigned slot_shift_ = 0;
};

}  // namespace meldevakt::agent
