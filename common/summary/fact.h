// What an agent concludes, one immutable piece at a time: the contents of a statement's bodies.
//
// A fact's id is a keyed hash of file identity, record offset and rule (agent/detect), so the same
// record read live, late or again yields the same fact. A fact may be said again with a higher
// revision when later records of the same event refine it; the highest revision is the fact, in
// whatever order they arrive. The collector joins facts into lives of messages: by reference.
//
// Thread-safety: plain values. Bounds: common/base/limits.h. Wire form: FORMAT.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/summary/receipt.h"
#include "common/summary/signal.h"

namespace meldevakt {

// How a signal came to its message.
enum class Attribution : std::uint8_t {
  kNamed,      // the record itself names the message
  kScope,      // a record of the same scope named it before
  kLookBack,   // a record of the same scope named it after
  kAmbiguous,  // it could belong to each of `candidates`
  kNone,       // no message can be named
};
[[nodiscard]] std::string_view to_string(Attribution attribution);
[[nodiscard]] std::optional<Attribution> attribution_from_string(std::string_view text);

// One step in the life of a message.
struct StepFact {
  Signal signal = Signal::kMessageReceived;  // a message.* signal
  Instant time;                              // event time, UTC
  Attribution attribution = Attribution::kNone;
  std::vector<Reference> references;  // sorted; empty unless kNamed, kScope or kLookBack
  std::vector<Reference> candidates;  // sorted; only for kAmbiguous
  std::optional<Outcome> outcome;     // only and always for message.save_failed
  std::string code;                   // what failed, e.g. "pg/55P03"; "" when nothing says
  std::optional<FormType> form;
  std::string district;       // the bydel's number, is_district_number; "" when nothing says
  std::uint32_t records = 1;  // how many records of the log tell of this one event
  // How far from `time` the event may truly lie, either way: the hour that autumn repeats, a day
  // that had to be deduced. 0: as sure as the log's clock.
  Duration time_error{};
  auto operator<=>(const StepFact&) const = default;
};

// A record that names one message by several references: they are the same message.
struct AliasFact {
  Instant time;
  std::vector<Reference> references;  // sorted, at least two
  auto operator<=>(const AliasFact&) const = default;
};

// A time of overload as one source saw it.
struct WindowFact {
  Interval span;      // event time; `to` is the last signal seen so far when still open
  bool open = false;  // more may follow, as a higher revision
  struct Count {
    Signal signal = Signal::kDbTimeout;
    std::uint64_t count = 0;
    auto operator<=>(const Count&) const = default;
  };
  std::vector<Count> signals;  // sorted by signal
  std::string driver;  // the likely cause as a code: "backup", "lock_wait", "storage_full", ...
  // How many of the signals are samples of a metric over its limit: a second kind of witness beside
  // what software logged.
  std::uint64_t metrics = 0;
  auto operator<=>(const WindowFact&) const = default;
};

struct Fact {
  std::string id;  // 32 hexadecimal digits
  std::uint32_t revision = 0;
  std::string source;  // the source's name in the agent's configuration
  std::string rule;    // the rule of the first record
  std::variant<StepFact, AliasFact, WindowFact, Receipt, ReceiptCoverage> what;
  auto operator<=>(const Fact&) const = default;
};

// A body before compression.
struct Body {
  std::string salt;  // 32 random bytes: an erased body cannot be guessed from its hash
  std::vector<Fact> facts;
  auto operator<=>(const Body&) const = default;
};

// One line of JSON, members in fixed order; the very bytes are hashed, nobody serialises them
// again. REQUIRES: within the bounds of common/base/limits.h.
[[nodiscard]] std::string encode_body(const Body& body);
// Strict: unknown members, wrong types, out-of-range values and malformed references are kCorrupt.
[[nodiscard]] Result<Body> decode_body(std::string_view json);

}  // namespace meldevakt
