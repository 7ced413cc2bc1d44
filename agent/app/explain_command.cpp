// `explain`: a log file through agent/summarise/explain.h, as JSON lines or as text.
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/app/commands.h"
#include "agent/app/packs.h"
#include "agent/source/file_identity.h"
#include "agent/summarise/explain.h"
#include "agent/unpack/evtx_events.h"
#include "common/base/text.h"
#include "common/platform/process_meter.h"
#include "common/platform/time_zones.h"

namespace meldevakt::agent {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kChunkBytes = 128 * 1024;
constexpr std::uint64_t kTrialBytes = 1024 * 1024;  // by which the fitting pack is chosen

// References are shown as they would leave, but under a key that is nobody's: what is shown here
// cannot be compared with what was sent.
constexpr std::size_t kKeyBytes = 32;

// Years and dates that the log leaves out are no later than this.
std::optional<Instant> last_written(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return Instant{static_cast<std::int64_t>(found.st_mtime) * 1000};
}

Result<std::unique_ptr<Explainer>> make_explainer(const LoadedPack& loaded,
                                                  const ExplainOptions& options) {
  SystemTimeZones zones;
  SourceConfig source;
  source.zone = options.zone;
  MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const TimeZone> zone,
                       zones.find(zone_of(source, *loaded.pack)));
  Explainer::Settings settings;
  settings.pack = loaded.pack;
  settings.zone = zone;
  settings.tenant_key = std::string(kKeyBytes, '\0');
  settings.fact_key = settings.tenant_key;
  settings.show_text = options.show_text;
  settings.last_written = last_written(options.file);
  return std::make_unique<Explainer>(std::move(settings));
}

class StoredBytes final : public ByteSource {
 public:
  explicit StoredBytes(ReadRaw read_raw) : read_raw_{std::move(read_raw)} {}
  [[nodiscard]] Result<std::size_t> read(char* to, std::size_t size) override {
    MELDEVAKT_TRY_ASSIGN(const std::size_t got, read_raw_(offset_, to, size));
    offset_ += got;
    return got;
  }

 private:
  ReadRaw read_raw_;
  std::uint64_t offset_ = 0;
};

// The text of a log from its beginning: what is stored, or the events of an event log as XML.
// `file` outlives it.
Result<std::unique_ptr<ByteSource>> text_of(const OpenFile& file) {
  const ReadRaw read_raw = [&file](std::uint64_t offset, char* to, std::size_t size) {
    return file.read(offset, to, size);
  };
  std::string first(kEvtxMagicBytes, '\0');
  MELDEVAKT_TRY_ASSIGN(const std::size_t got, file.read(0, first.data(), first.size()));
  first.resize(got);
  if (is_evtx(first)) {
    MELDEVAKT_TRY_ASSIGN(const FileStat stat, file.stat());
    MELDEVAKT_TRY_ASSIGN(std::unique_ptr<ByteSource> events, EvtxText::open(read_raw, stat.size));
    return events;
  }
  return std::unique_ptr<ByteSource>{std::make_unique<StoredBytes>(read_raw)};
}

// Feeds up to `bytes_max` of the file's text and hands every line on. Where the file is damaged,
// what comes before that is explained first.
Status explain(const OpenFile& file, Explainer& explainer, std::uint64_t bytes_max,
               const std::function<void(const std::string&)>& out) {
  MELDEVAKT_TRY_ASSIGN(const std::unique_ptr<ByteSource> text, text_of(file));
  std::string buffer(kChunkBytes, '\0');
  Status trouble;
  for (std::uint64_t offset = 0; offset < bytes_max;) {
    const Result<std::size_t> got = text->read(buffer.data(), buffer.size());
    if (!got) trouble = got.error();
    if (!got || got.value() == 0) break;
    explainer.feed(std::string_view{buffer}.substr(0, got.value()));
    for (const std::string& line : explainer.take()) out(line);
    offset += got.value();
  }
  explainer.finish();
  for (const std::string& line : explainer.take()) out(line);
  return trouble;
}

Result<LoadedPack> best_pack(const OpenFile& file, const Packs& packs,
                             const ExplainOptions& options) {
  const LoadedPack* best = nullptr;
  std::uint64_t most = 0;
  for (const auto& [id, loaded] : packs) {
    MELDEVAKT_TRY_ASSIGN(const auto explainer, make_explainer(loaded, options));
    std::uint64_t known = 0;
    // What is damaged is told when the file is explained.
    static_cast<void>(explain(file, *explainer, kTrialBytes, [&](const std::string& line) {
      if (line.find("\"known\":true") != std::string::npos) ++known;
    }));
    if (known > most) {
      most = known;
      best = &loaded;
    }
  }
  if (best == nullptr) {
    return Error{Errc::kInvalid,
                 "no pack knows anything in " + options.file + "; say which to use: --pack ID"};
  }
  return *best;
}

