// The small signed part of a summary: who, which interval, what was read and how well, and the
// hashes of the bodies that hold the facts. "Nothing found" is a claim only a statement can make.
//
// Two time axes. Reading: `reading` intervals of each source tile the statement's [from, to)
// exactly, on the agent's wall clock. Event: `complete` is the stretch of event time (what the
// records say) that this statement adds as fully read; the union over statements, less
// `event_gaps`, is what may be claimed. A later statement adds, never rewrites.
//
// Thread-safety: plain values. Wire form: FORMAT.md (JSON, integers and strings only).
// Source: EVIDENCE.md section 7 A(1), CloudTrail digest files for the idea of signed silence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/limits.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/summary/signal.h"

namespace meldevakt {

inline constexpr std::string_view kStatementType = "application/vnd.meldevakt.statement.v1+json";
inline constexpr std::string_view kEnrolmentType = "application/vnd.meldevakt.enrolment.v1+json";

enum class ReadState : std::uint8_t { kRead, kGap, kAbsent, kUnknown };
[[nodiscard]] std::string_view to_string(ReadState state);
[[nodiscard]] std::optional<ReadState> read_state_from_string(std::string_view text);

struct ReadingInterval {
  Interval span;  // agent wall clock
  ReadState state = ReadState::kUnknown;
  std::string reason;  // "" when read; else a code: "agent_stopped", "permission", "no_file", ...
  auto operator<=>(const ReadingInterval&) const = default;
};

struct EventGap {
  Interval span;  // event time that can no longer be read
  std::string reason;
  auto operator<=>(const EventGap&) const = default;
};

struct ContentRange {
  std::string file;        // file identity, 32 hexadecimal digits (agent/source)
  std::uint64_t from = 0;  // byte offsets, half-open
  std::uint64_t to = 0;
  auto operator<=>(const ContentRange&) const = default;
};

struct PackIdentity {
  std::string id;
  std::string version;
  Sha256 sha256;  // of the pack file's bytes
  auto operator<=>(const PackIdentity&) const = default;
};

struct Observed {
  Signal signal = Signal::kMessageReceived;  // the pack declares that its product logs this
  std::optional<Instant> last_seen;          // event time of the last one, ever
  auto operator<=>(const Observed&) const = default;
};

// read == recognised + unrecognised + dropped + pending (invariant 9), over the source's life.
struct ByteCounts {
  std::uint64_t read = 0;
  std::uint64_t recognised = 0;
  std::uint64_t unrecognised = 0;
  std::uint64_t dropped = 0;
  std::uint64_t pending = 0;
  auto operator<=>(const ByteCounts&) const = default;
};

struct SourceCoverage {
  std::string id;    // the source's name
  std::string kind;  // "file"
  PackIdentity pack;
  std::vector<Observed> observes;  // sorted by signal
  // By which names the pack's rules can name a message, sorted; none where they name no message, or
  // where the agent is from before this was told.
  std::vector<ReferenceType> names;
  bool shared = false;                   // other tenants of this agent are told of it too
  std::vector<ReadingInterval> reading;  // tile the statement's [from, to)
  std::optional<Interval> complete;      // event time added as fully read
  std::vector<EventGap> event_gaps;
  std::vector<ContentRange> ranges;  // at most kRangesMax, then joined per file
  ByteCounts bytes;
  std::uint64_t records = 0;  // over the source's life
  std::string digest;         // SHA-256 over the bytes read for this statement, hex; "" when none
  static constexpr std::size_t kRangesMax = 16;
  auto operator<=>(const SourceCoverage&) const = default;
};

struct BodyHash {
  Sha256 packed;  // of the zstd frame as shipped
  std::uint64_t packed_bytes = 0;
  Sha256 plain;  // of the JSON
  std::uint64_t plain_bytes = 0;
  std::uint64_t dictionary = 0;  // zstd dictionary id; 0 = none
  std::uint64_t facts = 0;
  auto operator<=>(const BodyHash&) const = default;
};

struct ClockState {
  std::string source;  // "synchronised" or "unsynchronised", as the kernel says
  // What the kernel still corrects, as adjtimex(2) has it; 0 when unsynchronised. How far the clock
  // may be off is |offset_us| + max_error_us; as much as it differs from the collector's, at least.
  std::int64_t offset_us = 0;
  std::int64_t max_error_us = 0;
  bool stepped = false;  // wall and boot clock disagreed since the last statement
  auto operator<=>(const ClockState&) const = default;
};

struct Statement {
  static constexpr std::uint32_t kVersion = 1;

  std::string tenant;
  std::string agent;  // 32 hexadecimal digits: SHA-256 of the first signing key, cut
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  Sha256 previous;  // SHA-256 of the PAE before; of the enrolment's PAE for epoch 0, sequence 0
  Interval span;    // agent wall clock; `from` equals the `to` before
  std::string boot_id;
  std::int64_t boottime_from_ns = 0;
  std::int64_t boottime_to_ns = 0;
  ClockState clock;
  std::vector<SourceCoverage> sources;
  std::vector<BodyHash> bodies;
  Sha256 configuration;  // of the configuration file's bytes
  std::string software_version;
  std::string software_sha256;  // of the program's own file, hex; "" where it cannot be read
  // The newest checkpoint of the tenant's log that the agent has checked (EVIDENCE.md A(1)
  // log_seen): every agent is a witness of what the collector showed it.
  std::uint64_t log_seen_size = 0;
  std::string log_seen_root;  // hex; "" before the first
  auto operator<=>(const Statement&) const = default;
};

// What an agent says of itself when it enrols; signed with the key it presents (proof of
// possession).
struct Enrolment {
  std::string tenant;
  std::string agent;
  std::string signing_key;  // Base64 of 32 raw bytes
  Sha256 tls_key;           // of the certificate request's SubjectPublicKeyInfo (DER)
  Sha256 invitation;  // of the one-time token, so a captured enrolment fits no other invitation
  Instant time;
  std::string software_version;
  auto operator<=>(const Enrolment&) const = default;
};

[[nodiscard]] std::string encode_statement(const Statement& statement);
// Strict, like decode_body; also checks that readings tile the span and that bounds hold. kCorrupt,
// kLimit.
[[nodiscard]] Result<Statement> decode_statement(std::string_view json);

[[nodiscard]] std::string encode_enrolment(const Enrolment& enrolment);
[[nodiscard]] Result<Enrolment> decode_enrolment(std::string_view json);

// Ok when, for every source, the reading intervals are in order, touch, and cover the span exactly.
[[nodiscard]] Status check_tiling(const Statement& statement);

}  // namespace meldevakt
