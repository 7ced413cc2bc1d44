#include "collector/correlate/overload.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>

#include "collector/correlate/coverage_map.h"
#include "collector/correlate/lives.h"
#include "common/summary/driver.h"

namespace meldevakt::collector {
namespace {

std::uint64_t signals_of(const OverloadWindow& window) {
  std::uint64_t sum = 0;
  for (const WindowFact::Count& count : window.signals) sum += count.count;
  return sum;
}

// As far as the clocks of the two agents say.
bool encloses(const OverloadWindow& work, const OverloadWindow& other,
              const CoverageMap& coverage) {
  Duration error;
  if (work.agent != other.agent) {
    const ClockErrors& errors = coverage.clock_errors();
    error = errors.of(work.agent, work.span) + errors.of(other.agent, other.span);
  }
  return work.span.from <= other.span.from + error && other.span.to <= work.span.to + error;
}

std::string driver_of(const std::vector<const OverloadWindow*>& windows,
                      const CoverageMap& coverage) {
  for (const OverloadWindow* work : windows) {
    if (!is_long_work(work->driver)) continue;
    const bool all = std::all_of(windows.begin(), windows.end(), [&](const OverloadWindow* other) {
      return encloses(*work, *other, coverage);
    });
    if (all) return work->driver;
  }
  std::map<std::string, std::uint64_t> counts;
  for (const OverloadWindow* window : windows) counts[window->driver] += signals_of(*window);
  const auto best =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
        const int rank_a = driver_rank(a.first);
        const int rank_b = driver_rank(b.first);
        // Of two that say as much and as often, the first by name.
        return std::tie(rank_a, a.second, b.first) < std::tie(rank_b, b.second, a.first);
      });
  return best->first;
}

// Windows of one source that belong together.
struct Stretch {
  Interval span;
  std::vector<const OverloadWindow*> windows;
  std::map<Signal, std::uint64_t> signals;
  std::string producer;    // whose records they begin with; "" when of several, or nobody knows
  bool collected = false;  // its log holds copies of what others log
  std::string_view agent() const { return windows.front()->agent; }
  std::string_view source() const { return windows.front()->source; }
};

// Whatever the clocks of the two agents err.
bool surely_overlap(const Stretch& a, const Stretch& b, const CoverageMap& coverage) {
  Duration error;
  if (a.agent() != b.agent()) {
    const ClockErrors& errors = coverage.clock_errors();
    error =
        errors.of(a.windows.front()->agent, a.span) + errors.of(b.windows.front()->agent, b.span);
  }
  return a.span.from + error <= b.span.to && b.span.from + error <= a.span.to;
}

bool holds_no_more(const Stretch& copy, const Stretch& whole) {
  const bool within =
      whole.span.from - kCopyApart <= copy.span.from && copy.span.to <= whole.span.to + kCopyApart;
  return within && std::all_of(copy.signals.begin(), copy.signals.end(), [&](const auto& signal) {
           const auto at = whole.signals.find(signal.first);
           return at != whole.signals.end() && signal.second <= at->second;
         });
}

// Whether all that one of them says may be what the other says.
bool may_be_copies(const Stretch& a, const Stretch& b) {
  if (a.producer.empty() || a.producer != b.producer) return false;
  // Two agents that read one file tell of the same records, which bear the same times.
  if (a.agent() != b.agent()) return a.span == b.span && a.signals == b.signals;
  // What stands beside the copies in a log that collects is a witness of its own.
  const bool first = (a.collected || !b.collected) && holds_no_more(a, b);
  const bool second = (b.collected || !a.collected) && holds_no_more(b, a);
  return first || second;
}

// Sorted by start. Whether two of them that are no copies of each other were surely at one time.
// Stretches of one source lie apart: there are never more of them at a time than sources.
bool are_confirmed(const std::vector<const Stretch*>& stretches, const CoverageMap& coverage) {
  std::vector<const Stretch*> lasting;
  for (const Stretch* next : stretches) {
    std::erase_if(lasting, [&](const Stretch* a) { return a->span.to < next->span.from; });
    const bool confirmed = std::any_of(lasting.begin(), lasting.end(), [&](const Stretch* a) {
      return (a->agent() != next->agent() || a->source() != next->source()) &&
             surely_overlap(*a, *next, coverage) && !may_be_copies(*a, *next);
    });
    if (confirmed) return true;
    lasting.push_back(next);
  }
  return false;
}

Overload overload_of(const std::vector<const Stretch*>& stretches, const CoverageMap& coverage) {
  std::vector<const OverloadWindow*> windows;
  for (const Stretch* stretch : stretches) {
    windows.insert(windows.end(), stretch->windows.begin(), stretch->windows.end());
  }
  Overload out;
  out.span = windows.front()->span;
  std::map<Signal, std::uint64_t> signals;
  for (const OverloadWindow* window : windows) {
    out.span.from = std::min(out.span.from, window->span.from);
    out.span.to = std::max(out.span.to, window->span.to);
    out.witnesses.emplace_back(window->agent, window->source);
    out.metrics += window->metrics;
    out.evidence.push_back(window->fact_id);
    for (const WindowFact::Count& count : window->signals) signals[count.signal] += count.count;
  }
  for (const auto& [signal, count] : signals) {
    out.signals.push_back({signal, count});
    out.severity = std::max(out.severity, severity_of(signal));
  }
  std::sort(out.witnesses.begin(), out.witnesses.end());
  out.witnesses.erase(std::unique(out.witnesses.begin(), out.witnesses.end()), out.witnesses.end());
  std::sort(out.evidence.begin(), out.evidence.end());
  out.driver = driver_of(windows, coverage);
  const bool confirmed = out.metrics > 0 || are_confirmed(stretches, coverage);
  out.state = confirmed ? OverloadState::kConfirmed : OverloadState::kSuspected;
  return out;
}

