// Which message each scope (thread, request, connection ...) works on now.
//
// A scope is something that works on one message at a time. A record may be in several, outermost
// first; two records are *in the same scope* when the innermost scope of one is among the scopes of
// the other. So a line of request r1 on thread 17 belongs with other lines of r1 wherever they run,
// and with lines that say only "thread 17", but not with request r2 on thread 17.
//
//   scopes.name(event.scopes, references, event.time, aliases);    // a record names its message
//   if (const auto held = scopes.holder(event.scopes, event.time)) // a record does not
//
// Times are event times, compared without direction: a record five seconds before another is as
// near to it as one five seconds after, and a clock that is set back does not keep a scope alive.
//
// Pure; decided by the order of calls alone. Thread-safety: none. Bounds: `scopes_max`; the scope
// that was silent longest (in order of records) is forgotten and, when it named a message, counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/detect/aliases.h"
#include "common/base/time.h"
#include "common/summary/signal.h"

namespace meldevakt::agent {

[[nodiscard]] constexpr Duration distance(Instant a, Instant b) {
  return a < b ? b - a : a - b;
}
// What the keys of scopes of one log begin with; "" for the only log of a source.
[[nodiscard]] std::string scope_prefix(const std::string& log);
[[nodiscard]] bool in_same_scope(const std::vector<std::string>& a,
                                 const std::vector<std::string>& b);
// Adds names, keeping the list sorted, unique and at most limits::kReferencesPerFactMax long.
void merge_references(std::vector<Reference>& into, const std::vector<Reference>& more);

struct ScopeEntry {
  std::string key;
  std::vector<Reference> holder;  // sorted; empty: names no message
  std::string named_in;           // innermost scope of the record that named it
  Instant named;                  // the last record that is surely the holder's
  Instant touched;                // the last record of the scope
};

class Scopes {
 public:
  struct Holder {
    std::vector<Reference> references;
    std::string key;    // of the scope that holds it
    Duration since{0};  // from its last sure record
  };

  Scopes(Duration age_max, std::size_t scopes_max) : age_max_{age_max}, scopes_max_{scopes_max} {}

  // The message that a record without reference belongs to, by what was said before.
  [[nodiscard]] std::optional<Holder> holder(const std::vector<std::string>& scopes,
                                             Instant time) const;
  // A record names its message. True when one of its scopes turned to another message by that.
  bool name(const std::vector<std::string>& scopes, const std::vector<Reference>& references,
            Instant time, const AliasBook& aliases);
  // A record without reference: its scopes live on; when it surely is the holder's, it counts as
  // such, and its other scopes work on the same message from now on.
  void touch(const std::vector<std::string>& scopes, Instant time);
  void confirm(const std::vector<std::string>& scopes, const Holder& holder, Instant time);

  void end(const std::vector<std::string>& scopes);  // they name no message any more
  void end_all(std::string_view prefix);             // of one log, see scope_prefix()
  // Forgets scopes of that log that are too old to name anything.
  void purge(Instant time, std::string_view prefix);

  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }
  // For snapshots: longest silent first.
  [[nodiscard]] const std::list<ScopeEntry>& entries() const { return order_; }
  void restore(ScopeEntry restored);
  void set_evicted(std::uint64_t count) { evicted_ = count; }

 private:
  [[nodiscard]] bool lives(const ScopeEntry& entry, Instant time) const {
    return distance(time, entry.touched) <= age_max_;
  }
  ScopeEntry& entry(const std::string& key);  // made when it is not there; now the newest

  Duration age_max_;
  std::size_t scopes_max_;
  std::uint64_t evicted_ = 0;
  std::list<ScopeEntry> order_;
  std::unordered_map<std::string, std::list<ScopeEntry>::iterator> index_;
};

}  // namespace meldevakt::agent
