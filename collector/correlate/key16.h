// Sixteen bytes for the 32 hexadecimal digits of ids and references. Pure. Thread-safety: pure
// functions.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace meldevakt::collector {

using Key16 = std::array<std::uint8_t, 16>;

// Of 32 lower-case hexadecimal digits, with or without the hyphens of a UUID. REQUIRES: it is that.
[[nodiscard]] Key16 key_of(std::string_view text);
[[nodiscard]] std::string hex_of(const Key16& key);
[[nodiscard]] std::string uuid_of(const Key16& key);
// Spread, whatever the key: ids are random or keyed hashes as a rule, but nobody promises that.
[[nodiscard]] std::uint64_t hash_of(const Key16& key, std::uint64_t salt);

}  // namespace meldevakt::collector
