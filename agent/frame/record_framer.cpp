#include "agent/frame/record_framer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/check.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kNowhere = std::string_view::npos;

// A line as stored.
struct Line {
  std::string_view text;    // without terminator, cut at the bound
  std::size_t bytes = 0;    // consumed for it so far, terminator included
  std::size_t dropped = 0;  // of `bytes`, beyond the bound
  bool cut = false;
};

// Bytes of the longest prefix of `text` that is at most `max` long and ends between characters.
std::size_t whole_characters(Encoding encoding, std::string_view text, std::size_t max) {
  if (text.size() <= max) return text.size();
  const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  std::size_t end = max;
  if (encoding == Encoding::kUtf16Le) {
    end -= end % 2;
    const bool high_surrogate = end >= 2 && (byte(end - 1) & 0xFC) == 0xD8;
    return high_surrogate ? end - 2 : end;
  }
  if (encoding == Encoding::kUtf8) {
    for (std::size_t back = 0; back < 3 && end > 0 && (byte(end) & 0xC0) == 0x80; ++back) --end;
    if ((byte(end) & 0xC0) == 0x80) return max;  // not UTF-8: any place is as good
  }
  return end;
}

}  // namespace

struct RecordFramer::State {
  // The record that lines are being added to, and what its return will add to the counters.
  struct Open {
    bool active = false;
    Record record;
    std::uint64_t kept_text_bytes = 0;  // stored bytes of the text kept
    std::uint64_t dropped_bytes = 0;
    std::uint64_t lines_truncated = 0;
    std::uint64_t undecodable_bytes = 0;
  };

  Settings settings;
  std::function<bool(std::string_view)> starts_record;
  std::uint64_t first_offset = 0;
  std::uint64_t buffer_offset = 0;  // file offset of buffer[0]
  std::string buffer;
  std::size_t consumed = 0;   // prefix of buffer that lines have taken
  std::size_t searched = 0;   // no line ends in buffer[consumed, searched)
  std::size_t bom_bytes = 0;  // consumed, to be counted into the next record
  std::optional<Encoding> encoding;
  bool skipping = false;  // inside the dropped tail of a line that was cut
  bool finished = false;
  bool complete_open = false;  // idle() said so
  Instant last_input;
  Open open;
  std::string scratch;  // decoded line, kept for its capacity
  Stats stats;

  [[nodiscard]] std::size_t unit() const { return encoding == Encoding::kUtf16Le ? 2 : 1; }
  [[nodiscard]] std::size_t text_max() const {
    return std::max<std::size_t>(settings.record_bytes_max, 4) / unit() * unit();
  }

  [[nodiscard]] std::uint64_t low_water_offset() const {
    return first_offset + stats.record_bytes + stats.dropped_bytes;
  }
  bool decide_encoding();
  [[nodiscard]] std::size_t find_newline(std::size_t from) const;
  std::optional<Line> take_line();
  Line take_unterminated(std::string_view rest, bool cut);
  bool skip_tail();
  std::string_view decoded(std::string_view stored, std::uint64_t& undecodable_bytes);
  std::optional<Record> add(const Line& line);
  void begin(const Line& line, std::string_view text, std::uint64_t undecodable, bool orphan);
  void append(const Line& line, std::string_view text, std::uint64_t undecodable);
  [[nodiscard]] bool fits(const Line& line) const;
  Record close();
};

// False while the first bytes may still become a byte order mark.
bool RecordFramer::State::decide_encoding() {
  if (encoding) return true;
  if (buffer.empty() && !finished) return false;
  const std::string_view first = buffer;
  const bool may_be_mark = std::string_view{"\xEF\xBB\xBF"}.substr(0, first.size()) == first ||
                           std::string_view{"\xFF\xFE"}.substr(0, first.size()) == first;
  const Detected found = detect(first, settings.encodings);
  if (may_be_mark && found.bom_bytes == 0 && !finished) return false;
  encoding = found.encoding;
  bom_bytes = found.bom_bytes;
  consumed = bom_bytes;
  searched = bom_bytes;
  return true;
}

// Position of the first line end at or after `from`; in UTF-16 only at whole code units of the
// file.
std::size_t RecordFramer::State::find_newline(std::size_t from) const {
  if (unit() == 1) return buffer.find('\n', from);
  for (std::size_t at = from; (at = buffer.find('\n', at)) != kNowhere; ++at) {
    if (at + 1 >= buffer.size()) return kNowhere;
    if ((buffer_offset + at) % 2 == 0 && buffer[at + 1] == '\0') return at;
  }
  return kNowhere;
}

