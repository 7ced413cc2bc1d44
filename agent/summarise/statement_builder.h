// From the sources' yields to statement and bodies: bounded sizes, chained numbers, one per tenant.
//
//   auto drafts = build_statements(context, head, yields, random);      // usually one
//   for (Draft& d : drafts) { envelope = seal(kStatementType, encode_statement(d.statement),
//   signer); ... }
//
// More facts than one body or one statement holds become several statements: all but the last are
// empty in time ([from, from)) and carry facts only; the last spans [from, to) and carries the
// coverage, so that coverage is never claimed before the facts it covers are on their way. Pure.
// Thread-safety: none needed. Bounds: common/base/limits.h.
#pragma once

#include <string>
#include <vector>

#include "agent/summarise/source_pipeline.h"
#include "common/base/result.h"
#include "common/ports/random.h"
#include "common/seal/chain.h"
#include "common/summary/statement.h"

namespace meldevakt::agent {

struct StatementContext {
  std::string tenant;
  std::string agent;
  Instant from;  // `to` of the statement before, or the time of enrolment
  Instant to;
  std::string boot_id;
  std::int64_t boottime_from_ns = 0;
  std::int64_t boottime_to_ns = 0;
  ClockState clock;
  Sha256 configuration;
  std::string software_version;
  std::string software_sha256;      // hex, or ""
  std::uint64_t log_seen_size = 0;  // of the newest checkpoint of the log that was checked
  std::string log_seen_root;        // hex; "" before the first
};

struct Draft {
  std::string payload;              // the statement's JSON: sign and ship exactly these bytes
  std::vector<std::string> bodies;  // packed
  std::vector<std::string> plain;   // the same bodies as JSON, for the `sent` journal
  ChainHead head;                   // the chain after this statement
};

[[nodiscard]] Result<std::vector<Draft>> build_statements(const StatementContext& context,
                                                          const ChainHead& head,
                                                          std::vector<SourceYield> yields,
                                                          Random& random);

// What a statement over these sources needs at most once it has been made as small as it can be; of
// the coverages only what the configuration decides is read (`id`, `kind`, `pack`, `observes`).
// More than limits::kStatementBytesMax: such an agent could not seal, and must not start.
[[nodiscard]] std::size_t statement_bytes_needed(const std::vector<SourceCoverage>& sources);

}  // namespace meldevakt::agent
