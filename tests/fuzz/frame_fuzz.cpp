// A frame is accepted in one spelling only.
#include "common/base/check.h"
#include "common/summary/frame.h"
#include "tests/fuzz/input.h"

int fuzz_frame(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = meldevakt::fuzz::text_of(data, size);
  const auto frame = meldevakt::decode_frame(bytes);
  if (frame) MELDEVAKT_CHECK(meldevakt::encode_frame(frame.value()) == bytes);
  return 0;
}
