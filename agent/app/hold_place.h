// What the hold commands look at: the configuration, the holds in the state and their folder.
//
//   MELDEVAKT_TRY_ASSIGN(HoldPlace place, look_at_holds(options));
//   MELDEVAKT_TRY_ASSIGN(const std::string id, find_hold_id(place, "20230201T0914"));
//
// Reads beside a running agent; the state is opened read-only.
//
// Thread-safety: none. Errors: kInvalid (configuration, an id of several), kNotFound (no such
// hold).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/app/commands.h"
#include "agent/app/config.h"
#include "agent/app/hold_folder.h"
#include "agent/app/identity.h"
#include "agent/state/database.h"
#include "agent/state/hold_rows.h"
#include "agent/state/state.h"

namespace meldevakt::agent {

struct HoldPlace {
  Config config;
  StateFiles files;
  FolderHoldDisk disk;
  StoredHolds stored;
  std::vector<TenantRow> tenants;
  std::string problem;         // why the state could not be read
  std::optional<Database> db;  // one moment of it, for all that follows

  // nullptr: the state does not know it.
  [[nodiscard]] const Hold* stored_hold(const std::string& id) const;
};

// What `hold erase` did and the agent has not noted yet is in it.
[[nodiscard]] Result<HoldPlace> look_at_holds(const CommonOptions& options);
// The one hold whose id begins so: in the state, or in the folder alone.
[[nodiscard]] Result<std::string> find_hold_id(HoldPlace& place, const std::string& begin);

}  // namespace meldevakt::agent
