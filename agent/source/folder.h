// Looking into folders: which files a set of globs matches, and what else lies beside them.
//
// Thread-safety: free of shared state. Bounds: entries_max names a folder, what is beyond is
// counted by `cut`. Errors: a folder that cannot be listed is reported once per look in `problems`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace meldevakt::agent {

inline constexpr std::size_t kFolderEntriesMax = 50'000;

struct Listing {
  std::vector<std::string> names;     // without folder, unordered; "." and ".." left out
  std::vector<std::uint64_t> inodes;  // of each name, as the folder says
  bool listed = false;
  bool cut = false;
  bool denied = false;  // it is there and may not be listed
  std::string problem;  // the system's words when not listed
};
[[nodiscard]] Listing list_folder(const std::string& folder);

// Paths that match, each once. Wildcards may stand in every component.
struct Expansion {
  std::vector<std::string> paths;
  std::vector<std::string> folders;  // folders whose names were compared or that hold a literal
  bool cut = false;
  std::string problem;  // why a folder or a name could not be looked at, "" when all could
};
[[nodiscard]] Expansion expand(const std::vector<std::string>& globs);

}  // namespace meldevakt::agent
