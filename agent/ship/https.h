// HTTPS to the collector: TLS 1.3 only, the collector's own authority and nothing else trusted, the
// server's name or address checked against its certificate, our certificate shown when there is
// one. No proxy is used, whatever the environment says. One connection, kept alive, opened anew on
// need.
//
// Thread-safety: none; one thread. Errors: kUnavailable (not reached, cut off, timed out),
// kRejected (the certificates do not fit), kInvalid (the address), kLimit (an answer over
// kAnswerBytesMax).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt::agent {

inline constexpr std::size_t kAnswerBytesMax = 256 * 1024;

struct Address {
  std::string host;
  std::uint16_t port = 0;
};
// "https://host:port", nothing behind it but "/". kInvalid with what is expected.
[[nodiscard]] Result<Address> parse_collector_url(std::string_view url);

struct HttpAnswer {
  int status = 0;
  std::string body;
};

class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  [[nodiscard]] virtual Result<HttpAnswer> request(const std::string& method,
                                                   const std::string& path,
                                                   const std::string& content_type,
                                                   std::string_view body) = 0;
};

class HttpsTransport : public HttpTransport {
 public:
  struct Settings {
    Address collector;
    std::string authority_pem;
    std::string certificate_file;  // "" before enrolment
    std::string key_file;
    Duration connect_timeout = seconds(5);
    Duration answer_timeout = seconds(15);
  };
  [[nodiscard]] static Result<std::unique_ptr<HttpsTransport>> create(Settings settings);
  ~HttpsTransport() override;
  [[nodiscard]] Result<HttpAnswer> request(const std::string& method, const std::string& path,
                                           const std::string& content_type,
                                           std::string_view body) override;

 private:
  struct State;
  explicit HttpsTransport(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::agent
