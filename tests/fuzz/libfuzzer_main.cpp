// The door libFuzzer enters by; MELDEVAKT_FUZZ_TARGET is the target's function.
#include <cstddef>
#include <cstdint>

int MELDEVAKT_FUZZ_TARGET(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return MELDEVAKT_FUZZ_TARGET(data, size);
}
