// A tenant's transparency log as rows (SCHEMA.md, "The log"), inside one connection and, for what
// writes, inside the transaction of what an entry is about.
//
// Private to collector/store. Errors: as in sqlite.h; kCorrupt when rows disagree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collector/store/log_key.h"
#include "collector/store/sqlite.h"
#include "collector/store/store.h"
#include "common/seal/tiles.h"

namespace meldevakt::collector {

struct TenantLog {
  std::string origin;  // "" until a writer with a key has come
  MerklePeaks tree;
  std::string note;  // the signed checkpoint; "" when it is not signed
};
[[nodiscard]] Result<std::optional<TenantLog>> find_log(sql::Connection& db,
                                                        const std::string& tenant);

// What an entry is of. The bytes of a statement and of an enrolment stand in their own rows.
struct LogEntry {
  std::string_view kind;  // "statement", "enrolment", "receipts", "alarm", ... (SCHEMA.md)
  std::optional<std::int64_t> ledger_index;
  std::string_view agent;  // of an enrolment
  std::string_view bytes;  // always: what is hashed
};
// Returns the entry's index. `key`: nullptr when there is none.
[[nodiscard]] Result<std::uint64_t> append_log(sql::Connection& db, const std::string& tenant,
                                               const LogKey* key, const LogEntry& entry,
                                               Instant now);
// An alarm, and its entry when it is a new one.
[[nodiscard]] Status record_alarm(sql::Connection& db, const LogKey* key, const Alarm& alarm);
// The agent has told something: it is not silent any more.
[[nodiscard]] Status close_silence(sql::Connection& db, const LogKey* key,
                                   const std::string& tenant, const std::string& agent,
                                   Instant now);
// An entry that holds no more of what it is about than a digest, and how much or which it is.
struct DigestEntry {
  std::string_view kind;
  std::string_view count_name;  // of the member that says so: "number", "added"
  std::uint64_t count = 0;
  std::string_view digest;  // SHA-256 in hexadecimal digits
};
[[nodiscard]] Status append_digest(sql::Connection& db, const std::string& tenant,
                                   const LogKey* key, const DigestEntry& entry, Instant now);
// The index that the tenant's next entry will have. kNotFound: no such tenant.
[[nodiscard]] Result<std::int64_t> next_log_index(sql::Connection& db, const std::string& tenant);

// What is hashed of an addition to the register: its rows in their order; of an entry that a person
// told, and of a control, its bytes. kCorrupt: no such row.
[[nodiscard]] Result<std::string> registry_digest(sql::Connection& db, const std::string& tenant,
                                                  std::int64_t index);
[[nodiscard]] Result<std::string> told_digest(sql::Connection& db, const std::string& tenant,
                                              std::int64_t index);
[[nodiscard]] Result<std::string> control_digest(sql::Connection& db, const std::string& tenant,
                                                 std::int64_t index);
// Entries for what was stored before the log told of it.
[[nodiscard]] Status log_old_registry(sql::Connection& db, const std::string& tenant);
[[nodiscard]] Status log_old_controls(sql::Connection& db, const std::string& tenant);

[[nodiscard]] Status begin_log(sql::Connection& db, const std::string& tenant, const LogKey* key);
// Logs for tenants that have none yet, from what is stored; and checkpoints that are not signed.
[[nodiscard]] Status catch_up_logs(sql::Connection& db, const LogKey* key);

[[nodiscard]] ReadTileHashes tile_hashes_of(sql::Connection& db, const std::string& tenant);
// kNotFound when the log is not that long.
[[nodiscard]] Result<std::string> entry_bytes(sql::Connection& db, const std::string& tenant,
                                              std::uint64_t index);

// A tile's hashes, or the entries of a bundle; kNotFound when the log is not that wide.
[[nodiscard]] Result<std::string> tile_bytes(sql::Connection& db, const std::string& tenant,
                                             const TilePath& path);

[[nodiscard]] Result<LogProof> proof_of(sql::Connection& db, const std::string& agent_id,
                                        std::uint64_t epoch, std::uint64_t sequence,
                                        std::uint64_t seen);

// Everything of one log again from the bytes that it is about; the checkpoint's signature only
// with a key. Returns the number of entries.
[[nodiscard]] Result<std::uint64_t> check_log(sql::Connection& db, const std::string& tenant,
                                              const LogKey* key, const Verifier& verifier);

// What is hashed of an import of receipts: all rows that were new in it, in the order of their
// keys.
[[nodiscard]] Result<std::string> receipts_digest(sql::Connection& db, const std::string& tenant,
                                                  std::int64_t import);

}  // namespace meldevakt::collector
