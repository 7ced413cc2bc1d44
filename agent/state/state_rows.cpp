#include "agent/state/state_rows.h"

#include <utility>

#include "common/ports/sha256.h"

namespace meldevakt::agent {
namespace {

std::uint64_t u64(std::int64_t stored) {
  return static_cast<std::uint64_t>(stored);
}

Result<Sha256> hash_of(const Query& row, int column) {
  return Sha256::from_bytes(row.text(column));
}

std::string text_of(const std::vector<Reference>& references) {
  std::string out;
  for (const Reference& reference : references) {
    out.append(out.empty() ? "" : " ").append(to_string(reference.type)).append("=");
    out.append(reference.value);
  }
  return out;
}

std::vector<Reference> references_of(std::string_view text) {
  std::vector<Reference> out;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    const std::string_view one = text.substr(0, blank);
    const std::size_t equals = one.find('=');
    if (equals != std::string_view::npos) {
      if (const auto type = reference_type_from_string(one.substr(0, equals))) {
        out.push_back({*type, std::string{one.substr(equals + 1)}});
      }
    }
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string finding_id(const std::string& tenant, const Finding& finding) {
  std::string input = tenant + "\n" + std::string{to_string(finding.kind)} + "\n";
  input += text_of(finding.references);
  // A finding on a known message is one finding, whatever record decided it; without a message, the
  // record is all there is.
  if (finding.references.empty()) {
    input += "\n" + std::to_string(finding.time.ms) + "\n" + finding.source + "\n" + finding.code;
  }
  return sha256(input).hex().substr(0, 32);
}

Result<std::vector<TenantRow>> read_tenants(Database& db) {
  MELDEVAKT_TRY_ASSIGN(Query rows,
                       db.prepare("SELECT id, name, agent, collector, files, enrolled_ms, "
                                  "enrolment_link, epoch, next_sequence, link, until_ms, boot_id, "
                                  "boot_ns, lives, log_key, log_size, log_root, log_checkpoint, "
                                  "log_fault FROM tenants ORDER BY enrolled_ms, id"));
  std::vector<TenantRow> out;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool more, rows.step());
    if (!more) return out;
    TenantRow row;
    row.id = rows.text(0);
    row.name = rows.text(1);
    row.agent = rows.text(2);
    row.collector = rows.text(3);
    row.files = rows.text(4);
    row.enrolled = {rows.number(5)};
    MELDEVAKT_TRY_ASSIGN(row.enrolment_link, hash_of(rows, 6));
    row.head.epoch = u64(rows.number(7));
    row.head.next_sequence = u64(rows.number(8));
    MELDEVAKT_TRY_ASSIGN(row.head.link, hash_of(rows, 9));
    row.head.until = {rows.number(10)};
    row.boot_id = rows.text(11);
    row.boot_ns = rows.number(12);
    row.lives = rows.text(13);
    row.log.key = rows.text(14);
    row.log.size = u64(rows.number(15));
    if (!rows.is_null(16)) {
      MELDEVAKT_TRY_ASSIGN(row.log.root, hash_of(rows, 16));
    }
    row.log.checkpoint = rows.text(17);
    row.log_fault = rows.text(18);
    out.push_back(std::move(row));
  }
}

Result<std::vector<PipelineRow>> read_pipelines(Database& db) {
  MELDEVAKT_TRY_ASSIGN(Query rows,
                       db.prepare("SELECT tenant, source, snapshot, coverage, updated_ms FROM "
                                  "pipelines ORDER BY tenant, source"));
  std::vector<PipelineRow> out;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool more, rows.step());
    if (!more) return out;
    out.push_back({rows.text(0), rows.text(1), rows.text(2), rows.text(3), {rows.number(4)}});
  }
}

Result<std::map<std::string, StatusRow>> read_status(Database& db) {
  MELDEVAKT_TRY_ASSIGN(Query rows, db.prepare("SELECT topic, json, updated_ms FROM status"));
  std::map<std::string, StatusRow> out;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool more, rows.step());
    if (!more) return out;
    out[rows.text(0)] = {rows.text(1), {rows.number(2)}};
  }
}

