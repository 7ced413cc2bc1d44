// What a fuzz target is given, as the text our functions take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace meldevakt::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace meldevakt::fuzz
