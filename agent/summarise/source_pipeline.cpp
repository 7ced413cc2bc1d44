#include "agent/summarise/source_pipeline.h"

#include <algorithm>
#include <utility>

#include "agent/recognise/pack_abilities.h"
#include "agent/summarise/pipeline_state.h"

namespace meldevakt::agent {
namespace {

Duration flush_lag_of(const SourcePipeline::Settings& settings) {
  return std::max(settings.flush_lag, settings.pack->flush_lag);
}

}  // namespace

SourcePipeline::State::State(Settings new_settings, Instant start, Detector new_detector)
    : settings{std::move(new_settings)},
      recogniser{settings.pack, settings.zone, PrivacyStep{settings.tenant_key}},
      metrics{settings.pack, settings.metric_limits},
      detector{std::move(new_detector)},
      reading{start},
      coverage{{flush_lag_of(settings), settings.clock_error}} {
  recogniser.set_read_at(ReadAt::kIsArrival);
  if (settings.receipts) receipt_rows.emplace(*settings.receipts);
}

Detector::Settings SourcePipeline::State::detector_settings(const Settings& settings) {
  Detector::Settings out;
  out.source = settings.name;
  out.fact_key = settings.fact_key;
  out.scope_age_max = settings.pack->scope_age_max;
  out.look_back_max = settings.pack->look_back_max;
  out.look_back_signals_max = settings.pack->look_back_signals_max;
  return out;
}

SourcePipeline::SourcePipeline(Settings settings, Instant start) {
  Detector detector{State::detector_settings(settings)};
  state_ = std::make_unique<State>(std::move(settings), start, std::move(detector));
}
SourcePipeline::SourcePipeline(std::unique_ptr<State> state) : state_{std::move(state)} {}
SourcePipeline::~SourcePipeline() = default;
SourcePipeline::SourcePipeline(SourcePipeline&&) noexcept = default;
SourcePipeline& SourcePipeline::operator=(SourcePipeline&&) noexcept = default;

// --- files ------------------------------------------------------------------------------------

void SourcePipeline::begin_file(const std::string& key, std::uint64_t offset) {
  State& s = *state_;
  State::File& file = s.files[key];
  std::erase(s.ended, key);
  if (offset == 0) {
    State::File fresh;
    fresh.name = std::move(file.name);
    fresh.log = std::move(file.log);
    file = std::move(fresh);
  } else if (file.content.name().empty()) {
    // Not in the snapshot, against the contract: named by its key, which is as steady.
    file.content = FirstLine{content_name(key)};
  }
  file.fed_from = offset;
  file.fed_to = offset;
  file.framer.emplace(framer_settings(*s.settings.pack), s.recogniser.line_tests(), offset);
  if (offset > 0 && file.encoding) file.framer->set_encoding(*file.encoding);
  if (offset > 0) file.framer->set_carried(file.carried);
}

void SourcePipeline::feed(const std::string& key, std::string_view chunk, Instant now) {
  State& s = *state_;
  const auto found = s.files.find(key);
  if (found == s.files.end() || !found->second.framer || chunk.empty()) return;
  State::File& file = found->second;
  file.content.add(chunk);
  file.fed_at = now;
  s.bytes.read += chunk.size();
  file.fed_to += chunk.size();
  if (s.settings.digest) {
    s.digest.update(chunk);
    s.digest_has_bytes = true;
  }
  file.framer->feed(chunk, now);
  s.take_records(file, now);
}

void SourcePipeline::end_file(const std::string& key, FileEnd end, Instant now) {
  State& s = *state_;
  const auto found = s.files.find(key);
  if (found != s.files.end() && found->second.framer) {
    State::File& file = found->second;
    file.content.end();
    file.framer->finish();
    s.take_records(file, now);
    s.note_range(file);
    file.encoding = file.framer->encoding();
    file.carried = file.framer->carried();
    file.ended_at = file.framer->low_water();
    file.framer.reset();
    s.ended.push_back(key);
  }
  if (end != FileEnd::kComplete) {
    s.coverage.lost(found == s.files.end() ? std::string{} : found->second.log, now);
  }
  if (end == FileEnd::kLost) {
    std::erase(s.ended, key);
    s.files.erase(key);
  }
  if (s.ended.size() > State::kEndedMax) {
    s.files.erase(s.ended.front());
    s.ended.pop_front();
  }
}

void SourcePipeline::unread(const UnreadFiles& unread) {
  State& s = *state_;
  UnreadLogs out{{}, unread.several_logs, unread.refused, unread.looked};
  if (unread.several_logs) {
    for (const UnreadFiles::File& one : unread.files) {
      const auto known = s.files.find(one.key);
      const bool named = known != s.files.end() && !known->second.log.empty();
      out.logs.push_back(named ? known->second.log : one.log);
    }
    // The time of a record that waits for its end is not known either.
    for (const auto& [key, file] : s.files) {
      if (file.framer && file.framer->pending_bytes() != 0) out.logs.push_back(file.log);
    }
    std::sort(out.logs.begin(), out.logs.end());
    out.logs.erase(std::unique(out.logs.begin(), out.logs.end()), out.logs.end());
  }
  s.coverage.unread(std::move(out));
}

std::uint64_t SourcePipeline::low_water(const std::string& key) const {
  const auto found = state_->files.find(key);
  if (found == state_->files.end()) return 0;
  return found->second.framer ? found->second.framer->low_water() : found->second.ended_at;
}

std::optional<Instant> SourcePipeline::newest_event(const std::string& key) const {
  const auto found = state_->files.find(key);
  return found == state_->files.end() ? std::nullopt : found->second.time.in_force;
}

// --- state of reading ---------------------------------------------------------------------------

void SourcePipeline::set_read_state(ReadState state, std::string_view reason, Instant now) {
  state_->reading.set(state, reason, now);
}

void SourcePipeline::caught_up(Instant now) {
  State& s = *state_;
  // A record that waits for its last line is not read yet, and its time is not known.
  if (s.pending() == 0 && s.reading.state() != ReadState::kGap) s.coverage.caught_up(now);
  s.tell_time(now);
}

void SourcePipeline::idle(Instant now) {
  State& s = *state_;
  for (auto& [key, file] : s.files) {
    if (!file.framer) continue;
    if (file.framer->pending_bytes() != 0) {
      file.framer->idle(now);
      s.take_records(file, now);
      s.take_last_row(file, now);
    }
    s.tell_complete(file, now);
  }
  s.coverage.settle();
  s.tell_time(now);
}

// --- results ------------------------------------------------------------------------------------

bool SourcePipeline::has_urgent() const {
  return state_->detector.has_urgent() || state_->receipts_are_urgent();
}

bool SourcePipeline::has_facts() const {
  return state_->detector.has_ready() || !state_->receipts.empty();
}

SourcePipeline::Account SourcePipeline::account() const {
  Account out{state_->bytes, state_->records, state_->references_withheld};
  out.bytes.pending = state_->pending();
  return out;
}

Instant SourcePipeline::watermark() const {
  const Instant read = state_->coverage.watermark();
  return std::min(read, state_->detector.earliest_untold().value_or(read));
}

SourceYield SourcePipeline::take(Instant now) {
  State& s = *state_;
  s.tell_time(now);
  SourceYield out;
  out.facts = s.detector.drain();
  for (Fact& receipt : std::exchange(s.receipts, {})) out.facts.push_back(std::move(receipt));
  const std::optional<Instant> untold = s.detector.earliest_untold();
  SourceCoverage& to = out.coverage;
  to.id = s.settings.name;
  to.kind = s.settings.kind;
  to.pack = s.settings.pack->identity;
  // Receipts say nothing of what the case system does.
  const std::vector<Signal> nothing;
  for (const Signal signal : s.receipt_rows ? nothing : s.settings.pack->observes) {
    const auto seen = s.last_seen.find(signal);
    to.observes.push_back(
        {signal, seen == s.last_seen.end() ? std::nullopt : std::optional{seen->second}});
  }
  if (!s.receipt_rows) to.names = names_of_messages(*s.settings.pack);
  to.shared = s.settings.shared;
  to.reading = s.reading.take(now);
  to.complete = s.coverage.take(untold);
  to.event_gaps = s.coverage.take_gaps();
  for (auto& [key, file] : s.files) s.note_range(file);
  to.ranges = s.take_ranges();
  to.bytes = s.bytes;
  to.bytes.pending = s.pending();
  to.records = s.records;
  const bool digest = std::exchange(s.digest_has_bytes, false);
  if (digest && !s.digest_broken) to.digest = s.digest.finish().hex();
  if (digest && s.digest_broken) static_cast<void>(s.digest.finish());
  s.digest_broken = false;
  out.watermark = watermark();
  return out;
}

// --- inside
// ---------------------------------------------------------------------------------------

std::uint64_t SourcePipeline::State::pending() const {
  std::uint64_t out = 0;
  for (const auto& [key, file] : files) {
    if (file.framer) out += file.framer->pending_bytes();
  }
  return out;
}

void SourcePipeline::State::take_records(File& file, Instant now) {
  while (true) {
    const RecordFramer::Stats before = file.framer->stats();
    const std::optional<Record> record = file.framer->next();
    bytes.dropped += file.framer->stats().dropped_bytes - before.dropped_bytes;
    if (!record) return;
    const std::uint64_t kept = file.framer->stats().record_bytes - before.record_bytes;
    if (receipt_rows) {
      ++records;
      read_receipt(*record, file, kept);
      continue;
    }
    Recognised recognised = recogniser.recognise(*record, file.time);
    metrics.judge(*record, recognised);
    ++records;
    if (recognised.limited) {
      bytes.dropped += kept;
    } else if (recognised.known) {
      bytes.recognised += kept;
    } else {
      bytes.unrecognised += kept;
    }
    observe(*record, std::move(recognised), file, now);
  }
}

// A record is never complete before its file's first line is, so every record's file has a name.
void SourcePipeline::State::observe(const Record& record, Recognised made, const File& file,
                                    Instant now) {
  if (made.time && made.has_own_time) {
    coverage.event(file.log, *made.time, time_error_of(made.time_doubt), now);
  }
  if (made.events.empty()) return;
  const RecordPlace place =
      record_place(made.own_name, file.content.name(), record, settings.pack->shape.kind);
  for (SignalEvent& event : made.events) {
    event.offset = place.offset;
    event.log = file.log;
    references_withheld += event.references_dropped;
    if (event.signal) {
      const auto [at, is_first] = last_seen.emplace(*event.signal, event.time);
      if (!is_first) at->second = std::max(at->second, event.time);
    }
    detector.observe(event, place.name, now);
  }
}

void SourcePipeline::State::note_range(File& file) {
  if (file.content.name().empty() || file.fed_from == file.fed_to) return;
  add_range({file.content.name(), file.fed_from, file.fed_to});
  file.fed_from = file.fed_to;
}

void SourcePipeline::State::add_range(ContentRange range) {
  for (ContentRange& other : ranges) {
    if (other.file == range.file && range.from <= other.to && other.from <= range.to) {
      other.from = std::min(other.from, range.from);
      other.to = std::max(other.to, range.to);
      return;
    }
  }
  if (ranges.size() == kRangesWaitingMax) ranges.pop_front();
  ranges.push_back(std::move(range));
}

// What does not fit into this statement waits for the next.
std::vector<ContentRange> SourcePipeline::State::take_ranges() {
  const auto end = ranges.begin() +
                   static_cast<std::ptrdiff_t>(std::min(ranges.size(), SourceCoverage::kRangesMax));
  std::vector<ContentRange> out{ranges.begin(), end};
  ranges.erase(ranges.begin(), end);
  return out;
}

void SourcePipeline::State::tell_time(Instant now) {
  detector.idle(coverage.watermark(), now);
}

}  // namespace meldevakt::agent
