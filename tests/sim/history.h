// What a service's case system and database write into their logs, what the portal knows, and what
// truly happened: the first three are given to agent and collector, the last is opened at the end.
//
// The case system is the one of 2020 to 2023: it receipts a message before it has saved it, and
// swallows a save that fails. Once patched it receipts after the commit. Its trace has the layout
// of the pack `familia-like`, our own assumption; the database's log is PostgreSQL's, with
// log_line_prefix = '%m [%p]: user=%u,db=%d,app=%a,client=%h '; a backup program's own is Veeam's.
//
// A service of two nodes writes two traces, with the same numbers for their threads, and has its
// messages in bursts. Where the database is on a host of its own, each host's log tells the time by
// that host's clock.
//
//   const ServiceHistory history = live_through(service, span, oslo);
//
// Pure. Thread-safety: plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/ports/time_zone.h"
#include "tests/sim/host_clock.h"
#include "tests/sim/plan.h"

namespace meldevakt::sim {

struct LogEntry {
  Instant time;      // truly; the text has the host's
  std::string text;  // a record, with its line ends
  unsigned node = 0;
};

struct PortalRow {
  std::string id;
  Instant sent;
  Instant confirmed;
  FormType form = FormType::kPrivate;
};

// A second delivery, which is stored.
struct SentAgain {
  Instant received;
  Instant committed;
  Instant confirmed;  // when the portal had the receipt
};

struct TrueMessage {
  std::string id;
  Fate fate = Fate::kStored;
  Instant sent;
  Instant receipted;
  std::optional<Instant> committed;
  std::optional<Instant> overload;  // its first save failed at the worst of one
  std::string failure;              // the code that the case system's log gives for that
  Instant confirmed;                // when the portal had the receipt
  std::optional<SentAgain> again;   // it was lost, and the portal sent it once more
};

// The database in trouble for a while.
struct TrueOverload {
  Interval span;           // of what the logs say
  std::string driver;      // the cause that a reader of all logs would name
  bool confirmed = false;  // a second log tells of it too: the case system's, or the backup's
};

struct ServiceHistory {
  std::vector<LogEntry> trace;          // sorted by time
  std::vector<LogEntry> database;       // sorted by time
  std::vector<LogEntry> backup;         // sorted by time; empty where backups are the database's
  std::vector<PortalRow> rows;          // sorted by `confirmed`
  std::vector<TrueMessage> truth;       // sorted by `sent`
  std::vector<TrueOverload> overloads;  // sorted by start
  std::vector<Instant> busy;  // when something was going on that an agent should hear of, sorted
};

// The clocks of a service's hosts; both are right where one host has all.
struct ServiceClocks {
  HostClock application;
  HostClock database;
};
[[nodiscard]] ServiceClocks clocks_of(const ServicePlan& service);

[[nodiscard]] ServiceHistory live_through(const ServicePlan& service, const Interval& span,
                                          const TimeZone& zone);

// The portal's CSV of those rows, times in the zone, whole seconds.
[[nodiscard]] std::string portal_csv(const std::vector<PortalRow>& rows, const TimeZone& zone);

}  // namespace meldevakt::sim
