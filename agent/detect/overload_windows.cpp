#include "agent/detect/overload_windows.h"

#include <algorithm>
#include <string_view>
#include <tuple>

#include "agent/detect/scopes.h"
#include "common/summary/driver.h"

namespace meldevakt::agent {
namespace {

constexpr std::string_view kBackupDriver = "backup";

// What the signal itself says of the cause: "db.lock_wait" -> "lock_wait".
std::string_view own_cause(Signal signal) {
  const std::string_view name = to_string(signal);
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

std::uint32_t revision_of(const OverloadWindow& window) {
  return 2 * window.changes + (window.over ? 1 : 0);
}

// What it says (a cause, a wait, a symptom); of two alike the one that a rule names.
int rank_of(std::string_view driver, bool named_by_rule) {
  return 2 * driver_rank(driver) + (named_by_rule ? 1 : 0);
}

bool encloses(const LongWork& work, const Interval& span) {
  return work.started <= span.from &&
         span.to <= work.ended.value_or(work.started + OverloadWindows::kBackupMax);
}

bool is_work_that_lasted(const SignalEvent& event) {
  return event.lasted && !event.opens_window && !event.driver.empty();
}

// From when on the event makes or widens a window; nullopt: it does not.
std::optional<Instant> window_begin(const SignalEvent& event) {
  if (is_work_that_lasted(event)) {
    if (*event.lasted < OverloadWindows::kWorkToldMin) return std::nullopt;
    return event.time - *event.lasted;
  }
  if (!event.opens_window) return std::nullopt;
  return event.over_since.value_or(event.time);
}

}  // namespace

std::vector<OverloadWindows::Told> OverloadWindows::observe(const SignalEvent& event,
                                                            const std::string& id, Instant now) {
  std::vector<Told> out;
  note_work(event);
  const std::optional<Instant> from = window_begin(event);
  if (!from) return out;
  Window& window = window_near(*from, event.time, out);
  if (window.changes == 0) {
    window.id = id;
    window.rule = event.rule;
    window.span = {*from, event.time};
    window.changed = now;
  }
  window.over = false;
  count(window, event, *from);
  return out;
}

// The earliest in event time that it belongs to, or a new one.
OverloadWindows::Window& OverloadWindows::window_near(Instant from, Instant to,
                                                      std::vector<Told>& forgotten) {
  Window* near = nullptr;
  for (Window& window : windows_) {
    const bool reaches =
        from <= window.span.to + settings_.idle && to >= window.span.from - settings_.idle;
    if (reaches && (near == nullptr || window.span.from < near->span.from)) near = &window;
  }
  if (near != nullptr) return *near;
  if (windows_.size() >= kWindowsMax) {
    const auto oldest =
        std::min_element(windows_.begin(), windows_.end(),
                         [](const Window& a, const Window& b) { return a.span.to < b.span.to; });
    oldest->over = true;
    Told last = view(*oldest);
    if (oldest->told != last.revision) forgotten.push_back(std::move(last));
    windows_.erase(oldest);
  }
  return windows_.emplace_back();
}

std::vector<OverloadWindows::Told> OverloadWindows::pass(Instant from) {
  std::vector<Told> out;
  for (Window& window : windows_) {
    if (window.over || from <= window.span.to + settings_.idle) continue;
    window.over = true;
    Told last = view(window);
    if (window.told == last.revision) continue;
    window.told = last.revision;
    out.push_back(std::move(last));
  }
  return out;
}

std::vector<OverloadWindows::Told> OverloadWindows::tell(Instant watermark, Instant now) {
  std::vector<Told> out;
  for (Window& window : windows_) {
    window.over = window.over || watermark > window.span.to + settings_.idle;
    if (window.told && revision_of(window) <= *window.told) continue;
    const Duration wait = window.told ? settings_.refresh : settings_.first_after;
    // A wall clock that was set back must not keep anybody waiting.
    const bool due = now - window.changed >= wait || now < window.changed;
    if (!window.over && !due) continue;
    Told told = view(window);
    window.told = told.revision;
    window.changed = now;
    out.push_back(std::move(told));
  }
  return out;
}

void OverloadWindows::count(Window& window, const SignalEvent& event, Instant from) {
  const Signal signal = *event.signal;
  window.span.from = std::min(window.span.from, from);
  window.span.to = std::max(window.span.to, event.time);
  ++window.signals[signal];
  if (event.over_since) ++window.metrics;
  window.time_error = std::max(window.time_error, time_error_of(event.time_doubt));
  ++window.changes;
  if (is_work_that_lasted(event)) return;  // the driver of what it encloses, and of nothing else
  const std::string name = event.driver.empty() ? std::string{own_cause(signal)} : event.driver;
  if (window.drivers.find(name) == window.drivers.end() && window.drivers.size() >= kDriversMax) {
    return;
  }
  Driver& driver = window.drivers[name];
  driver.rank = std::max(driver.rank, rank_of(name, !event.driver.empty()));
  ++driver.count;
}

void OverloadWindows::note_work(const SignalEvent& event) {
  const Signal signal = *event.signal;
  const bool is_work = signal == Signal::kBackupStarted || signal == Signal::kBackupFinished ||
                       signal == Signal::kBackupFailed || is_work_that_lasted(event);
  if (!is_work) return;
  std::vector<std::string> before;
  for (const Window& window : windows_) before.push_back(driver(window));
  if (signal == Signal::kBackupStarted) {
    add_work({std::string{kBackupDriver}, event.time, std::nullopt});
  } else if (signal == Signal::kBackupFinished || signal == Signal::kBackupFailed) {
    // The newest that may still run: the end of one whose start is long ago was never logged.
    const auto running = std::find_if(works_.rbegin(), works_.rend(), [&](const LongWork& work) {
      return !work.ended && work.started <= event.time && event.time - work.started <= kBackupMax;
    });
    if (running == works_.rend()) return;
    end_work(*running, event.time);
  } else {
    add_work({event.driver, event.time - *event.lasted, event.time});
  }
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    if (driver(windows_[i]) != before[i]) ++windows_[i].changes;
  }
}

void OverloadWindows::add_work(LongWork work) {
  // Databases that are checked one after the other are checked in one go.
  for (LongWork& known : works_) {
    if (!known.ended || !work.ended || known.driver != work.driver) continue;
    if (work.started > *known.ended + settings_.idle ||
        known.started > *work.ended + settings_.idle) {
      continue;
    }
    known.started = std::min(known.started, work.started);
    known.ended = std::max(*known.ended, *work.ended);
    return;
  }
  // What was told of a window must not become another thing because other nights have passed: what
  // is forgotten still encloses what it did.
  if (works_.size() >= kWorksMax) {
    for (Window& window : windows_) {
      if (!window.within && encloses(works_.front(), window.span)) window.within = works_.front();
    }
    works_.erase(works_.begin());
  }
  works_.push_back(std::move(work));
}

void OverloadWindows::end_work(LongWork& work, Instant ended) {
  work.ended = ended;
  for (Window& window : windows_) {
    const auto own = window.signals.find(Signal::kBackupStarted);
    if (own == window.signals.end() || work.started < window.span.from ||
        window.span.to < work.started || ended <= window.span.to) {
      continue;
    }
    window.span.to = ended;
    window.over = false;
    ++window.changes;
    return;
  }
}

std::string OverloadWindows::driver(const Window& window) const {
  const Interval& span = window.span;
  for (const LongWork& work : works_) {
    if (encloses(work, span)) return work.driver;
  }
  if (window.within && encloses(*window.within, span)) return window.within->driver;
  // What trails behind it is of the work that makes up most of it.
  for (const LongWork& work : works_) {
    const bool inside = work.ended && span.from <= work.started && *work.ended <= span.to;
    if (inside && 2 * (*work.ended - work.started).ms > (span.to - span.from).ms)
      return work.driver;
  }
  const auto says_less = [](const auto& a, const auto& b) {
    return std::tie(a.second.rank, a.second.count, b.first) <
           std::tie(b.second.rank, b.second.count, a.first);
  };
  const auto best = std::max_element(window.drivers.begin(), window.drivers.end(), says_less);
  return best == window.drivers.end() ? std::string{} : best->first;
}

OverloadWindows::Told OverloadWindows::view(const Window& window) const {
  Told told;
  told.id = window.id;
  told.rule = window.rule;
  told.revision = revision_of(window);
  told.fact.span = {window.span.from - window.time_error, window.span.to + window.time_error};
  told.fact.open = !window.over;
  for (const auto& [signal, count] : window.signals) told.fact.signals.push_back({signal, count});
  told.fact.driver = driver(window);
  told.fact.metrics = window.metrics;
  return told;
}

}  // namespace meldevakt::agent