Result<std::map<std::string, std::vector<KnownFile>>> read_files(Database& db) {
  MELDEVAKT_TRY_ASSIGN(Query rows,
                       db.prepare("SELECT source, key, device, inode, head, head_bytes, tail, "
                                  "tail_bytes, offset, path, state, cut, cursor FROM files "
                                  "ORDER BY source, key"));
  std::map<std::string, std::vector<KnownFile>> out;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool more, rows.step());
    if (!more) return out;
    KnownFile file;
    file.key = rows.text(1);
    file.device = u64(rows.number(2));
    file.inode = u64(rows.number(3));
    MELDEVAKT_TRY_ASSIGN(file.head, hash_of(rows, 4));
    file.head_bytes = static_cast<std::uint32_t>(rows.number(5));
    MELDEVAKT_TRY_ASSIGN(file.tail, hash_of(rows, 6));
    file.tail_bytes = static_cast<std::uint32_t>(rows.number(7));
    file.offset = u64(rows.number(8));
    file.path = rows.text(9);
    file.state = static_cast<FileState>(rows.number(10));
    file.cut = rows.number(11) != 0;
    file.cursor = rows.text(12);
    if (file.head_bytes > kHeadBytesMax || file.tail_bytes > kTailBytesMax ||
        file.tail_bytes > file.offset || rows.number(10) > 2) {
      return Error{Errc::kCorrupt, "damaged: a row of the table files is out of bounds"};
    }
    out[rows.text(0)].push_back(std::move(file));
  }
}

Result<std::vector<FindingRow>> read_findings(Database& db, FindingsWhere where,
                                              std::size_t findings_max) {
  std::string sql =
      "SELECT id, tenant, kind, refs, time_ms, source, code, sentence, found_ms, told_ms FROM "
      "findings ";
  if (where == FindingsWhere::kUntold) sql += "WHERE told_ms IS NULL ";
  if (where == FindingsWhere::kUngiven) sql += "WHERE given_ms IS NULL ";
  MELDEVAKT_TRY_ASSIGN(Query rows, db.prepare(sql + "ORDER BY found_ms, id"));
  std::vector<FindingRow> out;
  for (;;) {
    if (out.size() == findings_max) return out;
    MELDEVAKT_TRY_ASSIGN(const bool more, rows.step());
    if (!more) return out;
    FindingRow row;
    row.id = rows.text(0);
    row.tenant = rows.text(1);
    row.finding.kind = static_cast<FindingKind>(rows.number(2));
    row.finding.references = references_of(rows.text(3));
    row.finding.time = {rows.number(4)};
    row.finding.source = rows.text(5);
    row.finding.code = rows.text(6);
    row.finding.sentence = rows.text(7);
    row.found = {rows.number(8)};
    if (!rows.is_null(9)) row.told = Instant{rows.number(9)};
    out.push_back(std::move(row));
  }
}

Result<std::vector<StatementRow>> read_outbox(Database& db, const std::string& tenant,
                                              std::uint64_t epoch, std::uint64_t sequence,
                                              std::uint64_t bytes_max) {
  MELDEVAKT_TRY_ASSIGN(
      Query rows,
      db.prepare("SELECT epoch, sequence, link, sealed_ms, frame, acknowledged_ms, "
                 "proof FROM statements WHERE tenant = ? AND (epoch, sequence) >= (?, ?) "
                 "ORDER BY epoch, sequence"));
  rows.bind(1, tenant);
  rows.bind(2, static_cast<std::int64_t>(epoch));
  rows.bind(3, static_cast<std::int64_t>(sequence));
  std::vector<StatementRow> out;
  std::uint64_t bytes = 0;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool more, rows.step());
    if (!more) return out;
    StatementRow row;
    row.tenant = tenant;
    row.epoch = u64(rows.number(0));
    row.sequence = u64(rows.number(1));
    MELDEVAKT_TRY_ASSIGN(row.link, hash_of(rows, 2));
    row.sealed = {rows.number(3)};
    row.frame = rows.text(4);
    if (!rows.is_null(5)) row.acknowledged = Instant{rows.number(5)};
    row.proof = rows.text(6);
    bytes += row.frame.size();
    if (!out.empty() && bytes > bytes_max) return out;
    out.push_back(std::move(row));
  }
}

Result<OutboxSize> read_outbox_size(Database& db) {
  MELDEVAKT_TRY_ASSIGN(Query row,
                       db.prepare("SELECT count(*), coalesce(sum(frame_bytes), 0) FROM statements "
                                  "WHERE acknowledged_ms IS NULL"));
  MELDEVAKT_TRY_ASSIGN(const bool there, row.step());
  if (!there) return OutboxSize{};
  return OutboxSize{u64(row.number(0)), u64(row.number(1))};
}

}  // namespace meldevakt::agent
