#include "agent/app/metrics_text.h"

#include <array>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace meldevakt::agent {
namespace {

constexpr std::string_view kPrefix = "meldevakt_agent_";

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    out.push_back(c);
  }
  return out;
}

std::string seconds_text(std::int64_t ms) {
  std::string out = std::to_string(ms / 1000);
  const std::string rest = std::to_string(1000 + ms % 1000);
  return out + "." + rest.substr(1);
}

// Every sample of one name, after its HELP and TYPE.
class Family {
 public:
  Family(std::string& out, std::string_view name, std::string_view type, std::string_view help)
      : out_{out}, name_{std::string{kPrefix} + std::string{name}} {
    out_ += "# HELP " + name_ + " " + std::string{help} + "\n";
    out_ += "# TYPE " + name_ + " " + std::string{type} + "\n";
  }
  Family& add(Labels labels, const std::string& value) {
    out_ += name_;
    char before = '{';
    for (const auto& [label, text] : labels) {
      out_ += before;
      out_ += std::string{label} + "=\"" + escaped(text) + "\"";
      before = ',';
    }
    out_ += labels.size() == 0 ? " " : "} ";
    out_ += value + "\n";
    return *this;
  }
  Family& add(Labels labels, std::uint64_t value) { return add(labels, std::to_string(value)); }

 private:
  std::string& out_;
  std::string name_;
};

void add_source_counts(std::string& out, const AgentMetrics& metrics) {
  struct Count {
    std::string_view name;
    std::string_view type;
    std::string_view help;
    std::uint64_t (*of)(const SourceMetrics&);
  };
  static constexpr std::array kCounts{
      Count{"source_read_bytes_total", "counter", "Bytes read, since the state was made.",
            [](const SourceMetrics& s) { return s.bytes.read; }},
      Count{"source_recognised_bytes_total", "counter",
            "Bytes of records that a rule knows, since the state was made.",
            [](const SourceMetrics& s) { return s.bytes.recognised; }},
      Count{"source_unrecognised_bytes_total", "counter",
            "Bytes of records that no rule knows, since the state was made.",
            [](const SourceMetrics& s) { return s.bytes.unrecognised; }},
      Count{"source_dropped_bytes_total", "counter",
            "Bytes over a bound, and padding, since the state was made.",
            [](const SourceMetrics& s) { return s.bytes.dropped; }},
      Count{"source_pending_bytes", "gauge", "Bytes read of records that are not finished yet.",
            [](const SourceMetrics& s) { return s.bytes.pending; }},
      Count{"source_records_total", "counter", "Records read, since the state was made.",
            [](const SourceMetrics& s) { return s.records; }},
      Count{"source_references_withheld_total", "counter",
            "References that the privacy step did not let pass, since the agent started.",
            [](const SourceMetrics& s) { return s.references_withheld; }},
      Count{"source_unread_bytes", "gauge", "Bytes that lie in the files and are not read yet.",
            [](const SourceMetrics& s) { return s.unread; }},
  };
  for (const Count& count : kCounts) {
    Family family{out, count.name, count.type, count.help};
    for (const SourceMetrics& source : metrics.sources) {
      family.add({{"source", source.source}}, count.of(source));
    }
  }
}

void add_source_states(std::string& out, const AgentMetrics& metrics) {
  Family lag{out, "source_lag_seconds", "gauge",
             "How far the event time up to which the source is read lies behind now."};
  for (const SourceMetrics& source : metrics.sources) {
    if (source.lag) lag.add({{"source", source.source}}, seconds_text(source.lag->ms));
  }
  Family state{out, "source_state", "gauge", "1 for the state in which the source is."};
  for (const SourceMetrics& source : metrics.sources) {
    for (const ReadState one :
         {ReadState::kRead, ReadState::kGap, ReadState::kAbsent, ReadState::kUnknown}) {
      state.add({{"source", source.source}, {"state", to_string(one)}},
                std::uint64_t{one == source.state});
    }
  }
  Family pack{out, "source_pack_info", "gauge", "The rule pack the source is read with."};
  for (const SourceMetrics& source : metrics.sources) {
    pack.add({{"source", source.source},
              {"pack", source.pack},
              {"version", source.version},
              {"hash", source.hash}},
             std::uint64_t{1});
  }
}

void add_shipping(std::string& out, const AgentMetrics& metrics) {
  Family{out, "outbox_statements", "gauge", "Statements that are not acknowledged yet."}.add(
      {}, metrics.outbox_statements);
  Family{out, "outbox_bytes", "gauge", "Bytes of statements that are not acknowledged yet."}.add(
      {}, metrics.outbox_bytes);
  Family{out, "outbox_limit_bytes", "gauge", "What budget.outbox allows."}.add(
      {}, metrics.outbox_bytes_allowed);
  Family acknowledged{out, "last_acknowledged_timestamp_seconds", "gauge",
                      "When the collector last acknowledged a statement."};
  for (const TenantMetrics& tenant : metrics.tenants) {
    if (!tenant.last_acknowledged) continue;
    acknowledged.add({{"tenant", tenant.tenant}}, seconds_text(tenant.last_acknowledged->ms));
  }
  Family findings{out, "findings_total", "counter", "Findings told, since the agent started."};
  for (const auto& [kind, count] : metrics.findings) findings.add({{"kind", kind}}, count);
}

void add_budget(std::string& out, const BudgetUse& use) {
  Family{out, "cpu_used_ratio", "gauge", "CPU time of the last minute, of one core."}.add(
      {}, seconds_text(use.cpu_permille));
  Family{out, "cpu_limit_ratio", "gauge", "What budget.cpu allows, of one core."}.add(
      {}, seconds_text(std::int64_t{use.cpu_percent_allowed} * 10));
  Family{out, "memory_used_bytes", "gauge", "Resident memory."}.add({}, use.memory_bytes);
  Family{out, "memory_limit_bytes", "gauge", "What budget.memory allows."}.add(
      {}, use.memory_bytes_allowed);
  Family{out, "memory_stage", "gauge", "0 easy, 1 tight (reads are small), 2 full (none)."}.add(
      {}, static_cast<std::uint64_t>(use.memory));
  Family{out, "paced_seconds", "gauge",
         "How long there has been more to read than budget.cpu lets; 0 when there is not."}
      .add({}, seconds_text(use.paced_for ? use.paced_for->ms : 0));
}

void add_holds(std::string& out, const HoldKeeper::Counts& holds) {
  Family{out, "holds", "gauge", "Holds of the log around findings that are on this host."}.add(
      {}, holds.holds);
  Family{out, "hold_bytes", "gauge", "Bytes on disk of all holds."}.add({}, holds.stored_bytes);
  Family{out, "holds_erased_for_room_total", "counter",
         "Holds that were erased because newer ones needed room, since the agent started."}
      .add({}, holds.erased_for_room);
}

}  // namespace

std::string metrics_text(const AgentMetrics& metrics) {
  std::string out;
  Family{out, "build_info", "gauge", "The agent's version."}.add({{"version", metrics.version}},
                                                                 std::uint64_t{1});
  Family{out, "metrics_timestamp_seconds", "gauge", "When this file was written."}.add(
      {}, seconds_text(metrics.now.ms));
  add_source_counts(out, metrics);
  add_source_states(out, metrics);
  add_shipping(out, metrics);
  add_budget(out, metrics.budget);
  if (metrics.holds) add_holds(out, *metrics.holds);
  return out;
}

}  // namespace meldevakt::agent
