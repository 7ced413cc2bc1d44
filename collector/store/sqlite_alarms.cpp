// Alarms: the same again is the same row, and each is an entry of the log when it is raised and
// when it is over.
#include <set>
#include <vector>

#include "collector/store/entry_words.h"
#include "collector/store/log_accounts.h"
#include "collector/store/records.h"
#include "collector/store/sqlite_log.h"
#include "collector/store/sqlite_store.h"
#include "common/summary/json.h"

namespace meldevakt::collector {
namespace {

Status log_alarm(sql::Connection& db, const LogKey* key, const Alarm& alarm, std::string_view kind,
                 Instant time) {
  JsonWriter json;
  json.begin_object()
      .member("version", std::int64_t{1})
      .member("kind", kind)
      .member("time", time.ms)
      .member("agent", alarm.agent)
      .member("alarm", alarm.kind)
      .member("detail", alarm.detail)
      .end_object();
  const std::string bytes = std::move(json).take();
  MELDEVAKT_TRY(append_log(db, alarm.tenant, key, {kind, {}, "", bytes}, time));
  return {};
}

Result<std::vector<std::string>> open_details(sql::Connection& db, const AlarmsOf& which) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query("SELECT detail FROM alarms WHERE tenant = ?"
                                                " AND agent = ? AND kind = ? AND closed IS NULL",
                                                {which.tenant, which.agent, which.kind}));
  std::vector<std::string> out;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return out;
    out.push_back(rows.text(0));
  }
}

Status read_alarms(sql::Connection& db, const std::string& tenant, std::vector<Alarm>& out) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT tenant, agent, kind, detail, time, closed FROM alarms"
                                " WHERE tenant = ? ORDER BY time, agent, kind, detail",
                                {tenant}));
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return {};
    out.push_back({rows.text(0), rows.text(1), rows.text(2), rows.text(3), rows.instant(4),
                   rows.maybe_instant(5)});
  }
}

Result<std::set<AlarmName>> told_alarms(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT entry FROM log_entries WHERE tenant = ?"
                                " AND kind = 'alarm' AND entry IS NOT NULL ORDER BY idx",
                                {tenant}));
  std::set<AlarmName> out;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return out;
    MELDEVAKT_TRY_ASSIGN(const EntryWords words, EntryWords::parse(rows.text(0)));
    out.insert({words.text("agent"), words.text("alarm"), words.text("detail")});
  }
}

}  // namespace

Status record_alarm(sql::Connection& db, const LogKey* key, const Alarm& alarm) {
  MELDEVAKT_TRY(insert_alarm(db, alarm));
  if (db.changes() != 1) return {};
  return log_alarm(db, key, alarm, "alarm", alarm.time);
}

Status end_alarms(sql::Connection& db, const LogKey* key, const AlarmsOf& which, Instant now) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<std::string> open, open_details(db, which));
  for (const std::string& detail : open) {
    MELDEVAKT_TRY(
        db.run("UPDATE alarms SET closed = ? WHERE tenant = ? AND agent = ? AND kind = ?"
               " AND detail = ?",
               {sql::value(now), which.tenant, which.agent, which.kind, detail}));
    MELDEVAKT_TRY(log_alarm(db, key, {which.tenant, which.agent, which.kind, detail, now},
                            "alarm_closed", now));
  }
  return {};
}

Status log_old_alarms(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(const std::set<AlarmName> told, told_alarms(db, tenant));
  std::vector<Alarm> all;
  MELDEVAKT_TRY(read_alarms(db, tenant, all));
  for (const Alarm& alarm : all) {
    if (told.count({alarm.agent, alarm.kind, alarm.detail}) != 0) continue;
    MELDEVAKT_TRY(log_alarm(db, nullptr, alarm, "alarm", alarm.time));
  }
  return {};
}

Status SqliteStore::add_alarm(const Alarm& alarm) {
  return write(
      [&](sql::Connection& db) { return record_alarm(db, options_.log_key.get(), alarm); });
}

Status SqliteStore::close_alarms(const std::string& tenant, const std::string& agent,
                                 std::string_view kind, Instant now) {
  return write([&](sql::Connection& db) {
    return end_alarms(db, options_.log_key.get(), {tenant, agent, std::string{kind}}, now);
  });
}

Result<std::vector<Alarm>> SqliteStore::alarms(const std::string& tenant) {
  std::vector<Alarm> all;
  MELDEVAKT_TRY(with([&](sql::Connection& db) { return read_alarms(db, tenant, all); }));
  return all;
}

}  // namespace meldevakt::collector
