#include "collector/http/listener.h"

#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <future>
#include <mutex>
#include <thread>

#include "collector/http/listener_shared.h"
#include "common/crypto/crypto.h"
#include "common/platform/clock.h"
#include "tests/unit/collector/http/tls_client.h"
#include "tests/unit/collector/http/vectors.h"

namespace meldevakt::collector {
namespace {

using testing::ClientIdentity;
using testing::TlsClient;

// Certificates are dear to make: once for all tests.
struct Certificates {
  Instant now = SystemClock{}.now();
  KeyAndCertificate authority = make_certificate_authority("Test", now - days(2), days(10)).value();
  KeyAndCertificate foreign = make_certificate_authority("Test", now - days(2), days(10)).value();
  KeyAndCertificate server =
      issue_server_certificate(authority, {"127.0.0.1"}, now - days(1), days(9)).value();

  [[nodiscard]] static ClientIdentity client(const KeyAndCertificate& issuer,
                                             const std::string& name, Instant from,
                                             Duration lifetime) {
    const KeyAndRequest key = make_tls_key_and_request(name).value();
    return {issue_client_certificate(issuer, key.request_pem, name, from, lifetime).value(),
            key.private_key_pem};
  }
  ClientIdentity agent = client(authority, "agent-1", now - hours(1), days(1));
};

const Certificates& certificates() {
  static const Certificates made;
  return made;
}

// A listener on its own thread, with a handler that remembers.
class Service {
 public:
  explicit Service(HttpLimits limits = {}, std::size_t queue_max = 16) : strand_{queue_max} {
    std::signal(SIGPIPE, SIG_IGN);  // the client half writes to connections that were closed
    const Certificates& made = certificates();
    ListenerOptions options;
    options.name = "test";
    options.address = "127.0.0.1";
    options.hosts = {"x"};
    options.tls = make_server_context({made.server.certificate_pem, made.server.private_key_pem,
                                       made.authority.certificate_pem})
                      .value();
    options.handler = [this](const HttpRequest& request) { return handle(request); };
    options.log = [this](LogLevel, const std::string&) { ++log_lines_; };
    options.limits = limits;
    listener_ = Listener::open(io_, strand_, std::move(options)).value();
    thread_ = std::thread{[this] { io_.run(); }};
  }
  ~Service() {
    boost::asio::post(io_, [this] { listener_->stop(); });
    guard_.reset();
    thread_.join();
    strand_.finish();
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  [[nodiscard]] std::uint16_t port() const { return listener_->port(); }
  [[nodiscard]] std::vector<HttpRequest> seen() {
    const std::scoped_lock lock{mutex_};
    return seen_;
  }
  [[nodiscard]] unsigned log_lines() const { return log_lines_; }
  void hold() { gate_.lock(); }  // the handler waits until release()
  void release() { gate_.unlock(); }
  [[nodiscard]] ListenerCounts counts() {
    std::promise<ListenerCounts> made;
    boost::asio::post(io_, [&] { made.set_value(listener_->counts()); });
    return made.get_future().get();
  }

 private:
  HttpResponse handle(const HttpRequest& request) {
    {
      const std::scoped_lock lock{mutex_};
      seen_.push_back(request);
    }
    const std::scoped_lock wait{gate_};
    return {200, R"({"ok":true})", false};
  }

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      io_.get_executor()};
  StoreStrand strand_;
  std::unique_ptr<Listener> listener_;
  std::atomic<unsigned> log_lines_ = 0;
  std::mutex mutex_;
  std::mutex gate_;
  std::vector<HttpRequest> seen_;
  std::thread thread_;
};

const std::string kGet = "GET /v1/head HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kGetAndClose = "GET /v1/head HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

std::string post_of(const std::string& body) {
  return "POST /v1/frames HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

bool is_status(const std::string& response, const char* status) {
  return response.rfind(std::string("HTTP/1.1 ") + status, 0) == 0;
}

std::size_t responses_in(const std::string& bytes) {
  const std::string start = "\r\nContent-Type: application/json\r\n";  // each has it, once
  std::size_t count = 0;
  for (std::size_t at = bytes.find(start); at != std::string::npos;
       at = bytes.find(start, at + 1)) {
    ++count;
  }
  return count;
}

TEST_CASE("a request over mutual TLS reaches the handler whole, and so does the next") {
  Service service;
  TlsClient client{service.port(), certificates().authority.certificate_pem, certificates().agent};
  const std::string body(3'000'000, 'b');
  REQUIRE(client.send(post_of(body)));
  CHECK(is_status(client.read_response(), "200"));
  REQUIRE(client.send(kGetAndClose));
  const std::string last = client.read_to_end();
  CHECK(is_status(last, "200"));
  CHECK(last.find("{\"ok\":true}") != std::string::npos);
  CHECK_FALSE(client.timed_out());
  const auto seen = service.seen();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].body == body);
  CHECK(seen[0].content_type == "a/b");
  CHECK(seen[0].address == "127.0.0.1");
  REQUIRE(seen[0].peer);
  CHECK(seen[0].peer->common_name == "agent-1");
  CHECK(seen[0].peer->public_key ==
        public_key_hash_of_certificate(certificates().agent.certificate_pem).value());
  CHECK(seen[1].method == "GET");
  CHECK(seen[1].target == "/v1/head");
  CHECK(seen[1].body.empty());
}

TEST_CASE("who may connect: none or a good certificate, TLS 1.3, and nobody else") {
  Service service;
  const Certificates& made = certificates();
  struct Case {
    std::string name;
    ClientIdentity identity;
    int version;
    bool served;
    bool has_peer;
  };
  const Case cases[] = {
      {"no certificate", {}, TLS1_3_VERSION, true, false},
      {"the agent's", made.agent, TLS1_3_VERSION, true, true},
      {"TLS 1.2", made.agent, TLS1_2_VERSION, false, false},
      {"another authority's", Certificates::client(made.foreign, "agent-1", made.now, days(1)),
       TLS1_3_VERSION, false, false},
      {"expired", Certificates::client(made.authority, "agent-1", made.now - days(1), hours(1)),
       TLS1_3_VERSION, false, false},
      {"not valid yet",
       Certificates::client(made.authority, "agent-1", made.now + hours(1), hours(1)),
       TLS1_3_VERSION, false, false},
      {"the server's own",
       {made.server.certificate_pem, made.server.private_key_pem},
       TLS1_3_VERSION,
       false,
       false},
  };
  for (const Case& test : cases) {
    CAPTURE(test.name);
    const std::size_t before = service.seen().size();
    TlsClient client{service.port(), made.authority.certificate_pem, test.identity, test.version};
    (void)client.send(kGetAndClose);
    CHECK(is_status(client.read_to_end(), "200") == test.served);
    CHECK_FALSE(client.timed_out());
    const auto seen = service.seen();
    REQUIRE(seen.size() == before + (test.served ? 1 : 0));
    if (test.served) CHECK(seen.back().peer.has_value() == test.has_peer);
  }
}

TEST_CASE("a plain connection gets nothing, and the next client is served") {
  Service service;
  const int plain = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(service.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(plain, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::send(plain, kGet.data(), kGet.size(), MSG_NOSIGNAL) > 0);
  std::string answer(100, '\0');
  const ssize_t got = ::recv(plain, answer.data(), answer.size(), 0);  // an alert, or closed
  CHECK((got <= 0 || answer.rfind("HTTP", 0) != 0));
  ::close(plain);
  TlsClient client{service.port(), certificates().authority.certificate_pem};
  REQUIRE(client.send(kGetAndClose));
  CHECK(is_status(client.read_to_end(), "200"));
}

TEST_CASE("the 32 vectors over TLS: refused ones get 400 or nothing, and never a second request") {
  const auto vectors = testing::http_vectors();
  if (vectors.empty()) {
    MESSAGE("skipped: ../shared/data/vectors/http is not here");
    return;
  }
  REQUIRE(vectors.size() == 32);
  for (const bool with_certificate : {false, true}) {
    Service service;
    for (const auto& vector : vectors) {
      CAPTURE(vector.file);
      CAPTURE(vector.name);
      const std::size_t before = service.seen().size();
      TlsClient client{service.port(), certificates().authority.certificate_pem,
                       with_certificate ? certificates().agent : ClientIdentity{}};
      (void)client.send(vector.bytes);
      client.half_close();
      const std::string answer = client.read_to_end();
      CHECK_FALSE(client.timed_out());
      CHECK(responses_in(answer) <= 1);
      const auto seen = service.seen();
      if (vector.refuse) {
        CHECK((answer.empty() || is_status(answer, "400")));
        CHECK(seen.size() == before);
      } else {
        CHECK((is_status(answer, "200") || is_status(answer, "400")));
        CHECK(seen.size() <= before + 1);
      }
      for (const HttpRequest& request : seen) CHECK(request.target != "/smuggled");
    }
    CHECK(service.counts().refused >= 29);
  }
}

TEST_CASE("what else is refused, and how") {
  struct Case {
    std::string name;
    std::string bytes;
    const char* status;
  };
  const Case cases[] = {
      {"another host", "GET / HTTP/1.1\r\nHost: y\r\n\r\n", "400"},
      {"HTTP/1.0", "GET / HTTP/1.0\r\nHost: x\r\n\r\n", "400"},
      {"two requests at once", kGet + kGet, "400"},
      {"a body and more", post_of("hello") + "more", "400"},
      {"absolute target", "GET https://x/ HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"CONNECT", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
      {"expect", "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
       "400"},
      {"too large", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n", "413"},
      {"half a header", "GET / HTTP/1.1\r\nHos", "400"},
  };
  Service service;
  for (const Case& test : cases) {
    CAPTURE(test.name);
    TlsClient client{service.port(), certificates().authority.certificate_pem};
    REQUIRE(client.send(test.bytes));
    client.half_close();
    const std::string answer = client.read_to_end();
    CHECK(is_status(answer, test.status));
    CHECK(responses_in(answer) == 1);
    CHECK_FALSE(client.timed_out());
  }
  CHECK(service.seen().empty());
}

TEST_CASE("whoever is slow loses the connection, and nobody else") {
  HttpLimits limits;
  limits.header = milliseconds(150);
  limits.body = milliseconds(150);
  limits.handshake = milliseconds(400);
  Service service{limits};
  const auto closes = [&](const std::string& bytes) {
    TlsClient client{service.port(), certificates().authority.certificate_pem};
    if (!bytes.empty()) REQUIRE(client.send(bytes));
    const std::string answer = client.read_to_end();
    CHECK_FALSE(client.timed_out());
    CHECK_FALSE(is_status(answer, "200"));
  };
  closes("");                                                       // never asks
  closes("GET / HT");                                               // never ends its header
  closes(post_of("hello").substr(0, post_of("hello").size() - 2));  // never ends its body
  TlsClient client{service.port(), certificates().authority.certificate_pem};
  REQUIRE(client.send(kGetAndClose));
  CHECK(is_status(client.read_to_end(), "200"));
  CHECK(service.seen().size() == 1);
}

TEST_CASE("a stranger cannot fill the log") {
  Service service;
  for (std::uint32_t i = 0; i < kRefusalLinesPerMinute + 10; ++i) {
    TlsClient client{service.port(), certificates().authority.certificate_pem};
    REQUIRE(client.send("GET / HTTP/1.0\r\n\r\n"));
    CHECK(is_status(client.read_to_end(), "400"));
  }
  CHECK(service.counts().refused == kRefusalLinesPerMinute + 10);
  CHECK(service.log_lines() == kRefusalLinesPerMinute);
}

TEST_CASE("connections of one address have a bound") {
  HttpLimits limits;
  limits.connections_per_address_max = 2;
  Service service{limits};
  const std::string& authority = certificates().authority.certificate_pem;
  auto first = std::make_unique<TlsClient>(service.port(), authority);
  TlsClient second{service.port(), authority};
  REQUIRE(first->connected());
  REQUIRE(second.connected());
  TlsClient third{service.port(), authority};
  CHECK_FALSE(third.connected());
  CHECK(service.counts().turned_away == 1);
  REQUIRE(first->send(kGetAndClose));
  CHECK(is_status(first->read_to_end(), "200"));
  first.reset();
  while (service.counts().accepted < 3) TlsClient{service.port(), authority};
}

TEST_CASE("a full queue answers 503 and does not wait") {
  Service service{{}, 1};
  const std::string& authority = certificates().authority.certificate_pem;
  service.hold();
  TlsClient busy{service.port(), authority};
  REQUIRE(busy.send(kGet));
  while (service.seen().empty()) std::this_thread::yield();
  TlsClient refused{service.port(), authority};
  REQUIRE(refused.send(kGet));
  CHECK(is_status(refused.read_to_end(), "503"));
  service.release();
  CHECK(is_status(busy.read_response(), "200"));
}

TEST_CASE("bodies on their way have a bound together") {
  HttpLimits limits;
  limits.body_bytes_in_flight_max = 10;
  Service service{limits};
  const std::string& authority = certificates().authority.certificate_pem;
  TlsClient client{service.port(), authority};
  for (int again = 0; again < 3; ++again) {  // it is given back
    REQUIRE(client.send(post_of("0123456789")));
    CHECK(is_status(client.read_response(), "200"));
  }
  REQUIRE(client.send(post_of("0123456789x")));
  CHECK(is_status(client.read_to_end(), "503"));
}

TEST_CASE("a listener says what it cannot listen on") {
  boost::asio::io_context io;
  StoreStrand strand{1};
  ListenerOptions options;
  options.address = "not an address";
  CHECK(Listener::open(io, strand, options).error().code() == Errc::kInvalid);
  options.address = "192.0.2.1";  // a documentation address: never ours
  CHECK(Listener::open(io, strand, options).error().code() == Errc::kIo);
}

}  // namespace
}  // namespace meldevakt::collector
