#include "collector/store/log_accounts.h"

#include "collector/store/records.h"
#include "collector/store/sqlite_log.h"
#include "common/seal/dsse.h"

namespace meldevakt::collector {
namespace {

Error differs(std::string_view what) {
  return Error{Errc::kCorrupt, std::string{what}};
}

// Whether the salt is as the entry's version wants it, and the digest that of the bytes.
bool is_digest(const EntryWords& words, const std::string& salt, std::string_view bytes) {
  const bool salted = words.integer("version") == kDigestVersion;
  return salt.size() == (salted ? kSaltBytes : 0) &&
         words.text("sha256") == salted_digest(salt, bytes);
}

}  // namespace

Status LogAccounts::add(std::uint64_t index, const LoggedEntry& entry) {
  if (entry.kind == "statement" || entry.kind == "enrolment") return add_row_entry(entry);
  MELDEVAKT_TRY_ASSIGN(const EntryWords words, EntryWords::parse(entry.bytes));
  if (words.text("kind") != entry.kind || words.integer("time") != entry.time) {
    return differs("its columns are not what it says");
  }
  MELDEVAKT_TRY_ASSIGN(const std::int64_t idx, stored_number(index));
  if (entry.kind == "receipts") return add_receipts(idx, words);
  if (entry.kind == "registry") return add_registry(idx, words);
  if (entry.kind == "control") return add_control(idx, words);
  if (entry.kind == "told") return add_told(idx, words);
  if (entry.kind == "alarm") return add_alarm(words);
  if (entry.kind == "alarm_closed") return close_alarm(words);
  return differs("of an unknown kind");
}

// Their bytes are those of the rows; when these came is said twice.
Status LogAccounts::add_row_entry(const LoggedEntry& entry) {
  if (entry.row_time != entry.time) return differs("it came at another time than its row says");
  if (entry.kind == "statement") {
    if (entry.ledger_index != statements_) return differs("not the next statement of the ledger");
    ++statements_;
    return {};
  }
  if (entry.agent.empty()) return differs("an enrolment of nobody");
  if (!agents_.insert(entry.agent).second) return differs("an enrolment for the second time");
  if (agents_.size() == 1) first_agent_ = entry.agent;
  return {};
}

Status LogAccounts::add_receipts(std::int64_t index, const EntryWords& words) {
  {
    MELDEVAKT_TRY_ASSIGN(
        sql::Rows rows,
        db_.query("SELECT count(*), coalesce(sum(version = 1), 0), min(imported), max(imported)"
                  " FROM receipts WHERE tenant = ? AND log_idx = ?",
                  {tenant_, index}));
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return differs("no receipts");
    const std::int64_t all = rows.integer(0);
    const std::int64_t added = rows.integer(1);
    if (words.integer("added") != added || words.integer("changed") != all - added) {
      return differs("it tells of more or of fewer receipts than are stored");
    }
    const bool one_time =
        words.integer("time") == rows.integer(2) && words.integer("time") == rows.integer(3);
    if (all > 0 && !one_time) return differs("its receipts were imported at another time");
    rows_.receipts += rows.count(0);
  }
  MELDEVAKT_TRY_ASSIGN(const std::string digest, receipts_digest(db_, tenant_, index));
  if (words.text("sha256") != digest) return differs("its receipts are not those that are stored");
  const auto from = words.integer("complete_from");
  if (!from) return {};
  const Claim claim{words.text("portal"), *from, words.integer("complete_until").value_or(0),
                    words.integer("time").value_or(0)};
  if (!claims_.insert(claim).second) return differs("a completeness for the second time");
  return {};
}

Status LogAccounts::add_registry(std::int64_t index, const EntryWords& words) {
  const std::int64_t added = words.integer("added").value_or(0);
  const std::int64_t version = words.integer("version").value_or(0);
  {
    MELDEVAKT_TRY_ASSIGN(
        sql::Rows rows,
        db_.query("SELECT count(*), min(entry), max(entry), min(recorded), max(recorded),"
                  " count(salt) FROM registry WHERE tenant = ? AND log_idx = ?",
                  {tenant_, index}));
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row || rows.integer(0) != added || added == 0 || rows.integer(1) != next_registry_ ||
        rows.integer(2) != next_registry_ + added - 1) {
      return differs("its register entries are not those that are stored");
    }
    if (words.integer("time") != rows.integer(3) || words.integer("time") != rows.integer(4)) {
      return differs("its register entries were recorded at another time");
    }
    if (rows.integer(5) != (version == kDigestVersion ? added : 0)) {
      return differs("its register entries lack their salts");
    }
    if (words.integer("first").value_or(next_registry_) != next_registry_) {
      return differs("its register entries have other numbers");
    }
    rows_.registry += rows.count(0);
  }
  next_registry_ += added;
  MELDEVAKT_TRY_ASSIGN(const std::string digest, registry_digest(db_, tenant_, index, version));
  if (words.text("sha256") == digest) return {};
  return differs("its register entries are not those that are stored");
}

