// Several records of one failure make one fact: what the fact then says, and what records of the
// database beside it add.
//
// A program that fails to save often says so three times: the driver's exception, the handler's
// line, a wrapper's. The fact keeps id, time and rule of the first; its outcome is the worst that
// any of them knows, its code the most specific.
//
// Pure. Thread-safety: none. Bounds: Hints::kHintsMax.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/signal_event.h"
#include "common/base/time.h"
#include "common/summary/fact.h"

namespace meldevakt::agent {

// failed < rolled_back < unknown: a roll-back refines a failure, and a commit call that got no
// answer stays in doubt whatever a client library claims to have undone afterwards. A record that
// says nothing of the outcome changes nothing.
[[nodiscard]] std::optional<Outcome> worse_outcome(std::optional<Outcome> a,
                                                   std::optional<Outcome> b);

// True when `candidate` says more than `current`: a code with a number ("pg/55P03") says more than
// one without ("net/timeout"), that more than a bare word, that more than nothing. Equals: the
// first stays.
[[nodiscard]] bool more_specific(std::string_view candidate, std::string_view current);

// What a db.* record said in a scope, kept for the failure that may follow it there.
struct Hint {
  Instant time;
  std::string record;
  std::vector<std::string> scopes;
  std::vector<Reference> references;
  std::string code;
  std::optional<Outcome> outcome;
};

class Hints {
 public:
  static constexpr std::size_t kHintsMax = 64;

  void add(Hint hint);
  // Takes out the hints of the same scope, or of the very record, that lie within `join` of `time`,
  // oldest first.
  [[nodiscard]] std::vector<Hint> take(const std::vector<std::string>& scopes,
                                       std::string_view record, Instant time, Duration join);
  void drop(const std::vector<std::string>& scopes);  // the scope turned to another message
  void drop_all(std::string_view prefix);             // of one log, see scope_prefix()

  [[nodiscard]] const std::deque<Hint>& all() const { return hints_; }

 private:
  std::deque<Hint> hints_;
};

}  // namespace meldevakt::agent
