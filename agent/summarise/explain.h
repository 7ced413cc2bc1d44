// What the agent would make of a log, record by record: `meldevakt-agent explain FILE`.
//
//   Explainer explainer{settings};
//   for (chunk of the file) { explainer.feed(chunk); print(explainer.take()); }
//   explainer.finish();
//   print(explainer.take());
//
// Each text is one line of JSON. First one per record, in the file's order:
//   {"record":{"offset","bytes","lines","truncated","orphan","malformed","context","time",
//     "own_time","time_doubt","known","limited","readings":[{"metric","value"}],
//     "events":[{"rule","signal","outcome","code","form","references","references_dropped",
//       "scopes","over_since","ends_scope","restarts_process","opens_window","driver","step"}]}}
// "time" is UTC text, or absent before the first; "references" are as they would leave, after the
// privacy step; "scopes" says of each scope its name, and with `show_text` its value too; "step" is
// the fact that the record begins or adds to, as it stood then (whose it is, how many records).
// A structured record's "text" is its field view; "malformed" and "context" are those of Record.
// Then, from finish(), one per fact as it would leave in the end: {"fact":{...}} with the members
// of common/summary/FORMAT.md, and last
// {"summary":{"records","bytes":{...},"framing":{"kind","encoding","malformed","lines_truncated",
// "undecodable_bytes","padding_bytes","times_unreadable","zone"},"first_time","last_time",
// "rules":[{"rule","events"}],"facts"}}.
//
// Text of the log is in it only with `show_text`: then "text" in each record. Pure. Thread-safety:
// none. Bounds: those of framing, recognition and detection; facts are kept until finish().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/pack.h"
#include "common/base/time.h"
#include "common/ports/time_zone.h"

namespace meldevakt::agent {

class Explainer {
 public:
  struct Settings {
    std::shared_ptr<const Pack> pack;
    std::shared_ptr<const TimeZone> zone;
    std::string tenant_key;               // "" when absent: keyed references are then dropped
    std::string fact_key;                 // 32 bytes
    std::string source = "explain";       // the source's name in facts
    std::optional<Instant> last_written;  // of the file: bounds times without year or date
    bool show_text = false;
    bool only_events = false;  // leave out records that no rule knows
  };

  explicit Explainer(Settings settings);
  ~Explainer();
  Explainer(Explainer&&) noexcept;
  Explainer& operator=(Explainer&&) noexcept;

  void feed(std::string_view chunk);
  void finish();
  [[nodiscard]] std::vector<std::string> take();  // lines made since the last call

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::agent
