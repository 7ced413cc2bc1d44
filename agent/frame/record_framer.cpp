#include "agent/frame/record_framer.h"

#include <algorithm>
#include <utility>

#include "agent/frame/line_cutter.h"
#include "agent/frame/structured_records.h"

namespace meldevakt::agent {

using Piece = LineCutter::Piece;

struct RecordFramer::State {
  // The record that lines are being added to, and what its return will add to the counters.
  struct Open {
    bool active = false;
    bool complete = false;  // its last line is here
    Record record;
    std::uint64_t kept_text_bytes = 0;  // stored bytes of the text kept
    std::uint64_t dropped_bytes = 0;
    std::uint64_t padding_bytes = 0;
    std::uint64_t lines_truncated = 0;
    std::uint64_t undecodable_bytes = 0;
    // The next record belongs to this one when it has this text at this place.
    std::optional<std::string> join_key;
    std::size_t join_at = 0;
    std::uint32_t joined = 1;
  };

  Settings settings;
  LineTests tests;
  std::uint64_t first_offset = 0;
  LineCutter cutter;
  std::optional<StructuredRecords> structured;
  bool finished = false;
  bool complete_open = false;  // idle() said so
  Instant last_input;
  Open open;
  std::string scratch;  // decoded line, kept for its capacity
  Stats stats;

  State(Settings with, LineTests line_tests, std::uint64_t offset);

