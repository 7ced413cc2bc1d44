#include "agent/app/collector_connection.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>

#include "tests/unit/agent/temp_folder.h"

namespace meldevakt::agent {
namespace {

TEST_CASE("collector connection: the configuration's address counts, else the invitation's") {
  Config config;
  TenantRow tenant;
  tenant.collector = "https://innboden.example:8443";
  CHECK(collector_url(config, tenant) == "https://innboden.example:8443");
  config.collector = "https://kollektor.example:8443";
  CHECK(collector_url(config, tenant) == "https://kollektor.example:8443");
}

TEST_CASE("collector connection: a key that others can read is refused, whoever asks") {
  meldevakt::testing::TempFolder folder;
  const StateFiles files{folder / "."};
  Config config;
  config.collector = "https://127.0.0.1:8443";
  folder.write("authority.crt", "not looked at yet");
  folder.write("tls.key", "not looked at yet");
  const std::string key = files.tls_key("");
  REQUIRE(::chmod(key.c_str(), 0644) == 0);
  const auto open = connect_collector(config, files, TenantRow{});
  REQUIRE_FALSE(open);
  CHECK(open.error().code() == Errc::kInvalid);
  CHECK(open.error().message().find(key) != std::string::npos);
  REQUIRE(::chmod(key.c_str(), 0600) == 0);
  // Now it is the certificates that are none, or nothing is wrong before the first question.
  const auto later = connect_collector(config, files, TenantRow{});
  if (!later) CHECK(later.error().message() != open.error().message());
}

}  // namespace
}  // namespace meldevakt::agent
