// From a heap of facts and receipts to lives: what is known of each message, in event order.
//
//   Lives lives = build_lives(input);
//   for (const Life& life : lives.all) for (std::size_t i : life.own) use(lives.steps[i]);
//
// Facts are a set by id: of several revisions the highest counts. References that one fact names
// together are names of one message (union-find), with one exception: a portal message id is never
// shared. Where other references (a case number, say) tie two portal ids together, each portal id
// stays a message of its own, and a step that names only what they share could be of each of them.
// A wrong tie then costs an `unverifiable`, and never makes a lost message look stored.
//
// The result points into the input, which must outlive it. Pure. Cost: O(n log n).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "collector/correlate/correlate.h"

namespace meldevakt::collector {

// More candidates than this are not listed for one signal; that there are more is told.
inline constexpr std::size_t kListedCandidatesMax = 16;
// What more messages than this share (a case number that a broken rule or an attacker puts
// everywhere) could be anybody's: none of them is listed or counted, and the explanation says so.
inline constexpr std::size_t kSharedByMax = 64;

struct Step {
  const LedgerFact* ledger = nullptr;
  const StepFact* what = nullptr;
  [[nodiscard]] const std::string& id() const { return ledger->fact.id; }
};

// A row that says "print" confirms that a letter was posted, not that the case system has it.
[[nodiscard]] inline bool has_receipt(const Receipt& row) {
  return row.confirmed && row.channel != kPrintChannel;
}

struct Life {
  std::string message;                // MessageVerdict::message
  std::vector<Reference> references;  // sorted
  std::vector<std::size_t> own;       // steps that are certainly its, in event order
  std::vector<std::size_t> unclear;   // steps that may be its, in event order
  std::vector<std::string> aliases;   // ids of the facts that join its names, sorted
  std::vector<Receipt> receipts;      // the portal's rows, sorted, each once
};

struct Lives {
  std::vector<Step> steps;                         // in event order, ties broken by id
  std::vector<Life> all;                           // sorted by message
  std::vector<std::vector<std::size_t>> could_be;  // per step: lives it may belong to (unclear)
  std::vector<std::size_t> nameless_commits;       // nobody can say whose, in event order
  std::vector<std::size_t> nameless_failures;      // likewise
  std::vector<std::size_t> nameless_in_doubt;      // those of both whose time is in doubt
  std::vector<OverloadWindow> windows;             // sorted by start
};

[[nodiscard]] Lives build_lives(const TenantInput& input);

// Lives::windows and the steps of Lives::nameless_commits alone, for whoever needs no lives. Cost:
// linear, when there are few of them.
[[nodiscard]] std::vector<OverloadWindow> windows_of(const TenantInput& input);
[[nodiscard]] std::vector<Step> nameless_commits_of(const TenantInput& input);

}  // namespace meldevakt::collector