  [[nodiscard]] std::uint64_t low_water_offset() const {
    return first_offset + stats.record_bytes + stats.dropped_bytes;
  }
  std::string_view decoded(std::string_view stored, std::uint64_t& undecodable_bytes);
  std::optional<Record> add(const Piece& line);
  // What a line is to the record that is open.
  struct Role {
    bool begins = false;
    bool orphan = false;  // begins, but with no header
    bool header_only = false;
  };
  Role role_of(std::string_view text, bool full);
  void begin(const Piece& line, std::string_view text, std::uint64_t undecodable, bool orphan);
  void append(const Piece& line, std::string_view text, std::uint64_t undecodable);
  void look_for_join(std::string_view text);
  void note_end(const Piece& line, std::string_view text, bool begins);
  void skip(const Piece& piece);
  [[nodiscard]] bool fits(const Piece& line) const;
  Record close();
};

namespace {

LineCutter::Settings cutter_settings(const RecordFramer::Settings& settings) {
  const RecordShape& shape = settings.shape;
  return {settings.encodings, settings.record_bytes_max,
          shape.kind == RecordKind::kXml ? "</" + shape.element + ">" : ""};
}

}  // namespace

RecordFramer::State::State(Settings with, LineTests line_tests, std::uint64_t offset)
    : settings{std::move(with)},
      tests{std::move(line_tests)},
      first_offset{offset},
      cutter{cutter_settings(settings), offset} {
  if (is_structured(settings.shape.kind)) structured.emplace(settings.shape);
}

std::string_view RecordFramer::State::decoded(std::string_view stored,
                                              std::uint64_t& undecodable_bytes) {
  const Encoding encoding = *cutter.encoding();
  const bool as_it_is = encoding == Encoding::kUtf8 ? valid_utf8_bytes(stored) == stored.size()
                                                    : unit_bytes(encoding) == 1 && is_ascii(stored);
  if (as_it_is) return stored;
  scratch.clear();
  decode_to(scratch, encoding, settings.encodings, stored, undecodable_bytes);
  return scratch;
}

RecordFramer::State::Role RecordFramer::State::role_of(std::string_view text, bool full) {
  if (structured) {
    const bool starts = structured->starts(text, full, tests);
    return {starts || !open.active, !starts, false};
  }
  if (tests.header_only && tests.header_only(text)) return {true, false, true};
  if (!tests.starts(text)) {
    const bool after_header = open.active && open.record.context;
    return {!open.active || after_header, true, false};
  }
  const bool joins = open.active && open.join_key && open.joined < kJoinedMax &&
                     text.size() >= open.join_at &&
                     text.substr(open.join_at, open.join_key->size()) == *open.join_key;
  if (!joins) return {true, false, false};
  ++open.joined;
  look_for_join(text);
  return {};
}

std::optional<Record> RecordFramer::State::add(const Piece& line) {
  std::uint64_t undecodable = 0;
  const std::string_view text = decoded(line.text, undecodable);
  const Role role = role_of(text, open.record.truncated || (open.active && !fits(line)));
  std::optional<Record> done;
  if (role.begins || (open.record.orphan && !fits(line))) {
    if (open.active) done = close();
    begin(line, text, undecodable, role.orphan);
    open.record.context = role.header_only;
    note_end(line, text, true);
  } else {
    append(line, text, undecodable);
    note_end(line, text, false);
  }
  return done;
}

void RecordFramer::State::note_end(const Piece& line, std::string_view text, bool begins) {
  if (!structured) {
    if (begins) look_for_join(text);
    return;
  }
  // An orphan is over when something begins; blank lines between records are one each.
  if (open.record.orphan) {
    open.complete = settings.shape.kind != RecordKind::kXml;
    return;
  }
  open.complete = structured->add(text, begins, line.cut, line.at_tag);
}

void RecordFramer::State::look_for_join(std::string_view text) {
  open.join_key.reset();
  if (!tests.join_key || open.record.orphan) return;
  const std::string_view key = tests.join_key(text);
  if (key.data() == nullptr) return;
  open.join_key.emplace(key);
  open.join_at = static_cast<std::size_t>(key.data() - text.data());
}

bool RecordFramer::State::fits(const Piece& line) const {
  return !open.record.truncated && open.record.lines < settings.lines_max &&
         open.kept_text_bytes + line.text.size() <= cutter.text_max();
}

void RecordFramer::State::begin(const Piece& line, std::string_view text, std::uint64_t undecodable,
                                bool orphan) {
  open = Open{};
  open.active = true;
  open.record.text.assign(text);
  open.record.offset = low_water_offset();
  open.record.bytes = line.bytes;
  open.record.truncated = line.cut;
  open.record.orphan = orphan;
  open.record.read_at = last_input;
  open.kept_text_bytes = line.text.size();
  open.dropped_bytes = line.dropped;
  open.lines_truncated = line.cut ? 1 : 0;
  open.undecodable_bytes = undecodable;
}

void RecordFramer::State::append(const Piece& line, std::string_view text,
                                 std::uint64_t undecodable) {
  const bool in_line = structured && structured->in_line();
  if (fits(line)) {
    if (!in_line) open.record.text.append(1, '\n');
    open.record.text.append(text);
    open.kept_text_bytes += line.text.size();
    open.dropped_bytes += line.dropped;
    open.record.truncated = line.cut;
    open.lines_truncated += line.cut ? 1 : 0;
    open.undecodable_bytes += undecodable;
  } else {
    std::size_t keep = 0;
    if (!open.record.truncated && open.record.lines < settings.lines_max) {
      keep = cutter.whole_characters(line.text, cutter.text_max() - open.kept_text_bytes);
      if (keep > 0 && !in_line) open.record.text.append(1, '\n');
      decode_to(open.record.text, *cutter.encoding(), settings.encodings, line.text.substr(0, keep),
                open.undecodable_bytes);
      open.kept_text_bytes += keep;
    }
    open.record.truncated = true;
    open.dropped_bytes += line.bytes - keep;
    open.lines_truncated += 1;
  }
  open.record.bytes += line.bytes;
  open.record.lines += in_line ? 0 : 1;
}

// The rest of a line that was cut, or padding. Padding with no record in front of it is counted at
// once: the next record begins behind it, whenever idle() was called.
void RecordFramer::State::skip(const Piece& piece) {
  const bool padding = piece.kind == LineCutter::Kind::kPadding;
  if (open.active) {
    open.record.bytes += piece.bytes;
    open.dropped_bytes += piece.bytes;
    if (padding) open.padding_bytes += piece.bytes;
  } else {
    stats.dropped_bytes += piece.bytes;
    if (padding) stats.padding_bytes += piece.bytes;
  }
}

Record RecordFramer::State::close() {
  stats.record_bytes += open.record.bytes - open.dropped_bytes;
  stats.dropped_bytes += open.dropped_bytes;
  stats.padding_bytes += open.padding_bytes;
  stats.lines += open.record.lines;
  stats.lines_truncated += open.lines_truncated;
  stats.undecodable_bytes += open.undecodable_bytes;
  open.active = false;
  if (structured) structured->finish(open.record, tests);
  stats.records_malformed += open.record.malformed ? 1 : 0;
  return std::exchange(open.record, Record{});
}

RecordFramer::RecordFramer(Settings settings, LineTests tests, std::uint64_t offset)
    : state_{std::make_unique<State>(std::move(settings), std::move(tests), offset)} {}

RecordFramer::RecordFramer(Settings settings,
                           std::function<bool(std::string_view line)> starts_record,
                           std::uint64_t offset)
    : RecordFramer{std::move(settings), LineTests{std::move(starts_record), {}, {}}, offset} {}

RecordFramer::~RecordFramer() = default;
RecordFramer::RecordFramer(RecordFramer&&) noexcept = default;
RecordFramer& RecordFramer::operator=(RecordFramer&&) noexcept = default;

void RecordFramer::feed(std::string_view chunk, Instant now) {
  if (chunk.empty()) return;
  State& s = *state_;
  s.cutter.feed(chunk);
  s.stats.bytes_fed += chunk.size();
  s.last_input = now;
  s.complete_open = false;
  s.finished = false;
}

std::optional<Record> RecordFramer::next() {
  State& s = *state_;
  while (true) {
    // A line whose tail is being skipped has not ended, so its record has not either.
    if (s.open.active && s.open.complete && !s.cutter.in_tail()) return s.close();
    const std::optional<Piece> piece = s.cutter.next();
    if (!piece) break;
    if (piece->kind != LineCutter::Kind::kLine) {
      s.skip(*piece);
    } else if (std::optional<Record> record = s.add(*piece)) {
      return record;
    }
  }
  if (s.open.active && (s.finished || (s.complete_open && !s.cutter.in_tail()))) return s.close();
  return std::nullopt;
}

void RecordFramer::idle(Instant now) {
  State& s = *state_;
  if (now < s.last_input) s.last_input = now;  // the wall clock was set back: count anew
  if (now - s.last_input >= s.settings.idle) s.complete_open = true;
}

void RecordFramer::finish() {
  state_->finished = true;
  state_->cutter.finish();
}

std::uint64_t RecordFramer::low_water() const {
  return state_->low_water_offset();
}

std::uint64_t RecordFramer::pending_bytes() const {
  const Stats& stats = state_->stats;
  return stats.bytes_fed - stats.record_bytes - stats.dropped_bytes;
}

const RecordFramer::Stats& RecordFramer::stats() const {
  return state_->stats;
}

std::optional<Encoding> RecordFramer::encoding() const {
  return state_->cutter.encoding();
}

void RecordFramer::set_encoding(Encoding encoding) {
  state_->cutter.set_encoding(encoding);
}

std::string RecordFramer::carried() const {
  return state_->structured ? state_->structured->carried() : "";
}

void RecordFramer::set_carried(std::string_view carried) {
  if (state_->structured) state_->structured->set_carried(carried);
}

}  // namespace meldevakt::agent
