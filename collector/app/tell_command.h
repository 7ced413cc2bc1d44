// tell: what people know and decide, as the command line calls it; and tell list.
//
// Everything is checked against what is known of the tenant now before it is told: a message or an
// incident that is not there is refused with the nearest name, a time in the future, a decision
// that would change nothing. Each returns its exit status and prints to stdout.
//
// A date without a time is kept as that day's beginning: somebody may have become aware on the day
// of the first loss, and the 72 hours then run from its midnight.
//
// Who tells (--by: a name and what he is) and why (--note) are kept as they are told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collector/app/config.h"
#include "collector/app/inspect.h"
#include "collector/app/view.h"
#include "collector/incidents/ledger_entry.h"
#include "common/base/result.h"
#include "common/ports/clock.h"

namespace meldevakt::collector {

// As given on the command line; which of them count depends on what is told.
struct TellOptions {
  std::string tenant;
  std::string by;
  std::string note;
  std::vector<std::string> messages;
  std::vector<std::string> incidents;
  std::string when;  // a date or RFC 3339
  std::string how;
  std::string from;
  std::string until;
  std::string form;
  std::string count;
  std::string entry;
  std::string reference;
  bool json = false;
};

// What is told, made of the options and of what is known of the tenant. Pure but for `view`.
using MakeEntry = Result<LedgerEntry> (*)(const View& view, const TellOptions& options,
                                          const TimeZone& zone);
[[nodiscard]] Result<LedgerEntry> tell_recovered(const View&, const TellOptions&, const TimeZone&);
[[nodiscard]] Result<LedgerEntry> tell_mistaken(const View&, const TellOptions&, const TimeZone&);
[[nodiscard]] Result<LedgerEntry> tell_count(const View&, const TellOptions&, const TimeZone&);
[[nodiscard]] Result<LedgerEntry> tell_merge(const View&, const TellOptions&, const TimeZone&);
[[nodiscard]] Result<LedgerEntry> tell_split(const View&, const TellOptions&, const TimeZone&);
[[nodiscard]] Result<LedgerEntry> tell_close(const View&, const TellOptions&, const TimeZone&);
[[nodiscard]] Result<LedgerEntry> tell_reopen(const View&, const TellOptions&, const TimeZone&);
[[nodiscard]] Result<LedgerEntry> tell_aware(const View&, const TellOptions&, const TimeZone&);
[[nodiscard]] Result<LedgerEntry> tell_notified(const View&, const TellOptions&, const TimeZone&);
[[nodiscard]] Result<LedgerEntry> tell_back(const View&, const TellOptions&, const TimeZone&);

// `make`, and whatever must hold of every entry: who tells, and a note of one line.
[[nodiscard]] Result<LedgerEntry> make_entry(MakeEntry make, const View& view,
                                             const TellOptions& options, const TimeZone& zone);

[[nodiscard]] Result<int> run_tell(const Config& config, Clock& clock, MakeEntry make,
                                   const TellOptions& options);
[[nodiscard]] Result<Inspected> list_told(const Config& config, const TimeZone& zone,
                                          const InspectOptions& options);

}  // namespace meldevakt::collector
