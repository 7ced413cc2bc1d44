#include "agent/scan/file_list.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "agent/source/folder.h"
#include "agent/source/names.h"

namespace meldevakt::agent {
namespace {

namespace fs = std::filesystem;

class Lister {
 public:
  void add(const std::string& path);
  FileList take() { return std::move(list_); }

 private:
  void add_file(const std::string& path);
  void add_folder(const std::string& path, std::size_t depth);
  void add_found(const std::string& path, const fs::file_status& status);
  void problem(const std::string& path, std::string what) {
    list_.problems.push_back({path, std::move(what)});
  }

  FileList list_;
  std::set<std::string> seen_;
  bool is_full_ = false;
};

void Lister::add_file(const std::string& path) {
  if (list_.files.size() == kScanFilesMax) {
    if (!is_full_) problem(path, "more than " + std::to_string(kScanFilesMax) + " files");
    is_full_ = true;
    return;
  }
  if (!seen_.insert(path).second) return;
  list_.files.push_back(path);
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (!error) list_.bytes += size;
}

void Lister::add_folder(const std::string& path, std::size_t depth) {
  if (depth > kScanDepthMax) {
    problem(path, "folders within folders, deeper than " + std::to_string(kScanDepthMax));
    return;
  }
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator at{path, error}, end; !error && at != end; at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  if (error) problem(path, "cannot list the folder: " + error.message());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const std::string child = joined(path, name);
    const fs::file_status status = fs::symlink_status(child, error);
    if (fs::is_directory(status)) {
      add_folder(child, depth + 1);
    } else if (fs::is_regular_file(status) ||
               (fs::is_symlink(status) && fs::is_regular_file(child, error))) {
      add_file(child);
    }
  }
}

void Lister::add_found(const std::string& path, const fs::file_status& status) {
  if (fs::is_directory(status)) {
    add_folder(path, 1);
  } else if (fs::is_regular_file(status)) {
    add_file(path);
  } else {
    problem(path, "not a regular file");
  }
}

void Lister::add(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::none) return problem(path, error.message());
  if (status.type() != fs::file_type::not_found) return add_found(path, status);
  const Expansion found = expand({path});
  if (found.paths.empty()) {
    problem(path, found.problem.empty() ? "there is no such file" : found.problem);
  }
  if (found.cut) problem(path, "more names than can be looked at; give the folder");
  std::vector<std::string> sorted = found.paths;
  std::sort(sorted.begin(), sorted.end());
  for (const std::string& one : sorted) add_found(one, fs::status(one, error));
}

}  // namespace

FileList list_files(const std::vector<std::string>& paths) {
  Lister lister;
  for (const std::string& path : paths) lister.add(path);
  return lister.take();
}

}  // namespace meldevakt::agent
