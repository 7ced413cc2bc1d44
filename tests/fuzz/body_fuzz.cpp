// What is accepted as a body survives being written and read again.
#include "common/base/check.h"
#include "common/summary/fact.h"
#include "tests/fuzz/input.h"

int fuzz_body(const std::uint8_t* data, std::size_t size) {
  const auto body = meldevakt::decode_body(meldevakt::fuzz::text_of(data, size));
  if (!body) return 0;
  const auto again = meldevakt::decode_body(meldevakt::encode_body(body.value()));
  MELDEVAKT_CHECK(again && again.value() == body.value());
  return 0;
}
