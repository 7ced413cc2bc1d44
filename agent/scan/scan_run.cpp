#include "agent/scan/scan_run.h"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "agent/scan/quiet_file.h"
#include "agent/unpack/evtx_events.h"
#include "agent/unpack/unpacker.h"
#include "agent/unpack/zip_files.h"

namespace meldevakt::agent {
namespace {

// A file, or what a compressed file or an event log holds; what is read of the file is counted.
class FileBytes : public ByteSource {
 public:
  FileBytes(QuietFile& file, std::atomic<std::uint64_t>& bytes) : file_{file}, bytes_{bytes} {}
  [[nodiscard]] ReadRaw read_raw() {
    return [this](std::uint64_t offset, char* to, std::size_t size) {
      file_.seek(offset);
      return read_file(to, size);
    };
  }
  Status unpack(Compression compression) {
    MELDEVAKT_TRY_ASSIGN(content_, Unpacker::open(compression, read_raw(), file_.size()));
    return {};
  }
  Status show_events() {
    MELDEVAKT_TRY_ASSIGN(content_, EvtxText::open(read_raw(), file_.size()));
    return {};
  }
  [[nodiscard]] Result<std::size_t> read(char* to, std::size_t size) override {
    return content_ != nullptr ? content_->read(to, size) : read_file(to, size);
  }

 private:
  Result<std::size_t> read_file(char* to, std::size_t size) {
    MELDEVAKT_TRY_ASSIGN(const std::size_t got, file_.read(to, size));
    bytes_ += got;
    return got;
  }

  QuietFile& file_;
  std::atomic<std::uint64_t>& bytes_;
  std::unique_ptr<ByteSource> content_;
};

}  // namespace

// What the threads have in common: the next file, whose turn it is to tell, and plans made.
struct ScanRun::Shared {
  Shared(const std::vector<std::string>& of, ScanReporter& to) : files{of}, reporter{to} {}

  void wait_for_turn(std::size_t index) {
    std::unique_lock lock{mutex};
    turn_changed.wait(lock, [&] { return turn == index; });
  }
  void pass_turn() {
    {
      const std::lock_guard lock{mutex};
      ++turn;
    }
    turn_changed.notify_all();
  }
  ScanPlans plans_for(const Pack* pack) {
    const std::lock_guard lock{mutex};
    return plans[pack];
  }
  void keep_plans(const Pack* pack, const ScanPlans& made) {
    const std::lock_guard lock{mutex};
    for (const auto& [encoding, plan] : made) plans[pack][encoding] = plan;
  }

  const std::vector<std::string>& files;
  ScanReporter& reporter;
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::condition_variable turn_changed;
  std::size_t turn = 0;
  std::map<const Pack*, ScanPlans> plans;
};

// Tells the reporter of one file's logs, when it is that file's turn.
class ScanRun::Teller {
 public:
  Teller(Shared& shared, std::size_t index) : shared_{shared}, index_{index} {}

  void found(const ScannedLog& log, std::vector<ScanFinding> findings) {
    held_.insert(held_.end(), std::make_move_iterator(findings.begin()),
                 std::make_move_iterator(findings.end()));
    if (held_.size() >= kHeldFindingsMax) tell(log);
  }
  void ended(const ScannedLog& log) {
    tell(log);
    shared_.reporter.ended(log);
  }

 private:
  void tell(const ScannedLog& log) {
    shared_.wait_for_turn(index_);
    if (!held_.empty()) shared_.reporter.found(log, std::exchange(held_, {}));
  }

  Shared& shared_;
  std::size_t index_;
  std::vector<ScanFinding> held_;
};

ScanRun::ScanRun(Settings settings) : settings_{std::move(settings)} {
  settings_.threads = std::clamp<std::size_t>(settings_.threads, 1, kScanThreadsMax);
}

ScanRun::~ScanRun() = default;

void ScanRun::scan(const std::vector<std::string>& files, ScanReporter& reporter) {
  Shared shared{files, reporter};
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min(settings_.threads, files.size()); ++i) {
    threads.emplace_back([this, &shared] { work(shared); });
  }
  work(shared);
  for (std::thread& thread : threads) thread.join();
}

