// Never run by itself: what tests/main.cpp does with a test case that hangs (ctest: hung_canary).
#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <string>

#include "tests/support/child_program.h"

namespace meldevakt {
namespace {

TEST_CASE("hung canary" * doctest::skip()) {
  const std::string sleep = "/bin/sleep";
  CHECK(testing::wait_for_end(testing::start_child({sleep, "3600"}, "", "/dev/null"),
                              std::chrono::hours{1}) == 0);
}

TEST_CASE("child_program: its status, the signal that ended it, and that it hangs") {
  const auto end_of = [](const std::string& words, std::chrono::milliseconds patience) {
    return testing::wait_for_end(
        testing::start_child({"/bin/sh", "-c", words}, "/dev/null", "/dev/null"), patience);
  };
  CHECK(end_of("exit 7", testing::kChildPatience) == 7);
  CHECK(end_of("kill -TERM $$", testing::kChildPatience) == 128 + SIGTERM);
  CHECK(end_of("exec sleep 3600", std::chrono::milliseconds{50}) == testing::kChildHung);
  CHECK(testing::wait_for_end(testing::start_child({"/not/there"}, "", "/dev/null")) == 127);
}

}  // namespace
}  // namespace meldevakt
