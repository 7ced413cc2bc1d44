// HttpsTransport against a real TLS server in a thread: whom it trusts, and what it makes of
// answers.
#include "agent/ship/https.h"

#include <Poco/Exception.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/NetSSL.h>
#include <Poco/Net/SecureServerSocket.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/crypto/crypto.h"
#include "tests/unit/agent/temp_folder.h"

namespace meldevakt::agent {
namespace {

using Poco::Net::Context;

constexpr Instant kNow{1'600'000'000'000};

struct Authority {
  KeyAndCertificate keys;
  explicit Authority(const std::string& name)
      : keys{make_certificate_authority(name, kNow, days(20'000)).value()} {}
};

// Answers connection after connection with the given bytes, whatever is asked; each connection
// takes the answers in turn until they are used up.
class Server {
 public:
  Server(const meldevakt::testing::TempFolder& folder, const Authority& authority,
         const std::string& name, std::vector<std::string> answers, int tls = TLS1_3_VERSION)
      : answers_{std::move(answers)} {
    Poco::Net::initializeSSL();
    const auto keys = issue_server_certificate(authority.keys, {name}, kNow, days(20'000));
    folder.write("server.key", keys.value().private_key_pem);
    folder.write("server.crt", keys.value().certificate_pem);
    Context::Ptr context = new Context(Context::TLS_SERVER_USE, folder / "server.key",
                                       folder / "server.crt", "", Context::VERIFY_NONE);
    SSL_CTX_set_min_proto_version(context->sslContext(), tls);
    SSL_CTX_set_max_proto_version(context->sslContext(), tls);
    socket_ = std::make_unique<Poco::Net::SecureServerSocket>(
        Poco::Net::SocketAddress{"127.0.0.1", 0}, 5, context);
    port = socket_->address().port();
    thread_ = std::thread{[this] { serve(); }};
  }
  ~Server() {
    stopping_ = true;
    try {  // wakes accept()
      Poco::Net::StreamSocket wake{Poco::Net::SocketAddress{"127.0.0.1", port}};
    } catch (const Poco::Exception&) {
    }
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port = 0;
  [[nodiscard]] std::string asked() {
    const std::lock_guard lock{mutex_};
    return asked_;
  }

 private:
  void serve() {
    while (!stopping_) {
      try {
        Poco::Net::SecureStreamSocket peer{socket_->acceptConnection()};
        peer.setReceiveTimeout(Poco::Timespan{5, 0});
        while (next_ < answers_.size() && read_request(peer)) {
          const std::string& answer = answers_[next_++];
          if (answer.empty()) break;  // closed instead of answered
          peer.sendBytes(answer.data(), static_cast<int>(answer.size()));
        }
        peer.close();
      } catch (const Poco::Exception&) {
      }
    }
  }
  bool read_request(Poco::Net::SecureStreamSocket& peer) {
    std::string request;
    char buffer[4096];
    for (;;) {
      const int got = peer.receiveBytes(buffer, sizeof buffer);
      if (got <= 0) return false;
      request.append(buffer, static_cast<std::size_t>(got));
      const std::size_t end = request.find("\r\n\r\n");
      if (end == std::string::npos) continue;
      const std::size_t length = request.find("Content-Length: ");
      const std::size_t body =
          length == std::string::npos ? 0 : std::stoul(request.substr(length + 16));
      if (request.size() >= end + 4 + body) break;
    }
    const std::lock_guard lock{mutex_};
    asked_ += request.substr(0, request.find('\r')) + "|" +
              request.substr(request.find("\r\n\r\n") + 4) + "\n";
    return true;
  }

  std::mutex mutex_;
  std::string asked_;
  std::vector<std::string> answers_;
  std::size_t next_ = 0;
  std::atomic<bool> stopping_{false};
  std::unique_ptr<Poco::Net::SecureServerSocket> socket_;
  std::thread thread_;
};

std::string ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

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
