#include "agent/source/folder.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>

#include "agent/source/names.h"

namespace meldevakt::agent {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

bool exists(const std::string& path, std::string& problem) {
  struct stat s {};
  if (::lstat(path.c_str(), &s) == 0) return true;
  if (errno != ENOENT && errno != ENOTDIR) {
    problem = path + ": " + std::generic_category().message(errno);
  }
  return false;
}

// Walks one component further; `rest` is what of the glob is still to match.
void walk(const std::string& folder, std::string_view rest, Expansion& out) {
  const std::size_t slash = rest.find('/');
  const std::string component{rest.substr(0, slash)};
  const bool last = slash == std::string_view::npos;
  if (last) out.folders.push_back(folder);
  if (!has_wildcard(component)) {
    const std::string path = joined(folder, component);
    if (last) {
      if (exists(path, out.problem)) out.paths.push_back(path);
    } else {
      walk(path, rest.substr(slash + 1), out);
    }
    return;
  }
  const Listing listing = list_folder(folder);
  out.cut = out.cut || listing.cut;
  if (!listing.listed && listing.denied) out.problem = folder + ": " + listing.problem;
  for (const std::string& name : listing.names) {
    if (!matches(component, name)) continue;
    const std::string path = joined(folder, name);
    if (last) {
      out.paths.push_back(path);
    } else {
      walk(path, rest.substr(slash + 1), out);
    }
  }
}

void sort_unique(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace

Listing list_folder(const std::string& folder) {
  Listing out;
  const std::unique_ptr<DIR, CloseFolder> open{::opendir(folder.c_str())};
  if (!open) {
    out.denied = errno != ENOENT && errno != ENOTDIR;
    out.problem = std::generic_category().message(errno);
    return out;
  }
  out.listed = true;
  while (const dirent* entry = ::readdir(open.get())) {
    const std::string_view name{entry->d_name};
    if (name == "." || name == "..") continue;
    if (out.names.size() == kFolderEntriesMax) {
      out.cut = true;
      break;
    }
    out.names.emplace_back(name);
    out.inodes.push_back(entry->d_ino);
  }
  return out;
}

Expansion expand(const std::vector<std::string>& globs) {
  Expansion out;
  for (const std::string& glob : globs) {
    if (!glob.empty() && glob.front() == '/') {
      walk("/", std::string_view{glob}.substr(1), out);
    } else {
      walk(".", glob, out);
    }
  }
  sort_unique(out.paths);
  sort_unique(out.folders);
  return out;
}

}  // namespace meldevakt::agent
