// Where records begin and end in raw bytes, found from any place in their middle: what a
// RecordFramer that had read everything before would say, for the kinds of log that allow it.
//
//   RecordBounds bounds{*pack, recogniser.line_tests()};
//   bounds.set(text, encoding);
//   std::size_t begin = bounds.begin_of(place, from);
//
// A place is a bound when a framer that begins there goes on as one that came from before. Joined
// records are kept together (PACK.md, "Lines"). Private to agent/recognise. Thread-safety: none.
// REQUIRES: can_enter(); `text` begins at an even offset of the file in UTF-16LE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/frame/record_framer.h"
#include "agent/recognise/pack.h"

namespace meldevakt::agent {

class RecordBounds {
 public:
  RecordBounds(const Pack& pack, LineTests tests);

  // Whether records of this pack, in this encoding, can be told without what came before.
  [[nodiscard]] static bool can_enter(const Pack& pack, Encoding encoding);

  void set(std::string_view text, Encoding encoding);
  [[nodiscard]] std::size_t unit() const { return unit_; }

  // Does a record begin with the line here, be it joined to the one before?
  [[nodiscard]] bool begins(std::size_t at);
  // The last bound at or before `place`; `from` is one.
  [[nodiscard]] std::size_t begin_of(std::size_t place, std::size_t from);
  // The first bound behind `begin`, which is one; `stop` when there is none before it.
  [[nodiscard]] std::size_t end_of(std::size_t begin, std::size_t stop);
  // The last bound in the lines that end at `complete`, or `from` when there is none behind it.
  // Only lines that begin at `searched` or later are looked at; those before have none.
  [[nodiscard]] std::size_t last(std::size_t complete, std::size_t from, std::size_t searched);

 private:
  // A line, decoded as far as framing asks.
  [[nodiscard]] std::string_view line_at(std::size_t at);
  [[nodiscard]] std::size_t record_of(std::size_t place, std::size_t from);
  [[nodiscard]] std::size_t next_record(std::size_t begin, std::size_t stop);
  [[nodiscard]] bool is_joined(std::size_t record, std::size_t next);
  [[nodiscard]] std::size_t chain_begin(std::size_t record, std::size_t from);

  std::vector<Encoding> declared_;
  std::size_t line_bytes_max_;
  bool line_is_record_;
  LineTests tests_;
  std::string_view text_;
  Encoding encoding_ = Encoding::kUtf8;
  std::size_t unit_ = 1;
  std::string scratch_;
};

}  // namespace meldevakt::agent
