// The standing control: "receipts and stored messages agree from - to", as a record that is signed,
// numbered and chained, so that nobody can say later that it ran and found nothing.
//
//   ControlRecord record = control_of(input, correlation, period);
//   record.number = ...; record.previous = ...; record.ran = now; ...
//   seal(kControlType, encode_control(record), signer)
//
// They agree when every message receipted in the period was stored (balance_of, fleet.h), none is
// undecided, none was stored without a receipt, nobody counted fewer stored messages than should be
// there, and whatever could have shown a commit was read without a hole. That a message was stored
// after its receipt is counted, and does not make them disagree: see latent_fault.h.
//
// Pure. Thread-safety: plain values, pure functions. Errors of decode_control: kCorrupt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collector/correlate/correlate.h"
#include "collector/correlate/testimony.h"
#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt::collector {

inline constexpr std::string_view kControlType = "application/vnd.meldevakt.control.v1+json";

struct ControlRecord {
  std::string tenant;
  std::uint64_t number = 0;
  Sha256 previous;  // link of the record before; zero for the first
  Instant ran;
  Interval period;                          // receipts in it were looked at
  std::vector<std::string> municipalities;  // numbers of those it served then, sorted
  bool on_demand = false;                   // a person asked; else the daily one
  std::uint64_t missed = 0;  // daily ones that should have run since the record before, and did not
  bool agrees = false;
  std::uint64_t receipted = 0;
  std::uint64_t stored = 0;                // of those receipted
  std::uint64_t stored_after_receipt = 0;  // of those stored
  std::uint64_t lost = 0;
  std::uint64_t undecided = 0;
  std::uint64_t recovered = 0;     // not stored, and recovered since
  std::uint64_t fallback = 0;      // refused by the case system: printed and posted
  std::uint64_t unreceipted = 0;   // stored without a receipt
  std::uint64_t counts_short = 0;  // counts of stored messages that people told and that fall short
  std::uint64_t ahead = 0;         // with times still to come (times_ahead.h): in no period yet
  std::string not_read;            // where a commit could hide, in words; "" when nowhere
  std::string software_version;
  auto operator<=>(const ControlRecord&) const = default;
};

// Everything but number, previous, ran, municipalities, on_demand, missed and software_version.
[[nodiscard]] ControlRecord control_of(const TenantInput& input, const Correlation& correlation,
                                       const Interval& period,
                                       const std::vector<Reconciliation>& counts = {});

[[nodiscard]] std::string encode_control(const ControlRecord& record);
[[nodiscard]] Result<ControlRecord> decode_control(std::string_view json);

// "receipts and stored messages agree 01.02.2023 00:00:00 - ...: 12 receipted, 12 stored"
[[nodiscard]] std::string control_sentence(const ControlRecord& record, const TimeZone& zone);

// --- when it should run
// ---------------------------------------------------------------------------

// Once a day, at this time of day in the zone.
struct ControlSchedule {
  int hour = 6;
  int minute = 0;
};
// The latest time not after `now` at which it should have run.
[[nodiscard]] Instant scheduled_before(const ControlSchedule& schedule, Instant now,
                                       const TimeZone& zone);
// How many scheduled times lie in (after, until].
[[nodiscard]] std::uint64_t scheduled_between(const ControlSchedule& schedule, Instant after,
                                              Instant until, const TimeZone& zone);

}  // namespace meldevakt::collector
