// A hold read back: every part verified against what the state or the manifest says of it, opened
// with the hold key, and handed on in order, run by run.
//
//   OpenReport report = open_hold(disk, hold, parts, key_for, writer);
//   if (!report.problems.empty()) ...      // what does not verify; the rest was handed on
//
// A run is a stretch of one file without a hole. Its name is the file's own; of a second run, or a
// second file of that name, with ".at-<offset>" behind. Thread-safety: free of shared state.
// Memory: one part. Errors: those of the writer; all else is a problem of the report.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/hold/hold.h"
#include "agent/hold/hold_disk.h"
#include "common/ports/signer.h"

namespace meldevakt::agent {

struct OpenedRun {
  std::string source;
  std::string name;  // below the source's folder
  std::string path;  // what the file was called
  std::string key;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  Sha256 hash;  // of the run's bytes
};

struct OpenReport {
  std::vector<OpenedRun> runs;
  std::vector<std::string> problems;
  std::uint64_t parts = 0;  // that verified
  std::uint64_t bytes = 0;
};

class RunWriter {
 public:
  virtual ~RunWriter() = default;
  [[nodiscard]] virtual Status begin(const OpenedRun& run) = 0;
  [[nodiscard]] virtual Status append(std::string_view bytes) = 0;
};

// Private key for a key id; its error says how to come by it.
using KeyFor = std::function<Result<std::string>(const std::string& key_id)>;

[[nodiscard]] Result<OpenReport> open_hold(HoldDisk& disk, const Hold& hold,
                                           std::vector<HoldPart> parts, const KeyFor& key_for,
                                           RunWriter& writer);

// The manifest of a closed hold. kCorrupt, kRejected: it is not what the state or the agent's
// signature vouches for. `expected`: its hash by the state; nullptr when the state does not know.
[[nodiscard]] Result<HoldManifest> read_manifest(HoldDisk& disk, const std::string& hold,
                                                 const Sha256* expected,
                                                 std::string_view signing_key,
                                                 const Verifier& verifier);

// A file's own name made harmless: never a path, never empty.
[[nodiscard]] std::string harmless_name(std::string_view path);

}  // namespace meldevakt::agent
