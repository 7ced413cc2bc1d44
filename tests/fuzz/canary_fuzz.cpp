// A target with a false invariant, to show that the harness notices one: that the second byte of
// every input that begins with "m" is "e". Its seed keeps it; a change of the seed breaks it.
#include "common/base/check.h"
#include "tests/fuzz/input.h"

int fuzz_canary(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = meldevakt::fuzz::text_of(data, size);
  MELDEVAKT_CHECK(text.size() < 2 || text[0] != 'm' || text[1] == 'e');
  return 0;
}
