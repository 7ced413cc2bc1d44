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
#include "common/ports/random.h"
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
// What a kind of alarm tells of is over: those that are open are closed, each with its entry.
struct AlarmsOf {
  std::string tenant;
  std::string agent;  // "": of the tenant itself
  std::string kind;
};
[[nodiscard]] Status end_alarms(sql::Connection& db, const LogKey* key, const AlarmsOf& which,
                                Instant now);
// An entry that holds no more of what it is about than a salted digest: what people tell and the
// register name people, and a log cannot forget. The salt stands beside the row and goes with it.
inline constexpr std::size_t kSaltBytes = 16;
inline constexpr std::int64_t kDigestVersion = 2;  // 1: without salts, and "first" in a register's
struct DigestEntry {
  std::string_view kind;
  std::uint64_t number = 0;            // the row's, or the first one's
  std::optional<std::uint64_t> added;  // of the register: how many rows it tells of
  std::string_view digest;             // in hexadecimal digits
};
[[nodiscard]] Status append_digest(sql::Connection& db, const std::string& tenant,
                                   const LogKey* key, const DigestEntry& entry, Instant now);
// kInvalid: the store was opened without a source of them.
[[nodiscard]] Result<std::string> new_salt(Random* random);
// SHA-256 of both, in hexadecimal digits; of the bytes alone where there is no salt (version 1).
[[nodiscard]] std::string salted_digest(std::string_view salt, std::string_view bytes);
// The number that follows those the log has told of under this kind, whether their rows are still
// there or not: none is used twice.
[[nodiscard]] Result<std::uint64_t> number_after_last(sql::Connection& db,
                                                      const std::string& tenant,
                                                      std::string_view kind);
// The index that the tenant's next entry will have. kNotFound: no such tenant.
[[nodiscard]] Result<std::int64_t> next_log_index(sql::Connection& db, const std::string& tenant);

// What is hashed of an addition to the register: its rows in their order, by the entry's version.
[[nodiscard]] Result<std::string> registry_digest(sql::Connection& db, const std::string& tenant,
                                                  std::int64_t index, std::int64_t version);
// Entries for what was stored before the log told of it.
[[nodiscard]] Status log_old_imports(sql::Connection& db, const std::string& tenant);
[[nodiscard]] Status log_old_alarms(sql::Connection& db, const std::string& tenant);
[[nodiscard]] Status log_old_registry(sql::Connection& db, const std::string& tenant,
                                      Random* random);
[[nodiscard]] Status log_old_controls(sql::Connection& db, const std::string& tenant,
                                      Random* random);

[[nodiscard]] Status begin_log(sql::Connection& db, const std::string& tenant, const LogKey* key);
// After migrate() from that version, in its transaction. First of all the key must be the one that
// signed the logs that are there: kInvalid, with the remedy, when it is another. Then entries for
// what no log told of yet, and checkpoints that are not signed.
[[nodiscard]] Status catch_up_logs(sql::Connection& db, const LogKey* key, Random* random,
                                   int from_version);

// The checkpoint over this tree, signed; "" without a key that signs.
[[nodiscard]] Result<std::string> signed_note(const LogKey* key, const std::string& origin,
                                              const MerklePeaks& tree);
// Moves the head by compare-and-swap on the size: two writers never both go on from one tree.
[[nodiscard]] Status move_log(sql::Connection& db, const std::string& tenant, std::uint64_t from,
                              const TenantLog& to);

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
