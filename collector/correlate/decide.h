// The verdict on one message: the table of collector/README.md, one small function a row or two.
//
// Pure. Thread-safety: pure function. The decision points into Lives like the signs it is made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "collector/correlate/coverage_map.h"
#include "collector/correlate/portal_map.h"
#include "collector/correlate/signs.h"

namespace meldevakt::collector {

// Why a verdict is what it is; each reason has one sentence in explain.cpp.
enum class Reason : std::uint8_t {
  kWithinGrace,          // pending
  kNotYetRead,           // pending
  kReceiptMayBeIts,      // pending
  kNotReceiptedYet,      // pending
  kCommitted,            // stored
  kCommittedNoReceipt,   // stored
  kReceiptFirst,         // stored_after_receipt
  kUnknownToPortal,      // unreceipted
  kUnconfirmedByPortal,  // unreceipted
  kSaveFailed,           // lost
  kNoAnswer,             // in_doubt
  kNothingLogged,        // missing
  kNoFailure,            // no_failure_seen
  kHole,                 // unverifiable
  kNobodyLooks,          // unverifiable: no source observes commits or failures
  kUnclearCommit,        // unverifiable
  kUnclearFailure,       // unverifiable
  kUnclearReceipt,       // unverifiable
  kRetryWithoutEnd,      // unverifiable: tried again, and commits are not logged
  kRowTooOld,            // unverifiable: the portal's row was told before its time ran out
  kFetchedByHand,        // unverifiable: no log names what a person puts in by hand
  kReceiptUnknown,       // unverifiable: no receipt is known, and nobody could have seen it all
  kNeverConfirmed,       // undelivered
  kNeverAcknowledged,    // undelivered
  kRejected,             // fallback
  kPrinted,              // fallback
  kPosted,               // fallback: a letter, and the portal says that it was posted
  kPostingUnknown,       // unverifiable: a letter whose time ran out, and no list since then tells
  kNeverPosted,          // fallback_stalled: a list since then does not say that it was posted
  kUnknownToPrint,       // fallback_stalled: refused, and a list since then does not hold it
};

struct Decision {
  Verdict verdict = Verdict::kPending;
  Reason reason = Reason::kNotReceiptedYet;
  const Step* unclear = nullptr;   // the signal that may be its or another's, where it matters
  std::optional<Hole> hole{};      // what was not read, where it matters
  std::optional<Interval> read{};  // what had to be read, and was
  // Until when a log that is merely not read so far yet keeps it pending.
  std::optional<Instant> waits_until{};
};

// Where a message is that is in no case system, by the Bufdir report's table; kNone for the others.
[[nodiscard]] Category category_of(Verdict verdict, std::string_view channel,
                                   std::optional<Instant> purge_deadline, Instant now);

// `names`: all of the message's, sorted; there is one.
[[nodiscard]] Decision decide_verdict(const Signs& signs, const std::vector<Reference>& names,
                                      const PortalMap& portals, const CoverageMap& coverage,
                                      const Policy& policy, Instant now);

}  // namespace meldevakt::collector
