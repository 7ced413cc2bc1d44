#include "common/platform/executable.h"

#include <doctest/doctest.h>

#include "common/platform/disk.h"
#include "common/ports/sha256.h"

namespace meldevakt {
namespace {

TEST_CASE("own_executable_sha256: the hash of the file that runs, the same each time") {
  constexpr std::size_t kProgramBytesMax = 1024 * 1024 * 1024;
  const Result<std::string> bytes = read_file("/proc/self/exe", kProgramBytesMax);
  REQUIRE(bytes.has_value());
  const Result<Sha256> digest = own_executable_sha256();
  REQUIRE(digest.has_value());
  CHECK(digest.value() == sha256(bytes.value()));
  CHECK(own_executable_sha256().value() == digest.value());
}

}  // namespace
}  // namespace meldevakt
