#include "agent/frame/line_cutter.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace meldevakt::agent {
namespace {

constexpr std::size_t kNowhere = std::string_view::npos;
constexpr std::size_t kWordBytes = 8;

// ASCII as stored.
std::string in_encoding(std::string_view ascii, Encoding encoding) {
  if (unit_bytes(encoding) == 1) return std::string{ascii};
  std::string out;
  for (const char c : ascii) {
    if (encoding == Encoding::kUtf16Be) out.push_back('\0');
    out.push_back(c);
    if (encoding == Encoding::kUtf16Le) out.push_back('\0');
  }
  return out;
}

}  // namespace

LineCutter::LineCutter(Settings settings, std::uint64_t offset)
    : settings_{std::move(settings)}, buffer_offset_{offset}, aligned_at_{offset} {
  if (offset > 0) encoding_ = detect("", settings_.encodings).encoding;
}

std::size_t LineCutter::text_max() const {
  const std::size_t unit = encoding_ ? unit_bytes(*encoding_) : 1;
  return std::max<std::size_t>(settings_.text_bytes_max, 4) / unit * unit;
}

std::size_t LineCutter::whole_characters(std::string_view text, std::size_t max) const {
  if (text.size() <= max) return text.size();
  const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  std::size_t end = max;
  if (unit() == 2) {
    end -= end % 2;
    const std::size_t high = *encoding_ == Encoding::kUtf16Le ? 1 : 2;
    const bool high_surrogate = end >= 2 && (byte(end - high) & 0xFC) == 0xD8;
    return high_surrogate ? end - 2 : end;
  }
  if (encoding_ == Encoding::kUtf8) {
    for (std::size_t back = 0; back < 3 && end > 0 && (byte(end) & 0xC0) == 0x80; ++back) --end;
    if ((byte(end) & 0xC0) == 0x80) return max;  // not UTF-8: any place is as good
  }
  return end;
}

void LineCutter::feed(std::string_view chunk) {
  // The mark is looked for in the first bytes of the buffer, so they stay until it is decided.
  if (encoding_ && consumed_ > 0) {
    buffer_.erase(0, consumed_);
    buffer_offset_ += consumed_;
    searched_ -= std::min(searched_, consumed_);
    consumed_ = 0;
  }
  buffer_.append(chunk);
  finished_ = false;
}

std::optional<LineCutter::Piece> LineCutter::next() {
  if (!decide_encoding()) return std::nullopt;
  if (in_tail_) return take_tail();
  if (at_line_start_) {
    if (std::optional<Piece> padding = take_padding()) return padding;
    if (held_ > 0 || !take_mark()) return std::nullopt;
    at_line_start_ = false;
  }
  return take_line();
}

// False while the first bytes may still become a byte order mark.
bool LineCutter::decide_encoding() {
  if (encoding_) return true;
  if (buffer_.empty() && !finished_) return false;
  const std::string_view first = buffer_;
  const auto may_become = [first](std::string_view mark) {
    return mark.substr(0, first.size()) == first;
  };
  const Detected found = detect(first, settings_.encodings);
  const bool undecided =
      may_become("\xEF\xBB\xBF") || may_become("\xFF\xFE") || may_become("\xFE\xFF");
  if (undecided && found.bom_bytes == 0 && !finished_) return false;
  encoding_ = found.encoding;
  return true;
}

std::size_t LineCutter::zeros_at(std::size_t from) const {
  std::size_t end = from;
  while (end < buffer_.size() && buffer_[end] == '\0') ++end;
  return end - from;
}

// NUL bytes at a line's beginning. While they may go on they are held: a preallocated file ends in
// them, and what was not written yet is not to be skipped.
std::optional<LineCutter::Piece> LineCutter::take_padding() {
  std::size_t zeros = zeros_at(consumed_);
  const bool may_go_on = consumed_ + zeros == buffer_.size() && !finished_;
  zeros -= zeros % unit();
  if (zeros == 0 && held_ == 0) return std::nullopt;
  if (held_ + zeros < kPaddingBytesMin) return std::nullopt;
  consumed_ += zeros;
  searched_ = std::max(searched_, consumed_);
  held_ += zeros;
  if (may_go_on) return std::nullopt;
  Piece piece;
  piece.kind = Kind::kPadding;
  piece.bytes = std::exchange(held_, 0);
  return piece;
}

