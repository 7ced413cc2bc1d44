// A hold: the raw log around findings of one tenant, kept on this host, encrypted. As values; what
// the state stores of them; and the manifest.
//
// A hold is `collecting` until every source is read past its window, then `closed`, at last
// `erased`: its bytes are gone, its row remains and says when and why. A part is one range of one
// file, at most kHoldPartBytes, in a file of its own (hold_part.h).
//
// Thread-safety: plain values. Errors of decoding: kCorrupt. Format: FORMAT.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/hold/tape.h"
#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt::agent {

inline constexpr std::size_t kHoldPartBytes = 1024 * 1024;  // of the log, before compression
inline constexpr std::size_t kHoldFindingsMax = 50;
inline constexpr std::size_t kHoldsMax = 400;  // that are not erased
// Closed holds whose parts are in memory, so that what they have is not stored again.
inline constexpr std::size_t kHoldsAtHandMax = 8;
inline constexpr const char* kHoldManifestType = "application/vnd.meldevakt.hold+json";
inline constexpr std::string_view kOverloadWindow = "overload_window";

// How much is held, and for how long. Configuration: [hold].
struct HoldSettings {
  bool enabled = true;
  std::uint64_t bytes = 1'000'000'000;      // of all holds, as stored
  std::uint64_t source_bytes = 64'000'000;  // of one source's log in one hold
  Duration before = minutes(10);            // event time
  Duration after = minutes(5);
  Duration keep = days(400);
};

enum class HoldState : std::uint8_t { kCollecting, kClosed, kErased };
[[nodiscard]] std::string_view to_string(HoldState state);

struct HoldFinding {
  std::string id;
  std::string kind;  // "failed_commit", ..., "overload_window"
  Instant time;
  std::string source;
  std::string code;
  auto operator<=>(const HoldFinding&) const = default;
};

// Bytes, or time, that the hold should have and has not. `key` "": the source as a whole.
struct HoldGap {
  std::string key;
  std::string path;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  // "gone", "bound", "not_read_before", "not_read", "unreadable", "erased"
  std::string reason;
  auto operator<=>(const HoldGap&) const = default;
};

struct HoldSource {
  std::string name;
  std::string pack;  // "familia-like 1.0.0 <sha256>"
  bool done = false;
  std::uint64_t bytes = 0;  // of the log, held
  std::vector<HoldGap> gaps;
  std::vector<std::string> shares;  // once done: holds that have bytes of it
  auto operator<=>(const HoldSource&) const = default;
};

struct Hold {
  std::string id;  // "20230201T091452Z-3fa09c"
  std::string tenant;
  std::uint64_t number = 0;  // one of this agent's holds, counted from 1
  HoldState state = HoldState::kCollecting;
  Instant made;
  Instant closed;
  Instant keep_until;
  Interval window;                    // event time
  Instant pivot;                      // of the first finding
  std::vector<HoldFinding> findings;  // at most kHoldFindingsMax
  std::uint64_t more_findings = 0;    // so many more
  std::vector<HoldSource> sources;
  // Holds that have bytes of this window; while it is collecting, those that may have some.
  std::vector<std::string> shares;
  std::uint64_t stored_bytes = 0;
  Sha256 manifest;  // of the manifest's payload, once closed
  Instant erased;
  std::string erased_why;
  auto operator<=>(const Hold&) const = default;

  // Closed, and without a gap.
  [[nodiscard]] bool complete() const;
};

struct HoldPart {
  std::string hold;
  std::uint64_t number = 0;  // from 1
  std::string source;
  std::string key;
  std::string path;  // the file's name when it was read
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  Sha256 plain;
  Sha256 stored;
  std::uint64_t stored_bytes = 0;
  auto operator<=>(const HoldPart&) const = default;
};
[[nodiscard]] std::string part_file_name(std::uint64_t number);  // "part-000001.hold"
inline constexpr const char* kManifestFile = "manifest.json";
inline constexpr const char* kTombstoneFile = "erased.txt";

// What goes into the agent's next transaction.
struct HoldChange {
  std::vector<Hold> holds;  // new or changed
  std::vector<HoldPart> parts;
  std::vector<std::pair<std::string, TapeChanges>> tapes;   // by source
  std::vector<std::pair<std::string, HoldFinding>> wanted;  // tenant; not stored: see HoldKeeper
  [[nodiscard]] bool empty() const { return holds.empty() && parts.empty() && tapes.empty(); }
};

// Everything of a hold but its parts, one line of JSON.
[[nodiscard]] std::string encode_hold(const Hold& hold);
[[nodiscard]] Result<Hold> decode_hold(std::string_view json);

struct HoldManifest {
  Hold hold;
  std::vector<HoldPart> parts;
  Sha256 previous;  // the manifest of the tenant's hold that was closed before
  std::string agent;
  std::string software;
};
[[nodiscard]] std::string encode_manifest(const HoldManifest& manifest);
[[nodiscard]] Result<HoldManifest> decode_manifest(std::string_view json);

}  // namespace meldevakt::agent
