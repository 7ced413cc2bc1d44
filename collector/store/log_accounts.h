// What a tenant's log tells, entry by entry, held against the rows that it tells of: every row of
// evidence is told of by exactly one entry, and is what that entry says.
//
//   LogAccounts accounts{db, tenant};
//   for (every entry, in order) MELDEVAKT_TRY(accounts.add(index, entry));
//   MELDEVAKT_TRY(accounts.finish());               // and nothing else is stored
//
// Private to collector/store; the entries' own bytes are check_log's. Memory: the alarms and claims
// of completeness of one tenant. Thread-safety: none. Errors: kCorrupt names the first thing that
// disagrees; as in sqlite.h.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "collector/store/entry_words.h"
#include "collector/store/sqlite.h"
#include "common/base/result.h"

namespace meldevakt::collector {

using AlarmName = std::array<std::string, 3>;  // agent, kind, detail

struct LoggedEntry {
  std::string kind;
  std::int64_t time = 0;
  std::optional<std::int64_t> ledger_index;
  std::string agent;
  std::optional<std::int64_t> row_time;  // of the statement's or enrolment's own row
  std::string bytes;
};

class LogAccounts {
 public:
  LogAccounts(sql::Connection& db, std::string tenant) : db_{db}, tenant_{std::move(tenant)} {}

  [[nodiscard]] Status add(std::uint64_t index, const LoggedEntry& entry);
  [[nodiscard]] Status finish();

 private:
  struct AlarmState {
    std::int64_t time = 0;
    std::optional<std::int64_t> closed;
    auto operator<=>(const AlarmState&) const = default;
  };
  struct Claim {
    std::string portal;
    std::int64_t from = 0;
    std::int64_t until = 0;
    std::int64_t imported = 0;
    auto operator<=>(const Claim&) const = default;
  };
  struct Rows {
    std::uint64_t receipts = 0;
    std::uint64_t registry = 0;
    std::uint64_t controls = 0;
    std::uint64_t told = 0;
  };

  [[nodiscard]] Status add_row_entry(const LoggedEntry& entry);
  [[nodiscard]] Status add_receipts(std::int64_t index, const EntryWords& words);
  [[nodiscard]] Status add_registry(std::int64_t index, const EntryWords& words);
  [[nodiscard]] Status add_control(std::int64_t index, const EntryWords& words);
  [[nodiscard]] Status add_told(std::int64_t index, const EntryWords& words);
  [[nodiscard]] Status add_alarm(const EntryWords& words);
  [[nodiscard]] Status close_alarm(const EntryWords& words);

  [[nodiscard]] Status check_counts();
  [[nodiscard]] Status check_alarms();
  [[nodiscard]] Status check_claims();
  [[nodiscard]] Status check_first_agent();
  [[nodiscard]] Result<std::uint64_t> count(const char* literal);

  sql::Connection& db_;
  std::string tenant_;
  std::int64_t statements_ = 0;
  std::set<std::string> agents_;
  std::string first_agent_;
  Rows rows_;
  std::int64_t next_registry_ = 0;
  std::int64_t next_control_ = 0;
  std::int64_t next_told_ = 0;
  std::map<AlarmName, AlarmState> alarms_;
  std::set<Claim> claims_;
};

}  // namespace meldevakt::collector
