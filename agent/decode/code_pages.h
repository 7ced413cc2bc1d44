// The upper halves of 8-bit code pages. Private to agent/decode. Thread-safety: constants.
#pragma once

#include <array>
#include <cstdint>

#include "agent/decode/encoding.h"

namespace meldevakt::agent {

// Code points of the bytes 80 to FF; 0 where the page has none.
using CodePage = std::array<std::uint16_t, 128>;

// nullptr for encodings that are no 8-bit code page.
[[nodiscard]] const CodePage* code_page(Encoding encoding);

}  // namespace meldevakt::agent
