// Four bytes of declared size, then what is to be unpacked: never more and never less than
// declared.
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/limits.h"
#include "common/pack/pack.h"
#include "tests/fuzz/input.h"

int fuzz_unpack(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = meldevakt::fuzz::text_of(data, size);
  if (input.size() < 4) return 0;
  const std::uint32_t declared = meldevakt::read_u32(input);
  const auto plain = meldevakt::unpack(input.substr(4), declared);
  if (plain) MELDEVAKT_CHECK(plain.value().size() == declared);
  MELDEVAKT_CHECK(!plain || declared <= meldevakt::limits::kBodyPlainBytesMax);
  return 0;
}
