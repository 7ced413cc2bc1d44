#include "tests/bench/scan_log.h"

#include <array>
#include <cstdio>
#include <string_view>

namespace meldevakt::bench {
namespace {

constexpr std::array<int, 42> kServerErrors{
    601,  605,  701,  802,  823,  824,  825,   832,   844,   1101,  1105,  1204,  1205,  1222,
    1807, 2601, 2627, 3041, 3414, 3449, 3624,  4060,  5144,  5149,  6289,  8628,  8645,  8651,
    8909, 9001, 9002, 9003, 9100, 9642, 10982, 17053, 17883, 17884, 17890, 18056, 18210, 35206};
constexpr std::array<int, 28> kOracleErrors{
    1,    18,   20,   54,   60,   257,  600,  604,  1000, 1013, 1017,  1033,  1034,  1089,
    1400, 1438, 1555, 1653, 2291, 2292, 3113, 3114, 3135, 4031, 12154, 12514, 12541, 12899};
// What products write when something is wrong; `#` stands for a number, `'` for a quoted name.
constexpr std::array<std::string_view, 80> kTexts{
    "requests taking longer than # seconds",
    "process memory has been paged out",
    "The transaction log for database '",
    "Login failed for user '",
    "BACKUP failed to complete the command",
    "Could not allocate space for object '",
    "insufficient system memory in resource pool",
    "appears to be non-yielding on Scheduler #",
    "Timeout occurred while waiting for latch",
    "is changing roles from",
    "allocation errors and # consistency errors",
    "Stack Dump being sent to",
    "deadlock victim=process#",
    "SqlException (0x80131904)",
    "Execution Timeout Expired",
    "Connection Timeout Expired",
    "A network-related or instance-specific error",
    "A transport-level error has occurred",
    "prior to obtaining a connection from the pool",
    "Violation of PRIMARY KEY constraint '",
    "Cannot insert duplicate key row in object '",
    "conflicted with the FOREIGN KEY constraint",
    "String or binary data would be truncated",
    "Invalid object name '",
    "Cannot open database requested by the login",
    "DbUpdateConcurrencyException",
    "RetryLimitExceededException",
    "System.OutOfMemoryException",
    "TransactionAbortedException",
    "The semaphore timeout period has expired",
    "forcibly closed by the remote host",
    "was deadlocked on lock resources",
    "The physical connection is not usable",
    "This SqlTransaction has completed",
    "The current transaction cannot be committed",
    "ERROR:  deadlock detected",
    "remaining connection slots are reserved",
    "sorry, too many clients already",
    "password authentication failed for user",
    "could not extend file",
    "No space left on device",
    "could not serialize access due to",
    "canceling statement due to statement timeout",
    "canceling statement due to lock timeout",
    "duplicate key value violates unique constraint",
    "violates foreign key constraint",
    "server closed the connection unexpectedly",
    "terminating connection due to administrator command",
    "database system was interrupted",
    "checkpoints are occurring too frequently",
    "invalid page in block #",
    "could not write to file",
    "archive command failed with exit code #",
    "Meldingen kunne ikke lagres",
    "Lagring av melding # mislyktes",
    "Melding # ble avvist av mottaker",
    "Kvittering for melding # er ikke sendt",
    "Ugyldig XML i vedlegg",
    "Vedlegget er for stort",
    "Ukjent avsender for melding #",
    "Signaturen er ikke gyldig",
    "Sertifikatet er utgått",
    "Dekryptering mislyktes",
    "Kan ikke nå meldingsformidler",
    "Arkivet svarer ikke",
    "Journalføring mislyktes for sak #",
    "Dobbel melding # er forkastet",
    "Køen er full",
    "Tjenesten stanser på grunn av feil",
    "Ingen ledig tilkobling i bassenget",
    "Mottak er satt på vent",
    "OutOfSequence: forventet #",
    "HTTP 503 fra mottakstjenesten",
    "Backup exec job failed",
    "VSS writer failed with error code #",
    "Volume is nearly full",
    "The disk has a bad block",
    "Event log is corrupted",
    "Kernel panic - not syncing",
    "Out of memory: Killed process #"};

constexpr std::array<std::string_view, 9> kQuietTexts{
    "Processed order # for customer Øystein Hæreid in # ms",
    "Message queued for delivery, queue=INN.ORDRE, depth=#, correlation=#",
    "Received batch of # messages from UT.KVITTERING, next poll in # ms",
    "Saving # entities to OrdreDB (transaction #)",
    "Cache refresh for Arkiv2019 finished: # hits, # misses, id=#",
    "User Åse Sæther logged in from 10.1.#.#, session id=#",
    "Validated XML document # against schema ordre-v3.xsd, 0 errors, # warnings",
    "HTTP GET /api/v2/kunde/# responded 200 in #.# ms",
    "Executed DbCommand (#ms) [CommandType='Text', CommandTimeout='30'] rows=#"};
constexpr std::array<std::string_view, 7> kDatabaseTexts{
    "Starting up database 'Regnskap'.",
    "Log was backed up. Database: OrdreDB, first LSN: #:#:1, last LSN: #:#:1, number of dump "
    "devices: 1. This is an informational message only. No user action is required.",
    "Setting database option COMPATIBILITY_LEVEL to 150 for database 'EPJ_Prod'.",
    "DBCC CHECKDB (Lager) executed by svc_ordre found 0 errors and repaired 0 errors.",
    "Error: 14#, Severity: 14, State: #.",  // never one that is looked for
    "LOG:  duration: #.# ms  statement: SELECT id, navn FROM kunde WHERE id = # LIMIT 100",
    "LOG:  connection received: host=10.1.#.# port=#"};
constexpr std::array<std::string_view, 4> kFrames{
    "   at System.Data.SqlClient.SqlCommand.ExecuteNonQuery()\n",
    "   at Acme.Core.Data.UnitOfWork.CommitAsync(CancellationToken ct) in D:\\bygg\\Unit.cs:line "
    "#\n",
    "   at Acme.Integration.Mq.QueueListener.HandleAsync(Melding m) in D:\\bygg\\Mq.cs:line #\n",
    "   at System.Runtime.CompilerServices.TaskAwaiter.HandleNonSuccess(Task task)\n"};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view{"().[]*+?{}|^$\\"}.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

ScanPattern text_pattern(std::string_view text) {
  const std::size_t number = text.find('#');
  ScanPattern pattern;
  std::string_view before = text.substr(0, number);
  std::string_view after = number == std::string_view::npos ? "" : text.substr(number + 1);
  pattern.literal = before.size() >= after.size() ? before : after;
  pattern.regex = escaped(before);
  pattern.example = before;
  if (number != std::string_view::npos) {
    pattern.regex += "[0-9]+" + escaped(after);
    pattern.example += "47" + std::string{after};
  } else if (text.back() == '\'') {
    pattern.regex += "[^']+'";
    pattern.example += "OrdreDB'";
  }
  return pattern;
}

}  // namespace

const std::vector<ScanPattern>& scan_patterns() {
  static const std::vector<ScanPattern> all = [] {
    std::vector<ScanPattern> out;
    for (const int number : kServerErrors) {
      const std::string literal = "Error: " + std::to_string(number) + ", Severity: ";
      out.push_back({literal, literal + "[0-9]+, State: [0-9]+", literal + "16, State: 1."});
    }
    for (const int number : kOracleErrors) {
      std::array<char, 16> literal{};
      std::snprintf(literal.data(), literal.size(), "ORA-%05d", number);
      out.push_back({literal.data(), std::string{literal.data()} + "(:|[^0-9])",
                     std::string{literal.data()} + ": feil i pakke PKG_ORDRE"});
    }
    for (const std::string_view text : kTexts) out.push_back(text_pattern(text));
    return out;
  }();
  return all;
}

std::string scan_pack(std::size_t count) {
  std::string out = R"(pack = "bench"
version = "1.0.0"
observes = ["db.timeout"]
[record]
starts = '\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2},\d{3} '
time = "%Y-%m-%d %H:%M:%S,%f"
)";
  for (std::size_t i = 0; i < count && i < scan_patterns().size(); ++i) {
    const ScanPattern& pattern = scan_patterns()[i];
    out += "[[rule]]\nid = \"r" + std::to_string(i) + "\"\nsignal = \"db.timeout\"\ncode = \"b/" +
           std::to_string(i) + "\"\nliteral = \"" + pattern.literal + "\"\npattern = '''" +
           pattern.regex + "'''\n";
  }
  return out;
}

