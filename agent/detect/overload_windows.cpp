#include "agent/detect/overload_windows.h"

#include <algorithm>
#include <string_view>
#include <tuple>

#include "agent/detect/scopes.h"

namespace meldevakt::agent {
namespace {

constexpr std::string_view kBackupDriver = "backup";

// What the signal itself says of the cause: "db.lock_wait" -> "lock_wait".
std::string_view own_cause(Signal signal) {
  const std::string_view name = to_string(signal);
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

bool is_symptom(Signal signal) {
  return signal == Signal::kDbTimeout || signal == Signal::kDbSlow || is_message_signal(signal);
}

}  // namespace

std::optional<OverloadWindows::Told> OverloadWindows::observe(const SignalEvent& event,
                                                              const std::string& id, Instant now) {
  const Instant from = event.over_since.value_or(event.time);
  std::optional<Told> over = pass(from, event.time);
  note_backup(event);
  if (!event.opens_window) return over;
  if (!window_) {
    window_.emplace();
    window_->id = id;
    window_->rule = event.rule;
    window_->span = {from, event.time};
    window_->changed = now;
  }
  count(event);
  return over;
}

std::optional<OverloadWindows::Told> OverloadWindows::pass(Instant from, Instant time) {
  if (!window_) return std::nullopt;
  const Interval& span = window_->span;
  if (from <= span.to + settings_.idle && time >= span.from - settings_.idle) return std::nullopt;
  std::optional<Told> over = view(false);
  if (window_->told == over->revision) over.reset();
  window_.reset();
  return over;
}

std::optional<OverloadWindows::Told> OverloadWindows::tell(Instant watermark, Instant now) {
  if (!window_) return std::nullopt;
  const bool over = watermark > window_->span.to + settings_.idle;
  Told told = view(!over);
  if (window_->told && told.revision <= *window_->told) return std::nullopt;
  const Duration wait = window_->told ? settings_.refresh : settings_.first_after;
  // A wall clock that was set back must not keep anybody waiting.
  const bool due = now - window_->changed >= wait || now < window_->changed;
  if (!over && !due) return std::nullopt;
  window_->told = told.revision;
  window_->changed = now;
  return told;
}

void OverloadWindows::count(const SignalEvent& event) {
  Window& window = *window_;
  const Signal signal = *event.signal;
  window.span.from = std::min(window.span.from, event.over_since.value_or(event.time));
  window.span.to = std::max(window.span.to, event.time);
  ++window.signals[signal];
  if (event.over_since) ++window.metrics;
  window.time_error = std::max(window.time_error, time_error_of(event.time_doubt));
  ++window.changes;
  const std::string name = event.driver.empty() ? std::string{own_cause(signal)} : event.driver;
  if (window.drivers.find(name) == window.drivers.end() && window.drivers.size() >= kDriversMax) {
    return;
  }
  Driver& driver = window.drivers[name];
  driver.rank = std::max(driver.rank, event.driver.empty() ? (is_symptom(signal) ? 0 : 1) : 2);
  ++driver.count;
}

void OverloadWindows::note_backup(const SignalEvent& event) {
  const Signal signal = *event.signal;
  if (signal == Signal::kBackupStarted) {
    if (backups_.size() >= kBackupsMax) backups_.erase(backups_.begin());
    backups_.push_back({event.time, std::nullopt});
  } else if (signal == Signal::kBackupFinished || signal == Signal::kBackupFailed) {
    const auto running = std::find_if(backups_.begin(), backups_.end(),
                                      [](const Backup& backup) { return !backup.ended; });
    if (running == backups_.end()) return;
    running->ended = event.time;
  } else {
    return;
  }
  if (window_) ++window_->changes;
}

std::string OverloadWindows::driver() const {
  const Interval& span = window_->span;
  for (const Backup& backup : backups_) {
    const Instant end = backup.ended.value_or(backup.started + kBackupMax);
    if (backup.started <= span.from && span.to <= end) return std::string{kBackupDriver};
  }
  const auto says_less = [](const auto& a, const auto& b) {
    return std::tie(a.second.rank, a.second.count, b.first) <
           std::tie(b.second.rank, b.second.count, a.first);
  };
  const auto best = std::max_element(window_->drivers.begin(), window_->drivers.end(), says_less);
  return best == window_->drivers.end() ? std::string{} : best->first;
}

OverloadWindows::Told OverloadWindows::view(bool open) const {
  Told told;
  told.id = window_->id;
  told.rule = window_->rule;
  told.revision = 2 * window_->changes + (open ? 0 : 1);
  told.fact.span = {window_->span.from - window_->time_error,
                    window_->span.to + window_->time_error};
  told.fact.open = open;
  for (const auto& [signal, count] : window_->signals) told.fact.signals.push_back({signal, count});
  told.fact.driver = driver();
  told.fact.metrics = window_->metrics;
  return told;
}

}  // namespace meldevakt::agent
