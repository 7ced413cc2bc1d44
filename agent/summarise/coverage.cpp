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

void EventCoverage::event(Instant read, Duration error, Instant now) {
  Saved& s = state_;
  const Instant time = read - error;
  if (read > now + settings_.clock_error + kAheadMax) return;
  const Instant lag_end = now - settings_.flush_lag - settings_.clock_error;
  const Instant at_latest = std::max(read, std::min(read + error, now));
  if (s.lost_at) end_gap(at_latest);
  if (!s.from) {
    s.from = at_latest;
    s.until = at_latest;
    s.claimed = at_latest;
  }
  const Instant sure = std::min(time, s.previous_event.value_or(time)) - settings_.flush_lag;
  s.until = std::max(s.until, std::min(sure, lag_end));
  s.previous_event = time;
}

void EventCoverage::caught_up(Instant now) {
  Saved& s = state_;
  const Instant reached = now - settings_.flush_lag - settings_.clock_error;
  if (s.lost_at) {
    if (reached < *s.lost_at + settings_.clock_error) return;
    end_gap(reached);
  }
  if (!s.from) {
    s.from = now;
    s.until = now;
    s.claimed = now;
  }
  s.until = std::max(s.until, reached);
}

void EventCoverage::lost(Instant now) {
  state_.lost_at = now;
}

void EventCoverage::end_gap(Instant at) {
  Saved& s = state_;
  s.lost_at.reset();
  s.previous_event.reset();
  if (!s.from || at <= s.until) return;
  if (s.gaps.size() >= kGapsMax) {
    s.gaps.back().span.to = at;
  } else {
    s.gaps.push_back({{s.until, at}, std::string{kLost}});
  }
  s.until = at;
}

std::optional<Interval> EventCoverage::take(std::optional<Instant> limit) {
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
