// What the agent's state holds, as values; and reading it, which State (writing) and the commands
// that only look share. Thread-safety: plain values; reading as Database.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/detect/finding.h"
#include "agent/source/file_source.h"
#include "agent/state/database.h"
#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/seal/chain.h"
#include "common/seal/seen_log.h"

namespace meldevakt::agent {

// One enrolment: who the agent is towards one tenant.
struct TenantRow {
  std::string id;
  std::string name;       // as the configuration calls it
  std::string agent;      // 32 hexadecimal digits
  std::string collector;  // https://host:port
  std::string files;      // "" or "-<id>": what the names of its key files end with
  Instant enrolled;
  Sha256 enrolment_link;
  ChainHead head;
  std::string boot_id;       // at head.until
  std::int64_t boot_ns = 0;  // at head.until
  std::string lives;         // snapshot of its LifeTracker, "" before the first
  SeenLog log;               // the collector's log of this tenant, as it was last seen
  std::string log_fault;     // how that log was found false, and what it showed; "" when it was not
};

struct PipelineRow {
  std::string tenant;
  std::string source;
  std::string snapshot;
  std::string coverage;  // JSON for people (status), of the last statement
  Instant updated;
};

struct StatementRow {
  std::string tenant;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  Sha256 link;
  Instant sealed;
  std::string frame;
  std::optional<Instant> acknowledged;
  std::string proof;  // that it stands in the collector's log (C2SP tlog-proof); "" when not shown
};

struct FindingRow {
  std::string id;  // the same for the same finding, so each is told once
  std::string tenant;
  Finding finding;
  Instant found;
  std::optional<Instant> told;
};
[[nodiscard]] std::string finding_id(const std::string& tenant, const Finding& finding);

// What the agent says of itself.
struct StatusRow {
  std::string json;
  Instant updated;
};

[[nodiscard]] Result<std::vector<TenantRow>> read_tenants(Database& db);
[[nodiscard]] Result<std::map<std::string, StatusRow>> read_status(Database& db);  // by topic
[[nodiscard]] Result<std::vector<PipelineRow>> read_pipelines(Database& db);
[[nodiscard]] Result<std::map<std::string, std::vector<KnownFile>>> read_files(Database& db);
enum class FindingsWhere : std::uint8_t { kAll, kUntold, kUngiven };
// Oldest first.
[[nodiscard]] Result<std::vector<FindingRow>> read_findings(Database& db, FindingsWhere where,
                                                            std::size_t findings_max = SIZE_MAX);

// Of one tenant, from `sequence` on, oldest first, at most `bytes_max` together (but at least one).
[[nodiscard]] Result<std::vector<StatementRow>> read_outbox(Database& db, const std::string& tenant,
                                                            std::uint64_t epoch,
                                                            std::uint64_t sequence,
                                                            std::uint64_t bytes_max);
struct OutboxSize {
  std::uint64_t statements = 0;
  std::uint64_t bytes = 0;
};
[[nodiscard]] Result<OutboxSize> read_outbox_size(Database& db);

}  // namespace meldevakt::agent
