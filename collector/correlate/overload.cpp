#include "collector/correlate/overload.h"

#include <algorithm>
#include <map>
#include <tuple>

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
    error = coverage.clock_error(work.agent) + coverage.clock_error(other.agent);
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

Overload overload_of(const std::vector<const OverloadWindow*>& windows,
                     const CoverageMap& coverage) {
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
  const bool confirmed = out.witnesses.size() > 1 || out.metrics > 0;
  out.state = confirmed ? OverloadState::kConfirmed : OverloadState::kSuspected;
  return out;
}

// Windows of one source that belong together, as far as its agent's clock may be off.
struct Stretch {
  Interval span;
  std::vector<const OverloadWindow*> windows;
};

std::vector<Stretch> stretches_of(const std::vector<OverloadWindow>& windows,
                                  const CoverageMap& coverage) {
  std::map<std::pair<std::string, std::string>, std::vector<const OverloadWindow*>> by_source;
  for (const OverloadWindow& window : windows) {
    by_source[{window.agent, window.source}].push_back(&window);
  }
  std::vector<Stretch> out;
  for (auto& [source, own] : by_source) {
    std::sort(own.begin(), own.end(), [](const OverloadWindow* a, const OverloadWindow* b) {
      return std::tie(a->span, a->fact_id) < std::tie(b->span, b->fact_id);
    });
    const Duration error = coverage.clock_error(source.first);
    const std::size_t before = out.size();
    for (const OverloadWindow* window : own) {
      const bool goes_on =
          out.size() > before && window->span.from <= out.back().span.to - error + kWindowIdle;
      if (!goes_on) out.push_back({{window->span.from - error, window->span.to + error}, {}});
      out.back().span.to = std::max(out.back().span.to, window->span.to + error);
      out.back().windows.push_back(window);
    }
  }
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
  std::vector<Stretch> all = stretches_of(windows, coverage);
  std::sort(all.begin(), all.end(), [](const Stretch& a, const Stretch& b) {
    return std::tie(a.span, a.windows.front()->fact_id) <
           std::tie(b.span, b.windows.front()->fact_id);
  });
  std::vector<Overload> out;
  Stretch together;
  for (const Stretch& next : all) {
    if (!together.windows.empty() && next.span.from > together.span.to) {
      out.push_back(overload_of(together.windows, coverage));
      together = {};
    }
    if (together.windows.empty()) together.span = next.span;
    together.span.to = std::max(together.span.to, next.span.to);
    together.windows.insert(together.windows.end(), next.windows.begin(), next.windows.end());
  }
  if (!together.windows.empty()) out.push_back(overload_of(together.windows, coverage));
  return out;
}

}  // namespace meldevakt::collector
