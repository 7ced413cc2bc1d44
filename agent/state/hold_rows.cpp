#include "agent/state/hold_rows.h"

#include <string_view>
#include <utility>

namespace meldevakt::agent {
namespace {

std::int64_t i64(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}
std::uint64_t u64(std::int64_t stored) {
  return static_cast<std::uint64_t>(stored);
}

constexpr std::string_view kPartColumns =
    "SELECT hold, number, source, key, path, from_byte, to_byte, plain, stored, stored_bytes FROM "
    "hold_parts WHERE ";

Result<std::vector<HoldPart>> take_parts(Query& rows) {
  std::vector<HoldPart> out;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool more, rows.step());
    if (!more) return out;
    HoldPart part;
    part.hold = rows.text(0);
    part.number = u64(rows.number(1));
    part.source = rows.text(2);
    part.key = rows.text(3);
    part.path = rows.text(4);
    part.from = u64(rows.number(5));
    part.to = u64(rows.number(6));
    MELDEVAKT_TRY_ASSIGN(part.plain, Sha256::from_bytes(rows.text(7)));
    MELDEVAKT_TRY_ASSIGN(part.stored, Sha256::from_bytes(rows.text(8)));
    part.stored_bytes = u64(rows.number(9));
    out.push_back(std::move(part));
  }
}

Status write_hold(Database& db, const Hold& hold) {
  MELDEVAKT_TRY_ASSIGN(Query row, db.prepare("INSERT OR REPLACE INTO holds (id, state, number, "
                                             "detail) VALUES (?, ?, ?, ?)"));
  row.bind(1, hold.id).bind(2, to_string(hold.state)).bind(3, i64(hold.number));
  MELDEVAKT_TRY(row.bind(4, encode_hold(hold)).run());
  if (hold.state != HoldState::kErased) return {};
  MELDEVAKT_TRY_ASSIGN(Query parts, db.prepare("DELETE FROM hold_parts WHERE hold = ?"));
  MELDEVAKT_TRY(parts.bind(1, hold.id).run());
  MELDEVAKT_TRY_ASSIGN(
      Query old, db.prepare("DELETE FROM holds WHERE state = 'erased' AND number NOT IN (SELECT "
                            "number FROM holds WHERE state = 'erased' ORDER BY number DESC LIMIT "
                            "?)"));
  return old.bind(1, kErasedHoldsMax).run();
}

Status write_part(Database& db, const HoldPart& part) {
  MELDEVAKT_TRY_ASSIGN(Query row,
                       db.prepare("INSERT INTO hold_parts (hold, number, source, key, path, "
                                  "from_byte, to_byte, plain, stored, stored_bytes) VALUES (?, ?, "
                                  "?, ?, ?, ?, ?, ?, ?, ?)"));
  row.bind(1, part.hold).bind(2, i64(part.number)).bind(3, part.source).bind(4, part.key);
  row.bind(5, part.path).bind(6, i64(part.from)).bind(7, i64(part.to));
  row.bind_blob(8, part.plain.view()).bind_blob(9, part.stored.view());
  return row.bind(10, i64(part.stored_bytes)).run();
}

Status write_tape(Database& db, const std::string& source, const TapeChanges& tape) {
  for (const TapeMark& mark : tape.dropped) {
    MELDEVAKT_TRY_ASSIGN(
        Query row,
        db.prepare("DELETE FROM hold_marks WHERE source = ? AND key = ? AND offset = ?"));
    MELDEVAKT_TRY(row.bind(1, source).bind(2, mark.key).bind(3, i64(mark.offset)).run());
  }
  for (const TapeMark& mark : tape.added) {
    MELDEVAKT_TRY_ASSIGN(Query row, db.prepare("INSERT OR REPLACE INTO hold_marks (source, key, "
                                               "offset, time_ms) VALUES (?, ?, ?, ?)"));
    row.bind(1, source).bind(2, mark.key).bind(3, i64(mark.offset));
    MELDEVAKT_TRY(row.bind(4, mark.time.ms).run());
  }
  return {};
}

}  // namespace

Result<std::vector<HoldPart>> read_hold_parts(Database& db, const std::string& hold) {
  MELDEVAKT_TRY_ASSIGN(Query rows,
                       db.prepare(std::string{kPartColumns} + "hold = ? ORDER BY number"));
  rows.bind(1, hold);
  return take_parts(rows);
}

Result<StoredHolds> read_holds(Database& db) {
  StoredHolds out;
  MELDEVAKT_TRY_ASSIGN(Query holds, db.prepare("SELECT detail FROM holds ORDER BY number"));
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool more, holds.step());
    if (!more) break;
    MELDEVAKT_TRY_ASSIGN(Hold hold, decode_hold(holds.text(0)));
    out.holds.push_back(std::move(hold));
  }
  MELDEVAKT_TRY_ASSIGN(
      Query parts,
      db.prepare(std::string{kPartColumns} +
                 "hold IN (SELECT id FROM holds WHERE state = 'collecting') OR hold IN (SELECT id "
                 "FROM holds WHERE state = 'closed' ORDER BY number DESC LIMIT ?) "
                 "ORDER BY hold, number"));
  parts.bind(1, i64(kHoldsAtHandMax));
  MELDEVAKT_TRY_ASSIGN(out.parts, take_parts(parts));
  MELDEVAKT_TRY_ASSIGN(Query marks, db.prepare("SELECT source, key, offset, time_ms FROM "
                                               "hold_marks ORDER BY source, key, offset"));
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool more, marks.step());
    if (!more) return out;
    out.marks[marks.text(0)].push_back({marks.text(1), u64(marks.number(2)), {marks.number(3)}});
  }
}

Status write_holds(Database& db, const HoldChange& change) {
  for (const HoldPart& part : change.parts) MELDEVAKT_TRY(write_part(db, part));
  for (const Hold& hold : change.holds) MELDEVAKT_TRY(write_hold(db, hold));
  for (const auto& [source, tape] : change.tapes) MELDEVAKT_TRY(write_tape(db, source, tape));
  return {};
}

}  // namespace meldevakt::agent