// A byte order mark at a line's beginning; false while the bytes at hand may become one, or NUL
// padding.
bool LineCutter::take_mark() {
  const std::string_view rest = std::string_view{buffer_}.substr(consumed_);
  if (!finished_) {
    if (rest.empty()) return false;
    if (rest.size() < kPaddingBytesMin && zeros_at(consumed_) == rest.size()) return false;
  }
  const LineMark mark = mark_of_line(rest.substr(0, kLineMarkBytesMax), *encoding_, !finished_);
  if (mark.undecided) return false;
  if (mark.bytes == 0) return true;
  if (mark.encoding != *encoding_) {
    encoding_ = mark.encoding;
    aligned_at_ = buffer_offset_ + consumed_;
  }
  mark_bytes_ = mark.bytes;
  consumed_ += mark.bytes;
  searched_ = std::max(searched_, consumed_);
  return true;
}

// --- where a line ends --------------------------------------------------------------------------

std::optional<LineCutter::End> LineCutter::find_newline(std::size_t from) const {
  if (unit() == 1) {
    const std::size_t at = buffer_.find('\n', from);
    if (at == kNowhere) return std::nullopt;
    return End{at, 1, false, false};
  }
  const bool little = *encoding_ == Encoding::kUtf16Le;
  for (std::size_t at = from; (at = buffer_.find('\n', at)) != kNowhere; ++at) {
    if (little ? at + 1 >= buffer_.size() : at < consumed_ + 1) {
      if (little) return std::nullopt;
      continue;
    }
    if (buffer_[little ? at + 1 : at - 1] != '\0') continue;
    const std::size_t begin = little ? at : at - 1;
    if (is_aligned(begin)) return End{begin, 2, false, false};
    const std::string_view before = std::string_view{buffer_}.substr(0, begin);
    const std::string_view carriage_return =
        little ? std::string_view{"\r\0", 2} : std::string_view{"\0\r", 2};
    if (begin >= consumed_ + 2 && before.substr(begin - 2) == carriage_return) {
      return End{begin, 2, true, false};
    }
  }
  return std::nullopt;
}

// Where the text behind the first end tag begins, npos when there is none before `to`.
std::size_t LineCutter::find_tag(std::size_t from, std::size_t to) const {
  if (settings_.end_tag.empty()) return kNowhere;
  const std::string tag = in_encoding(settings_.end_tag, *encoding_);
  const std::string_view text = std::string_view{buffer_}.substr(0, to);
  for (std::size_t at = from; (at = text.find(tag, at)) != kNowhere; ++at) {
    if (is_aligned(at)) return at + tag.size();
  }
  return kNowhere;
}

// The first NUL bytes before `to` that are padding. So many of them hold a whole word wherever
// words are counted from.
std::size_t LineCutter::find_padding(std::size_t from, std::size_t to) const {
  for (std::size_t at = from; at + kWordBytes <= to; at += kWordBytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, buffer_.data() + at, kWordBytes);
    if (word != 0) continue;
    std::size_t begin = at;
    while (begin > from && buffer_[begin - 1] == '\0') --begin;
    while (!is_aligned(begin)) ++begin;
    if (zeros_at(begin) >= kPaddingBytesMin) return begin;
  }
  return kNowhere;
}

std::optional<LineCutter::End> LineCutter::find_end(std::size_t from) const {
  const std::optional<End> newline = find_newline(from);
  const std::size_t to = newline ? newline->at : buffer_.size();
  const std::size_t tag = find_tag(from, to);
  const std::size_t padding = find_padding(from, std::min(tag, to));
  if (padding != kNowhere) return End{padding, 0, false, false};
  if (tag != kNowhere) return End{tag, 0, false, true};
  return newline;
}

