// A tenant's log told again from the bytes that it is about.
#include <array>
#include <set>

#include "collector/store/records.h"
#include "collector/store/sqlite_log.h"
#include "common/seal/checkpoint.h"
#include "common/summary/json.h"

namespace meldevakt::collector {
namespace {

Error damaged(const std::string& tenant, std::uint64_t index, std::string_view what) {
  return Error{Errc::kCorrupt, "tenant " + tenant + " log entry " + std::to_string(index) + ": " +
                                   std::string{what}};
}

struct Entry {
  std::string kind;
  std::optional<std::int64_t> ledger_index;
  std::string agent;
};

Result<std::optional<Entry>> entry_of(sql::Connection& db, const std::string& tenant,
                                      std::uint64_t index) {
  MELDEVAKT_TRY_ASSIGN(const std::int64_t idx, stored_number(index));
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query("SELECT kind, ledger_idx IS NULL, ledger_idx, agent"
                                                " FROM log_entries WHERE tenant = ? AND idx = ?",
                                                {tenant, idx}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (!row) return std::optional<Entry>{};
  Entry out{rows.text(0), std::nullopt, rows.text(3)};
  if (rows.integer(1) == 0) out.ledger_index = rows.integer(2);
  return std::optional<Entry>{std::move(out)};
}

// Entries that hold the hash of rows, which name the entry by its index.
struct Elsewhere {
  std::string_view kind;
  Result<std::string> (*digest)(sql::Connection&, const std::string& tenant, std::int64_t index);
  const char* rows;  // of those stored: all, the entries they name, those that name none
  bool numbered;     // the row has the number and the time that the entry says
};
constexpr std::array<Elsewhere, 4> kElsewhere{{
    // Receipts from before there were logs name none.
    {"receipts", receipts_digest,
     "SELECT count(*), count(DISTINCT log_idx), 0 FROM receipts WHERE tenant = ?", false},
    {"registry", registry_digest,
     "SELECT count(*), count(DISTINCT log_idx), count(*) - count(log_idx) FROM registry"
     " WHERE tenant = ?",
     false},
    {"control", control_digest,
     "SELECT count(*), count(DISTINCT log_idx), count(*) - count(log_idx) FROM controls"
     " WHERE tenant = ?",
     true},
    {"told", told_digest,
     "SELECT count(*), count(DISTINCT log_idx), count(*) - count(log_idx) FROM told"
     " WHERE tenant = ?",
     true},
}};

// What the entries are about, counted: every statement once and in order, every enrolment once.
class Accounted {
 public:
  Status add(const std::string& tenant, std::uint64_t index, const Entry& entry) {
    if (entry.kind == "statement") {
      if (entry.ledger_index != next_statement_) {
        return damaged(tenant, index, "not the next statement of the ledger");
      }
      ++next_statement_;
    } else if (entry.kind == "enrolment") {
      if (!agents_.insert(entry.agent).second) {
        return damaged(tenant, index, "an enrolment for the second time");
      }
    } else if (const std::size_t kind = elsewhere(entry.kind); kind < kElsewhere.size()) {
      of_[kind].insert(static_cast<std::int64_t>(index));
    } else if (entry.kind != "alarm" && entry.kind != "alarm_closed") {
      return damaged(tenant, index, "of an unknown kind");
    }
    return {};
  }
  [[nodiscard]] std::int64_t statements() const { return next_statement_; }
  [[nodiscard]] std::size_t agents() const { return agents_.size(); }
  [[nodiscard]] const std::set<std::int64_t>& of(std::size_t kind) const { return of_[kind]; }

 private:
  [[nodiscard]] static std::size_t elsewhere(std::string_view kind) {
    std::size_t at = 0;
    while (at < kElsewhere.size() && kElsewhere[at].kind != kind) ++at;
    return at;
  }
  std::int64_t next_statement_ = 0;
  std::set<std::string> agents_;
  std::array<std::set<std::int64_t>, kElsewhere.size()> of_;
};

Result<std::int64_t> number_of(sql::Connection& db, const char* literal,
                               const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query(literal, {tenant}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  return row ? rows.integer(0) : 0;
}

// "number time" of the row that names this entry.
Result<std::string> numbered_row(sql::Connection& db, const std::string& tenant,
                                 std::string_view kind, std::int64_t index) {
  const char* const literal =
      kind == "told" ? "SELECT number, recorded FROM told WHERE tenant = ? AND log_idx = ?"
                     : "SELECT number, ran FROM controls WHERE tenant = ? AND log_idx = ?";
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query(literal, {tenant, index}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (!row) return std::string{};
  return std::to_string(rows.integer(0)) + " " + std::to_string(rows.integer(1));
}

// What an entry says of one member; "" when it does not.
std::string said(const JsonValue& value, std::string_view name) {
  for (std::size_t i = 0; i < value.names.size(); ++i) {
    if (value.names[i] != name) continue;
    const JsonValue& item = value.items[i];
    return item.kind == JsonValue::Kind::kInteger ? std::to_string(item.integer) : item.text;
  }
  return "";
}

Status check_elsewhere(sql::Connection& db, const std::string& tenant, const Elsewhere& kind,
                       std::int64_t index) {
  const auto number = static_cast<std::uint64_t>(index);
  MELDEVAKT_TRY_ASSIGN(const std::string bytes, entry_bytes(db, tenant, number));
  MELDEVAKT_TRY_ASSIGN(const JsonValue value, parse_json(bytes));
  auto digest = kind.digest(db, tenant, index);
  if (!digest) return damaged(tenant, number, digest.error().message());
  if (said(value, "sha256") != digest.value() || said(value, "kind") != kind.kind) {
    return damaged(tenant, number, "what it tells of is not what is stored");
  }
  if (!kind.numbered) return {};
  MELDEVAKT_TRY_ASSIGN(const std::string row, numbered_row(db, tenant, kind.kind, index));
  if (said(value, "number") + " " + said(value, "time") != row) {
    return damaged(tenant, number, "what it tells of has another number or time");
  }
  return {};
}

Status check_counts(sql::Connection& db, const std::string& tenant, const Elsewhere& kind,
                    std::size_t entries) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query(kind.rows, {tenant}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (row && (rows.count(1) > entries || rows.count(2) > 0)) {
    return Error{Errc::kCorrupt, "tenant " + tenant + ": its log does not tell of every " +
                                     std::string{kind.kind} + " that is stored"};
  }
  return {};
}

// Alarms that are over are so because the log says it.
Status check_closed(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(
      const std::int64_t closed,
      number_of(db, "SELECT count(*) FROM alarms WHERE tenant = ? AND closed IS NOT NULL", tenant));
  MELDEVAKT_TRY_ASSIGN(
      const std::int64_t entries,
      number_of(db, "SELECT count(*) FROM log_entries WHERE tenant = ? AND kind = 'alarm_closed'",
                tenant));
  if (closed == entries) return {};
  return Error{Errc::kCorrupt, "tenant " + tenant + ": alarms are closed that its log leaves open"};
}

Status check_accounts(sql::Connection& db, const std::string& tenant, const Accounted& accounted) {
  MELDEVAKT_TRY_ASSIGN(const std::int64_t statements,
                       number_of(db, "SELECT count(*) FROM ledger WHERE tenant = ?", tenant));
  MELDEVAKT_TRY_ASSIGN(const std::int64_t agents,
                       number_of(db, "SELECT count(*) FROM agents WHERE tenant = ?", tenant));
  if (statements != accounted.statements() ||
      agents != static_cast<std::int64_t>(accounted.agents())) {
    return Error{Errc::kCorrupt, "tenant " + tenant + ": stored is not what its log tells of"};
  }
  for (std::size_t kind = 0; kind < kElsewhere.size(); ++kind) {
    for (const std::int64_t index : accounted.of(kind)) {
      MELDEVAKT_TRY(check_elsewhere(db, tenant, kElsewhere[kind], index));
    }
    MELDEVAKT_TRY(check_counts(db, tenant, kElsewhere[kind], accounted.of(kind).size()));
  }
  return check_closed(db, tenant);
}

// The hashes as they must be, compared with the rows; in batches that bound what is held.
Status check_hashes(sql::Connection& db, const std::string& tenant, std::uint64_t size,
                    MerklePeaks& tree, Accounted& accounted) {
  const ReadTileHashes stored = tile_hashes_of(db, tenant);
  std::int64_t hashes = 0;
  for (std::uint64_t index = 0; index < size; ++index) {
    MELDEVAKT_TRY_ASSIGN(const std::optional<Entry> entry, entry_of(db, tenant, index));
    if (!entry) return damaged(tenant, index, "missing");
    MELDEVAKT_TRY(accounted.add(tenant, index, *entry));
    MELDEVAKT_TRY_ASSIGN(const std::string bytes, entry_bytes(db, tenant, index));
    const Sha256 leaf = leaf_hash(bytes);
    // What it reads of the rows was compared when it was its turn.
    MELDEVAKT_TRY_ASSIGN(const std::vector<TileHash> wanted,
                         tile_hashes_added(index, {leaf}, stored));
    for (const TileHash& one : wanted) {
      MELDEVAKT_TRY_ASSIGN(const HashList there, stored(one.level, one.position, 1));
      if (there.front() != one.hash) return damaged(tenant, index, "its hash is another");
      ++hashes;
    }
    tree.append(leaf);
  }
  MELDEVAKT_TRY_ASSIGN(const std::int64_t kept,
                       number_of(db, "SELECT count(*) FROM log_hashes WHERE tenant = ?", tenant));
  MELDEVAKT_TRY_ASSIGN(const std::int64_t entries,
                       number_of(db, "SELECT count(*) FROM log_entries WHERE tenant = ?", tenant));
  if (kept != hashes || entries != static_cast<std::int64_t>(size)) {
    return Error{Errc::kCorrupt, "tenant " + tenant + ": its log has more than its head says"};
  }
  return {};
}

Status check_note(const std::string& tenant, const TenantLog& log, const LogKey& key,
                  const Verifier& verifier) {
  LogPolicy policy;
  policy.log = make_note_key(log.origin, NoteKeyType::kEd25519, key.public_key);
  auto trusted = verify_checkpoint(log.note, policy, verifier);
  if (!trusted) return std::move(trusted).error().in("tenant " + tenant + ": its checkpoint");
  const Checkpoint& checkpoint = trusted.value().checkpoint;
  if (checkpoint.size != log.tree.size() || checkpoint.root != log.tree.root()) {
    return Error{Errc::kCorrupt, "tenant " + tenant + ": its checkpoint is of another tree"};
  }
  return {};
}

}  // namespace

Result<std::uint64_t> check_log(sql::Connection& db, const std::string& tenant, const LogKey* key,
                                const Verifier& verifier) {
  MELDEVAKT_TRY_ASSIGN(const std::optional<TenantLog> log, find_log(db, tenant));
  if (!log) return Error{Errc::kCorrupt, "tenant " + tenant + " has no log"};
  MerklePeaks tree;
  Accounted accounted;
  MELDEVAKT_TRY(check_hashes(db, tenant, log->tree.size(), tree, accounted));
  if (tree.peaks() != log->tree.peaks()) {
    return Error{Errc::kCorrupt, "tenant " + tenant + ": its log's head is not its entries'"};
  }
  {
    MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                         db.query("SELECT root FROM logs WHERE tenant = ?", {tenant}));
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    MELDEVAKT_TRY_ASSIGN(const Sha256 root, rows.hash(0));
    if (!row || root != tree.root()) {
      return Error{Errc::kCorrupt, "tenant " + tenant + ": its log's root is another"};
    }
  }
  MELDEVAKT_TRY(check_accounts(db, tenant, accounted));
  if (key != nullptr) MELDEVAKT_TRY(check_note(tenant, *log, *key, verifier));
  return tree.size();
}

}  // namespace meldevakt::collector
