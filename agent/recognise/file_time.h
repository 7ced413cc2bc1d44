// What one file has said that the times of later records in it need. Whoever reads the file keeps
// it, also over a restart of the agent, and hands it to Recogniser with each record.
//
//   FileTime time;                                   // of a file that begins
//   recogniser.recognise(record, time);
//   std::string kept = to_text(time);                // in the snapshot
//
// Thread-safety: plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/recognise/signal_event.h"
#include "common/base/time.h"

namespace meldevakt::agent {

struct FileTime {
  std::optional<Instant> in_force;  // of the last record with a time of its own
  TimeDoubt doubt = TimeDoubt::kNone;
  std::optional<Duration> utc_offset;  // the file's own words
  bool zone_agrees = false;            // with it, when it was said: then the zone is used

  bool operator==(const FileTime&) const = default;
};

[[nodiscard]] std::string to_text(const FileTime& time);  // "" when there is nothing to keep
// What is not of to_text()'s form is a file of which nothing is known.
[[nodiscard]] FileTime file_time_from_text(std::string_view text);

}  // namespace meldevakt::agent
