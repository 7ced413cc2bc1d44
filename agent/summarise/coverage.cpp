#include "agent/summarise/coverage.h"

#include <algorithm>
#include <utility>

#include "common/summary/forms.h"

namespace meldevakt::agent {
namespace {

constexpr std::string_view kStopped = "agent_stopped";
constexpr std::string_view kSeveral = "several";
constexpr std::string_view kLost = "content_lost";

// How little a state claims: of two joined ones the worse stays.
int badness(ReadState state) {
  switch (state) {
    case ReadState::kRead: return 0;
    case ReadState::kAbsent: return 1;
    case ReadState::kUnknown: return 2;
    case ReadState::kGap: return 3;
  }
  return 3;
}

void push(std::vector<ReadingInterval>& intervals, ReadingInterval next) {
  if (next.span.empty()) return;
  if (!intervals.empty()) {
    ReadingInterval& last = intervals.back();
    const bool same = last.state == next.state && last.reason == next.reason;
    if (same || intervals.size() >= ReadingLog::kReadingsMax) {
      if (!same) {
        if (badness(next.state) > badness(last.state)) last.state = next.state;
        last.reason = kSeveral;
      }
      last.span.to = next.span.to;
      return;
    }
  }
  intervals.push_back(std::move(next));
}

}  // namespace

void ReadingLog::set(ReadState state, std::string_view reason, Instant now) {
  std::string code;  // the wire's rule: a reason belongs to every state but `read`
  if (state != ReadState::kRead) {
    const bool fits = is_code(reason) && reason.size() <= kReasonBytesMax;
    code = fits ? std::string{reason} : "unknown";
  }
  if (state == state_ && code == reason_) return;
  close(now);
  state_ = state;
  reason_ = std::move(code);
}

void ReadingLog::close(Instant now) {
  now = std::max(now, cursor_);  // a clock that was set back takes nothing back
  push(intervals_, {{cursor_, now}, state_, reason_});
  cursor_ = now;
}

std::vector<ReadingInterval> ReadingLog::take(Instant now) {
  close(now);
  return std::exchange(intervals_, {});
}

std::vector<ReadingInterval> ReadingLog::peek(Instant now) const {
  ReadingLog copy = *this;
  return copy.take(now);
}

void ReadingLog::resume(std::vector<ReadingInterval> before, Instant then, Instant now) {
  intervals_ = std::move(before);
  cursor_ = then;
  state_ = ReadState::kGap;
  reason_ = kStopped;
  close(now);
  state_ = ReadState::kUnknown;
  reason_ = "starting";
}

void EventCoverage::event(const std::string& name, Instant read, Duration error, Instant now) {
  Saved& s = state_;
  const Instant time = read - error;
  if (unread_.refused || read > now + settings_.clock_error + kAheadMax) return;
  const Instant at_latest = std::max(read, std::min(read + error, now));
  Log& log = log_named(name);
  if (s.lost_at.erase(name) > 0) {
    log = {};
    s.lost_until = std::max(s.lost_until, at_latest);
    if (s.lost_at.empty()) end_gap(s.lost_until);
  }
  begin(log, at_latest);
  const Instant sure = std::min(time, log.previous_event.value_or(time)) - settings_.flush_lag;
  log.sure = std::max(log.sure.value_or(sure), sure);
  log.previous_event = time;
  if (unread_.several) {
    unsettled_ = true;  // it takes a look at all logs: once a turn, not once an event
    return;
  }
  if (!s.lost_at.empty()) return;
  const Instant end = now - settings_.flush_lag - settings_.clock_error;
  s.until = std::max(s.until, std::min(end, *log.sure));
}

// Of a single log what is read is all up to there; others may have grown since they were looked at.
void EventCoverage::settle() {
  Saved& s = state_;
  if (!std::exchange(unsettled_, false) || !s.lost_at.empty() || unread_.logs.empty()) return;
  const Instant looked = unread_.looked - settings_.flush_lag - settings_.clock_error;
  s.until = std::max(s.until, sure_of_unread(looked));
}

// Coverage begins with the first event; of several logs that were there before, with the one that
// begins last.
void EventCoverage::begin(const Log& log, Instant at) {
  Saved& s = state_;
  const bool grew = s.from && (s.until > *s.from || s.claimed > *s.from);
  if (s.from && (grew || log.previous_event || at <= *s.from)) return;
  s.from = at;
  s.until = at;
  s.claimed = at;
}

EventCoverage::Log& EventCoverage::log_named(const std::string& name) {
  auto& logs = state_.logs;
  if (logs.size() >= kLogsMax && !logs.contains(name)) {
    const auto idle = std::find_if(logs.begin(), logs.end(),
                                   [&](const auto& one) { return !is_unread(one.first); });
    logs.erase(idle == logs.end() ? logs.begin() : idle);
  }
  return logs[name];
}

bool EventCoverage::is_unread(const std::string& log) const {
  return std::binary_search(unread_.logs.begin(), unread_.logs.end(), log);
}

// What is read of each log that has unread bytes, at most `end`; 0: nothing is known of one.
Instant EventCoverage::sure_of_unread(Instant end) const {
  for (const std::string& name : unread_.logs) {
    const auto found = state_.logs.find(name);
    Instant sure = state_.reached;
    if (found != state_.logs.end()) sure = std::max(sure, found->second.sure.value_or(sure));
    end = std::min(end, sure);
    if (end <= state_.until) break;
  }
  return end;
}

void EventCoverage::caught_up(Instant now) {
  settle();
  Saved& s = state_;
  const Instant reached = now - settings_.flush_lag - settings_.clock_error;
  if (!s.lost_at.empty()) {
    for (const auto& [log, at] : s.lost_at) {
      if (reached < at + settings_.clock_error) return;
    }
    for (const auto& [log, at] : s.lost_at) s.logs.erase(log);
    s.lost_at.clear();
    end_gap(std::max(s.lost_until, reached));
  }
  if (!s.from) {
    s.from = now;
    s.until = now;
    s.claimed = now;
  }
  s.until = std::max(s.until, reached);
  s.reached = std::max(s.reached, reached);
}

void EventCoverage::end_gap(Instant at) {
  Saved& s = state_;
  s.lost_until = {};
  if (!s.from || at <= s.until) return;
  if (s.gaps.size() >= kGapsMax) {
    s.gaps.back().span.to = at;
  } else {
    s.gaps.push_back({{s.until, at}, std::string{kLost}});
  }
  s.until = at;
}

EventCoverage::Saved EventCoverage::saved() const {
  Saved out = state_;
  if (out.logs.size() <= kLogsSavedMax) return out;
  std::erase_if(out.logs, [this](const auto& one) { return !is_unread(one.first); });
  while (out.logs.size() > kLogsSavedMax) out.logs.erase(out.logs.begin());
  return out;
}

std::optional<Interval> EventCoverage::take(std::optional<Instant> limit) {
  settle();
  Saved& s = state_;
  if (!s.from) return std::nullopt;
  const Instant end = std::min(s.until, limit.value_or(s.until));
  if (end <= s.claimed) return std::nullopt;
  return Interval{std::exchange(s.claimed, end), end};
}

std::vector<EventGap> EventCoverage::take_gaps() {
  return std::exchange(state_.gaps, {});
}

}  // namespace meldevakt::agent