std::optional<Line> RecordFramer::State::take_line() {
  const std::string_view rest = std::string_view{buffer}.substr(consumed);
  const std::size_t newline = find_newline(std::max(searched, consumed));
  const std::string_view carriage_return = std::string_view{"\r\0", 2}.substr(0, unit());
  if (newline == kNowhere) {
    // The last unit may be half here, so the next search looks at it again.
    searched = std::max(consumed, buffer.size() - std::min(buffer.size(), unit() - 1));
    if (finished && !rest.empty()) return take_unterminated(rest, false);
    // One unit more than the bound may be a "\r" whose "\n" has not come yet: wait for it, so that
    // a line of exactly the bound is not called cut because of where a chunk ended.
    const std::size_t wait_max =
        text_max() + (rest.substr(std::min(text_max(), rest.size()), unit()) == carriage_return
                          ? 2 * unit() - 1
                          : unit() - 1);
    if (rest.size() <= wait_max) return std::nullopt;
    return take_unterminated(rest, true);
  }
  Line line;
  line.bytes = newline - consumed + unit();
  line.text = rest.substr(0, newline - consumed);
  if (line.text.size() >= unit() &&
      line.text.substr(line.text.size() - unit()) == carriage_return) {
    line.text.remove_suffix(unit());
  }
  const std::size_t keep = whole_characters(*encoding, line.text, text_max());
  line.cut = keep < line.text.size();
  if (line.cut) line.dropped = line.bytes - keep;
  line.text = line.text.substr(0, keep);
  consumed += line.bytes;
  return line;
}

// A line whose end is not here: the last of a finished file, or (`cut`) the first part of one that
// is over the bound, whose rest is then skipped.
Line RecordFramer::State::take_unterminated(std::string_view rest, bool cut) {
  Line line;
  const std::size_t keep = whole_characters(*encoding, rest, text_max());
  line.text = rest.substr(0, keep);
  line.cut = keep < rest.size();
  line.bytes = cut ? keep : rest.size();
  line.dropped = line.bytes - keep;
  skipping = cut;
  consumed += line.bytes;
  return line;
}

// Drops up to and including the next line end; false when it has not come yet.
bool RecordFramer::State::skip_tail() {
  const std::size_t newline = find_newline(std::max(searched, consumed));
  std::size_t end = buffer.size();
  if (newline != kNowhere) {
    end = newline + unit();
  } else if (!finished) {
    const std::size_t whole = (buffer_offset + end) % unit();  // keep the half of a code unit
    end = std::max(consumed, end - std::min(end, whole));
  }
  open.dropped_bytes += end - consumed;
  open.record.bytes += end - consumed;
  consumed = end;
  searched = end;
  skipping = newline == kNowhere && !finished;
  return !skipping;
}

std::string_view RecordFramer::State::decoded(std::string_view stored,
                                              std::uint64_t& undecodable_bytes) {
  const bool as_it_is = encoding == Encoding::kUtf8 ? valid_utf8_bytes(stored) == stored.size()
                                                    : unit() == 1 && is_ascii(stored);
  if (as_it_is) return stored;
  scratch.clear();
  decode_to(scratch, *encoding, settings.encodings, stored, undecodable_bytes);
  return scratch;
}

std::optional<Record> RecordFramer::State::add(const Line& line) {
  std::uint64_t undecodable = 0;
  const std::string_view text = decoded(line.text, undecodable);
  const bool starts = starts_record(text);
  if (open.active && !starts && (!open.record.orphan || fits(line))) {
    append(line, text, undecodable);
    return std::nullopt;
  }
  std::optional<Record> done;
  if (open.active) done = close();
  begin(line, text, undecodable, !starts);
  return done;
}

bool RecordFramer::State::fits(const Line& line) const {
  return !open.record.truncated && open.record.lines < settings.lines_max &&
         open.kept_text_bytes + line.text.size() <= text_max();
}

