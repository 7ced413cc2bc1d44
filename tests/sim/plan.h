// What happens in the simulated country: who is served by whom, which messages are sent when and
// what becomes of each, overloads, restarts, outages. Made from a seed alone, before anything runs.
//
//   const CountryPlan plan = plan_country(whole_country(), {.seed = 1});
//
// Public figures (the Bufdir report): 242 municipalities, messages by quarter and form (table 1),
// 63 losses in 22 municipalities of 18 services, Bergen 24, the region of Kristiansand 12, the
// others 1 to 3; two losses by date. Assumed, since nothing public says: how the other 27 losses
// and the 22 municipalities spread over services, the sizes of municipalities, every time of day,
// and all overloads, restarts and outages.
//
// Pure. Thread-safety: plain values. Times are UTC.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/summary/signal.h"

namespace meldevakt::sim {

// What truly becomes of a message.
enum class Fate : std::uint8_t {
  kStored,
  kStoredByRetry,  // the first attempt fails in an overload
  kLost,           // receipted; the save failed, which was logged and swallowed
  kLostSilently,   // receipted; the save failed and nobody logged it
};
[[nodiscard]] bool is_loss(Fate fate);

struct PlannedMessage {
  std::string id;  // the portal's: a UUID
  Instant sent;
  FormType form = FormType::kPrivate;
  Fate fate = Fate::kStored;
  std::optional<Instant> sent_again;  // by the portal, after it was lost; it is stored then
  auto operator<=>(const PlannedMessage&) const = default;
};

struct Outage {
  enum class Kind : std::uint8_t {
    kCollectorAway,  // statements wait in the outbox
    kAgentStopped,   // the log is read afterwards
    kUnreadable,     // the agent may not open the log; it is read afterwards
    kLogDestroyed,   // the agent is stopped, and the log is deleted before it comes back
  };
  Kind kind = Kind::kCollectorAway;
  Interval span;
};

struct ServicePlan {
  std::string name;
  std::string tenant;                       // opaque id
  std::vector<std::string> municipalities;  // their numbers; invented
  std::uint64_t seed = 0;
  std::vector<PlannedMessage> messages;  // sorted by `sent`
  std::vector<Instant> overloads;        // in which no message is hurt
  std::vector<Instant> restarts;         // of the case system
  std::vector<Outage> outages;           // sorted, apart from each other
  Instant patched;                       // from here on the case system receipts after the commit
  std::optional<Instant> patch_told;     // from here on the register says so
  std::string hidden_commit;             // of this message: stored, and the trace does not say so
  std::optional<Instant> silent_from;    // nothing is heard of the agents any more
  unsigned nodes = 1;                    // of the case system; each writes a log of its own
  bool database_apart = false;  // on a host of its own, with an agent; both hosts' clocks drift
  bool backup_apart = false;    // backups are another program's, in a log of its own
};

struct CountryPlan {
  Interval span;
  Instant asked_until;  // the fleet is asked about [span.from, asked_until)
  std::vector<ServicePlan> services;
};

struct Quarter {
  Interval span;
  unsigned public_forms = 0;
  unsigned private_forms = 0;
};
struct AffectedService {
  std::string name;
  unsigned municipalities = 1;
  unsigned losses = 0;
  double weight = 1;               // of its share of the messages
  Interval losses_within;          // empty: the whole time
  std::vector<Instant> losses_at;  // of `losses`, those whose date is known
  std::optional<Instant> patched;
};
struct CountryShape {
  Interval span;
  Instant asked_until;
  Interval patches;  // when the others get the corrected case system
  std::vector<Quarter> quarters;
  std::vector<AffectedService> affected;
  unsigned unaffected = 0;   // municipalities with a service of their own
  bool sends_again = false;  // half of what is lost is sent again by the portal, days later
  bool all_apart = false;    // every service has two nodes, and database and backups apart
};
// 242 municipalities, 26,730 messages, 983 days from 2020-09-25.
[[nodiscard]] CountryShape whole_country();
// A dozen municipalities over some weeks; another one for each seed.
[[nodiscard]] CountryShape small_country(std::uint64_t seed);
// One affected service over one month; `apart`: see CountryShape::all_apart.
[[nodiscard]] CountryShape one_month(bool apart = false);

struct PlanOptions {
  std::uint64_t seed = 1;
  bool losses = true;
  unsigned silent = 0;       // so many unaffected services fall silent
  unsigned destroyed = 0;    // so many unaffected services lose a log unread
  bool hide_commit = false;  // logs and truth disagree about one message: must be noticed
};
[[nodiscard]] CountryPlan plan_country(const CountryShape& shape, const PlanOptions& options);

}  // namespace meldevakt::sim
