// Scans files with several threads and tells of them in the order they were given.
//
//   ScanRun run{settings};
//   run.scan(files, report);      // returns when all is done
//
// A file is read by one thread; what it says comes out in the order of the list, whatever the
// number of threads: a thread that is early keeps up to kHeldFindingsMax findings and then waits
// its turn. A file that cannot be read or is damaged is a problem of that file; the others go on.
//
// Thread-safety: scan() is called once, by one thread; the reporter is called by one thread at a
// time. Memory: a LogScanner and its findings a thread. Errors: none but in the reports.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/log_scanner.h"
#include "agent/scan/pack_fit.h"
#include "agent/unpack/byte_source.h"
#include "common/base/result.h"

namespace meldevakt::agent {

class QuietFile;

inline constexpr std::size_t kScanThreadsMax = 64;
inline constexpr std::size_t kHeldFindingsMax = 4096;  // by a thread before its turn

// One log: a file, or one of the files in a zip ("archive.zip!trace.log").
struct ScannedLog {
  std::string file;
  std::shared_ptr<const Pack> pack;  // nullptr: none fitted, or nothing could be read
  ScanStats stats;
  std::string problem;  // "" when it was read to its end
};

class ScanReporter {
 public:
  virtual ~ScanReporter() = default;
  // The findings of a log, in one call or in several, then its end.
  virtual void found(const ScannedLog& log, std::vector<ScanFinding> findings) = 0;
  virtual void ended(const ScannedLog& log) = 0;
};

class ScanRun {
 public:
  struct Settings {
    std::vector<FitCandidate> packs;  // one: every log is read with it, whatever it looks like
    std::size_t threads = 1;
    bool keep_text = false;
    ScanOrder order = ScanOrder::kPrefiltered;
  };

  explicit ScanRun(Settings settings);
  ~ScanRun();
  ScanRun(const ScanRun&) = delete;
  ScanRun& operator=(const ScanRun&) = delete;

  void scan(const std::vector<std::string>& files, ScanReporter& reporter);

  // For progress, from any thread: bytes of files, compressed as they are, read so far.
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_.load(); }

 private:
  struct Shared;
  class Teller;
  void work(Shared& shared);
  Status scan_file(Shared& shared, Teller& teller, const std::string& path);
  Status scan_zip(Shared& shared, Teller& teller, const std::string& path, QuietFile& file);
  Status scan_log(Shared& shared, Teller& teller, ScannedLog& log, ByteSource& source);
  Status scan_with(Shared& shared, Teller& teller, ScannedLog& log, ByteSource& source,
                   const FitCandidate& fit, std::string_view first);

  Settings settings_;
  std::atomic<std::uint64_t> bytes_read_{0};
};

}  // namespace meldevakt::agent
