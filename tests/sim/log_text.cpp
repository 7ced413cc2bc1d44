#include "tests/sim/log_text.h"

#include <array>
#include <cstdio>

namespace meldevakt::sim {
namespace {

std::string sqlstate(Trouble trouble) {
  switch (trouble) {
    case Trouble::kStatementTimeout: return "57014";
    case Trouble::kLockTimeout: return "55P03";
    case Trouble::kDeadlock: return "40P01";
    case Trouble::kStorageFull: return "53100";
  }
  return "57014";
}

std::string formatted(const char* format, const LocalTime& t) {
  std::array<char, 64> out{};
  const int length = std::snprintf(out.data(), out.size(), format, t.year, t.month, t.day, t.hour,
                                   t.minute, t.second, t.millisecond);
  return {out.data(), static_cast<std::size_t>(length)};
}

}  // namespace

std::string trace_line(Instant time, int thread, std::string_view level,
                       std::string_view logger_and_text, const TimeZone& zone) {
  std::string out =
      formatted("%04d-%02d-%02d %02d:%02d:%02d,%03d [", to_local(time, zone.utc_offset(time)));
  out += std::to_string(thread) + "] ";
  out += level;
  out.append(level.size() < 6 ? 6 - level.size() : 1, ' ');
  out += logger_and_text;
  out += '\n';
  return out;
}

std::string failed_save(Instant time, int thread, Trouble trouble, const TimeZone& zone) {
  std::string out = trace_line(time, thread, "INFO", "Lagring - Uventet feil under lagring", zone);
  out += "Npgsql.PostgresException (0x80004005): " + sqlstate(trouble) + ": ";
  out += words_of(trouble);
  out +=
      "\n   at Npgsql.Internal.NpgsqlConnector.ReadMessageLong(Boolean async, DataRowLoadingMode "
      "dataRowLoadingMode, Boolean readingNotifications)\n"
      "   at Npgsql.NpgsqlCommand.ExecuteNonQuery()\n"
      "   at Fagsystem.Lagring.MeldingLager.Lagre(Melding melding)\n";
  return out;
}

std::string code_of(Trouble trouble) {
  return "pg/" + sqlstate(trouble);
}

std::string database_line(Instant time, int process, std::string_view application,
                          std::string_view severity_and_text, const TimeZone& zone) {
  const Duration offset = zone.utc_offset(time);
  std::string out = formatted("%04d-%02d-%02d %02d:%02d:%02d.%03d ", to_local(time, offset));
  out += offset > hours(1) ? "CEST [" : "CET [";
  out += std::to_string(process) + "]: ";
  if (!application.empty()) {
    out += "user=fagsystem,db=fagsystem,app=";
    out += application;
    out += ",client=10.0.0.7 ";
  }
  out += severity_and_text;
  out += '\n';
  return out;
}

std::string_view words_of(Trouble trouble) {
  switch (trouble) {
    case Trouble::kStatementTimeout: return "canceling statement due to statement timeout";
    case Trouble::kLockTimeout: return "canceling statement due to lock timeout";
    case Trouble::kDeadlock: return "deadlock detected";
    case Trouble::kStorageFull:
      return "could not extend file \"base/16401/16409\": No space left on device";
  }
  return "";
}

std::string backup_line(Instant time, int event, const TimeZone& zone) {
  const Duration offset = zone.utc_offset(time);
  std::string out =
      "<14>1 " + formatted("%04d-%02d-%02dT%02d:%02d:%02d.%03d", to_local(time, offset));
  out += offset > hours(1) ? "+02:00" : "+01:00";
  out += " VBR01 Veeam_MP - - [origin enterpriseId=\"31023\"] [categoryId=0 instanceId=";
  out += std::to_string(event);
  out += event == 190 ? " JobResult=\"0\"" : "";
  out += " JobType=\"0\" Version=\"1\" Description=\"Nattlig\"]\n";
  return out;
}

std::string portal_time(Instant time, const TimeZone& zone) {
  const LocalTime t = to_local(time, zone.utc_offset(time));
  std::array<char, 32> out{};
  const int length = std::snprintf(out.data(), out.size(), "%02d.%02d.%04d %02d:%02d:%02d", t.day,
                                   t.month, t.year, t.hour, t.minute, t.second);
  return {out.data(), static_cast<std::size_t>(length)};
}

}  // namespace meldevakt::sim
