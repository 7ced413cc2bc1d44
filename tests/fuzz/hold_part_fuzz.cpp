// Parts, manifests and rows of holds as somebody may have left them on disk.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/hold/hold_part.h"
#include "common/base/check.h"

int fuzz_hold_part(const std::uint8_t* data, std::size_t size);

namespace agent = meldevakt::agent;

int fuzz_hold_part(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto head = agent::read_part_head(bytes);
  if (head) {
    MELDEVAKT_CHECK(head.value().size <= size);
    MELDEVAKT_CHECK(head.value().plain_bytes <= agent::kHoldPartBytes);
  }
  // The key of the seeds, so that some of what is tried gets past the seal.
  const std::string key(32, '\x11');
  const auto opened = agent::decode_part(bytes, key);
  if (opened)
    MELDEVAKT_CHECK(head.has_value() && opened.value().size() == head.value().plain_bytes);
  if (const auto hold = agent::decode_hold(bytes)) {
    MELDEVAKT_CHECK(agent::decode_hold(agent::encode_hold(hold.value())).has_value());
  }
  if (const auto manifest = agent::decode_manifest(bytes)) {
    MELDEVAKT_CHECK(agent::decode_manifest(agent::encode_manifest(manifest.value())).has_value());
  }
  return 0;
}