Result<LoadedPack> choose_pack(const OpenFile& file, const Packs& packs,
                               const ExplainOptions& options) {
  if (options.pack.empty()) return best_pack(file, packs, options);
  const auto found = packs.find(options.pack);
  if (found != packs.end()) return found->second;
  std::vector<std::string> ids;
  for (const auto& [id, pack] : packs) ids.push_back(id);
  std::string what = "there is no pack '" + meldevakt::quoted(options.pack) + "'";
  if (const auto near = nearest_name(options.pack, ids)) what += "; did you mean '" + *near + "'?";
  return Error{Errc::kInvalid, what};
}

std::string member_text(const Json& json, const char* name) {
  if (!json.contains(name) || json[name].is_null()) return "-";
  return json[name].is_string() ? json[name].get<std::string>() : json[name].dump();
}

// One line of the explainer as people read it.
std::string as_text(const std::string& line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return line + "\n";
  if (json.contains("record")) {
    const Json& record = json["record"];
    std::string out = "@" + member_text(record, "offset") + " " + member_text(record, "time") +
                      " " + member_text(record, "lines") + " line(s), " +
                      member_text(record, "bytes") + " bytes: ";
    out += record.value("known", false) ? "known" : "not known";
    if (record.value("truncated", false)) out += ", cut";
    if (record.contains("text")) out += "\n    " + member_text(record, "text");
    for (const Json& event : record.value("events", Json::array())) {
      out += "\n    rule " + member_text(event, "rule") + " -> " + member_text(event, "signal");
      for (const char* name : {"outcome", "code", "references", "scopes", "step"}) {
        if (event.contains(name) && !event[name].is_null() && event[name] != "" &&
            event[name] != Json::array()) {
          out += std::string{" "} + name + "=" + member_text(event, name);
        }
      }
    }
    return out + "\n";
  }
  if (json.contains("fact")) return "would be sent: " + json["fact"].dump() + "\n";
  return "summary: " + json.value("summary", Json{}).dump() + "\n";
}

// What explaining cost, in the summary: the agent itself works less for a record, but a pack that
// is dear here is dear there.
std::string with_cost(const std::string& line, std::int64_t cpu_ns) {
  Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("summary")) return line;
  const std::int64_t records = json["summary"].value("records", std::int64_t{0});
  json["summary"]["cost"] = {{"cpu_ms", cpu_ns / 1'000'000},
                             {"cpu_us_per_record", records == 0 ? 0 : cpu_ns / 1000 / records}};
  return json.dump();
}

Status run(const ExplainOptions& options) {
  if (options.show_text && ::isatty(STDOUT_FILENO) == 0) {
    return Error{Errc::kInvalid,
                 "--show-text shows text of the log, and only on a terminal: leave it out here"};
  }
  Packs packs;
  if (options.config.empty()) {
    MELDEVAKT_TRY_ASSIGN(packs, built_in_packs());
  } else {
    MELDEVAKT_TRY_ASSIGN(const Config config, load_config(options.config));
    MELDEVAKT_TRY_ASSIGN(packs, load_packs(config));
  }
  auto file = OpenFile::open(options.file);
  if (!file) {
    // A file that is not there is a mistake on the command line; one that refuses is not.
    return std::move(file).error().in(options.file);
  }
  MELDEVAKT_TRY_ASSIGN(const LoadedPack pack, choose_pack(file.value(), packs, options));
  MELDEVAKT_TRY_ASSIGN(const auto explainer, make_explainer(pack, options));
  if (options.format == Format::kText) {
    print("pack " + pack.pack->identity.id + " " + pack.pack->identity.version + " (" +
          pack.origin + ")\n");
  }
  SystemProcessMeter meter;
  const std::int64_t before = meter.cpu_ns();
  return explain(file.value(), *explainer, UINT64_MAX, [&](const std::string& line) {
    const bool is_summary = line.starts_with("{\"summary\"");
    const std::string whole = is_summary ? with_cost(line, meter.cpu_ns() - before) : line;
    print(options.format == Format::kJson ? whole + "\n" : as_text(whole));
  });
}

}  // namespace

int run_explain(const ExplainOptions& options) {
  const Status done = run(options);
  return done ? kExitDone : complain(done.error());
}

}  // namespace meldevakt::agent
