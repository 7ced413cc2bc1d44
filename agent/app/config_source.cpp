#include "agent/app/config_source.h"

#include <algorithm>

#include "agent/app/config_table.h"
#include "common/base/limits.h"
#include "common/base/text.h"

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

void check_glob(ConfigTable& in, const std::string& glob) {
  if (glob.find("**") != std::string::npos) {
    in.mistake("files", "'" + quoted(glob) +
                            "': '**' is not understood; write one '*' for each "
                            "folder");
  }
  if (glob.back() == '/') {
    in.mistake("files", "'" + quoted(glob) + "' is a folder; add the files' names, e.g. '" +
                            quoted(glob) + "*.log'");
  }
}

constexpr std::string_view kMetricsPack = "host-metrics";
constexpr std::string_view kMetricsZone = "UTC";

void read_files(ConfigTable& in, SourceConfig& out) {
  out.files = in.texts("files");
  if (!in.has("files")) {
    in.missing("files");
  } else if (out.files.empty()) {
    in.mistake("files", "'files' in [[source]] names no file");
  }
  for (const std::string& glob : out.files) check_glob(in, glob);
}

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
  const bool samples = in.has("metrics");
  if (samples) {
    read_metrics(in, out);
  } else {
    read_files(in, out);
  }
  out.pack = samples ? in.text("pack", std::string{kMetricsPack}) : in.required("pack");
  out.pack_line = in.line_of("pack");
  out.zone = in.text("zone", samples ? std::string{kMetricsZone} : std::string{});
  out.zone_line = in.line_of("zone");
  out.tenant = in.text("tenant");
  out.limits = in.numbers("limits");
  out.limits_line = in.line_of("limits");
  out.flush_lag = in.duration("flush_lag", milliseconds(0), hours(24));
  in.finish();
  return out;
}

}  // namespace meldevakt::agent
