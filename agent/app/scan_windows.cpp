#include "agent/app/scan_windows.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "agent/detect/detector.h"
#include "common/summary/driver.h"

namespace meldevakt::agent {
namespace {

constexpr Instant kEndOfTime{std::int64_t{1} << 60};

std::uint64_t signals_of(const WindowFact& window) {
  std::uint64_t sum = 0;
  for (const WindowFact::Count& count : window.signals) sum += count.count;
  return sum;
}

// Of two windows that are one: the span of both, and the driver that says more.
void join(WindowFact& window, const WindowFact& next) {
  const auto weight = [](const WindowFact& one) {
    return std::tuple{driver_rank(one.driver), signals_of(one)};
  };
  if (weight(window) < weight(next)) window.driver = next.driver;
  window.span.to = std::max(window.span.to, next.span.to);
  window.metrics += next.metrics;
  for (const WindowFact::Count& count : next.signals) {
    const auto same =
        std::find_if(window.signals.begin(), window.signals.end(),
                     [&](const WindowFact::Count& one) { return one.signal == count.signal; });
    if (same != window.signals.end()) {
      same->count += count.count;
    } else {
      window.signals.push_back(count);
    }
  }
}

}  // namespace

ScanWindows::Source::Source() : open{{Detector::Settings{}.window_idle, Duration{}, Duration{}}} {}

void ScanWindows::observe(const std::string& pack, const SignalEvent& event) {
  if (!event.signal) return;
  Source& source = sources_[pack];
  keep(pack, source, source.open.pass(event.over_since.value_or(event.time)));
  keep(pack, source, source.open.observe(event, std::to_string(source.made++), {}));
}

void ScanWindows::finish() {
  for (auto& [pack, source] : sources_) {
    keep(pack, source, source.open.tell(kEndOfTime, kEndOfTime));
  }
}

void ScanWindows::keep(const std::string& pack, Source& source,
                       const std::vector<OverloadWindows::Told>& told) {
  for (const OverloadWindows::Told& one : told) {
    const auto known = source.told.find(one.id);
    if (known != source.told.end()) {
      known->second = one.fact;
    } else if (source.told.size() < kWindowsMax) {
      source.told.emplace(one.id, one.fact);
    } else {
      left_out_.insert({pack, one.id});
    }
  }
}

std::vector<ScanWindows::Window> ScanWindows::all() const {
  std::vector<Window> out;
  for (const auto& [pack, source] : sources_) {
    std::vector<WindowFact> windows;
    for (const auto& [id, fact] : source.told) windows.push_back(fact);
    std::sort(windows.begin(), windows.end(),
              [](const WindowFact& a, const WindowFact& b) { return a.span < b.span; });
    const std::size_t before = out.size();
    for (const WindowFact& window : windows) {
      const bool goes_on =
          out.size() > before &&
          window.span.from <= out.back().fact.span.to + Detector::Settings{}.window_idle;
      if (goes_on) {
        join(out.back().fact, window);
      } else {
        out.push_back({pack, window});
      }
    }
  }
  for (Window& window : out) {
    std::sort(window.fact.signals.begin(), window.fact.signals.end());
  }
  return out;
}

}  // namespace meldevakt::agent
