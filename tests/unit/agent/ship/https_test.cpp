// HttpsTransport against a real TLS server in a thread: whom it trusts, and what it makes of
// answers.
#include "agent/ship/https.h"

#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "common/crypto/crypto.h"
#include "tests/unit/agent/ship/tls_server.h"
#include "tests/unit/agent/temp_folder.h"

namespace meldevakt::agent {
namespace {

using testing::Authority;
using testing::ok;
using testing::Server;

std::unique_ptr<HttpsTransport> transport_to(const std::string& host, std::uint16_t port,
                                             const Authority& authority) {
  HttpsTransport::Settings settings;
  settings.collector = {host, port};
  settings.authority_pem = authority.keys.certificate_pem;
  settings.connect_timeout = seconds(5);
  settings.answer_timeout = seconds(5);
  auto transport = HttpsTransport::create(settings);
  REQUIRE_MESSAGE(transport, (transport ? "" : transport.error().message()));
  return std::move(transport).value();
}

TEST_CASE("HttpsTransport: asks, keeps the connection, and comes back when it went stale") {
  meldevakt::testing::TempFolder folder;
  const Authority authority{"ours"};
  {
    Server server{folder, authority, "127.0.0.1", {ok("one"), ok(""), "", ok("three")}};
    const auto transport = transport_to("127.0.0.1", server.port, authority);
    const auto one = transport->request("POST", "/v1/frames", "x/y", "body");
    REQUIRE_MESSAGE(one, (one ? "" : one.error().message()));
    CHECK(one.value().status == 200);
    CHECK(one.value().body == "one");
    REQUIRE(transport->request("GET", "/v1/head", "", ""));
    const auto three = transport->request("POST", "/v1/frames", "x/y", "again");
    REQUIRE_MESSAGE(three, (three ? "" : three.error().message()));
    CHECK(three.value().body == "three");
    CHECK(server.asked() ==
          "POST /v1/frames HTTP/1.1|body\nGET /v1/head HTTP/1.1|\nPOST /v1/frames "
          "HTTP/1.1|again\nPOST /v1/frames HTTP/1.1|again\n");
  }
}

TEST_CASE("HttpsTransport: trusts its authority, the name in the address, and TLS 1.3 only") {
  meldevakt::testing::TempFolder folder;
  const Authority ours{"ours"};
  const Authority other{"ours"};  // the same name, another key
  struct Case {
    std::string_view name;
    const Authority& signed_by;
    std::string certificate_for;
    std::string asked_for;
    int tls;
    bool good;
  };
  const std::vector<Case> cases{
      {"an address", ours, "127.0.0.1", "127.0.0.1", TLS1_3_VERSION, true},
      {"a name", ours, "localhost", "localhost", TLS1_3_VERSION, true},
      {"another authority", other, "127.0.0.1", "127.0.0.1", TLS1_3_VERSION, false},
      {"another name", ours, "kollektor.example", "localhost", TLS1_3_VERSION, false},
      {"another address", ours, "127.0.0.2", "127.0.0.1", TLS1_3_VERSION, false},
      {"TLS 1.2", ours, "127.0.0.1", "127.0.0.1", TLS1_2_VERSION, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Server server{folder, c.signed_by, c.certificate_for, {ok("hello")}, c.tls};
    const auto transport = transport_to(c.asked_for, server.port, ours);
    const auto answer = transport->request("POST", "/v1/frames", "x/y", "secret body");
    CHECK(answer.has_value() == c.good);
    if (!c.good) {
      CHECK(server.asked().empty());
      CHECK(answer.error().message().find("secret") == std::string::npos);
    }
  }
}

TEST_CASE("HttpsTransport: answers that are none") {
  meldevakt::testing::TempFolder folder;
  const Authority authority{"ours"};
  const std::vector<std::string> answers{
      "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
      "rubbish\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + std::string(1'000'000, 'x'),
  };
  for (const std::string& answer : answers) {
    CAPTURE(answer.substr(0, 60));
    Server server{folder, authority, "127.0.0.1", {answer}};
    const auto transport = transport_to("127.0.0.1", server.port, authority);
    CHECK_FALSE(transport->request("POST", "/v1/frames", "x/y", "body"));
  }
  const auto nobody = transport_to("127.0.0.1", 1, authority);
  const auto refused = nobody->request("GET", "/v1/head", "", "");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kUnavailable);
}

}  // namespace
}  // namespace meldevakt::agent