// "mssql" of "mssql-errorlog": packs of one product begin alike.
std::string first_word(std::string_view id) {
  return std::string{id.substr(0, id.find('-'))};
}

// Who writes the records: of each source its pack, of each window its first record's rule.
class Producers {
 public:
  explicit Producers(const TenantInput& input) {
    for (const LedgerCoverage& claim : input.coverage) {
      auto& pack = packs_[{claim.agent, claim.source.id}];
      pack = std::max(pack, std::pair{claim.sequence, claim.source.pack.id});
    }
    for (const LedgerFact& ledger : input.facts) {
      if (std::holds_alternative<WindowFact>(ledger.fact.what)) {
        rules_.try_emplace(ledger.fact.id, ledger.fact.rule);  // the same of every revision
      }
    }
  }

  void name(Stretch& stretch) const {
    const OverloadWindow& first = *stretch.windows.front();
    const auto pack = packs_.find({first.agent, first.source});
    if (pack == packs_.end()) return;
    stretch.collected = pack->second.second == kCollectingPack;
    stretch.producer = first_word(pack->second.second);
    if (!stretch.collected) return;
    // Rules of the Windows event log are named after the program whose events they know.
    stretch.producer = first_word(rule_of(first));
    for (const OverloadWindow* window : stretch.windows) {
      if (first_word(rule_of(*window)) != stretch.producer) stretch.producer.clear();
    }
  }

 private:
  static constexpr std::string_view kCollectingPack = "windows-events";
  [[nodiscard]] std::string_view rule_of(const OverloadWindow& window) const {
    const auto at = rules_.find(window.fact_id);
    return at == rules_.end() ? std::string_view{} : at->second;
  }
  std::map<std::pair<std::string, std::string>, std::pair<std::uint64_t, std::string>> packs_;
  std::unordered_map<std::string_view, std::string_view> rules_;  // by fact
};

std::vector<Stretch> stretches_of(const std::vector<OverloadWindow>& windows,
                                  const Producers& producers) {
  std::map<std::pair<std::string, std::string>, std::vector<const OverloadWindow*>> by_source;
  for (const OverloadWindow& window : windows) {
    by_source[{window.agent, window.source}].push_back(&window);
  }
  std::vector<Stretch> out;
  for (auto& [source, own] : by_source) {
    std::sort(own.begin(), own.end(), [](const OverloadWindow* a, const OverloadWindow* b) {
      return std::tie(a->span, a->fact_id) < std::tie(b->span, b->fact_id);
    });
    const std::size_t before = out.size();
    for (const OverloadWindow* window : own) {
      const bool goes_on =
          out.size() > before && window->span.from <= out.back().span.to + kWindowIdle;
      if (!goes_on) out.push_back({window->span, {}, {}, "", false});
      out.back().span.to = std::max(out.back().span.to, window->span.to);
      out.back().windows.push_back(window);
      for (const auto& count : window->signals) out.back().signals[count.signal] += count.count;
    }
  }
  for (Stretch& stretch : out) producers.name(stretch);
  return out;
}

}  // namespace

std::string_view to_string(OverloadSeverity severity) {
  switch (severity) {
    case OverloadSeverity::kSlowed: return "slowed";
    case OverloadSeverity::kFailing: return "failing";
    case OverloadSeverity::kRefusing: return "refusing";
  }
  return "";
}

OverloadSeverity severity_of(Signal signal) {
  switch (signal) {
    case Signal::kDbLogFull:
    case Signal::kDbStorageFull:
    case Signal::kDbConnectionsRefused:
    case Signal::kInfraDiskFull:
    case Signal::kPortalUnavailable: return OverloadSeverity::kRefusing;
    case Signal::kMessageSaveFailed:
    case Signal::kMessageRejected:
    case Signal::kDbTimeout:
    case Signal::kDbDeadlock:
    case Signal::kDbConnectionLost:
    case Signal::kDbTransactionFailed:
    case Signal::kInfraMemory:
    case Signal::kInfraDiskError:
    case Signal::kBackupFailed:
    case Signal::kPortalReceiptFailed: return OverloadSeverity::kFailing;
    default: return OverloadSeverity::kSlowed;
  }
}

std::string_view to_string(OverloadState state) {
  return state == OverloadState::kConfirmed ? "confirmed" : "suspected";
}

std::vector<Overload> overloads_of(const TenantInput& input) {
  const std::vector<OverloadWindow> windows = windows_of(input);
  const CoverageMap coverage{input.coverage};
  std::vector<Stretch> all = stretches_of(windows, Producers{input});
  std::sort(all.begin(), all.end(), [](const Stretch& a, const Stretch& b) {
    return std::tie(a.span, a.windows.front()->fact_id) <
           std::tie(b.span, b.windows.front()->fact_id);
  });
  std::vector<Overload> out;
  std::vector<const Stretch*> together;
  Instant until;
  for (const Stretch& next : all) {
    if (!together.empty() && next.span.from > until) {
      out.push_back(overload_of(together, coverage));
      together.clear();
    }
    until = together.empty() ? next.span.to : std::max(until, next.span.to);
    together.push_back(&next);
  }
  if (!together.empty()) out.push_back(overload_of(together, coverage));
  return out;
}

}  // namespace meldevakt::collector
