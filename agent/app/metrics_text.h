// The agent's metrics as a Prometheus text file (exposition format 0.0.4), for node_exporter's
// textfile collector: the agent opens no port.
//
//   metrics_text(metrics)   "# HELP meldevakt_agent_source_read_bytes_total ...\n# TYPE ..."
//
// Names as Prometheus wants them: base units, `_total` for what only grows (since the state was
// made, or since the agent started, as HELP says). Labels are source, tenant, kind, state, pack,
// version and hash: as many series as the configuration has of them, so the number is bounded by
// it; nothing of a log's content is ever a label. Label values are escaped.
//
// Thread-safety: pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/app/budget_keeper.h"
#include "agent/hold/hold_keeper.h"
#include "common/base/time.h"
#include "common/summary/statement.h"

namespace meldevakt::agent {

struct SourceMetrics {
  std::string source;
  std::string pack;
  std::string version;
  std::string hash;  // of the pack
  ByteCounts bytes;
  std::uint64_t records = 0;
  std::uint64_t references_withheld = 0;
  std::uint64_t unread = 0;
  ReadState state = ReadState::kUnknown;
  std::optional<Duration> lag;  // now less the event time up to which it is read
};

struct TenantMetrics {
  std::string tenant;  // name
  std::optional<Instant> last_acknowledged;
};

struct AgentMetrics {
  std::string version;
  Instant now;
  std::vector<SourceMetrics> sources;
  std::vector<TenantMetrics> tenants;
  std::uint64_t outbox_statements = 0;
  std::uint64_t outbox_bytes = 0;
  std::uint64_t outbox_bytes_allowed = 0;
  std::map<std::string, std::uint64_t> findings;  // by kind, of this run; every kind is there
  BudgetUse budget;
  std::optional<HoldKeeper::Counts> holds;  // none: nothing is held
};

[[nodiscard]] std::string metrics_text(const AgentMetrics& metrics);

}  // namespace meldevakt::agent
