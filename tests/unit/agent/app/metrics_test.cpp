// The metrics file: its text, and that it comes and goes as an operator expects.
#include "agent/app/metrics_text.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "tests/unit/agent/app/agent_world.h"

namespace meldevakt::agent {
namespace {

using testing::AgentWorld;
using testing::kIdA;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

AgentMetrics example() {
  AgentMetrics out;
  out.version = "1.2.3";
  out.now = Instant{1'700'000'000'042};
  SourceMetrics source;
  source.source = "trace";
  source.pack = "familia-like";
  source.version = "1.0.0";
  source.hash = "abc";
  source.bytes = {1000, 600, 300, 60, 40};
  source.records = 12;
  source.references_withheld = 3;
  source.unread = 77;
  source.state = ReadState::kGap;
  source.lag = milliseconds(61'005);
  out.sources.push_back(source);
  out.tenants.push_back({"Bærum \"kommune\"\\\n", Instant{1'699'999'999'000}});
  out.tenants.push_back({"never", {}});
  out.outbox_statements = 2;
  out.outbox_bytes = 2048;
  out.outbox_bytes_allowed = 256'000'000;
  out.findings = {{"failed_commit", 1}, {"receipt_before_commit", 0}};
  out.budget = {17, 2, 12'000'000, 64'000'000, MemoryStage::kTight, seconds(9), 20.0};
  out.holds = HoldKeeper::Counts{3, 4096, 1};
  return out;
}

constexpr std::string_view kGolden =
    R"(# HELP meldevakt_agent_build_info The agent's version.
# TYPE meldevakt_agent_build_info gauge
meldevakt_agent_build_info{version="1.2.3"} 1
# HELP meldevakt_agent_metrics_timestamp_seconds When this file was written.
# TYPE meldevakt_agent_metrics_timestamp_seconds gauge
meldevakt_agent_metrics_timestamp_seconds 1700000000.042
# HELP meldevakt_agent_source_read_bytes_total Bytes read, since the state was made.
# TYPE meldevakt_agent_source_read_bytes_total counter
meldevakt_agent_source_read_bytes_total{source="trace"} 1000
# HELP meldevakt_agent_source_recognised_bytes_total Bytes of records that a rule knows, since the state was made.
# TYPE meldevakt_agent_source_recognised_bytes_total counter
meldevakt_agent_source_recognised_bytes_total{source="trace"} 600
# HELP meldevakt_agent_source_unrecognised_bytes_total Bytes of records that no rule knows, since the state was made.
# TYPE meldevakt_agent_source_unrecognised_bytes_total counter
meldevakt_agent_source_unrecognised_bytes_total{source="trace"} 300
# HELP meldevakt_agent_source_dropped_bytes_total Bytes over a bound, and padding, since the state was made.
# TYPE meldevakt_agent_source_dropped_bytes_total counter
meldevakt_agent_source_dropped_bytes_total{source="trace"} 60
# HELP meldevakt_agent_source_pending_bytes Bytes read of records that are not finished yet.
# TYPE meldevakt_agent_source_pending_bytes gauge
meldevakt_agent_source_pending_bytes{source="trace"} 40
# HELP meldevakt_agent_source_records_total Records read, since the state was made.
# TYPE meldevakt_agent_source_records_total counter
meldevakt_agent_source_records_total{source="trace"} 12
# HELP meldevakt_agent_source_references_withheld_total References that the privacy step did not let pass, since the agent started.
# TYPE meldevakt_agent_source_references_withheld_total counter
meldevakt_agent_source_references_withheld_total{source="trace"} 3
# HELP meldevakt_agent_source_unread_bytes Bytes that lie in the files and are not read yet.
# TYPE meldevakt_agent_source_unread_bytes gauge
meldevakt_agent_source_unread_bytes{source="trace"} 77
# HELP meldevakt_agent_source_lag_seconds How far the event time up to which the source is read lies behind now.
# TYPE meldevakt_agent_source_lag_seconds gauge
meldevakt_agent_source_lag_seconds{source="trace"} 61.005
# HELP meldevakt_agent_source_state 1 for the state in which the source is.
# TYPE meldevakt_agent_source_state gauge
meldevakt_agent_source_state{source="trace",state="read"} 0
meldevakt_agent_source_state{source="trace",state="gap"} 1
meldevakt_agent_source_state{source="trace",state="absent"} 0
meldevakt_agent_source_state{source="trace",state="unknown"} 0
# HELP meldevakt_agent_source_pack_info The rule pack the source is read with.
# TYPE meldevakt_agent_source_pack_info gauge
meldevakt_agent_source_pack_info{source="trace",pack="familia-like",version="1.0.0",hash="abc"} 1
# HELP meldevakt_agent_outbox_statements Statements that are not acknowledged yet.
# TYPE meldevakt_agent_outbox_statements gauge
meldevakt_agent_outbox_statements 2
# HELP meldevakt_agent_outbox_bytes Bytes of statements that are not acknowledged yet.
# TYPE meldevakt_agent_outbox_bytes gauge
meldevakt_agent_outbox_bytes 2048
# HELP meldevakt_agent_outbox_limit_bytes What budget.outbox allows.
# TYPE meldevakt_agent_outbox_limit_bytes gauge
meldevakt_agent_outbox_limit_bytes 256000000
# HELP meldevakt_agent_last_acknowledged_timestamp_seconds When the collector last acknowledged a statement.
# TYPE meldevakt_agent_last_acknowledged_timestamp_seconds gauge
meldevakt_agent_last_acknowledged_timestamp_seconds{tenant="Bærum \"kommune\"\\\n"} 1699999999.000
# HELP meldevakt_agent_findings_total Findings told, since the agent started.
# TYPE meldevakt_agent_findings_total counter
meldevakt_agent_findings_total{kind="failed_commit"} 1
meldevakt_agent_findings_total{kind="receipt_before_commit"} 0
# HELP meldevakt_agent_cpu_used_ratio CPU time of the last minute, of one core.
# TYPE meldevakt_agent_cpu_used_ratio gauge
meldevakt_agent_cpu_used_ratio 0.017
# HELP meldevakt_agent_cpu_limit_ratio What budget.cpu allows, of one core.
# TYPE meldevakt_agent_cpu_limit_ratio gauge
meldevakt_agent_cpu_limit_ratio 0.020
# HELP meldevakt_agent_memory_used_bytes Resident memory.
# TYPE meldevakt_agent_memory_used_bytes gauge
meldevakt_agent_memory_used_bytes 12000000
# HELP meldevakt_agent_memory_limit_bytes What budget.memory allows.
# TYPE meldevakt_agent_memory_limit_bytes gauge
meldevakt_agent_memory_limit_bytes 64000000
# HELP meldevakt_agent_memory_stage 0 easy, 1 tight (reads are small), 2 full (none).
# TYPE meldevakt_agent_memory_stage gauge
meldevakt_agent_memory_stage 1
# HELP meldevakt_agent_paced_seconds How long there has been more to read than budget.cpu lets; 0 when there is not.
# TYPE meldevakt_agent_paced_seconds gauge
meldevakt_agent_paced_seconds 9.000
# HELP meldevakt_agent_holds Holds of the log around findings that are on this host.
# TYPE meldevakt_agent_holds gauge
meldevakt_agent_holds 3
# HELP meldevakt_agent_hold_bytes Bytes on disk of all holds.
# TYPE meldevakt_agent_hold_bytes gauge
meldevakt_agent_hold_bytes 4096
# HELP meldevakt_agent_holds_erased_for_room_total Holds that were erased because newer ones needed room, since the agent started.
# TYPE meldevakt_agent_holds_erased_for_room_total counter
meldevakt_agent_holds_erased_for_room_total 1
)";

TEST_CASE("metrics_text: every line of it") {
  CHECK(metrics_text(example()) == kGolden);
}

// One host with a metrics file, in a folder that may not be there.
struct MetricsWorld : AgentWorld {
  explicit MetricsWorld(const std::string& path)
      : AgentWorld{"[metrics]\nfile = \"" + path + "\"\n"} {
    enrol("t1", "A");
  }
};

TEST_CASE("metrics: written whole, every fifteen seconds and at the stop, for everyone to read") {
  const meldevakt::testing::TempFolder out;
  const std::string path = out / "agent.prom";
  MetricsWorld w{path};
  w.start();
  w.received(kIdA);
  w.run(seconds(16));
  std::string text = out.read("agent.prom");
  CHECK(has(text, "meldevakt_agent_source_records_total{source=\"trace\"} 1\n"));
  CHECK(has(text, "meldevakt_agent_source_state{source=\"trace\",state=\"read\"} 1\n"));
  CHECK(has(text, "meldevakt_agent_last_acknowledged_timestamp_seconds{tenant=\"A\"} 16752428"));
  CHECK(has(text, "meldevakt_agent_outbox_statements 0\n"));
  CHECK(has(text, "{source=\"trace\",pack=\"familia-like\",version=\"1"));
  struct stat state {};
  REQUIRE(::stat(path.c_str(), &state) == 0);
  CHECK((state.st_mode & 0777U) == 0644U);
  // One file, and nothing beside it.
  CHECK(std::distance(std::filesystem::directory_iterator{out.path()},
                      std::filesystem::directory_iterator{}) == 1);
  w.acknowledged(kIdA);
  w.run(seconds(95));  // grace, the next statement, the next writing
  CHECK(has(out.read("agent.prom"),
            "meldevakt_agent_findings_total{kind=\"receipt_without_commit\"} 1\n"));
  w.committed(kIdA);
  w.run(seconds(10));
  CHECK(w.agent->stop());
  CHECK(has(out.read("agent.prom"), "meldevakt_agent_source_records_total{source=\"trace\"} 3\n"));
  // A new process knows when the collector last answered.
  w.collector.away = true;
  w.start();
  w.run(milliseconds(200));
  CHECK(has(out.read("agent.prom"), "last_acknowledged_timestamp_seconds{tenant=\"A\"} 16752429"));
}

TEST_CASE("metrics: a folder that is missing is said once, costs nothing, and is tried again") {
  const meldevakt::testing::TempFolder out;
  MetricsWorld w{out / "none/agent.prom"};
  w.start();
  w.received(kIdA);
  w.run(seconds(60));
  CHECK(w.logged("WARN agent: the metrics file cannot be written") == 1);
  CHECK(w.logged(out / "none/agent.prom") == 1);
  CHECK(w.steps() == "received A");
  std::filesystem::create_directory(out / "none");
  w.run(seconds(16));
  CHECK(w.logged("INFO agent: the metrics file is written again") == 1);
  CHECK(has(out.read("none/agent.prom"), "meldevakt_agent_build_info"));
}

}  // namespace
}  // namespace meldevakt::agent
