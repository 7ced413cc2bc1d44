#include "collector/store/records.h"

#include <limits>

namespace meldevakt::collector {

Result<AgentRecord> agent_of(const sql::Rows& rows) {
  AgentRecord record;
  record.key = {rows.text(0), rows.text(1), rows.text(2)};
  MELDEVAKT_TRY_ASSIGN(record.tls_key, rows.hash(3));
  record.enrolled = rows.instant(4);
  record.last_received = rows.maybe_instant(5);
  record.head.epoch = rows.count(6);
  record.head.next_sequence = rows.count(7);
  MELDEVAKT_TRY_ASSIGN(record.head.link, rows.hash(8));
  record.head.until = rows.instant(9);
  return record;
}

Result<std::optional<AgentRecord>> find_agent(sql::Connection& db, std::string_view agent_id) {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT tenant, agent, public_key, tls_key, enrolled, last_received, head_epoch,"
               " head_next, head_link, head_until FROM agents WHERE agent = ?",
               {agent_id}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (!row) return std::optional<AgentRecord>{};
  MELDEVAKT_TRY_ASSIGN(AgentRecord record, agent_of(rows));
  return std::optional<AgentRecord>{std::move(record)};
}

Status insert_alarm(sql::Connection& db, const Alarm& alarm) {
  return db.run(
      "INSERT INTO alarms (tenant, agent, kind, detail, time) VALUES (?, ?, ?, ?, ?)"
      " ON CONFLICT DO NOTHING",
      {alarm.tenant, alarm.agent, alarm.kind, alarm.detail, sql::value(alarm.time)});
}

Result<std::int64_t> stored_number(std::uint64_t number) {
  if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return Error{Errc::kLimit, "number " + std::to_string(number) + " is above 2^63-1"};
  }
  return static_cast<std::int64_t>(number);
}

}  // namespace meldevakt::collector
