// Where a channel of the Windows event log was read to, and what the next event says about that.
// The portable half of the subscription: Windows' own calls are behind EventFeed (event_source.h).
//
//   <BookmarkList><Bookmark Channel='System' RecordId='811' IsCurrent='true'/></BookmarkList>
//
// is what EvtRender(EvtRenderBookmark) writes and EvtCreateBookmark reads. A place is such a
// bookmark and, on a line of its own, the time of the event, for numbers alone do not tell an event
// that is delivered again from one in a log that was cleared and counts anew.
//
// Times are compared as Windows writes them: UTC, with 7 or 9 digits behind the second.
//
// Pure. Thread-safety: plain values and pure functions. Errors: kCorrupt. Bounds:
// kBookmarkBytesMax, kChannelBytesMax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meldevakt::agent {

inline constexpr std::size_t kBookmarkBytesMax = 16 * 1024;
inline constexpr std::size_t kChannelBytesMax = 512;

struct EventPlace {
  std::string channel;
  std::uint64_t record = 0;
  std::string time;  // System.TimeCreated.SystemTime, without zeros at its end and without "Z"
  auto operator<=>(const EventPlace&) const = default;
};

// From one event as XML; text of its message is not needed and may be missing.
[[nodiscard]] Result<EventPlace> place_of_event(std::string_view xml);

[[nodiscard]] std::string to_bookmark(const EventPlace& place);
// The current bookmark of a list, or its only one; without time.
[[nodiscard]] Result<EventPlace> parse_bookmark(std::string_view xml);

[[nodiscard]] std::string to_string(const EventPlace& place);  // the bookmark, "\n", the time
[[nodiscard]] Result<EventPlace> parse_event_place(std::string_view text);

enum class EventStep : std::uint8_t {
  kNext,
  kAgain,    // read before: delivered again after a crash
  kJump,     // events in between were overwritten before they were read
  kRestart,  // the log was cleared and counts anew; what it held unread is gone
};
// `resuming`: nothing new was delivered yet since the subscription began.
[[nodiscard]] EventStep step_to(const std::optional<EventPlace>& last, const EventPlace& next,
                                bool resuming);

}  // namespace meldevakt::agent
