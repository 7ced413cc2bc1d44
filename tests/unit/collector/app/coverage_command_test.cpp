#include "collector/app/coverage_command.h"

#include <doctest/doctest.h>

#include "tests/unit/collector/app/live_world.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::LiveWorld;

TEST_CASE("coverage: a source nobody told of is refused, an agent that told of nothing is listed") {
  LiveWorld world;
  world.send(world.agent, {}, -3600, 3600);
  Config config;
  config.data = world.folder / "";
  CoverageOptions options;
  options.tenant = "t1";
  options.from = to_rfc3339(at(0));
  options.until = to_rfc3339(at(60));
  options.now = at(7200);
  const auto told = tell_coverage(config, options);
  REQUIRE(told);
  CHECK(told.value().complete);
  options.source = "trase";
  const auto misprint = tell_coverage(config, options);
  REQUIRE_FALSE(misprint);
  CHECK(misprint.error().message() ==
        "--source: no agent ever told of a source 'trase'; did you mean 'trace'?");
  options.source = "trace";
  CHECK(tell_coverage(config, options).value().complete);
  options.tenant = "t2";  // its agent enrolled, and that is all
  CHECK_FALSE(tell_coverage(config, options));
  options.source = "";
  const auto wordless = tell_coverage(config, options);
  REQUIRE(wordless);
  CHECK_FALSE(wordless.value().complete);
  CHECK(wordless.value().text.find("Agent " + world.other.id() + " is silent since ") !=
        std::string::npos);
}

}  // namespace
}  // namespace meldevakt::collector