Status LogAccounts::add_control(std::int64_t index, const EntryWords& words) {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db_.query("SELECT number, link, ran, envelope, salt FROM controls WHERE tenant = ?"
                " AND log_idx = ?",
                {tenant_, index}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (!row) return differs("the control it tells of is not there");
  const std::string bytes = rows.text(3);
  if (words.integer("number") != next_control_ || rows.integer(0) != next_control_ ||
      words.integer("time") != rows.integer(2)) {
    return differs("its control has another number or time");
  }
  if (!is_digest(words, rows.text(4), bytes)) return differs("its control is another");
  MELDEVAKT_TRY_ASSIGN(const Envelope envelope, parse_envelope(bytes));
  MELDEVAKT_TRY_ASSIGN(const Sha256 link, rows.hash(1));
  if (link_hash(envelope.payload_type, envelope.payload) != link) {
    return differs("its control's link is not its bytes' hash");
  }
  ++next_control_;
  ++rows_.controls;
  return {};
}

Status LogAccounts::add_told(std::int64_t index, const EntryWords& words) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db_.query("SELECT number, recorded, person, entry, salt FROM told"
                                 " WHERE tenant = ? AND log_idx = ?",
                                 {tenant_, index}));
  MELDEVAKT_TRY_ASSIGN(const bool there, rows.next());
  if (!there) return differs("what a person told is not there");
  const ToldRow row{rows.count(0), rows.instant(1), rows.text(2), rows.text(3)};
  if (words.integer("number") != next_told_ || rows.integer(0) != next_told_ ||
      words.integer("time") != row.recorded.ms) {
    return differs("what a person told has another number or time");
  }
  if (!is_digest(words, rows.text(4), row.bytes)) {
    return differs("what a person told is not what is stored");
  }
  MELDEVAKT_TRY(told_of(row));
  ++next_told_;
  ++rows_.told;
  return {};
}

Status LogAccounts::add_alarm(const EntryWords& words) {
  const AlarmName name{words.text("agent"), words.text("alarm"), words.text("detail")};
  const AlarmState state{words.integer("time").value_or(0), std::nullopt};
  if (!alarms_.emplace(name, state).second) return differs("an alarm for the second time");
  return {};
}

Status LogAccounts::close_alarm(const EntryWords& words) {
  const auto alarm = alarms_.find({words.text("agent"), words.text("alarm"), words.text("detail")});
  if (alarm == alarms_.end() || alarm->second.closed) {
    return differs("it closes an alarm that is not open");
  }
  alarm->second.closed = words.integer("time");
  return {};
}

Status LogAccounts::finish() {
  Status done = check_counts();
  if (done) done = check_alarms();
  if (done) done = check_claims();
  if (done) done = check_first_agent();
  if (done) return {};
  return std::move(done).error().in("tenant " + tenant_);
}

Result<std::uint64_t> LogAccounts::count(const char* literal) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db_.query(literal, {tenant_}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  return row ? rows.count(0) : 0;
}

// Every row that an entry told of was found by that entry: what is over, none tells of.
Status LogAccounts::check_counts() {
  struct Table {
    std::string_view name;
    const char* literal;
    std::uint64_t told_of;
  };
  const std::array<Table, 6> tables{{
      {"statement", "SELECT count(*) FROM ledger WHERE tenant = ?",
       static_cast<std::uint64_t>(statements_)},
      {"agent", "SELECT count(*) FROM agents WHERE tenant = ?", agents_.size()},
      {"receipt", "SELECT count(*) FROM receipts WHERE tenant = ?", rows_.receipts},
      {"register entry", "SELECT count(*) FROM registry WHERE tenant = ?", rows_.registry},
      {"control", "SELECT count(*) FROM controls WHERE tenant = ?", rows_.controls},
      {"entry of a person", "SELECT count(*) FROM told WHERE tenant = ?", rows_.told},
  }};
  for (const Table& table : tables) {
    MELDEVAKT_TRY_ASSIGN(const std::uint64_t stored, count(table.literal));
    if (stored == table.told_of) continue;
    return differs("its log does not tell of every " + std::string{table.name} +
                   " that is stored, or of one that is not");
  }
  return {};
}

Status LogAccounts::check_alarms() {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db_.query("SELECT agent, kind, detail, time, closed FROM alarms WHERE tenant = ?",
                {tenant_}));
  std::size_t stored = 0;
  for (;; ++stored) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) break;
    AlarmState state{rows.integer(3), std::nullopt};
    if (const auto closed = rows.maybe_instant(4)) state.closed = closed->ms;
    const auto told = alarms_.find({rows.text(0), rows.text(1), rows.text(2)});
    if (told == alarms_.end()) return differs("an alarm is stored that its log does not tell of");
    if (told->second != state) {
      return differs("an alarm was raised or closed at another time than its log tells");
    }
  }
  if (stored == alarms_.size()) return {};
  return differs("an alarm that its log tells of is not stored");
}

Status LogAccounts::check_claims() {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db_.query("SELECT portal, from_ms, until_ms, imported FROM receipt_coverage"
                                 " WHERE tenant = ?",
                                 {tenant_}));
  std::size_t stored = 0;
  for (;; ++stored) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) break;
    const Claim claim{rows.text(0), rows.integer(1), rows.integer(2), rows.integer(3)};
    if (claims_.count(claim) == 0) {
      return differs("a completeness of receipts is stored that its log does not tell of");
    }
  }
  if (stored == claims_.size()) return {};
  return differs("a completeness of receipts that its log tells of is not stored");
}

Status LogAccounts::check_first_agent() {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db_.query("SELECT agent FROM agents WHERE tenant = ? AND first = 1 ORDER BY agent",
                {tenant_}));
  std::set<std::string> first;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) break;
    first.insert(rows.text(0));
  }
  const std::set<std::string> wanted =
      first_agent_.empty() ? std::set<std::string>{} : std::set<std::string>{first_agent_};
  if (first == wanted) return {};
  return differs("its first agent is another than its log tells");
}

}  // namespace meldevakt::collector
