// A blocking TLS client for tests, on plain OpenSSL: it sends what it is told and half-closes, as
// no honest client library would. Thread-safety: none.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>

namespace meldevakt::collector::testing {

struct ClientIdentity {
  std::string certificate_pem;  // "": none
  std::string private_key_pem;
};

class TlsClient {
 public:
  TlsClient(std::uint16_t port, const std::string& authority_pem,
            const ClientIdentity& identity = {}, int version = TLS1_3_VERSION) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    X509* authority = certificate_of(authority_pem);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), authority);
    X509_free(authority);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (!identity.certificate_pem.empty()) use(identity);
    connect(port);
  }
  ~TlsClient() {
    ssl_.reset();
    if (socket_ >= 0) ::close(socket_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // In TLS 1.3 a server's refusal of a certificate is only seen by the first read.
  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] bool send(std::string_view bytes) {
    return connected_ && SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
  void half_close() {
    SSL_shutdown(ssl_.get());
    ::shutdown(socket_, SHUT_WR);
  }
  // Everything until the other side closes (or ten seconds pass: then `closed` is false).
  [[nodiscard]] std::string read_to_end() {
    std::string all;
    char buffer[4096];
    for (;;) {
      const int got = connected_ ? SSL_read(ssl_.get(), buffer, sizeof buffer) : -1;
      if (got <= 0) {
        const int error = SSL_get_error(ssl_.get(), got);
        timed_out_ = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
        return all;
      }
      all.append(buffer, static_cast<std::size_t>(got));
    }
  }
  // One response whose body has a Content-Length.
  [[nodiscard]] std::string read_response() {
    std::string all;
    char byte = 0;
    while (all.find("\r\n\r\n") == std::string::npos) {
      if (SSL_read(ssl_.get(), &byte, 1) != 1) return all;
      all += byte;
    }
    const std::size_t at = all.find("Content-Length: ");
    std::size_t left = at == std::string::npos ? 0 : std::stoul(all.substr(at + 16));
    for (; left > 0 && SSL_read(ssl_.get(), &byte, 1) == 1; --left) all += byte;
    return all;
  }
  [[nodiscard]] bool timed_out() const { return timed_out_; }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  static BIO* bio_of(const std::string& pem) {
    return BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  }
  static X509* certificate_of(const std::string& pem) {
    BIO* bio = bio_of(pem);
    X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    return certificate;
  }
  void use(const ClientIdentity& identity) {
    X509* certificate = certificate_of(identity.certificate_pem);
    SSL_CTX_use_certificate(context_.get(), certificate);
    X509_free(certificate);
    BIO* bio = bio_of(identity.private_key_pem);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    SSL_CTX_use_PrivateKey(context_.get(), key);
    EVP_PKEY_free(key);
  }
  void connect(std::uint16_t port) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const timeval ten_seconds{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &ten_seconds, sizeof ten_seconds);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ssl_.reset(SSL_new(context_.get()));
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return;
    SSL_set_fd(ssl_.get(), socket_);
    connected_ = SSL_connect(ssl_.get()) == 1;
  }

  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  int socket_ = -1;
  bool connected_ = false;
  bool timed_out_ = false;
};

}  // namespace meldevakt::collector::testing
