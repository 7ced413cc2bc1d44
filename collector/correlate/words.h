// Codes in words, for sentences that people read. A code nobody has words for stands as it is.
// Pure. Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace meldevakt::collector {

// MessageVerdict::cause of the latent fault: stored, and receipted before.
inline constexpr std::string_view kCauseReceiptFirst = "receipt_before_commit";
// It stands in logs of several tenants alone, and no list tells whose it is.
inline constexpr std::string_view kCauseWhoseUnknown = "whose_unknown";

// A newer list of the portal would tell.
inline constexpr std::string_view kCauseRowTooOld = "row_too_old";
inline constexpr std::string_view kCausePostingUnknown = "posting_unknown";

// "pg/55P03" -> "the database gave up waiting for a lock (pg/55P03)"; "" -> "no reason was logged".
[[nodiscard]] std::string describe_code(std::string_view code);

// The database refused the row because it holds it already: an earlier attempt may have stored it.
[[nodiscard]] bool says_row_exists(std::string_view code);

// The driver of an overload window: "lock_wait" -> "waiting for locks", "" -> "overload".
[[nodiscard]] std::string describe_driver(std::string_view driver);

// MessageVerdict::cause, an error code or one of correlate's own words:
// "receipt_before_commit" -> "receipted before it was stored".
[[nodiscard]] std::string describe_cause(std::string_view cause);

}  // namespace meldevakt::collector
