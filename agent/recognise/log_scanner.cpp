#include "agent/recognise/log_scanner.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "agent/frame/record_framer.h"
#include "agent/recognise/raw_lines.h"
#include "agent/recognise/recogniser.h"
#include "agent/recognise/scan_literals.h"
#include "common/base/check.h"

namespace meldevakt::agent {
namespace {

// A scan has no clock: nothing is ever idle.
constexpr Instant kNow{0};
// No event is this old or this late; a time that stands by itself does not move with them.
constexpr Instant kEarliest{0};
constexpr Instant kLatest{253'402'300'799'999};

constexpr std::size_t kFramerFeedBytes = 16 * 1024;

// Neighbouring records are framed together up to about here.
constexpr std::size_t kExtentBytesMax = 64 * 1024;
// How far back to go for a record whose time stands by itself, before reading on from a known one.
constexpr std::size_t kLookBackRecordsMax = 32;
// Judged over so much text, and not for ever: some logs are nothing but near misses.
constexpr std::uint64_t kPlanJudgedBytes = 256 * 1024;
constexpr std::uint32_t kReplansMax = 4;

}  // namespace

struct LogScanner::State {
  Settings settings;
  Recogniser recogniser;
  ScanStats stats;
  std::vector<ScanFinding> findings;
  ScanPlans plans;

  std::string buffer;
  std::size_t size = 0;             // bytes of the file in `buffer`
  std::uint64_t buffer_offset = 0;  // of buffer[0] in the file
  std::uint64_t line = 1;           // of `done`, or of the framer's next record

  // Framing: everything goes through this framer.
  std::optional<RecordFramer> framer;
  std::size_t fed = 0;             // of `buffer`, to the framer
  std::uint64_t framed_until = 0;  // offset before which there is no skipping

  // Skipping: a record begins at buffer[done], all before it is dealt with, and the time in force
  // is that of the record before it.
  std::shared_ptr<const LiteralScanner> scanner;
  std::optional<Encoding> encoding;
  std::size_t done = 0;
  std::size_t looked_at = 0;  // no record begins in buffer(done, looked_at)
  std::uint64_t candidates = 0;
  std::uint64_t judged_bytes = 0;
  std::uint32_t replans = 0;

  explicit State(Settings with);
  [[nodiscard]] std::string_view text() const { return std::string_view{buffer}.substr(0, size); }
  [[nodiscard]] std::size_t unit() const { return encoding == Encoding::kUtf16Le ? 2 : 1; }
  // What is kept of the file at most, while looking for the next record's beginning.
  [[nodiscard]] std::size_t window_max() const {
    return std::size_t{settings.pack->record_bytes_max} + 2 * settings.chunk_bytes;
  }
  [[nodiscard]] RecordFramer make_framer(std::uint64_t offset);

