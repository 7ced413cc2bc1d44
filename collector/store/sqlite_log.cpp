#include "collector/store/sqlite_log.h"

#include <utility>

#include "collector/store/entry_words.h"
#include "collector/store/records.h"
#include "common/ports/sha256.h"
#include "common/seal/checkpoint.h"
#include "common/summary/json.h"

namespace meldevakt::collector {
namespace {

std::string bytes_of(const HashList& hashes) {
  std::string out;
  for (const Sha256& hash : hashes) out.append(hash.view());
  return out;
}

Result<HashList> hashes_in(std::string_view bytes) {
  if (bytes.size() % Sha256::kBytes != 0) {
    return Error{Errc::kCorrupt, "a log's peaks are no hashes"};
  }
  HashList out;
  for (std::size_t at = 0; at < bytes.size(); at += Sha256::kBytes) {
    MELDEVAKT_TRY_ASSIGN(const Sha256 hash, Sha256::from_bytes(bytes.substr(at, Sha256::kBytes)));
    out.push_back(hash);
  }
  return out;
}

Status insert_entry(sql::Connection& db, const std::string& tenant, std::uint64_t index,
                    const LogEntry& entry, Instant now) {
  MELDEVAKT_TRY_ASSIGN(const std::int64_t idx, stored_number(index));
  // Exactly one of the three: the others are NULL.
  const bool elsewhere = entry.ledger_index || !entry.agent.empty();
  const sql::Value ledger = entry.ledger_index ? sql::Value{*entry.ledger_index} : sql::Value{};
  const sql::Value agent = entry.agent.empty() ? sql::Value{} : sql::Value{entry.agent};
  const sql::Value bytes = elsewhere ? sql::Value{} : sql::Value{sql::Blob{entry.bytes}};
  return db.run(
      "INSERT INTO log_entries (tenant, idx, kind, time, ledger_idx, agent, entry)"
      " VALUES (?, ?, ?, ?, ?, ?, ?)",
      {tenant, idx, entry.kind, sql::value(now), ledger, agent, bytes});
}

}  // namespace

Result<std::string> signed_note(const LogKey* key, const std::string& origin,
                                const MerklePeaks& tree) {
  if (key == nullptr || !key->signer) return std::string{};
  Note note{checkpoint_text({origin, tree.size(), tree.root(), {}}), {}};
  MELDEVAKT_TRY_ASSIGN(NoteSignature signature, sign_note(note.text, origin, *key->signer));
  note.signatures.push_back(std::move(signature));
  return to_text(note);
}

Status move_log(sql::Connection& db, const std::string& tenant, std::uint64_t from,
                const TenantLog& to) {
  MELDEVAKT_TRY_ASSIGN(const std::int64_t from_size, stored_number(from));
  MELDEVAKT_TRY_ASSIGN(const std::int64_t size, stored_number(to.tree.size()));
  const std::string peaks = bytes_of(to.tree.peaks());
  MELDEVAKT_TRY(db.run(
      "UPDATE logs SET origin = ?, size = ?, root = ?, peaks = ?, note = ?"
      " WHERE tenant = ? AND size = ?",
      {to.origin, size, sql::value(to.tree.root()), sql::Blob{peaks}, to.note, tenant, from_size}));
  if (db.changes() != 1) return Error{Errc::kCorrupt, "the log's head moved under us"};
  return {};
}

Result<std::optional<TenantLog>> find_log(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT origin, size, peaks, note FROM logs WHERE tenant = ?", {tenant}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (!row) return std::optional<TenantLog>{};
  TenantLog out;
  out.origin = rows.text(0);
  MELDEVAKT_TRY_ASSIGN(HashList peaks, hashes_in(rows.text(2)));
  auto tree = MerklePeaks::from(rows.count(1), std::move(peaks));
  if (!tree) return Error{Errc::kCorrupt, "tenant " + tenant + ": " + tree.error().message()};
  out.tree = std::move(tree).value();
  out.note = rows.text(3);
  return std::optional<TenantLog>{std::move(out)};
}

Status begin_log(sql::Connection& db, const std::string& tenant, const LogKey* key) {
  const MerklePeaks empty;
  const std::string origin = key == nullptr ? std::string{} : key->origin_of(tenant);
  MELDEVAKT_TRY_ASSIGN(const std::string note, signed_note(key, origin, empty));
  return db.run(
      "INSERT INTO logs (tenant, origin, size, root, peaks, note) VALUES (?, ?, 0, ?, ?, ?)",
      {tenant, origin, sql::value(empty.root()), sql::Blob{""}, note});
}

Result<std::int64_t> next_log_index(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(const std::optional<TenantLog> log, find_log(db, tenant));
  if (!log) return Error{Errc::kNotFound, "no tenant " + tenant};
  return stored_number(log->tree.size());
}

Result<std::uint64_t> append_log(sql::Connection& db, const std::string& tenant, const LogKey* key,
                                 const LogEntry& entry, Instant now) {
  if (entry.bytes.size() > kEntryBytesMax) {
    return Error{Errc::kLimit, "a log entry of " + std::to_string(entry.bytes.size()) + " bytes"};
  }
  MELDEVAKT_TRY_ASSIGN(std::optional<TenantLog> log, find_log(db, tenant));
  if (!log) return Error{Errc::kCorrupt, "tenant " + tenant + " has no log"};
  const std::uint64_t index = log->tree.size();
  const Sha256 leaf = leaf_hash(entry.bytes);
  MELDEVAKT_TRY_ASSIGN(const std::vector<TileHash> added,
                       tile_hashes_added(index, {leaf}, tile_hashes_of(db, tenant)));
  MELDEVAKT_TRY(insert_entry(db, tenant, index, entry, now));
  for (const TileHash& one : added) {
    MELDEVAKT_TRY_ASSIGN(const std::int64_t position, stored_number(one.position));
    MELDEVAKT_TRY(
        db.run("INSERT INTO log_hashes (tenant, level, position, hash) VALUES (?, ?, ?, ?)",
               {tenant, static_cast<std::int64_t>(one.level), position, sql::value(one.hash)}));
  }
  log->tree.append(leaf);
  if (log->origin.empty() && key != nullptr) log->origin = key->origin_of(tenant);
  MELDEVAKT_TRY_ASSIGN(log->note, signed_note(key, log->origin, log->tree));
  MELDEVAKT_TRY(move_log(db, tenant, index, *log));
  return index;
}

Status append_digest(sql::Connection& db, const std::string& tenant, const LogKey* key,
                     const DigestEntry& entry, Instant now) {
  JsonWriter json;
  json.begin_object()
      .member("version", kDigestVersion)
      .member("kind", entry.kind)
      .member("time", now.ms);
  if (entry.added) {
    json.member("first", entry.number).member("added", *entry.added);
  } else {
    json.member("number", entry.number);
  }
  json.member("sha256", entry.digest).end_object();
  const std::string bytes = std::move(json).take();
  MELDEVAKT_TRY(append_log(db, tenant, key, {entry.kind, {}, "", bytes}, now));
  return {};
}

std::string salted_digest(std::string_view salt, std::string_view bytes) {
  Sha256Stream stream;
  stream.update(salt);
  stream.update(bytes);
  return stream.finish().hex();
}

Result<std::string> new_salt(Random* random) {
  if (random == nullptr) {
    return Error{Errc::kInvalid, "store: opened without a source of random bytes for salts"};
  }
  return random->bytes(kSaltBytes);
}

Result<std::uint64_t> number_after_last(sql::Connection& db, const std::string& tenant,
                                        std::string_view kind) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT entry FROM log_entries WHERE tenant = ? AND kind = ?"
                                " AND entry IS NOT NULL ORDER BY idx DESC LIMIT 1",
                                {tenant, kind}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (!row) return std::uint64_t{0};
  MELDEVAKT_TRY_ASSIGN(const EntryWords words, EntryWords::parse(rows.text(0)));
  const auto number = words.integer("number");
  if (number) return static_cast<std::uint64_t>(*number) + 1;
  // Of version 1 of an addition, only the rows tell how far it goes.
  return static_cast<std::uint64_t>(
      words.integer("first").value_or(0) +
      (words.integer("first") ? words.integer("added").value_or(0) : 0));
}