void ScanRun::work(Shared& shared) {
  while (true) {
    const std::size_t index = shared.next.fetch_add(1);
    if (index >= shared.files.size()) return;
    const std::string& path = shared.files[index];
    Teller teller{shared, index};
    // What goes wrong within a log is told with it; here, that there was no log to be read.
    if (const Status done = scan_file(shared, teller, path); !done) {
      ScannedLog log;
      log.file = path;
      log.problem = done.error().message();
      teller.ended(log);
    }
    shared.wait_for_turn(index);
    shared.pass_turn();
  }
}

Status ScanRun::scan_file(Shared& shared, Teller& teller, const std::string& path) {
  MELDEVAKT_TRY_ASSIGN(std::unique_ptr<QuietFile> file, QuietFile::open(path));
  std::string first(std::max(kCompressionBytes, kEvtxMagicBytes), '\0');
  MELDEVAKT_TRY_ASSIGN(const std::size_t got, file->read(first.data(), first.size()));
  first.resize(got);
  file->seek(0);
  const std::optional<Compression> compression = compression_of(first);
  if (compression == Compression::kZip) {
    bytes_read_ += file->size();
    return scan_zip(shared, teller, path, *file);
  }
  FileBytes source{*file, bytes_read_};
  if (compression) MELDEVAKT_TRY(source.unpack(*compression));
  if (is_evtx(first)) MELDEVAKT_TRY(source.show_events());
  ScannedLog log;
  log.file = path;
  if (const Status done = scan_log(shared, teller, log, source); !done) {
    log.problem = done.error().message();
  }
  teller.ended(log);
  return {};
}

Status ScanRun::scan_zip(Shared& shared, Teller& teller, const std::string& path, QuietFile& file) {
  const auto read_raw = [&file](std::uint64_t offset, char* to, std::size_t size) {
    file.seek(offset);
    return file.read(to, size);
  };
  MELDEVAKT_TRY_ASSIGN(const std::unique_ptr<ZipFiles> zip, ZipFiles::open(read_raw, file.size()));
  for (std::size_t i = 0; i < zip->names().size(); ++i) {
    ScannedLog log;
    log.file = path + "!" + zip->names()[i];
    Result<std::unique_ptr<ByteSource>> source = zip->file(i);
    const Status done =
        source ? scan_log(shared, teller, log, *source.value()) : Status{source.error()};
    if (!done) log.problem = done.error().message();
    teller.ended(log);
  }
  return {};
}

Status ScanRun::scan_log(Shared& shared, Teller& teller, ScannedLog& log, ByteSource& source) {
  std::string first(kFitBytes, '\0');
  std::size_t filled = 0;
  Status trouble;
  while (filled < first.size()) {
    Result<std::size_t> got = source.read(first.data() + filled, first.size() - filled);
    if (!got) trouble = got.error();
    if (!got || got.value() == 0) break;
    filled += got.value();
  }
  first.resize(filled);
  if (filled == 0) return trouble;
  if (is_evtx(first)) {
    return Error{Errc::kInvalid,
                 "not read: an event log (.evtx) in an archive; unpack it and name the file"};
  }
  const FitCandidate* const fit =
      settings_.packs.size() == 1 ? &settings_.packs.front() : best_fit(settings_.packs, first);
  if (fit == nullptr) {
    MELDEVAKT_TRY(trouble);
    return Error{Errc::kInvalid, "not read: no pack fits it; say which to use with --pack"};
  }
  log.pack = fit->pack;
  const Status scanned = scan_with(shared, teller, log, source, *fit, first);
  return trouble ? scanned : trouble;
}

Status ScanRun::scan_with(Shared& shared, Teller& teller, ScannedLog& log, ByteSource& source,
                          const FitCandidate& fit, std::string_view first) {
  LogScanner::Settings settings;
  settings.pack = fit.pack;
  settings.zone = fit.zone;
  settings.order = settings_.order;
  settings.plans = shared.plans_for(log.pack.get());
  settings.keep_text = settings_.keep_text;
  LogScanner scanner{std::move(settings)};
  scanner.feed(first);
  Status done;
  while (true) {
    if (std::vector<ScanFinding> findings = scanner.take(); !findings.empty()) {
      teller.found(log, std::move(findings));
    }

    const LogScanner::Space space = scanner.space();
    Result<std::size_t> got = source.read(space.data, space.size);
    if (!got) done = got.error();
    if (!got || got.value() == 0) break;
    scanner.filled(got.value());
  }
  scanner.finish();
  teller.found(log, scanner.take());
  log.stats = scanner.stats();
  shared.keep_plans(log.pack.get(), scanner.plans());
  return done;
}

}  // namespace meldevakt::agent
