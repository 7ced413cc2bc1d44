#include "agent/recognise/log_scanner.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "agent/recognise/log_scanner_state.h"
#include "agent/recognise/program.h"
#include "agent/recognise/raw_lines.h"
#include "agent/recognise/scan_literals.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kFramerFeedBytes = 16 * 1024;

}  // namespace

LogScanner::State::State(Settings with)
    : settings{std::move(with)},
      recogniser{settings.pack, settings.zone, settings.privacy},
      metrics{settings.pack},
      bounds{*settings.pack, recogniser.line_tests()},
      plans{settings.plans} {
  framer = make_framer(0);
}

RecordFramer LogScanner::State::make_framer(std::uint64_t offset) {
  RecordFramer made{framer_settings(*settings.pack), recogniser.line_tests(), offset};
  if (offset > 0) made.set_encoding(encoding);
  return made;
}

RecordFramer LogScanner::State::make_framer_of(std::size_t from, std::size_t to) {
  RecordFramer made = make_framer(buffer_offset + from);
  made.feed(text().substr(from, to - from), kScanNow);
  made.finish();
  return made;
}

void LogScanner::State::see_time(std::optional<Instant> at) {
  if (!at) return;
  if (!stats.first_time || *at < *stats.first_time) stats.first_time = at;
  if (!stats.last_time || *at > *stats.last_time) stats.last_time = at;
}

// The recogniser has a memory of its own over the files it reads; here is one file, whose time is
// in `file_time` and nowhere else.
Recognised LogScanner::State::recognise(const Record& record, FileTime& file_time) {
  recogniser.set_time_in_force(std::nullopt);
  return recogniser.recognise(record, file_time);
}

void LogScanner::State::take_records(RecordFramer& from, std::uint64_t& at_line) {
  while (true) {
    const RecordFramer::Stats before = from.stats();
    const std::optional<Record> record = from.next();
    if (!record) return;
    handle(*record,
           {from.stats().record_bytes - before.record_bytes,
            from.stats().dropped_bytes - before.dropped_bytes},
           at_line);
    at_line += record->lines;
  }
}

void LogScanner::State::handle(const Record& record, Bytes bytes, std::uint64_t at_line) {
  tell(record, recognise(record, time), bytes, at_line);
}

// Counts only what does not depend on which records were looked at: of those no rule knows some are
// and some are not.
void LogScanner::State::tell(const Record& record, Recognised made, Bytes bytes,
                             std::uint64_t at_line) {
  if (made.has_own_time && !record.malformed) stats.timed_bytes += bytes.kept;
  const bool is_known = made.known && !record.context;
  if (is_known || made.limited || !stats.first_time) see_time(made.time);
  if (made.limited) {
    stats.dropped_bytes += bytes.kept + bytes.dropped;
  } else if (is_known) {
    ++stats.records;
    stats.recognised_bytes += bytes.kept;
    stats.dropped_bytes += bytes.dropped;
  }
  // A pack with metrics looks at every record, so here they come one after the other.
  metrics.judge(record, made);
  for (SignalEvent& event : made.events) {
    stats.references_dropped += event.references_dropped;
    findings.push_back({at_line, std::move(event), settings.keep_text ? record.text : ""});
  }
}

// --- framing everything
// ---------------------------------------------------------------------------------------------

void LogScanner::State::frame() {
  while (fed < size) {
    const std::size_t bytes = std::min(kFramerFeedBytes, size - fed);
    framer->feed(text().substr(fed, bytes), kScanNow);
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
  // Until a time was read, the file's first is still to be found.
  if (settings.order == ScanOrder::kEverything || !stats.first_time) return false;
  const std::uint64_t open_at = framer->low_water();
  if (open_at <= framed_from || open_at < buffer_offset) return false;
  if (buffer_offset + fed < framed_until) return false;
  const std::optional<Encoding> now = framer->encoding();
  const auto at = static_cast<std::size_t>(open_at - buffer_offset);
  if (!now || !RecordBounds::can_enter(*settings.pack, *now)) return false;
  bounds.set(text(), *now);
  if ((buffer_offset | at) % bounds.unit() != 0 || at >= size || size - at > window_max() ||
      next_line(text(), at, bounds.unit()) == std::string_view::npos || !bounds.begins(at)) {
    return false;
  }
  encoding = *now;
  if (!make_plan()) return false;
  stats.framed_bytes -= fed - at;  // they are not framed yet, as far as this goes
  done = at;
  searched = at;
  framer.reset();
  return true;
}

bool LogScanner::State::make_plan() {
  // Until the file has said its offset from UTC, any record may be the one that does.
  const PackProgram& program = *settings.pack->program;
  if ((program.utc_offset_at || program.utc_bias_at) && !time.utc_offset) return false;
  if (const auto known = plans.find(encoding); known != plans.end()) {
    scanner = known->second;
  } else if (buffer_offset + fed >= settings.plan_after_bytes) {
    const std::size_t from = fed - std::min(fed, kSampleBytesMax) / bounds.unit() * bounds.unit();
    const std::string_view sample = text().substr(from, fed - from);
    if (auto literals = raw_literals(*settings.pack, encoding, sample)) {
      scanner = std::make_shared<LiteralScanner>(std::move(*literals), sample, bounds.unit());
    }
    plans[encoding] = scanner;
  } else {
    return false;
  }
  return scanner != nullptr;  // without one this pack never skips
}

// From `done` on, up to the end of what is here.
void LogScanner::State::begin_framing() {
  framer = make_framer(buffer_offset + done);
  fed = done;
  framed_from = buffer_offset + done;
  framed_until = buffer_offset + size;
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
    s.searched -= std::min(s.searched, s.done);
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
  s.see_time(s.time.in_force);
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
