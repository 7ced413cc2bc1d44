#include "agent/recognise/record_bounds.h"

#include <algorithm>
#include <utility>

#include "agent/recognise/raw_lines.h"

namespace meldevakt::agent {
namespace {

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

}  // namespace

RecordBounds::RecordBounds(const Pack& pack, LineTests tests)
    : declared_{pack.encodings},
      line_bytes_max_{pack.record_bytes_max},
      line_is_record_{is_structured(pack.shape.kind)},
      tests_{std::move(tests)} {}

bool RecordBounds::can_enter(const Pack& pack, Encoding encoding) {
  const RecordKind kind = pack.shape.kind;
  return (kind == RecordKind::kLines || kind == RecordKind::kJsonLines) &&
         encoding != Encoding::kUtf16Be;
}

void RecordBounds::set(std::string_view text, Encoding encoding) {
  text_ = text;
  encoding_ = encoding;
  unit_ = unit_bytes(encoding);
}

std::string_view RecordBounds::line_at(std::size_t at) {
  std::string_view stored = line_text(text_, at, line_bytes_max_, unit_);
  if (encoding_ == Encoding::kUtf8 && stored.substr(0, kUtf8Mark.size()) == kUtf8Mark) {
    stored.remove_prefix(kUtf8Mark.size());  // of a file that was appended to another
  }
  if (unit_ == 1 && is_ascii(stored)) return stored;
  scratch_.clear();
  std::uint64_t undecodable = 0;
  decode_to(scratch_, encoding_, declared_, stored, undecodable);
  return scratch_;
}

bool RecordBounds::begins(std::size_t at) {
  if (line_is_record_) return true;
  const std::string_view line = line_at(at);
  if (tests_.header_only && tests_.header_only(line)) return true;
  if (tests_.starts && tests_.starts(line)) return true;
  // What stands under a header of its own is a record, whatever it looks like.
  return tests_.header_only && at > 0 && tests_.header_only(line_at(line_begin(text_, at, unit_)));
}

std::size_t RecordBounds::record_of(std::size_t place, std::size_t from) {
  std::size_t begin = place + unit_;
  while (begin > from) {
    begin = line_begin(text_, begin, unit_);
    if (begin <= from || begins(begin)) break;
  }
  return std::max(begin, from);
}

std::size_t RecordBounds::next_record(std::size_t begin, std::size_t stop) {
  std::size_t next = next_line(text_, begin, unit_);
  while (next < stop && !begins(next)) next = next_line(text_, next, unit_);
  return std::min(next, stop);
}

bool RecordBounds::is_joined(std::size_t record, std::size_t next) {
  if (!tests_.join_key) return false;
  const std::string_view first = line_at(record);
  const bool has_header =
      (!tests_.header_only || !tests_.header_only(first)) && tests_.starts && tests_.starts(first);
  if (!has_header) return false;
  const std::string_view key = tests_.join_key(first);
  if (key.data() == nullptr) return false;
  const std::string wanted{key};
  const auto place = static_cast<std::size_t>(key.data() - first.data());
  const std::string_view line = line_at(next);
  return line.size() >= place && line.substr(place, wanted.size()) == wanted;
}

std::size_t RecordBounds::chain_begin(std::size_t record, std::size_t from) {
  while (tests_.join_key && record > from) {
    const std::size_t before = record_of(record - unit_, from);
    if (!is_joined(before, record)) break;
    record = before;
  }
  return record;
}

std::size_t RecordBounds::begin_of(std::size_t place, std::size_t from) {
  return chain_begin(record_of(place, from), from);
}

std::size_t RecordBounds::end_of(std::size_t begin, std::size_t stop) {
  std::size_t next = next_record(begin, stop);
  while (next < stop && is_joined(begin, next)) {
    begin = next;
    next = next_record(begin, stop);
  }
  return next;
}

std::size_t RecordBounds::last(std::size_t complete, std::size_t from, std::size_t searched) {
  for (std::size_t at = complete; at > std::max(from, searched);) {
    at = line_begin(text_, at, unit_);
    if (at <= from) break;
    if (begins(at)) return chain_begin(at, from);
  }
  return from;
}

}  // namespace meldevakt::agent