ReadTileHashes tile_hashes_of(sql::Connection& db, const std::string& tenant) {
  return [&db, tenant](unsigned level, std::uint64_t position,
                       std::uint32_t count) -> Result<HashList> {
    MELDEVAKT_TRY_ASSIGN(const std::int64_t from, stored_number(position));
    MELDEVAKT_TRY_ASSIGN(
        sql::Rows rows,
        db.query("SELECT position, hash FROM log_hashes WHERE tenant = ? AND level = ?"
                 " AND position >= ? AND position < ? ORDER BY position",
                 {tenant, static_cast<std::int64_t>(level), from,
                  from + static_cast<std::int64_t>(count)}));
    HashList out;
    for (;;) {
      MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
      if (!row) break;
      if (rows.count(0) != position + out.size()) break;
      MELDEVAKT_TRY_ASSIGN(const Sha256 hash, rows.hash(1));
      out.push_back(hash);
    }
    if (out.size() == count) return out;
    return Error{Errc::kCorrupt, "tenant " + tenant + ": hashes of its log are missing"};
  };
}

Result<std::string> entry_bytes(sql::Connection& db, const std::string& tenant,
                                std::uint64_t index) {
  MELDEVAKT_TRY_ASSIGN(const std::int64_t idx, stored_number(index));
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT coalesce(e.entry, l.envelope, a.enrolment) FROM log_entries AS e"
               " LEFT JOIN ledger AS l ON l.tenant = e.tenant AND l.idx = e.ledger_idx"
               " LEFT JOIN agents AS a ON a.agent = e.agent AND a.tenant = e.tenant"
               " WHERE e.tenant = ? AND e.idx = ?",
               {tenant, idx}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (!row) return Error{Errc::kNotFound, "the log has no entry " + std::to_string(index)};
  return rows.text(0);
}

