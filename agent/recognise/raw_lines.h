// Lines in raw bytes, found forwards and backwards without decoding them. Private to
// agent/recognise. Thread-safety: pure functions. In UTF-16LE (`unit` 2) the text begins with a
// whole unit, and places are at whole units.
#pragma once

#include <cstddef>
#include <string_view>

namespace meldevakt::agent {

// Behind the line end at or after `from`; npos when there is none.
[[nodiscard]] std::size_t next_line(std::string_view text, std::size_t from, std::size_t unit);

// Where the line that holds the place before `before` begins: behind the last line end that ends
// before that place, or 0. REQUIRES: before > 0.
[[nodiscard]] std::size_t line_begin(std::string_view text, std::size_t before, std::size_t unit);

// The line that begins at `from`, at most `bytes_max` of it, without its end and one "\r" before
// it.
[[nodiscard]] std::string_view line_text(std::string_view text, std::size_t from,
                                         std::size_t bytes_max, std::size_t unit);

}  // namespace meldevakt::agent