  void work();
  // --- framing
  void frame();
  bool begin_skipping();
  bool make_plan();
  void begin_framing();
  // --- skipping
  bool skip();
  bool starts_record(std::size_t at);
  [[nodiscard]] std::size_t last_record(std::size_t complete);
  [[nodiscard]] std::size_t record_begin(std::size_t at, std::size_t from);
  [[nodiscard]] std::size_t record_end(std::size_t at, std::size_t stop);
  [[nodiscard]] std::size_t extent_end(std::size_t from, std::size_t stop);
  bool pass_lines(std::size_t from, std::size_t to);
  void settle_time(std::size_t from, std::size_t to);
  bool time_stands_alone(std::size_t from, std::size_t to);
  void run(std::size_t from, std::size_t to, bool is_looked_at);
  void judge_plan();
  // ---
  void take_records(RecordFramer& from, std::uint64_t& at_line);
  void handle(const Record& record, std::uint64_t kept_bytes, std::uint64_t at_line);
  void see_time(std::optional<Instant> time);
};

LogScanner::State::State(Settings with)
    : settings{std::move(with)},
      recogniser{settings.pack, settings.zone, settings.privacy},
      plans{settings.plans} {
  framer = make_framer(0);
}

RecordFramer LogScanner::State::make_framer(std::uint64_t offset) {
  const Pack& pack = *settings.pack;
  RecordFramer::Settings framing;
  framing.encodings = pack.encodings;
  framing.lines_max = pack.record_lines_max;
  framing.record_bytes_max = pack.record_bytes_max;
  RecordFramer made{std::move(framing),
                    [this](std::string_view first) { return recogniser.starts_record(first); },
                    offset};
  if (offset > 0 && encoding) made.set_encoding(*encoding);
  return made;
}

void LogScanner::State::see_time(std::optional<Instant> time) {
  if (!time) return;
  if (!stats.first_time || *time < *stats.first_time) stats.first_time = time;
  if (!stats.last_time || *time > *stats.last_time) stats.last_time = time;
}

void LogScanner::State::take_records(RecordFramer& from, std::uint64_t& at_line) {
  while (true) {
    const RecordFramer::Stats before = from.stats();
    const std::optional<Record> record = from.next();
    if (!record) return;
    stats.dropped_bytes += from.stats().dropped_bytes - before.dropped_bytes;
    handle(*record, from.stats().record_bytes - before.record_bytes, at_line);
    at_line += record->lines;
  }
}

void LogScanner::State::handle(const Record& record, std::uint64_t kept_bytes,
                               std::uint64_t at_line) {
  Recognised made = recogniser.recognise(record);
  ++stats.records;
  see_time(made.time);
  if (made.limited) {
    stats.dropped_bytes += kept_bytes;
  } else if (made.known) {
    stats.recognised_bytes += kept_bytes;
  }
  for (SignalEvent& event : made.events) {
    stats.references_dropped += event.references_dropped;
    findings.push_back({at_line, std::move(event)});
  }
}

// --- framing everything
// ---------------------------------------------------------------------------------------------

void LogScanner::State::frame() {
  while (fed < size) {
    const std::size_t bytes = std::min(kFramerFeedBytes, size - fed);
    framer->feed(text().substr(fed, bytes), kNow);
    fed += bytes;
    stats.framed_bytes += bytes;
    take_records(*framer, line);
    if (begin_skipping()) return;
  }
  // All is with the framer. The buffer begins at an even offset, where a unit of UTF-16 does.
  const std::size_t kept = (buffer_offset + size) % 2;
  std::memmove(buffer.data(), buffer.data() + size - kept, kept);
  buffer_offset += size - kept;
  size = kept;
  fed = kept;
}

// Only where the record that the framer has open lies in the buffer from its beginning, and is one
// that a line began: then the framer knows nothing that the buffer does not say.
bool LogScanner::State::begin_skipping() {
  if (settings.order == ScanOrder::kEverything) return false;
  const std::uint64_t open_at = framer->low_water();
  if (open_at == 0 || open_at < buffer_offset || buffer_offset + fed < framed_until) return false;
  encoding = framer->encoding();
  const auto at = static_cast<std::size_t>(open_at - buffer_offset);
  if (!encoding || at % unit() != 0 || at >= size || size - at > window_max() ||
      next_line(text(), at, unit()) == std::string_view::npos || !starts_record(at)) {
    return false;
  }
  if (!make_plan()) return false;
  stats.framed_bytes -= fed - at;  // they are not framed yet, as far as this goes
  done = at;
  looked_at = at;
  framer.reset();
  return true;
}

bool LogScanner::State::make_plan() {
  if (const auto known = plans.find(*encoding); known != plans.end()) {
    scanner = known->second;
  } else if (buffer_offset + fed >= settings.plan_after_bytes) {
    const std::size_t from = fed - std::min(fed, kSampleBytesMax) / unit() * unit();
    auto literals = raw_literals(*settings.pack, *encoding, text().substr(from));
    if (literals) {
      scanner = std::make_shared<LiteralScanner>(std::move(*literals), text().substr(from), unit());
    }
    plans[*encoding] = scanner;
  } else {
    return false;
  }
  return scanner != nullptr;  // without one this pack never skips
}

// From `done` on, up to the end of what is here.
void LogScanner::State::begin_framing() {
  framer = make_framer(buffer_offset + done);

  fed = done;
  framed_until = buffer_offset + size;
}

// --- skipping
// ---------------------------------------------------------------------------------------------

bool LogScanner::State::starts_record(std::size_t at) {
  const std::string_view stored = line_text(text(), at, settings.pack->record_bytes_max, unit());
  if (unit() == 1 && is_ascii(stored)) return recogniser.starts_record(stored);
  std::uint64_t undecodable = 0;
  return recogniser.starts_record(decode(*encoding, settings.pack->encodings, stored, undecodable));
}

// Where the last record of the complete lines begins; `done` when that is the only one.
std::size_t LogScanner::State::last_record(std::size_t complete) {
  for (std::size_t at = complete; at > std::max(done, looked_at);) {
    at = line_begin(text(), at, unit());
    if (at <= done) break;
    if (starts_record(at)) return at;
  }
  looked_at = complete;
  return done;
}

// Where the record that holds the place `at` begins, when one begins at `from`, before it.
std::size_t LogScanner::State::record_begin(std::size_t at, std::size_t from) {
  std::size_t begin = at + unit();
  while (begin > from) {
    begin = line_begin(text(), begin, unit());
    if (begin <= from || starts_record(begin)) break;
  }
  return std::max(begin, from);
}

std::size_t LogScanner::State::record_end(std::size_t at, std::size_t stop) {
  std::size_t next = next_line(text(), at, unit());
  while (next < stop && !starts_record(next)) next = next_line(text(), next, unit());
  return std::min(next, stop);
}

// The end of the record at `from`, and of those directly behind it that hold a literal too.
std::size_t LogScanner::State::extent_end(std::size_t from, std::size_t stop) {
  std::size_t end = record_end(from, stop);
  while (end < stop && end - from < kExtentBytesMax) {
    const std::size_t next = record_end(end, stop);
    if (!scanner->find(text().substr(0, next), end)) break;
    end = next;
  }
  return end;
}

// Counts the lines; false when there are bytes that only framing can judge.
bool LogScanner::State::pass_lines(std::size_t from, std::size_t to) {
  const LineCount count = count_lines(scanner->path(), text().substr(from, to - from), unit());
  if (count.odd) return false;
  line += count.newlines;
  return true;
}

// Whether the record's time is the same whatever was in force; if so it is in force now.
bool LogScanner::State::time_stands_alone(std::size_t from, std::size_t to) {
  const std::optional<Instant> was = recogniser.time_in_force();
  RecordFramer one = make_framer(buffer_offset + from);
  one.feed(text().substr(from, to - from), kNow);
  one.finish();
  const std::optional<Record> record = one.next();
  std::optional<Instant> time;
  bool alone = record.has_value();
  bool is_first = true;
  for (const std::optional<Instant> in_force :
       {std::optional<Instant>{}, std::optional{kEarliest}, std::optional{kLatest}}) {
    if (!alone) break;
    recogniser.set_time_in_force(in_force);
    const Recognised made = recogniser.recognise(*record);
    alone = made.has_own_time && made.time && (is_first || made.time == time);
    time = made.time;
    is_first = false;
  }
  if (alone) see_time(time);
  recogniser.set_time_in_force(alone ? time : was);
  return alone;
}

// Brings the time in force from before `from` to before `to`, where both begin a record and nothing
// between was looked at.
void LogScanner::State::settle_time(std::size_t from, std::size_t to) {
  std::size_t known = from;
  std::size_t at = to;
  for (std::size_t i = 0; at > from && i < kLookBackRecordsMax; ++i) {
    const std::size_t next = at;
    at = record_begin(at - unit(), from);
    if (!time_stands_alone(at, next)) continue;
    known = next;
    break;
  }
  if (known < to) run(known, to, false);
}

// Frames and recognises whole records. Those not looked at only move the time in force on.
void LogScanner::State::run(std::size_t from, std::size_t to, bool is_looked_at) {
  RecordFramer part = make_framer(buffer_offset + from);
  part.feed(text().substr(from, to - from), kNow);
  part.finish();
  if (is_looked_at) {
    std::uint64_t at_line = line;
    take_records(part, at_line);
    stats.framed_bytes += to - from;
    return;
  }
  while (const std::optional<Record> record = part.next()) {
    see_time(recogniser.recognise(*record).time);
  }
}

// False when framing has to take over, from `done` on.
bool LogScanner::State::skip() {
  const std::size_t complete = line_begin(text(), size, unit());
  const std::size_t stop = complete > done ? last_record(complete) : done;
  judged_bytes += stop - done;
  const std::string_view searched = text().substr(0, stop);
  for (std::size_t from = done; const auto hit = scanner->find(searched, from, &candidates);) {
    const std::size_t begin = record_begin(hit->at, done);
    const std::size_t end = extent_end(begin, stop);
    const std::uint64_t line_of_done = line;
    if (!pass_lines(done, begin)) return false;
    const std::uint64_t line_of_begin = line;
    if (!pass_lines(begin, end)) {
      line = line_of_done;
      return false;
    }
    settle_time(done, begin);
    const std::uint64_t line_of_end = std::exchange(line, line_of_begin);
    run(begin, end, true);
    line = line_of_end;
    done = end;
    from = end;
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
    const std::size_t from = done - std::min(done, kSampleBytesMax) / unit() * unit();
    const std::string_view sample = text().substr(from, done - from);
    if (auto literals = raw_literals(*settings.pack, *encoding, sample)) {
      scanner = std::make_shared<LiteralScanner>(std::move(*literals), sample, unit());
      plans[*encoding] = scanner;
    }
  }
  candidates = 0;
  judged_bytes = 0;
}

// ---------------------------------------------------------------------------------------------

void LogScanner::State::work() {
  while (true) {
    if (framer) {
      frame();
      if (framer) return;
    }
    if (skip()) return;
    begin_framing();
  }
}

LogScanner::LogScanner(Settings settings) : state_{std::make_unique<State>(std::move(settings))} {}
LogScanner::~LogScanner() = default;
LogScanner::LogScanner(LogScanner&&) noexcept = default;
LogScanner& LogScanner::operator=(LogScanner&&) noexcept = default;

LogScanner::Space LogScanner::space() {
  State& s = *state_;
  if (!s.framer && s.done > 0) {
    std::memmove(s.buffer.data(), s.buffer.data() + s.done, s.size - s.done);
    s.size -= s.done;
    s.buffer_offset += s.done;
    s.looked_at -= std::min(s.looked_at, s.done);
    s.done = 0;
  }
  const std::size_t chunk = s.settings.chunk_bytes;
  if (s.buffer.size() < s.size + chunk) s.buffer.resize(s.size + chunk);
  return {s.buffer.data() + s.size, chunk};
}

void LogScanner::filled(std::size_t bytes) {
  State& s = *state_;
  if (bytes == 0) return;
  s.size += bytes;
  s.stats.bytes += bytes;
  s.work();
}

void LogScanner::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const Space to = space();
    const std::size_t count = std::min(to.size, bytes.size());
    std::memcpy(to.data, bytes.data(), count);
    bytes.remove_prefix(count);
    filled(count);
  }
}

void LogScanner::finish() {
  State& s = *state_;
  if (!s.framer) {
    s.begin_framing();
    s.settings.order = ScanOrder::kEverything;  // to the very end
    s.frame();
  }
  s.framer->finish();
  s.take_records(*s.framer, s.line);
  s.stats.lines = s.line - 1;
}

std::vector<ScanFinding> LogScanner::take() {
  return std::exchange(state_->findings, {});
}

const ScanStats& LogScanner::stats() const {
  return state_->stats;
}

const ScanPlans& LogScanner::plans() const {
  return state_->plans;
}

}  // namespace meldevakt::agent