Result<std::string> tile_bytes(sql::Connection& db, const std::string& tenant,
                               const TilePath& path) {
  const Tile& tile = path.tile;
  MELDEVAKT_TRY_ASSIGN(const std::optional<TenantLog> log, find_log(db, tenant));
  const std::uint64_t size = log ? log->tree.size() : 0;
  // A partial tile of an earlier size is the beginning of what there is now.
  if (tile_width(tile.level, tile.index, size) < tile.width) {
    return Error{Errc::kNotFound, "the log is not that wide"};
  }
  const std::uint64_t from = tile.index * kTileWidth;
  if (!path.entries) {
    MELDEVAKT_TRY_ASSIGN(const HashList hashes,
                         tile_hashes_of(db, tenant)(tile.level, from, tile.width));
    return bytes_of(hashes);
  }
  std::vector<std::string> entries;
  for (std::uint64_t i = 0; i < tile.width; ++i) {
    MELDEVAKT_TRY_ASSIGN(std::string bytes, entry_bytes(db, tenant, from + i));
    entries.push_back(std::move(bytes));
  }
  return encode_bundle(entries);
}

Result<LogProof> proof_of(sql::Connection& db, const std::string& agent_id, std::uint64_t epoch,
                          std::uint64_t sequence, std::uint64_t seen) {
  MELDEVAKT_TRY_ASSIGN(const std::int64_t epoch_number, stored_number(epoch));
  MELDEVAKT_TRY_ASSIGN(const std::int64_t sequence_number, stored_number(sequence));
  std::string tenant;
  TlogProof proof;
  {
    MELDEVAKT_TRY_ASSIGN(
        sql::Rows rows,
        db.query("SELECT l.tenant, e.idx FROM agents AS a"
                 " JOIN ledger AS l ON l.tenant = a.tenant AND l.agent = a.agent"
                 " JOIN log_entries AS e ON e.tenant = l.tenant AND e.ledger_idx = l.idx"
                 " WHERE a.agent = ? AND l.epoch = ? AND l.sequence = ?",
                 {agent_id, epoch_number, sequence_number}));
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return Error{Errc::kNotFound, "no such statement"};
    tenant = rows.text(0);
    proof.index = rows.count(1);
  }
  MELDEVAKT_TRY_ASSIGN(const std::optional<TenantLog> log, find_log(db, tenant));
  if (!log || log->note.empty()) return Error{Errc::kNotFound, "no checkpoint is signed yet"};
  const std::uint64_t size = log->tree.size();
  if (seen > size) {
    return Error{Errc::kInvalid, "the log has " + std::to_string(size) + " entries, " +
                                     std::to_string(seen) + " were seen"};
  }
  const ReadNode nodes = nodes_from_tiles(tile_hashes_of(db, tenant));
  LogProof out;
  MELDEVAKT_TRY_ASSIGN(proof.hashes, inclusion_proof(proof.index, size, nodes));
  proof.checkpoint = log->note;
  out.proof = to_text(proof);
  if (seen > 0) {
    MELDEVAKT_TRY_ASSIGN(out.consistency, consistency_proof(seen, size, nodes));
  }
  return out;
}

}  // namespace meldevakt::collector
