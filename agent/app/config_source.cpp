#include "agent/app/config_source.h"

#include <algorithm>

#include "agent/app/config_table.h"
#include "agent/source/journal_entry.h"
#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/receipts/receipts.h"

namespace meldevakt::agent {
namespace {

// Names travel in statements and stand in log lines.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= limits::kIdentifierBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

void check_glob(ConfigTable& in, const char* key, const std::string& glob) {
  if (glob.find("**") != std::string::npos) {
    in.mistake(key, "'" + quoted(glob) +
                        "': '**' is not understood; write one '*' for each "
                        "folder");
  }
  if (glob.back() == '/') {
    in.mistake(key, "'" + quoted(glob) + "' is a folder; add the files' names, e.g. '" +
                        quoted(glob) + "*.log'");
  }
}

constexpr std::string_view kMetricsPack = "host-metrics";
constexpr std::string_view kMetricsZone = "UTC";

void read_metrics(ConfigTable& in, SourceConfig& out) {
  out.kind = SourceKind::kMetrics;
  HostMetricsConfig& metrics = out.metrics;
  if (in.has("files")) {
    static_cast<void>(in.texts("files"));
    in.mistake("files",
               "a [[source]] has 'files' or 'metrics', not both; write a [[source]] for each");
  }
  const std::vector<std::string> groups = in.texts("metrics");
  if (groups.empty()) {
    in.mistake("metrics", "'metrics' in [[source]] names none of \"cpu\", \"disk\", \"memory\"");
  }
  for (const std::string& group : groups) {
    if (group == "cpu") {
      metrics.groups.cpu = true;
    } else if (group == "disk") {
      metrics.groups.disk = true;
    } else if (group == "memory") {
      metrics.groups.memory = true;
    } else {
      in.mistake("metrics", "there are no metrics '" + quoted(group) +
                                "'; there are \"cpu\", \"disk\" and \"memory\"");
    }
  }
  metrics.every = in.duration("every", seconds(1), minutes(10)).value_or(metrics.every);
  metrics.roots.proc = in.text("proc", metrics.roots.proc);
  metrics.roots.cgroup = in.text("cgroup", metrics.roots.cgroup);
  metrics.roots.folders = in.texts("folders");
  out.pack = in.text("pack", std::string{kMetricsPack});
  out.pack_line = in.line_of("pack");
  out.zone = in.text("zone", std::string{kMetricsZone});
}

void read_globs(ConfigTable& in, const char* key, SourceConfig& out) {
  out.files = in.texts(key);
  if (in.has(key) && out.files.empty()) {
    in.mistake(key, "'" + std::string{key} + "' in [[source]] names no file");
  }
  for (const std::string& glob : out.files) check_glob(in, key, glob);
}

void read_files(ConfigTable& in, SourceConfig& out) {
  read_globs(in, "files", out);
  if (!in.has("files")) in.missing("files");
  for (const char* const key : {"identifiers", "journal_folder"}) {
    if (in.has(key)) in.mistake(key, "'" + std::string{key} + "' needs 'journal' beside it");
  }
  const auto is_event_log = [](const std::string& glob) { return glob.ends_with(".evtx"); };
  if (std::any_of(out.files.begin(), out.files.end(), is_event_log)) {
    out.kind = SourceKind::kEvents;
    if (!std::all_of(out.files.begin(), out.files.end(), is_event_log)) {
      in.mistake("files", "event logs (.evtx) and other files are two sources: make two");
    }
  }
  out.pack = in.required("pack");
  out.pack_line = in.line_of("pack");
  out.zone = in.text("zone");
}

// A portal's CSV, dropped into a folder by people or a job.
void read_receipts(ConfigTable& in, SourceConfig& out, Mistakes& mistakes) {
  out.kind = SourceKind::kReceipts;
  out.pack = kReceiptsPack;
  out.pack_line = in.line_of("receipts");
  read_globs(in, "receipts", out);
  if (in.has("files")) {
    in.mistake("files", "a [[source]] has 'files' or 'receipts', not both");
  }
  out.portal = in.required("portal");
  if (in.has("portal") && !out.portal.empty() && !is_name(out.portal)) {
    in.mistake("portal", "'" + quoted(out.portal) +
                             "' is no name for a portal: the one it has in the collector's "
                             "configuration, e.g. \"npb\"");
  }
  out.zone = in.text("zone");
  out.organisations = in.texts("organisations");
  const toml::table* const columns = in.table("columns");
  if (columns == nullptr) return;
  ConfigTable sub{*columns, "columns of [[source]]", mistakes};
  for (const auto& [field, headings] : default_columns()) {
    const std::vector<std::string> given = sub.texts(field);
    if (sub.has(field)) out.columns[field] = given;
  }
  sub.finish();
}

// The pack for exported journals reads the journal itself, for it is given on in the same form.
void read_journal(ConfigTable& in, SourceConfig& out) {
  out.kind = SourceKind::kJournal;
  out.journal = in.texts("journal");
  out.identifiers = in.texts("identifiers");
  out.journal_folder = in.text("journal_folder");
  out.pack = in.text("pack", "linux-journal-json");
  out.pack_line = in.line_of("pack");
  out.zone = in.text("zone");
  if (in.has("files")) {
    static_cast<void>(in.texts("files"));
    in.mistake("files", "a source has 'files' or 'journal', not both: make two");
  }
  if (const auto filter = parse_journal_filter(out.journal, out.identifiers); !filter) {
    in.mistake("journal", filter.error().message());
  }
  if (in.has("journal_folder") && !out.journal_folder.starts_with('/')) {
    in.mistake("journal_folder", "'" + quoted(out.journal_folder) +
                                     "' is no folder's full name; write e.g. "
                                     "\"/var/log/journal/remote\"");
  }
}

}  // namespace

SourceConfig read_source_config(const toml::table& table, Mistakes& mistakes) {
  ConfigTable in{table, "[[source]]", mistakes};
  SourceConfig out;
  out.line = in.line();
  out.name = in.required("name");
  if (in.has("name") && !out.name.empty() && !is_name(out.name)) {
    in.mistake("name", "'" + quoted(out.name) +
                           "' is no name for a source: letters without accents, "
                           "digits, '-', '_' and '.', at most 64");
  }
  if (in.has("events")) {
    static_cast<void>(in.texts("events"));
    in.mistake(
        "events",
        "'events' subscribes to the event log of Windows, which this host has not; copies of "
        "its logs (.evtx) are read with 'files'");
  } else if (in.has("journal")) {
    read_journal(in, out);
  } else if (in.has("metrics")) {
    read_metrics(in, out);
  } else if (in.has("receipts")) {
    read_receipts(in, out, mistakes);
  } else {
    read_files(in, out);
  }
  out.zone_line = in.line_of("zone");
  out.tenant = in.text("tenant");
  out.limits = in.numbers("limits");
  out.limits_line = in.line_of("limits");
  out.flush_lag = in.duration("flush_lag", milliseconds(0), hours(24));
  in.finish();
  return out;
}

}  // namespace meldevakt::agent