void RecordFramer::State::begin(const Line& line, std::string_view text, std::uint64_t undecodable,
                                bool orphan) {
  open.active = true;
  open.record.text.assign(text);
  open.record.offset = low_water_offset();
  open.record.bytes = line.bytes + bom_bytes;
  open.record.lines = 1;
  open.record.truncated = line.cut;
  open.record.orphan = orphan;
  open.kept_text_bytes = line.text.size();
  open.dropped_bytes = line.dropped;
  open.lines_truncated = line.cut ? 1 : 0;
  open.undecodable_bytes = undecodable;
  bom_bytes = 0;
}

void RecordFramer::State::append(const Line& line, std::string_view text,
                                 std::uint64_t undecodable) {
  if (fits(line)) {
    open.record.text.append(1, '\n').append(text);
    open.kept_text_bytes += line.text.size();
    open.dropped_bytes += line.dropped;
    open.record.truncated = line.cut;
    open.lines_truncated += line.cut ? 1 : 0;
    open.undecodable_bytes += undecodable;
  } else {
    std::size_t keep = 0;
    if (!open.record.truncated && open.record.lines < settings.lines_max) {
      keep = whole_characters(*encoding, line.text, text_max() - open.kept_text_bytes);
      if (keep > 0) open.record.text.append(1, '\n');
      decode_to(open.record.text, *encoding, settings.encodings, line.text.substr(0, keep),
                open.undecodable_bytes);
      open.kept_text_bytes += keep;
    }
    open.record.truncated = true;
    open.dropped_bytes += line.bytes - keep;
    open.lines_truncated += 1;
  }
  open.record.bytes += line.bytes;
  open.record.lines += 1;
}

Record RecordFramer::State::close() {
  stats.record_bytes += open.record.bytes - open.dropped_bytes;
  stats.dropped_bytes += open.dropped_bytes;
  stats.lines += open.record.lines;
  stats.lines_truncated += open.lines_truncated;
  stats.undecodable_bytes += open.undecodable_bytes;
  open.active = false;
  return std::exchange(open.record, Record{});
}

RecordFramer::RecordFramer(Settings settings,
                           std::function<bool(std::string_view line)> starts_record,
                           std::uint64_t offset)
    : state_{std::make_unique<State>()} {
  state_->settings = std::move(settings);
  state_->starts_record = std::move(starts_record);
  state_->first_offset = offset;
  state_->buffer_offset = offset;
  if (offset > 0) state_->encoding = detect("", state_->settings.encodings).encoding;
}

RecordFramer::~RecordFramer() = default;
RecordFramer::RecordFramer(RecordFramer&&) noexcept = default;
RecordFramer& RecordFramer::operator=(RecordFramer&&) noexcept = default;

void RecordFramer::feed(std::string_view chunk, Instant now) {
  if (chunk.empty()) return;
  State& s = *state_;
  // The mark is looked for in the first bytes of the buffer, so they stay until it is decided.
  if (s.encoding && s.consumed > 0) {
    s.buffer.erase(0, s.consumed);
    s.buffer_offset += s.consumed;
    s.searched -= std::min(s.searched, s.consumed);
    s.consumed = 0;
  }
  s.buffer.append(chunk);
  s.stats.bytes_fed += chunk.size();
  s.last_input = now;
  s.complete_open = false;
  s.finished = false;
}

std::optional<Record> RecordFramer::next() {
  State& s = *state_;
  if (!s.decide_encoding()) return std::nullopt;
  while (true) {
    if (s.skipping && !s.skip_tail()) break;
    const std::optional<Line> line = s.take_line();
    if (!line) break;
    if (std::optional<Record> record = s.add(*line)) return record;
  }
  // A file of nothing but a byte order mark is one empty record: its bytes are accounted for too.
  if (s.finished && s.bom_bytes > 0) s.begin(Line{}, "", 0, true);
  // A line that is being skipped has not ended, so its record has not either.
  if (s.open.active && (s.finished || (s.complete_open && !s.skipping))) return s.close();
  return std::nullopt;
}

void RecordFramer::idle(Instant now) {
  State& s = *state_;
  if (now < s.last_input) s.last_input = now;  // the wall clock was set back: count anew
  if (now - s.last_input >= s.settings.idle) s.complete_open = true;
}

void RecordFramer::finish() {
  state_->finished = true;
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
  return state_->encoding;
}

void RecordFramer::set_encoding(Encoding encoding) {
  state_->encoding = encoding;
}

}  // namespace meldevakt::agent