std::uint32_t ScanLog::below(std::uint32_t bound) {
  random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
  return static_cast<std::uint32_t>((random_ >> 33U) % bound);
}

void ScanLog::add_number(std::string& out, std::uint32_t bound) {
  out += std::to_string(below(bound));
}

void ScanLog::add_stamp(std::string& out) {
  milliseconds_ += below(40);
  const std::uint64_t seconds = milliseconds_ / 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "2024-%02u-%02u %02u:%02u:%02u,%03u ",
                static_cast<unsigned>(1 + seconds / 86400 / 28 % 12),
                static_cast<unsigned>(1 + seconds / 86400 % 28),
                static_cast<unsigned>(seconds / 3600 % 24),
                static_cast<unsigned>(seconds / 60 % 60), static_cast<unsigned>(seconds % 60),
                static_cast<unsigned>(milliseconds_ % 1000));
  out += text.data();
}

void ScanLog::add_application(std::string& out) {
  out += "[";
  add_number(out, 64);
  out += below(8) == 0 ? "] WARN  Acme.Order.Service.OrderProcessor - "
                       : "] INFO  Acme.Integration.Mq.QueueListener - ";
}

void ScanLog::add_trace(std::string& out) {
  out += "Unexpected error while handling message ";
  add_number(out, 1'000'000);
  out += ": System.InvalidOperationException: Sequence contains no elements\n";
  for (std::uint32_t i = 5 + below(9); i > 0; --i) {
    for (const char c : kFrames[below(kFrames.size())]) {
      if (c == '#') {
        add_number(out, 900);
      } else {
        out += c;
      }
    }
  }
}

void ScanLog::add_database(std::string& out) {
  out += "spid";
  add_number(out, 300);
  out += "      ";
}

void ScanLog::add_quiet(std::string& out) {
  const std::uint32_t kind = below(100);
  if (kind < 3) {
    add_application(out);
    return add_trace(out);
  }
  const bool database = kind < 33;
  database ? add_database(out) : add_application(out);
  const std::string_view text = database ? kDatabaseTexts[below(kDatabaseTexts.size())]
                                         : kQuietTexts[below(kQuietTexts.size())];
  for (const char c : text) {
    if (c == '#') {
      add_number(out, 1000);
    } else {
      out += c;
    }
  }
  out += '\n';
}

void ScanLog::add_record(std::string& out) {
  add_stamp(out);
  if (below(10'000) >= hits_) return add_quiet(out);
  below(2) == 0 ? add_database(out) : add_application(out);
  out += scan_patterns()[below(static_cast<std::uint32_t>(scan_patterns().size()))].example;
  out += " [klient ";
  add_number(out, 1000);
  out += "]\n";
}

}  // namespace meldevakt::bench
