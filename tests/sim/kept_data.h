// A collector's data folder that a replay leaves behind: `collector.toml` in it works with every
// command of meldevakt-collector.
// Thread-safety: none. Errors: kExists (the folder holds something), kIo.
#pragma once

#include <string>

#include "common/base/result.h"

namespace meldevakt::sim {

// Makes `folder`, with collector.toml, authority and an empty place for the database; returns where
// the database belongs.
[[nodiscard]] Result<std::string> make_kept_folder(const std::string& folder);

}  // namespace meldevakt::sim
