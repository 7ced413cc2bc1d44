#include "agent/app/hold_place.h"

#include <algorithm>
#include <utility>

namespace meldevakt::agent {
namespace {

constexpr std::size_t kTombstoneBytesMax = 64 * 1024;

// What `hold erase` did and the agent has not noted yet.
void note_tombstones(HoldPlace& place) {
  for (Hold& hold : place.stored.holds) {
    if (hold.state == HoldState::kErased || !place.disk.has(hold.id, kTombstoneFile)) continue;
    const auto text = place.disk.read(hold.id, kTombstoneFile, kTombstoneBytesMax);
    hold.state = HoldState::kErased;
    hold.erased_why = text ? text.value() : "by hand";
    hold.stored_bytes = 0;
  }
}

}  // namespace

Result<HoldPlace> look_at_holds(const CommonOptions& options) {
  MELDEVAKT_TRY_ASSIGN(Config config, load_config(options.config));
  const StateFiles files{config.state};
  HoldPlace out{std::move(config), files, FolderHoldDisk{files.holds()}, {}, {}, "", {}};
  auto db = open_state_for_reading(files.state());
  if (!db) {
    out.problem = db.error().message();
    return out;
  }
  MELDEVAKT_TRY(db.value().execute("BEGIN"));  // one moment for all that follows
  auto stored = read_holds(db.value());
  if (stored) {
    out.stored = std::move(stored).value();
  } else {
    out.problem = stored.error().message();
  }
  MELDEVAKT_TRY_ASSIGN(out.tenants, read_tenants(db.value()));
  out.db.emplace(std::move(db).value());
  note_tombstones(out);
  return out;
}

Result<std::string> find_hold_id(HoldPlace& place, const std::string& begin) {
  std::vector<std::string> found;
  for (const Hold& hold : place.stored.holds) {
    if (hold.id.starts_with(begin)) found.push_back(hold.id);
  }
  for (const std::string& id : place.disk.names("")) {
    if (id.starts_with(begin) && std::find(found.begin(), found.end(), id) == found.end()) {
      found.push_back(id);
    }
  }
  if (found.size() == 1 && !begin.empty()) return found.front();
  if (found.empty()) {
    return Error{Errc::kNotFound,
                 "there is no hold '" + begin + "'; see: meldevakt-agent hold list"};
  }
  return Error{Errc::kInvalid, "'" + begin + "' is the beginning of several holds' ids"};
}

const Hold* HoldPlace::stored_hold(const std::string& id) const {
  for (const Hold& hold : stored.holds) {
    if (hold.id == id) return &hold;
  }
  return nullptr;
}

}  // namespace meldevakt::agent
