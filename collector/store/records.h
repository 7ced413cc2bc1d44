// Rows and the values they are: shared by the parts of SqliteStore, inside one connection.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collector/store/sqlite.h"
#include "collector/store/store.h"

namespace meldevakt::collector {

// The columns: tenant, agent, public_key, tls_key, enrolled, last_received, head_epoch, head_next,
// head_link, head_until.
[[nodiscard]] Result<AgentRecord> agent_of(const sql::Rows& rows);
[[nodiscard]] Result<std::optional<AgentRecord>> find_agent(sql::Connection& db,
                                                            std::string_view agent_id);
// The columns: portal, message_id, sent, confirmed, form, channel, district.
[[nodiscard]] Receipt receipt_of(const sql::Rows& rows);
// What a person told, read as strictly as what comes in. kCorrupt.
struct ToldRow {
  std::uint64_t number = 0;
  Instant recorded;
  std::string person;
  std::string bytes;
};
[[nodiscard]] Result<LedgerEntry> told_of(const ToldRow& row);
// The alarm that goes with an envelope kept as a fork.
[[nodiscard]] Alarm fork_alarm(const Statement& statement, const Sha256& link, Instant received);
[[nodiscard]] Status insert_alarm(sql::Connection& db, const Alarm& alarm);
// SQLite's integers are signed: numbers above 2^63-1 are refused (kLimit), never wrapped.
[[nodiscard]] Result<std::int64_t> stored_number(std::uint64_t number);

}  // namespace meldevakt::collector
