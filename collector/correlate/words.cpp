#include "collector/correlate/words.h"

#include <algorithm>
#include <array>
#include <optional>

namespace meldevakt::collector {
namespace {

struct Words {
  std::string_view code;
  std::string_view text;
};

// SQLSTATEs by the PostgreSQL manual's appendix A; SQL Server, Oracle and MariaDB numbers by their
// vendors' lists of messages (the same as the packs use).
constexpr std::array kCodes{
    Words{"mssql/-2", "the database did not answer in time"},
    Words{"mssql/1105", "the database's files are full"},
    Words{"mssql/1205", "the database chose it as the victim of a deadlock"},
    Words{"mssql/1222", "the database gave up waiting for a lock"},
    Words{"mssql/2601", "the database already holds such a row"},
    Words{"mssql/2627", "the database already holds such a row"},
    Words{"mssql/4060", "the database could not be opened"},
    Words{"mssql/701", "the database ran out of memory"},
    Words{"mssql/823", "the disk failed under the database"},
    Words{"mssql/9002", "the database's transaction log is full"},
    Words{"mysql/1040", "the database had no connection left"},
    Words{"mysql/1114", "the database's files are full"},
    Words{"mysql/1205", "the database gave up waiting for a lock"},
    Words{"mysql/1213", "the database chose it as the victim of a deadlock"},
    Words{"ora/01653", "the database's files are full"},
    Words{"ora/03113", "the connection to the database broke"},
    Words{"ora/03114", "the connection to the database broke"},
    Words{"ora/00054", "the database gave up waiting for a lock"},
    Words{"ora/00060", "the database chose it as the victim of a deadlock"},
    Words{"ora/00257", "the database could not archive its log and stopped writing"},
    Words{"pg/08000", "the connection to the database broke"},
    Words{"pg/08001", "the database could not be reached"},
    Words{"pg/08003", "the connection to the database broke"},
    Words{"pg/08004", "the database refused the connection"},
    Words{"pg/08006", "the connection to the database broke"},
    Words{"pg/08007", "the connection broke while the database was committing"},
    Words{"pg/22001", "a value was too long for the database"},
    Words{"pg/23505", "the database already holds such a row"},
    Words{"pg/25P02", "the transaction had already failed"},
    Words{"pg/25P03", "the database ended a transaction that stood idle"},
    Words{"pg/40001", "the database could not put it in order with other transactions"},
    Words{"pg/40P01", "the database chose it as the victim of a deadlock"},
    Words{"pg/53000", "the database ran out of resources"},
    Words{"pg/53100", "the database's disk is full"},
    Words{"pg/53200", "the database ran out of memory"},
    Words{"pg/53300", "the database had no connection left"},
    Words{"pg/55P03", "the database gave up waiting for a lock"},
    Words{"pg/57014", "the database cancelled a statement that took too long"},
    Words{"pg/57P01", "the database was being stopped"},
    Words{"pg/57P02", "the database server crashed"},
    Words{"pg/57P03", "the database was not ready"},
    Words{"pg/58030", "the disk failed under the database"},
    Words{"pg/XX001", "the database found damaged data"},
};

constexpr std::array kDrivers{
    Words{"backup", "a running backup"},
    Words{"connection_lost", "broken connections to the database"},
    Words{"connections_refused", "no connection left to the database"},
    Words{"cpu", "an overloaded processor"},
    Words{"deadlock", "deadlocks"},
    Words{"disk_full", "a full disk"},
    Words{"disk_slow", "a slow disk"},
    Words{"lock_wait", "waiting for locks"},
    Words{"log_full", "a full transaction log"},
    Words{"memory", "too little memory"},
    Words{"restarted", "a restart of the database"},
    Words{"slow", "a slow database"},
    Words{"storage_full", "full database files"},
    Words{"timeout", "time-outs"},
};

constexpr std::array kCauses{
    Words{"coverage_gap", "part of the log was not read"},
    Words{"commit_not_logged", "tried again, and this product does not log what it stores"},
    Words{"count_short", "fewer messages are stored than were receipted"},
    Words{"fetched_by_hand", "fetched by a person, and no log names what is put in by hand"},
    Words{"no_answer", "the commit got no answer"},
    Words{"no_coverage", "no log that would tell is read"},
    Words{"not_acknowledged", "never receipted by the case system"},
    Words{"not_confirmed", "never confirmed to the portal"},
    Words{"not_posted", "to be posted by the portal, and never was as far as it says"},
    Words{"nothing_logged", "neither stored nor failed as far as the log tells"},
    Words{"posting_unknown", "to be posted by the portal, and nobody knows whether it was"},
    Words{"receipt_before_commit", "receipted before it was stored"},
    Words{"rejected", "refused by the case system"},
    Words{"row_too_old", "the portal's list is from before its time ran out"},
    Words{"save_failed", "the save failed, and no reason was logged"},
    Words{"unclear_signals", "signals that could belong to several messages"},
    Words{"unreceipted", "stored, and never receipted"},
    Words{"whose_unknown", "in a log of several municipalities, and no list tells whose it is"},
};

template <std::size_t N>
std::optional<std::string_view> look_up(const std::array<Words, N>& table, std::string_view code) {
  const auto at = std::find_if(table.begin(), table.end(),
                               [code](const Words& words) { return words.code == code; });
  if (at == table.end()) return std::nullopt;
  return at->text;
}

std::string with_code(std::string_view text, std::string_view code) {
  return std::string{text} + " (" + std::string{code} + ")";
}

}  // namespace

bool says_row_exists(std::string_view code) {
  constexpr std::array<std::string_view, 5> kCodes{"mssql/2601", "mssql/2627", "mysql/1062",
                                                   "ora/00001", "pg/23505"};
  return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

std::string describe_code(std::string_view code) {
  if (code.empty()) return "no reason was logged";
  if (const auto text = look_up(kCodes, code)) return with_code(*text, code);
  return with_code("the save failed", code);
}

std::string describe_driver(std::string_view driver) {
  if (driver.empty()) return "overload";
  if (const auto text = look_up(kDrivers, driver)) return std::string{*text};
  std::string text{driver};
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::string describe_cause(std::string_view cause) {
  if (cause.empty()) return "";
  if (const auto text = look_up(kCauses, cause)) return std::string{*text};
  return describe_code(cause);
}

}  // namespace meldevakt::collector
