// Which files the paths on a command line mean: files, folders with all that lies below, and globs
// that the shell did not expand.
//
//   FileList list = list_files({"C:/Logs", "trace*.log.gz"});
//
// In the order of the arguments, within each by name; each file once. Links to folders inside a
// folder are not followed. Thread-safety: free of shared state.
// Bounds: kScanFilesMax, kScanDepthMax; what is beyond is a problem that is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace meldevakt::agent {

inline constexpr std::size_t kScanFilesMax = 1'000'000;
inline constexpr std::size_t kScanDepthMax = 32;

struct FileProblem {
  std::string file;
  std::string what;
};
struct FileList {
  std::vector<std::string> files;
  std::uint64_t bytes = 0;            // of the files, as they lie there
  std::vector<FileProblem> problems;  // a path that is not there, a folder that cannot be listed
};
[[nodiscard]] FileList list_files(const std::vector<std::string>& paths);

}  // namespace meldevakt::agent
