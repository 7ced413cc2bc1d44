// Cuts the stored bytes of a file into lines, in any encoding, without decoding them.
//
//   LineCutter cutter{settings, offset};
//   cutter.feed(chunk);
//   while (auto piece = cutter.next()) ...       // views are valid until the next feed()
//
// What comes out does not depend on where chunks are cut. Every byte fed is in exactly one piece,
// or waits. A line ends at "\n" (one "\r" before it belongs to the end), behind `end_tag` if there
// is one, and before NUL padding. A byte order mark at a line's beginning is no text; it may change
// the encoding from there on. In UTF-16 a line end at an odd place ("\r\n" as four bytes) shows
// that a byte was lost: the units are counted from there anew.
//
// Bounds: text of text_bytes_max bytes; the rest of a longer line is dropped, as kTail pieces.
// Memory: one such line and a chunk; NUL bytes are counted, not kept.
// Private to agent/frame. Thread-safety: none. Errors: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/decode/encoding.h"

namespace meldevakt::agent {

class LineCutter {
 public:
  // NUL bytes: so many in a row are padding of a preallocated file or the hole a crash left; fewer
  // are text.
  static constexpr std::size_t kPaddingBytesMin = 16;

  struct Settings {
    std::vector<Encoding> encodings;  // tried in order; a byte order mark decides
    std::size_t text_bytes_max = 256 * 1024;
    std::string end_tag;  // ASCII, e.g. "</msg>"; "" for none
  };

  enum class Kind : std::uint8_t {
    kLine,
    kTail,     // of the line before, beyond the bound
    kPadding,  // NUL bytes
  };
  struct Piece {
    Kind kind = Kind::kLine;
    std::string_view text;    // kLine: as stored, without mark and end, cut at the bound
    std::size_t bytes = 0;    // of the file
    std::size_t dropped = 0;  // kLine: of `bytes`, beyond the bound
    bool cut = false;         // kLine: `text` is a prefix
    bool at_tag = false;      // kLine: ended by an end tag; what comes next stands in the same line
  };

  LineCutter(Settings settings, std::uint64_t offset);

  // REQUIRES: next() returned nullopt since the last feed.
  void feed(std::string_view chunk);
  void finish() { finished_ = true; }  // no more will come
  [[nodiscard]] std::optional<Piece> next();

  // The last line's end has not come: more kTail pieces will.
  [[nodiscard]] bool in_tail() const { return in_tail_; }
  [[nodiscard]] const std::optional<Encoding>& encoding() const { return encoding_; }
  void set_encoding(Encoding encoding) { encoding_ = encoding; }
  [[nodiscard]] std::size_t text_max() const;
  // Bytes of the longest prefix of `text` that is at most `max` long and ends between characters.
  [[nodiscard]] std::size_t whole_characters(std::string_view text, std::size_t max) const;

 private:
  struct End {
    std::size_t at = 0;     // of the text, in buffer_
    std::size_t bytes = 0;  // of the line end behind it
    bool shifts = false;    // the units of UTF-16 are counted from here anew
    bool tag = false;       // it is an end tag
  };

  [[nodiscard]] std::size_t unit() const { return unit_bytes(*encoding_); }
  [[nodiscard]] bool is_aligned(std::size_t at) const {
    return (buffer_offset_ + at - aligned_at_) % unit() == 0;
  }
  bool decide_encoding();
  std::optional<Piece> take_padding();
  bool take_mark();
  [[nodiscard]] std::optional<End> find_end(std::size_t from) const;
  [[nodiscard]] std::optional<End> find_newline(std::size_t from) const;
  [[nodiscard]] std::size_t find_tag(std::size_t from, std::size_t to) const;
  [[nodiscard]] std::size_t find_padding(std::size_t from, std::size_t to) const;
  [[nodiscard]] std::size_t zeros_at(std::size_t from) const;
  void remember_searched();
  void pass(const End& end);
  [[nodiscard]] std::optional<Piece> take_tail();
  [[nodiscard]] std::optional<Piece> take_line();
  [[nodiscard]] std::optional<Piece> take_unended(std::string_view rest);

  Settings settings_;
  std::string buffer_;
  std::uint64_t buffer_offset_ = 0;  // file offset of buffer_[0]
  std::uint64_t aligned_at_ = 0;     // a file offset at which a code unit begins
  std::size_t consumed_ = 0;         // prefix of buffer_ that pieces have taken
  std::size_t searched_ = 0;         // no line ends in buffer_[consumed_, searched_)
  std::size_t mark_bytes_ = 0;       // taken in front of the line that comes
  std::size_t held_ = 0;             // NUL bytes taken that are not in a piece yet
  bool at_line_start_ = true;        // marks and padding have not been looked for yet
  bool in_tail_ = false;
  bool finished_ = false;
  std::optional<Encoding> encoding_;
};

}  // namespace meldevakt::agent
