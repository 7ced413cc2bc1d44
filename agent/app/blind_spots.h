// What an agent with this configuration cannot see, in plain words, each with what to do about it.
// No blind spot is a failure: where one is, coverage says less, and verdicts are weaker.
//
//   for (const BlindSpot& spot : blind_spots(sight)) print(spot.what, spot.detail, spot.remedy);
//
// Which log a source is, its pack's `observes` tells: the application's names messages; the
// database's own tells when it restarted; a host's tells of processor, disk or memory and is
// neither (Windows' event logs tell of both, and are both).
//
// Retention is what lies on disk: the age of the oldest rotated file. How long files will be kept
// (logrotate, the application's own settings) cannot be known from outside. It is held against
// how long a portal keeps a message after the receipt: 14 days, 30 days for those sent after
// 2 June 2023 14:30 (Bufdir's report).
//
// Pure. Thread-safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/app/config.h"
#include "agent/recognise/pack.h"
#include "common/base/time.h"

namespace meldevakt::agent {

inline constexpr Duration kPortalKeepsOnce = days(14);
inline constexpr Duration kPortalKeeps = days(30);

// What can be known of a source before it is read.
struct SourceSight {
  std::string name;
  std::string pack;
  bool is_application = false;
  bool is_database = false;
  bool is_host = false;
  bool observes_commits = false;
  bool has_scopes = false;
  bool tells_restarts = false;
  bool times_carry_offset = false;
  bool zone_is_configured = false;
  std::string zone;  // that is used
  bool names_messages = false;
  bool has_tenant = true;  // told to one tenant alone
  bool is_files = true;
  bool has_files = false;              // any that can be listed
  std::optional<Duration> oldest_age;  // of its rotated files
  std::optional<Duration> rotated_every;
};
[[nodiscard]] SourceSight sight_of(const SourceConfig& source, const Pack& pack,
                                   const std::string& zone);

struct AgentSight {
  std::vector<SourceSight> sources;
  std::vector<std::string> tenants_without_key;  // names
  bool clock_is_synchronised = true;
  Duration clock_error_max;  // what is assumed when it is not
  std::size_t tenants = 1;
};

struct BlindSpot {
  std::string what;    // "source trace: commits"
  std::string detail;  // what is not seen, and what follows
  std::string remedy;
};
[[nodiscard]] std::vector<BlindSpot> blind_spots(const AgentSight& sight);

}  // namespace meldevakt::agent
