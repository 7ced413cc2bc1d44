// Verdicts: a pure function of ledger, receipts, policy and the time given (invariant 4).
//
// Facts are joined into messages by reference (aliases included), receipts by portal message id.
// Order of arrival and repetition never matter: facts are a set by id (highest revision wins),
// claims and receipts are sets. The same input gives the same output, byte for byte, sorted by
// message.
//
//   Correlation all = correlate(input, now);
//
// Pure. Thread-safety: pure function. Cost: O(n log n) in facts and receipts.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/deadlines/deadlines.h"
#include "common/base/time.h"
#include "common/receipts/receipts.h"
#include "common/summary/fact.h"
#include "common/summary/statement.h"

namespace meldevakt::collector {

enum class Verdict : std::uint8_t {  // DESIGN "Verdicts"
  kPending,
  kStored,
  kStoredAfterReceipt,
  kLost,
  kInDoubt,
  kMissing,
  kNoFailureSeen,
  kUnverifiable,
  kUndelivered,
  kFallback,
  kFallbackStalled,
  kRecovered,
  kUnreceipted,
};
[[nodiscard]] std::string_view to_string(Verdict verdict);
[[nodiscard]] std::optional<Verdict> verdict_from_string(std::string_view text);
[[nodiscard]] bool needs_action(
    Verdict verdict);  // lost, in_doubt, missing, unverifiable, undelivered, fallback_stalled

struct LedgerFact {
  std::string agent;
  Fact fact;
};

// The coverage part of one statement.
struct LedgerCoverage {
  std::string agent;
  std::uint64_t sequence = 0;
  Interval span;
  Duration clock_error;
  SourceCoverage source;
};

// What is told again so soon is a queue, a retry or two clocks, and no second delivery
// (sent_again.h).
inline constexpr Duration kAgainAfter = minutes(10);

struct Policy {
  Duration grace = seconds(30);  // from receipt to a verdict; for the commit to be logged
  Duration look_before =
      minutes(10);  // coverage must begin this long before the receipt (message.received)
  Duration again_after = kAgainAfter;
  Duration clock_error = seconds(2);    // between portal and case system, beyond the agents' own
  Duration nearby = minutes(2);         // an unattributed failure this near a receipt may be its
  Duration confirm_within = hours(24);  // portal: not confirmed after this is undelivered
  // From when the case system refused it (when it was sent, where no log tells of that) until a
  // letter must have been posted: two working days in which it may be fetched by hand, one to print
  // and post, and a weekend. Our own measure: no public source says how long the portal takes.
  Duration post_within = days(5);
  // Agents tell of what they have read once a minute. A log that is merely not read to the end of
  // the grace time yet (no gap, no sign of a failure) keeps a message pending this much longer.
  Duration report_within = minutes(2);
  std::vector<RetentionRule> retention = default_retention();
};

// When a source had nothing to log, as a person says: before its server was taken into use, or
// since it was replaced. Nobody waits for it to be read of that time; what it was read of stays.
struct UnusedSource {
  std::string agent;
  std::string source;  // "": all of the agent's
  Interval span;
  auto operator<=>(const UnusedSource&) const = default;
};

// When a portal was used, as the register says. One of which it says nothing is taken to be used
// always: nobody is to conclude from its silence.
struct PortalUse {
  std::string portal;
  Interval span;
  auto operator<=>(const PortalUse&) const = default;
};

// A portal's row that told of times still to come (counting_rows.h), and when that was.
struct RowAhead {
  Receipt row;
  Instant told;
};

// What an agent told that cannot be opened (claims.h).
struct LostFacts {
  Instant from;   // of the first statement
  Instant until;  // of the last
  // It is long ago: claims count again. Lists never again reach back before `rows_until`.
  bool over = false;
  // Until when it was made the next statement that takes time will say.
  bool until_unknown = false;
  Instant rows_until{};
  // Claims of each source that were voided.
  std::map<std::string, unsigned> voided{};
  // Epoch and sequence of what was taken last; nullopt: not known.
  std::optional<std::pair<std::uint64_t, std::uint64_t>> last{};
};

struct TenantInput {
  std::string tenant;
  std::vector<LedgerFact> facts;
  std::vector<LedgerCoverage> coverage;
  std::vector<Receipt> receipts;  // every row that a portal told of
  std::vector<RowAhead> rows_ahead;
  std::vector<ReceiptCoverage> receipt_coverage;
  std::vector<UnusedSource> unused;
  std::vector<PortalUse> portal_uses;
  std::map<std::string, LostFacts> lost_facts;  // by agent, at the end of the ledger
  Policy policy;
};

// `told`: when the list was imported that holds it, or when an agent's word of it was received.
void add_row(TenantInput& input, Receipt row, Instant told);
// Puts a fact where it belongs: a portal's row that an agent told is a row like one that was
// imported. What it says of lists is put into `lists`: that waits for the statement (claims.h).
void add_fact(TenantInput& input, const std::string& agent, Fact fact, Instant received,
              std::vector<ReceiptCoverage>& lists);

template <typename Use>
void for_each_row(const TenantInput& input, const Use& use) {
  for (const Receipt& row : input.receipts) use(row);
  for (const RowAhead& ahead : input.rows_ahead) use(ahead.row);
}

// The first of them are kept: a night of overload does not make every message a book.
inline constexpr std::size_t kWindowsPerMessageMax = 16;

struct OverloadWindow {
  Interval span;
  std::string source;
  std::string driver;
  std::vector<WindowFact::Count> signals;
  std::string fact_id;
  std::string agent{};
  std::uint64_t metrics = 0;  // WindowFact::metrics
};

struct MessageVerdict {
  std::string message;  // the portal message id; else the first reference, "type:value"
  std::vector<Reference> references;  // all its names
  Verdict verdict = Verdict::kPending;
  Category category = Category::kNone;
  std::string explanation;  // one English sentence
  std::string cause;        // what failed as a code ("pg/55P03"), or "receipt_before_commit",
                            // "nothing_logged", ...
  FormType form = FormType::kUnknown;
  std::string channel;
  std::string district;  // the bydel: its number as the logs have it, else the portal's opaque id
  std::optional<Instant> first_seen;  // the earliest that anything says of it
  std::optional<Instant> sent;
  std::optional<Instant> receipted;  // the earliest receipt: portal's or the case system's own
  std::optional<Instant> committed;
  std::optional<Instant> failed;  // of the last failure
  std::optional<Instant> purge_deadline;
  std::vector<OverloadWindow> windows;  // that overlap its life, sorted; kWindowsPerMessageMax
  std::vector<std::string> candidates;  // messages the ambiguous signals could belong to, itself
                                        // among them; at most kListedCandidatesMax, none of more
                                        // than kSharedByMax (lives.h)
  std::vector<std::string> evidence;    // fact ids, sorted
  bool sender_mistaken = false;         // category D, told by a person (testimony.h)
  bool counted = false;                 // no_failure_seen, and a count of those stored agrees
  bool stored_first = false;            // stored before its receipt, by more than clocks can err
};

struct Correlation {
  std::string tenant;
  std::vector<MessageVerdict> messages;  // sorted by `message`
  std::vector<OverloadWindow> windows;   // sorted by start
  Instant now;                           // the time given
};

[[nodiscard]] Correlation correlate(const TenantInput& input, Instant now);

}  // namespace meldevakt::collector
