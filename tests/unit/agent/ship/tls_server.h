// A TLS server in a thread, for tests of what speaks to a collector: answers connection after
// connection. Thread-safety: asked() may be called while it serves.
#pragma once

#include <Poco/Exception.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/NetSSL.h>
#include <Poco/Net/SecureServerSocket.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/crypto/crypto.h"
#include "tests/unit/agent/temp_folder.h"

namespace meldevakt::agent::testing {

inline constexpr Instant kServerKeysMade{1'600'000'000'000};

struct Authority {
  KeyAndCertificate keys;
  explicit Authority(const std::string& name)
      : keys{make_certificate_authority(name, kServerKeysMade, days(20'000)).value()} {}
};

// Answers connection after connection with the given bytes, whatever is asked; each connection
// takes the answers in turn until they are used up.
class Server {
 public:
  // From a request's body to the answer's bytes; "" closes the connection.
  using Answer = std::function<std::string(const std::string& body)>;

  Server(const meldevakt::testing::TempFolder& folder, const Authority& authority,
         const std::string& name, std::vector<std::string> answers, int tls = TLS1_3_VERSION)
      : Server{folder, authority, name, in_turn(answers), answers.size(), tls} {}
  Server(const meldevakt::testing::TempFolder& folder, const Authority& authority,
         const std::string& name, Answer answer, std::size_t answers_max = SIZE_MAX,
         int tls = TLS1_3_VERSION)
      : answer_{std::move(answer)}, answers_max_{answers_max} {
    Poco::Net::initializeSSL();
    const auto keys =
        issue_server_certificate(authority.keys, {name}, kServerKeysMade, days(20'000));
    folder.write("server.key", keys.value().private_key_pem);
    folder.write("server.crt", keys.value().certificate_pem);
    Poco::Net::Context::Ptr context =
        new Poco::Net::Context(Poco::Net::Context::TLS_SERVER_USE, folder / "server.key",
                               folder / "server.crt", "", Poco::Net::Context::VERIFY_NONE);
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
  static Answer in_turn(std::vector<std::string> answers) {
    return [answers, next = std::size_t{0}](const std::string&) mutable { return answers[next++]; };
  }
  void serve() {
    while (!stopping_) {
      try {
        Poco::Net::SecureStreamSocket peer{socket_->acceptConnection()};
        peer.setReceiveTimeout(Poco::Timespan{5, 0});
        while (next_ < answers_max_ && read_request(peer)) {
          ++next_;
          const std::string answer = answer_(body_);
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
    body_ = request.substr(request.find("\r\n\r\n") + 4);
    asked_ += request.substr(0, request.find('\r')) + "|" +
              request.substr(request.find("\r\n\r\n") + 4) + "\n";
    return true;
  }

  std::mutex mutex_;
  std::string asked_;
  Answer answer_;
  std::size_t answers_max_;
  std::string body_;  // of the last request
  std::size_t next_ = 0;
  std::atomic<bool> stopping_{false};
  std::unique_ptr<Poco::Net::SecureServerSocket> socket_;
  std::thread thread_;
};

inline std::string ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace meldevakt::agent::testing
