#include <algorithm>

#include "agent/source/file_source_state.h"

namespace meldevakt::agent {

// Between listings only sizes are looked at, and of many files those that are written to.
void FileSource::State::look_at_open(Instant now) {
  const bool due = now - all_looked_at >= kQuietLookEvery || now < all_looked_at;
  // What waits closed is asked for its size by a listing alone.
  const bool any_parked =
      std::any_of(entries.begin(), entries.end(), [](const auto& entry) { return entry->parked; });
  looked_at_all = looked || (!any_parked && (due || handles <= kLookedAtMax));
  if (looked_at_all) all_looked_at = now;
  for (const auto& entry : entries) {
    if (!entry->handle.is_open()) continue;
    const bool quiet = is_read_to_end(*entry) && now - entry->grew >= kQuietAfter;
    if (quiet && !looked_at_all) continue;
    if (const auto stat = entry->handle.stat()) refresh(*entry, stat.value(), now);
  }
}

void FileSource::State::refresh(Entry& entry, const FileStat& stat, Instant now) {
  if (stat.size != entry.size) entry.grew = now;
  entry.size = stat.size;
  entry.modified_ns = stat.modified_ns;
  entry.links = stat.links;
}

}  // namespace meldevakt::agent
