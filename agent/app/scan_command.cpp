#include "agent/app/scan_command.h"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "agent/app/commands.h"
#include "agent/app/packs.h"
#include "agent/app/scan_windows.h"
#include "agent/scan/file_list.h"
#include "agent/scan/scan_run.h"
#include "common/base/text.h"
#include "common/platform/time_zones.h"
#include "common/summary/json.h"

namespace meldevakt::agent {
namespace {

// A path need not be UTF-8; JSON has to be.
std::string shown(const std::string& path) {
  std::uint64_t undecodable = 0;
  return decode(Encoding::kUtf8, {Encoding::kUtf8}, path, undecodable);
}

// Writes findings as they come, and keeps what the summary says.
class ScanPrinter : public ScanReporter {
 public:
  ScanPrinter(const ScanOptions& options, std::optional<Instant> since,
              std::optional<Instant> until)
      : options_{options}, since_{since}, until_{until} {}

  void found(const ScannedLog& log, std::vector<ScanFinding> findings) override;
  void ended(const ScannedLog& log) override;
  void problem(const std::string& file, const std::string& what);
  void finish() { windows_.finish(); }
  void summary();

  [[nodiscard]] bool has_findings() const { return findings_ > 0; }
  [[nodiscard]] bool has_problems() const { return !problems_.empty(); }

 private:
  void write(const ScannedLog& log, const ScanFinding& finding);
  void write_text(const ScannedLog& log, const ScanFinding& finding, const std::string& reference);
  void write_coverage(JsonWriter& json) const;
  void write_rules(JsonWriter& json) const;
  void write_windows(JsonWriter& json) const;

  struct Counted {
    std::string signal;
    std::uint64_t findings = 0;
  };
  using RuleKey = std::pair<std::string, std::string>;  // pack and rule

