#include "agent/ship/https.h"

#include <Poco/Exception.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/NetSSL.h>
#include <Poco/Net/SSLException.h>
#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <array>
#include <mutex>
#include <utility>

#include "common/base/text.h"

namespace meldevakt::agent {
namespace {

using Poco::Net::Context;

Poco::Timespan timespan(Duration duration) {
  return {duration.ms * 1000};
}

void start_tls_library() {
  static std::once_flag once;
  std::call_once(once, [] { Poco::Net::initializeSSL(); });
}

bool is_ip_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return ::inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

Status trust_only(SSL_CTX* context, const std::string& authority_pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio{
      BIO_new_mem_buf(authority_pem.data(), static_cast<int>(authority_pem.size())), &BIO_free};
  const std::unique_ptr<X509, decltype(&X509_free)> authority{
      PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free};
  if (!authority) return Error{Errc::kCorrupt, "the collector's authority is no certificate"};
  if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1) {
    return Error{Errc::kCorrupt, "the collector's authority cannot be used"};
  }
  return {};
}

// The library itself compares the name, in the handshake: Poco's own check skips local hosts and
// does not know addresses.
Status expect_name(SSL_CTX* context, const std::string& host) {
  X509_VERIFY_PARAM* parameters = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int set = is_ip_address(host)
                      ? X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str())
                      : X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
  if (set != 1) return Error{Errc::kInvalid, "'" + meldevakt::quoted(host) + "' is no host name"};
  return {};
}

Status show_certificate(SSL_CTX* context, const HttpsTransport::Settings& settings) {
  if (settings.certificate_file.empty()) return {};
  if (SSL_CTX_use_certificate_chain_file(context, settings.certificate_file.c_str()) != 1) {
    return Error{Errc::kCorrupt, settings.certificate_file + ": no certificate can be read"};
  }
  if (SSL_CTX_use_PrivateKey_file(context, settings.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return Error{Errc::kCorrupt, settings.key_file + ": no key for the certificate can be read"};
  }
  return {};
}

Result<Context::Ptr> make_context(const HttpsTransport::Settings& settings) {
  start_tls_library();
  Context::Ptr context = new Context(Context::TLS_CLIENT_USE, "", Context::VERIFY_STRICT, 4, false);
  context->enableExtendedCertificateVerification(false);  // expect_name does more
  SSL_CTX* ssl = context->sslContext();
  SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) != 1) {
    return Error{Errc::kIo, "TLS 1.3 is not there"};
  }
  MELDEVAKT_TRY(trust_only(ssl, settings.authority_pem));
  MELDEVAKT_TRY(expect_name(ssl, settings.collector.host));
  MELDEVAKT_TRY(show_certificate(ssl, settings));
  return context;
}

}  // namespace

Result<Address> parse_collector_url(std::string_view url) {
  const Error expected{Errc::kInvalid,
                       "'" + meldevakt::quoted(url) + "' is not of the form https://host:port"};
  constexpr std::string_view scheme = "https://";
  if (url.substr(0, scheme.size()) != scheme) return expected;
  std::string_view rest = url.substr(scheme.size());
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return expected;
  const auto port = parse_u64(rest.substr(colon + 1));
  if (!port || *port == 0 || *port > 65535) return expected;
  std::string_view host = rest.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of("/?#@ []") != std::string_view::npos) return expected;
  return Address{std::string{host}, static_cast<std::uint16_t>(*port)};
}

struct HttpsTransport::State {
  Settings settings;
  Context::Ptr context;
  std::unique_ptr<Poco::Net::HTTPSClientSession> session;
  bool used = false;  // the session has answered before: it may have gone stale

  Result<HttpAnswer> once(const std::string& method, const std::string& path,
                          const std::string& content_type, std::string_view body);
};

HttpsTransport::HttpsTransport(std::unique_ptr<State> state) : state_{std::move(state)} {}
HttpsTransport::~HttpsTransport() = default;

Result<std::unique_ptr<HttpsTransport>> HttpsTransport::create(Settings settings) {
  auto state = std::make_unique<State>();
  try {
    MELDEVAKT_TRY_ASSIGN(state->context, make_context(settings));
  } catch (const Poco::Exception& e) {
    return Error{Errc::kIo, "TLS cannot be set up: " + e.displayText()};
  }
  state->settings = std::move(settings);
  return std::unique_ptr<HttpsTransport>{new HttpsTransport{std::move(state)}};
}

Result<HttpAnswer> HttpsTransport::State::once(const std::string& method, const std::string& path,
                                               const std::string& content_type,
                                               std::string_view body) {
  if (!session) {
    session = std::make_unique<Poco::Net::HTTPSClientSession>(settings.collector.host,
                                                              settings.collector.port, context);
    session->setProxyConfig({});
    session->setKeepAlive(true);
    session->setKeepAliveTimeout(timespan(seconds(30)));
    session->setTimeout(timespan(settings.connect_timeout), timespan(settings.answer_timeout),
                        timespan(settings.answer_timeout));
    used = false;
  }
  Poco::Net::HTTPRequest request{method, path, Poco::Net::HTTPMessage::HTTP_1_1};
  request.setKeepAlive(true);
  if (!content_type.empty()) {
    request.setContentType(content_type);
    request.setContentLength(static_cast<std::streamsize>(body.size()));
  }
  std::ostream& out = session->sendRequest(request);
  out.write(body.data(), static_cast<std::streamsize>(body.size()));
  out.flush();
  Poco::Net::HTTPResponse response;
  std::istream& in = session->receiveResponse(response);
  HttpAnswer answer;
  answer.status = static_cast<int>(response.getStatus());
  std::array<char, 16 * 1024> buffer{};
  while (in.good()) {
    in.read(buffer.data(), buffer.size());
    answer.body.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
    if (answer.body.size() > kAnswerBytesMax) {
      session.reset();
      return Error{Errc::kLimit, "the answer is too long"};
    }
  }
  if (response.hasContentLength() &&
      static_cast<std::streamsize>(answer.body.size()) != response.getContentLength()) {
    session.reset();
    return Error{Errc::kUnavailable, "the answer was cut off"};
  }
  used = true;
  if (!response.getKeepAlive()) session.reset();
  return answer;
}

Result<HttpAnswer> HttpsTransport::request(const std::string& method, const std::string& path,
                                           const std::string& content_type, std::string_view body) {
  State& s = *state_;
  for (;;) {
    const bool stale_possible = s.session != nullptr && s.used;
    try {
      return s.once(method, path, content_type, body);
    } catch (const Poco::Net::SSLException& e) {
      s.session.reset();
      if (!stale_possible) return Error{Errc::kRejected, "TLS: " + e.displayText()};
    } catch (const Poco::TimeoutException& e) {
      s.session.reset();
      return Error{Errc::kUnavailable, "no answer in time"};
    } catch (const Poco::Exception& e) {
      s.session.reset();
      if (!stale_possible) return Error{Errc::kUnavailable, e.displayText()};
    } catch (const std::exception& e) {
      s.session.reset();
      return Error{Errc::kUnavailable, e.what()};
    }
    // A kept connection may have been closed on the other side in the meantime. Sending the same
    // bytes again is always right here, so one fresh attempt follows at once.
  }
}

}  // namespace meldevakt::agent
