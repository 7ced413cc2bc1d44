// LogScanner where it skips: around each literal the record's bounds, and the time in force.
#include <algorithm>
#include <memory>

#include "agent/recognise/log_scanner_state.h"
#include "agent/recognise/raw_lines.h"
#include "agent/recognise/scan_literals.h"

namespace meldevakt::agent {
namespace {

// No event is this old or this late; a time that stands by itself does not move with them.
constexpr Instant kEarliest{0};
constexpr Instant kLatest{253'402'300'799'999};

// Neighbouring records are framed together up to about here.
constexpr std::size_t kExtentBytesMax = 64 * 1024;
// How far back to go for a record whose time stands by itself, before reading on from a known one.
constexpr std::size_t kLookBackRecordsMax = 32;
// Judged over so much text, and not for ever: some logs are nothing but near misses.
constexpr std::uint64_t kPlanJudgedBytes = 256 * 1024;
constexpr std::uint32_t kReplansMax = 4;

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

}  // namespace

// The end of the record at `from`, and of those directly behind it that hold a literal too.
std::size_t LogScanner::State::extent_end(std::size_t from, std::size_t stop) {
  std::size_t end = bounds.end_of(from, stop);
  while (end < stop && end - from < kExtentBytesMax) {
    const std::size_t next = bounds.end_of(end, stop);
    if (!scanner->find(text().substr(0, next), end)) break;
    end = next;
  }
  return end;
}

// Counts the lines; false when there are bytes that only framing can judge.
bool LogScanner::State::pass_lines(std::size_t from, std::size_t to) {
  const std::string_view part = text().substr(from, to - from);
  const LineCount count = count_lines(scanner->path(), part, bounds.unit());
  if (count.odd) return false;
  // Padding behind a record is told with it.
  if (bounds.unit() == 1 && to < size && text()[to] == '\0') return false;
  // A mark in a file that is not UTF-8 may mean that from here on it is.
  if (bounds.unit() == 1 && encoding != Encoding::kUtf8 &&
      part.find(kUtf8Mark) != std::string_view::npos) {
    return false;
  }
  line += count.newlines;
  return true;
}

// What the record says, if its time is the same whatever was in force; then it is in force now.
std::optional<Recognised> LogScanner::State::recognise_alone(const Record& record) {
  FileTime early = time;
  FileTime late = time;
  early.in_force = kEarliest;
  late.in_force = kLatest;
  if (!recognise(record, early).has_own_time) return std::nullopt;
  Recognised made = recognise(record, late);
  if (!made.has_own_time || early != late) return std::nullopt;
  time = late;
  return made;
}

bool LogScanner::State::time_stands_alone(std::size_t from, std::size_t to) {
  const std::optional<Record> record = make_framer_of(from, to).next();
  return record && recognise_alone(*record);
}

// Brings the time in force from before `from` to before `to`, where both begin a record and nothing
// between was looked at.
void LogScanner::State::settle_time(std::size_t from, std::size_t to) {
  std::size_t at = to;
  for (std::size_t i = 0; at > from && i < kLookBackRecordsMax; ++i) {
    const std::size_t next = at;
    at = bounds.begin_of(at - bounds.unit(), from);
    if (time_stands_alone(at, next)) return pass_times(next, to);
  }
  pass_times(from, to);
}

void LogScanner::State::pass_times(std::size_t from, std::size_t to) {
  if (from == to) return;
  RecordFramer part = make_framer_of(from, to);
  while (const std::optional<Record> record = part.next()) {
    static_cast<void>(recognise(*record, time));
  }
}

// Frames and recognises whole records that hold a literal. False when framing has to take over.
bool LogScanner::State::look_at(std::size_t begin, std::size_t end) {
  const std::uint64_t line_of_done = line;
  if (!pass_lines(done, begin)) return false;
  std::uint64_t at_line = line;
  if (!pass_lines(begin, end)) {
    line = line_of_done;
    return false;
  }
  RecordFramer part = make_framer_of(begin, end);
  const std::optional<Record> first = part.next();
  if (!first) return false;
  const Bytes bytes{part.stats().record_bytes, part.stats().dropped_bytes};
  if (std::optional<Recognised> made = recognise_alone(*first)) {
    tell(*first, std::move(*made), bytes, at_line);
  } else {
    settle_time(done, begin);
    handle(*first, bytes, at_line);
  }
  at_line += first->lines;
  take_records(part, at_line);
  stats.framed_bytes += end - begin;
  done = end;
  return true;
}

// False when framing has to take over, from `done` on.
bool LogScanner::State::skip() {
  bounds.set(text(), encoding);
  const std::size_t complete = line_begin(text(), size, bounds.unit());
  const std::size_t stop = bounds.last(complete, done, searched);
  searched = std::max(searched, complete);
  judged_bytes += stop - done;
  const std::string_view whole = text().substr(0, stop);
  for (std::size_t from = done; const auto hit = scanner->find(whole, from, &candidates);) {
    const std::size_t begin = bounds.begin_of(hit->at, done);
    if (!look_at(begin, extent_end(begin, stop))) return false;
    from = done;
  }
  if (!pass_lines(done, stop)) return false;
  settle_time(done, stop);
  done = stop;
  judge_plan();
  return size - done <= window_max();
}

void LogScanner::State::judge_plan() {
  if (judged_bytes < kPlanJudgedBytes || replans >= kReplansMax) return;
  if (candidates * LiteralScanner::kBytesPerCandidateMin > judged_bytes) {
    ++replans;
    const std::size_t from = done - std::min(done, kSampleBytesMax) / bounds.unit() * bounds.unit();
    const std::string_view sample = text().substr(from, done - from);
    if (auto literals = raw_literals(*settings.pack, encoding, sample)) {
      scanner = std::make_shared<LiteralScanner>(std::move(*literals), sample, bounds.unit());
      plans[encoding] = scanner;
    }
  }
  candidates = 0;
  judged_bytes = 0;
}

}  // namespace meldevakt::agent