  const ScanOptions& options_;
  std::optional<Instant> since_;
  std::optional<Instant> until_;
  std::string out_;
  std::uint64_t findings_ = 0;
  std::uint64_t files_ = 0;
  ScanStats total_;
  std::map<RuleKey, Counted> rules_;
  std::map<std::string, PackIdentity> packs_;
  ScanWindows windows_;
  std::vector<FileProblem> problems_;
};

// Of a finding only what the privacy step let through, and of that only the portal's id: without
// the tenant's key there is no other form in which a reference may be shown.
std::string portal_id(const SignalEvent& event) {
  for (const Reference& reference : event.references) {
    if (reference.type == ReferenceType::kPortalMessageId) return reference.value;
  }
  return "";
}

void ScanPrinter::write_text(const ScannedLog& log, const ScanFinding& finding,
                             const std::string& reference) {
  const SignalEvent& event = finding.event;
  out_ += shown(log.file) + ":" + std::to_string(finding.line) + " " + to_rfc3339(event.time) +
          " " + std::string{to_string(*event.signal)} + " " + event.rule;
  if (!event.code.empty()) out_ += " " + event.code;
  if (!reference.empty()) out_ += " " + reference;
  out_ += "\n";
  if (options_.show_text) out_ += "    " + finding.text + "\n";
}

void ScanPrinter::write(const ScannedLog& log, const ScanFinding& finding) {
  const SignalEvent& event = finding.event;
  const std::string reference = portal_id(event);
  if (options_.format == Format::kText) return write_text(log, finding, reference);
  JsonWriter json;
  json.begin_object().member("file", shown(log.file)).member("line", finding.line);
  json.member("offset", event.offset).member("time", to_rfc3339(event.time));
  json.member("signal", to_string(*event.signal)).member("rule", event.rule);
  json.name("code");
  if (event.code.empty()) {
    json.raw("null");
  } else {
    json.value(event.code);
  }
  json.name("ref");
  if (reference.empty()) {
    json.raw("null");
  } else {
    json.value(reference);
  }
  if (event.time_inherited) json.member("time_inherited", true);
  if (event.time_doubt != TimeDoubt::kNone) {
    json.member("time_doubt", to_string(event.time_doubt));
  }
  if (options_.show_text) json.member("text", finding.text);
  json.end_object();
  out_ += std::move(json).take() + "\n";
}

void ScanPrinter::found(const ScannedLog& log, std::vector<ScanFinding> findings) {
  for (const ScanFinding& finding : findings) {
    const SignalEvent& event = finding.event;
    if (!event.signal) continue;
    if ((since_ && event.time < *since_) || (until_ && event.time >= *until_)) continue;
    ++findings_;
    windows_.observe(log.pack->identity.id, event);
    Counted& counted = rules_[{log.pack->identity.id, event.rule}];
    counted.signal = to_string(*event.signal);
    ++counted.findings;
    write(log, finding);
  }
  print(out_);
  std::fflush(stdout);
  out_.clear();
}

void ScanPrinter::problem(const std::string& file, const std::string& what) {
  problems_.push_back({file, what});
  const std::string line = "meldevakt-agent: " + shown(file) + ": " + what + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void ScanPrinter::ended(const ScannedLog& log) {
  ++files_;
  if (!log.problem.empty()) problem(log.file, log.problem);
  if (log.pack != nullptr) packs_[log.pack->identity.id] = log.pack->identity;
  const ScanStats& stats = log.stats;
  total_.bytes += stats.bytes;
  total_.lines += stats.lines;
  total_.records += stats.records;
  total_.recognised_bytes += stats.recognised_bytes;
  total_.dropped_bytes += stats.dropped_bytes;
  total_.references_dropped += stats.references_dropped;
  const auto is_outside = [](const std::optional<Instant>& time,
                             const std::optional<Instant>& known, bool before) {
    return time && (!known || (before ? *time < *known : *time > *known));
  };
  if (is_outside(stats.first_time, total_.first_time, true)) total_.first_time = stats.first_time;
  if (is_outside(stats.last_time, total_.last_time, false)) total_.last_time = stats.last_time;
}

void ScanPrinter::write_coverage(JsonWriter& json) const {
  json.name("coverage").begin_object();
  json.member("files", files_).member("complete", problems_.empty());
  json.member("recognised", total_.recognised_bytes);
  json.member("unrecognised", total_.bytes - total_.recognised_bytes - total_.dropped_bytes);
  json.member("dropped", total_.dropped_bytes).member("pending", std::uint64_t{0});
  json.name("packs").begin_array();
  for (const auto& [id, identity] : packs_) {
    json.begin_object().member("id", id).member("version", identity.version);
    json.member("sha256", identity.sha256.hex()).end_object();
  }
  json.end_array().name("problems").begin_array();
  for (const FileProblem& problem : problems_) {
    json.begin_object().member("file", shown(problem.file)).member("problem", shown(problem.what));
    json.end_object();
  }
  json.end_array().end_object();
}

void ScanPrinter::write_rules(JsonWriter& json) const {
  json.name("rules").begin_array();
  for (const auto& [key, counted] : rules_) {
    json.begin_object().member("pack", key.first).member("rule", key.second);
    json.member("signal", counted.signal).member("findings", counted.findings).end_object();
  }
  json.end_array();
}

void ScanPrinter::write_windows(JsonWriter& json) const {
  json.name("windows").begin_array();
  for (const ScanWindows::Window& window : windows_.all()) {
    json.begin_object().member("pack", window.pack);
    json.member("from", to_rfc3339(window.fact.span.from));
    json.member("to", to_rfc3339(window.fact.span.to)).member("driver", window.fact.driver);
    json.name("signals").begin_object();
    for (const WindowFact::Count& count : window.fact.signals) {
      json.member(to_string(count.signal), count.count);
    }
    json.end_object().end_object();
  }
  json.end_array();
  if (windows_.left_out() > 0) json.member("windows_left_out", windows_.left_out());
}

void ScanPrinter::summary() {
  JsonWriter json;
  json.begin_object().name("summary").begin_object();
  json.member("findings", findings_).member("bytes", total_.bytes).member("lines", total_.lines);
  json.member("records", total_.records);
  json.name("time").begin_object();
  if (total_.first_time) json.member("first", to_rfc3339(*total_.first_time));
  if (total_.last_time) json.member("last", to_rfc3339(*total_.last_time));
  json.end_object();
  write_coverage(json);
  write_rules(json);
  write_windows(json);
  json.member("references_withheld", total_.references_dropped);
  json.end_object().end_object();
  print(std::move(json).take() + "\n");
}

// "scan: 12.4 of 31.0 GB" on a terminal, nothing elsewhere.
class Progress {
 public:
  Progress(const ScanRun& run, std::uint64_t bytes) : run_{run}, bytes_{bytes} {
    if (::isatty(STDERR_FILENO) != 0) thread_ = std::thread{[this] { show(); }};
  }
  ~Progress() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock{mutex_};
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
    std::fputs("\r\x1B[K", stderr);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void show() {
    std::unique_lock lock{mutex_};
    while (!changed_.wait_for(lock, std::chrono::milliseconds{250}, [this] { return done_; })) {
      std::fprintf(stderr, "\rscan: %.1f of %.1f MB\x1B[K",
                   static_cast<double>(run_.bytes_read()) / 1e6, static_cast<double>(bytes_) / 1e6);
    }
  }

  const ScanRun& run_;
  std::uint64_t bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

// --pack takes an id, or the file of a pack; then no other is loaded.
Result<Packs> packs_for(const ScanOptions& options) {
  if (options.pack.find('.') != std::string::npos || options.pack.find('/') != std::string::npos) {
    auto loaded = load_pack_file(options.pack);
    if (loaded) return Packs{{loaded.value().pack->identity.id, loaded.value()}};
    if (loaded.error().code() != Errc::kNotFound) return loaded.error();
  }
  Packs packs;
  if (options.config.empty()) {
    MELDEVAKT_TRY_ASSIGN(packs, built_in_packs());
  } else {
    MELDEVAKT_TRY_ASSIGN(const Config config, load_config(options.config));
    MELDEVAKT_TRY_ASSIGN(packs, load_packs(config));
  }
  if (options.pack.empty()) return packs;
  if (const auto found = packs.find(options.pack); found != packs.end()) {
    return Packs{{found->first, found->second}};
  }
  std::vector<std::string> ids;
  for (const auto& [id, pack] : packs) ids.push_back(id);
  std::string what = "there is no pack '" + quoted(options.pack) + "'";
  if (const auto near = nearest_name(options.pack, ids)) what += "; did you mean '" + *near + "'?";
  return Error{Errc::kInvalid, what};
}

struct Scanned {
  bool findings = false;
  bool problems = false;
};

Result<Scanned> run(const ScanOptions& options) {
  if (options.show_text && ::isatty(STDOUT_FILENO) == 0) {
    return Error{Errc::kInvalid,
                 "--show-text shows text of the log, and only on a terminal: leave it out here"};
  }
  SystemTimeZones zones;
  MELDEVAKT_TRY_ASSIGN(const Packs packs, packs_for(options));
  SourceConfig source;
  source.zone = options.zone;
  ScanRun::Settings settings;
  for (const auto& [id, loaded] : packs) {
    MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const TimeZone> zone,
                         zones.find(zone_of(source, *loaded.pack)));
    settings.packs.push_back({loaded.pack, zone});
  }
  settings.threads = options.threads;
  settings.keep_text = options.show_text;
  std::shared_ptr<const TimeZone> zone;
  if (!options.zone.empty()) {
    MELDEVAKT_TRY_ASSIGN(zone, zones.find(options.zone));
  }
  std::optional<Instant> since;
  std::optional<Instant> until;
  if (!options.since.empty()) {
    MELDEVAKT_TRY_ASSIGN(since, parse_moment(options.since, zone.get()));
  }
  if (!options.until.empty()) {
    MELDEVAKT_TRY_ASSIGN(until, parse_moment(options.until, zone.get()));
  }
  const FileList list = list_files(options.paths);
  ScanPrinter printer{options, since, until};
  for (const FileProblem& problem : list.problems) printer.problem(problem.file, problem.what);
  ScanRun scan{std::move(settings)};
  {
    const Progress progress{scan, list.bytes};
    scan.scan(list.files, printer);
  }
  printer.finish();
  printer.summary();
  return Scanned{printer.has_findings(), printer.has_problems()};
}

}  // namespace

Result<Instant> parse_moment(std::string_view text, const TimeZone* zone) {
  if (auto whole = from_rfc3339(text)) return whole.value();
  std::string filled{text};
  constexpr std::string_view kRest = "0000-00-00T00:00:00";
  if (filled.size() == 10 || filled.size() == 16) filled += kRest.substr(filled.size());
  if (filled.size() > 10 && filled[10] == ' ') filled[10] = 'T';
  auto as_if_utc = from_rfc3339(filled + "Z");
  if (!as_if_utc) {
    return Error{Errc::kInvalid, "not a moment: '" + quoted(text) +
                                     "'; write 2023-02-01, 2023-02-01T09:30 or "
                                     "2023-02-01T09:30:00+01:00"};
  }
  if (zone == nullptr) return as_if_utc.value();
  return zone->to_utc(to_local(as_if_utc.value(), Duration{0})).first;
}

int run_scan(const ScanOptions& options) {
  const Result<Scanned> done = run(options);
  if (!done) return complain(done.error());
  if (done.value().findings) return kExitFindings;
  return done.value().problems ? kExitEnvironment : kExitDone;
}

}  // namespace meldevakt::agent