// The last bytes may be a part of what ends a line, so the next search looks at them again.
void LineCutter::remember_searched() {
  const std::size_t tag = settings_.end_tag.size() * unit();
  const std::size_t again = std::max<std::size_t>(kPaddingBytesMin + unit(), tag);
  searched_ = std::max(consumed_, buffer_.size() - std::min(buffer_.size(), again));
}

void LineCutter::pass(const End& end) {
  consumed_ = end.at + end.bytes;
  searched_ = consumed_;
  at_line_start_ = true;
  in_tail_ = false;
  if (end.shifts) aligned_at_ = buffer_offset_ + end.at;
}

// --- pieces -------------------------------------------------------------------------------------

// Up to and including the line end; what is here of it when that has not come yet.
std::optional<LineCutter::Piece> LineCutter::take_tail() {
  Piece piece;
  piece.kind = Kind::kTail;
  const std::size_t before = consumed_;
  if (const std::optional<End> end = find_end(std::max(searched_, consumed_))) {
    pass(*end);
  } else if (finished_) {
    pass({buffer_.size(), 0, false, false});
  } else {
    remember_searched();
    std::size_t end_here = searched_;
    while (end_here > consumed_ && !is_aligned(end_here)) --end_here;
    consumed_ = end_here;
  }
  piece.bytes = consumed_ - before;
  if (piece.bytes == 0 && in_tail_) return std::nullopt;
  if (piece.bytes == 0) return next();  // the line ended where padding begins
  return piece;
}

std::optional<LineCutter::Piece> LineCutter::take_line() {
  const std::string_view rest = std::string_view{buffer_}.substr(consumed_);
  const std::optional<End> end = find_end(std::max(searched_, consumed_));
  if (!end) {
    remember_searched();
    return take_unended(rest);
  }
  const std::string_view carriage_return = *encoding_ == Encoding::kUtf16Be
                                               ? std::string_view{"\0\r", 2}
                                               : std::string_view{"\r\0", 2}.substr(0, unit());
  Piece piece;
  piece.text = rest.substr(0, end->at - consumed_);
  piece.bytes = piece.text.size() + end->bytes + std::exchange(mark_bytes_, 0);
  piece.at_tag = end->tag;
  const std::size_t stored = piece.text.size();
  if (end->bytes > 0 && stored >= unit() && piece.text.substr(stored - unit()) == carriage_return) {
    piece.text.remove_suffix(unit());
  }
  const std::size_t keep = whole_characters(piece.text, text_max());
  piece.cut = keep < piece.text.size();
  if (piece.cut) piece.dropped = stored + end->bytes - keep;
  piece.text = piece.text.substr(0, keep);
  pass(*end);
  return piece;
}

// A line whose end is not here: the last of a finished file, or the first part of one that is over
// the bound, whose rest is its tail.
std::optional<LineCutter::Piece> LineCutter::take_unended(std::string_view rest) {
  if (!finished_) {
    // So many bytes more than the bound may be a "\r" whose "\n" has not come yet, or NUL bytes
    // that will be padding: wait for them, so that a line of exactly the bound is not called cut
    // because of where a chunk ended.
    const std::size_t wait_max = text_max() + kPaddingBytesMin + 2 * unit();
    if (rest.size() <= wait_max) return std::nullopt;
  } else if (rest.empty() && mark_bytes_ == 0) {
    at_line_start_ = true;
    return std::nullopt;
  }
  const std::size_t mark = std::exchange(mark_bytes_, 0);
  Piece piece;
  const std::size_t keep = whole_characters(rest, text_max());
  piece.text = rest.substr(0, keep);
  piece.cut = keep < rest.size();
  if (finished_) {
    piece.bytes = rest.size() + mark;
    piece.dropped = rest.size() - keep;
    pass({buffer_.size(), 0, false, false});
    return piece;
  }
  piece.bytes = keep + mark;
  consumed_ += keep;
  in_tail_ = true;
  return piece;
}

}  // namespace meldevakt::agent
