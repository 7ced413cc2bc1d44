#include "collector/http/tls.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/buffer.hpp>

#include "common/ports/sha256.h"

namespace meldevakt::collector {
namespace {

namespace ssl = boost::asio::ssl;

Error unusable(const char* what, const boost::system::error_code& error) {
  return Error{Errc::kInvalid, std::string("TLS: ") + what + ": " + error.message()};
}

Status ask_for_certificates(ssl::context& context, const std::string& authority_pem) {
  boost::system::error_code error;
  const auto authority = boost::asio::buffer(authority_pem);
  context.add_certificate_authority(authority, error);
  if (error) return unusable("the authority", error);
  // Without fail_if_no_peer_cert: an agent that enrols has none yet.
  context.set_verify_mode(ssl::verify_peer | ssl::verify_client_once, error);
  if (error) return unusable("asking for certificates", error);
  context.set_verify_depth(2, error);
  if (error) return unusable("the depth of verification", error);
  return {};
}

struct FreeX509 {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

std::string common_name_of(const X509* certificate) {
  const X509_NAME* name = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  // Two names would leave it to the reader which one counts.
  if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0) return {};
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
  const int bytes = ASN1_STRING_length(text);
  if (bytes <= 0) return {};
  const unsigned char* data = ASN1_STRING_get0_data(text);
  return std::string(data, data + bytes);
}

std::optional<Sha256> public_key_of(const X509* certificate) {
  unsigned char* der = nullptr;
  const int bytes = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (bytes <= 0) return std::nullopt;
  const Sha256 hash = sha256(std::string(der, der + bytes));
  OPENSSL_free(der);
  return hash;
}

}  // namespace

Result<TlsContext> make_server_context(const TlsFiles& files) {
  boost::system::error_code error;
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  if (SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(native, TLS1_3_VERSION) != 1) {
    return Error{Errc::kInvalid, "TLS: this OpenSSL has no TLS 1.3"};
  }
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(native, 0);
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  context->use_certificate_chain(boost::asio::buffer(files.certificate_pem), error);
  if (error) return unusable("the certificate", error);
  context->use_private_key(boost::asio::buffer(files.private_key_pem), ssl::context::pem, error);
  if (error) return unusable("the private key", error);
  if (SSL_CTX_check_private_key(native) != 1) {
    return Error{Errc::kInvalid, "TLS: the private key is not the certificate's"};
  }
  if (!files.client_authority_pem.empty()) {
    MELDEVAKT_TRY(ask_for_certificates(*context, files.client_authority_pem));
  }
  return context;
}

std::optional<Peer> peer_of(SSL* connection) {
  const std::unique_ptr<X509, FreeX509> certificate{SSL_get1_peer_certificate(connection)};
  if (!certificate || SSL_get_verify_result(connection) != X509_V_OK) return std::nullopt;
  const std::optional<Sha256> key = public_key_of(certificate.get());
  if (!key) return std::nullopt;
  return Peer{common_name_of(certificate.get()), *key};
}

}  // namespace meldevakt::collector
