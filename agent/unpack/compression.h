// Which compressed form a file has, by its first bytes: names are only hints.
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace meldevakt::agent {

enum class Compression : std::uint8_t { kGzip, kBzip2, kZstandard, kZip };

// RFC 1952, bzip2's "BZh", RFC 8878 (skippable frames too), PKWARE's local file header.
[[nodiscard]] std::optional<Compression> compression_of(std::string_view first_bytes);
inline constexpr std::size_t kCompressionBytes = 4;  // what compression_of needs to see

[[nodiscard]] std::string_view to_string(Compression compression);

}  // namespace meldevakt::agent
