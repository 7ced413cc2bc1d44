// A rule pack that anybody wrote: refused with file and reason, or loaded and able to check its own
// samples.
#include "agent/recognise/pack.h"
#include "common/base/check.h"
#include "tests/fuzz/input.h"

int fuzz_pack(const std::uint8_t* data, std::size_t size) {
  const auto pack =
      meldevakt::agent::load_pack(meldevakt::fuzz::text_of(data, size), "fuzz.rules.toml");
  if (!pack) {
    MELDEVAKT_CHECK(pack.error().message().rfind("fuzz.rules.toml", 0) == 0);
    return 0;
  }
  (void)meldevakt::agent::check_samples(*pack.value());
  return 0;
}
