// Issuing: the collector's own certificate authority and what it signs.
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/crypto/x509.h"

namespace meldevakt {
namespace {

constexpr Duration kBackdated = minutes(5);  // for clocks that are a little behind ours
// The library would write years of five digits, which nobody can read.
constexpr Duration kLifetimeMax = days(36'525);
constexpr int kSerialBits = 128;

// What the three kinds of certificates have in common, and where they differ.
struct Profile {
  const char* basic_constraints;
  const char* key_usage;
  const char* extended_key_usage;  // nullptr: none
};
constexpr Profile kAuthority{"critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign", nullptr};
constexpr Profile kServer{"critical,CA:FALSE", "critical,digitalSignature", "serverAuth"};
constexpr Profile kClient{"critical,CA:FALSE", "critical,digitalSignature", "clientAuth"};

struct Issuer {
  openssl::Key key;
  openssl::Certificate certificate;
};

Result<Issuer> issuer_from(const KeyAndCertificate& authority) {
  Issuer issuer;
  MELDEVAKT_TRY_ASSIGN(issuer.key, openssl::private_key_from_pem(authority.private_key_pem));
  MELDEVAKT_TRY_ASSIGN(issuer.certificate, x509::certificate_from_pem(authority.certificate_pem));
  if (X509_check_private_key(issuer.certificate.get(), issuer.key.get()) != 1) {
    return openssl::error(Errc::kCorrupt,
                          "the authority's key and certificate do not belong together");
  }
  return issuer;
}

Status set_serial(X509* certificate) {
  const openssl::BigNumber serial{BN_new()};
  if (!serial || BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) != 1 ||
      BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) == nullptr) {
    return openssl::error(Errc::kIo, "cannot draw a serial number");
  }
  return {};
}

Status set_lifetime(X509* certificate, Instant now, Duration lifetime) {
  if (lifetime <= Duration{} || lifetime > kLifetimeMax) {
    return Error{Errc::kInvalid, "a certificate lives at least a moment and at most 100 years"};
  }
  const Instant from = now - kBackdated;
  const Instant until = now + lifetime;
  const openssl::Time not_before{ASN1_TIME_set(nullptr, std::time_t{from.ms / 1000})};
  const openssl::Time not_after{ASN1_TIME_set(nullptr, std::time_t{until.ms / 1000})};
  if (!not_before || !not_after || X509_set1_notBefore(certificate, not_before.get()) != 1 ||
      X509_set1_notAfter(certificate, not_after.get()) != 1) {
    return openssl::error(Errc::kInvalid, "a certificate cannot say when it is valid");
  }
  return {};
}

Status add_extension(X509* certificate, X509V3_CTX* context, int nid, const char* value) {
  const openssl::Extension extension{X509V3_EXT_conf_nid(nullptr, context, nid, value)};
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return openssl::error(Errc::kIo, "cannot add an extension to a certificate");
  }
  return {};
}

// REQUIRES: the certificate's public key and names are set. `issuer` may be the certificate itself.
Status add_extensions(X509* certificate, X509* issuer, const Profile& profile) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const auto add = [&](int nid, const char* value) {
    return add_extension(certificate, &context, nid, value);
  };
  MELDEVAKT_TRY(add(NID_basic_constraints, profile.basic_constraints));
  MELDEVAKT_TRY(add(NID_key_usage, profile.key_usage));
  if (profile.extended_key_usage != nullptr) {
    MELDEVAKT_TRY(add(NID_ext_key_usage, profile.extended_key_usage));
  }
  MELDEVAKT_TRY(add(NID_subject_key_identifier, "hash"));
  return add(NID_authority_key_identifier, "keyid:always");
}

// Letters, digits, '-', '_' and dots between, "*." in front: what TLS clients compare. Names with
// other letters have an ASCII form ("xn--...").
bool is_dns_name(std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(2);
  if (name.empty() || name.size() > 253) return false;
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
    if (!good || ++label > 63) return false;
  }
  return label != 0;
}

Result<openssl::Name> general_name(const std::string& name) {
  openssl::Name out{GENERAL_NAME_new()};
  MELDEVAKT_CHECK(out != nullptr);
  // GENERAL_NAME_set0_value takes the value over. A NUL in the name would hide what follows it.
  const bool whole = name.find('\0') == std::string::npos;
  if (openssl::OctetString address{whole ? a2i_IPADDRESS(name.c_str()) : nullptr}) {
    GENERAL_NAME_set0_value(out.get(), GEN_IPADD, address.release());
    return out;
  }
  ERR_clear_error();
  if (!is_dns_name(name)) {
    return Error{Errc::kInvalid, quoted(name) +
                                     " is neither an IP address nor a DNS name (write "
                                     "names with other letters in their xn-- form)"};
  }
  openssl::Ia5String text{ASN1_IA5STRING_new()};
  MELDEVAKT_CHECK(text != nullptr);
  MELDEVAKT_CHECK(ASN1_STRING_set(text.get(), name.data(), static_cast<int>(name.size())) == 1);
  GENERAL_NAME_set0_value(out.get(), GEN_DNS, text.release());
  return out;
}

// Built from objects, not from configuration text: a comma in a name must not become another name.
Status add_alternative_names(X509* certificate, const std::vector<std::string>& names) {
  if (names.empty()) {
    return Error{Errc::kInvalid, "a server certificate needs at least one name or address"};
  }
  const openssl::Names list{GENERAL_NAMES_new()};
  MELDEVAKT_CHECK(list != nullptr);
  for (const std::string& name : names) {
    MELDEVAKT_TRY_ASSIGN(openssl::Name entry, general_name(name));
    MELDEVAKT_CHECK(sk_GENERAL_NAME_push(list.get(), entry.get()) > 0);
    static_cast<void>(entry.release());  // the list owns it now
  }
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), 0, X509V3_ADD_DEFAULT) !=
      1) {
    return openssl::error(Errc::kIo, "cannot add names to a certificate");
  }
  return {};
}

// Everything but the subject alternative names and the signature. `issuer` null: signs itself.
Result<openssl::Certificate> draft(std::string_view common_name, EVP_PKEY* public_key, X509* issuer,
                                   Instant now, Duration lifetime, const Profile& profile) {
  openssl::Certificate certificate{X509_new()};
  MELDEVAKT_CHECK(certificate != nullptr);
  X509* const raw = certificate.get();
  MELDEVAKT_TRY(set_serial(raw));
  MELDEVAKT_TRY(set_lifetime(raw, now, lifetime));
  MELDEVAKT_TRY(x509::set_common_name(X509_get_subject_name(raw), common_name));
  X509* const signed_by = issuer == nullptr ? raw : issuer;
  if (X509_set_version(raw, X509_VERSION_3) != 1 ||
      X509_set_issuer_name(raw, X509_get_subject_name(signed_by)) != 1 ||
      X509_set_pubkey(raw, public_key) != 1) {
    return openssl::error(Errc::kIo, "cannot make a certificate");
  }
  MELDEVAKT_TRY(add_extensions(raw, signed_by, profile));
  return certificate;
}

Result<std::string> sign_to_pem(X509* certificate, EVP_PKEY* key) {
  if (X509_sign(certificate, key, EVP_sha256()) <= 0) {
    return openssl::error(Errc::kIo, "cannot sign a certificate");
  }
  return x509::certificate_to_pem(certificate);
}

// The request's key, after the request has proven that its maker holds the private half.
Result<openssl::Key> proven_key(X509_REQ* request) {
  openssl::Key key{X509_REQ_get_pubkey(request)};
  if (!key) return openssl::error(Errc::kCorrupt, "the request holds no public key we know");
  std::string group(64, '\0');
  std::size_t size = 0;
  if (EVP_PKEY_is_a(key.get(), "EC") != 1 ||
      EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), &size) != 1 ||
      std::string_view{group}.substr(0, size) != SN_X9_62_prime256v1) {
    return openssl::error(Errc::kInvalid, "the request's key is not on the curve P-256");
  }
  if (X509_REQ_verify(request, key.get()) != 1) {
    return openssl::error(Errc::kCorrupt, "the request is not signed by its own key");
  }
  return key;
}

}  // namespace

Result<KeyAndCertificate> make_certificate_authority(std::string_view name, Instant now,
                                                     Duration lifetime) {
  MELDEVAKT_TRY_ASSIGN(const openssl::Key key, x509::make_p256_key());
  MELDEVAKT_TRY_ASSIGN(const openssl::Certificate certificate,
                       draft(name, key.get(), nullptr, now, lifetime, kAuthority));
  KeyAndCertificate out;
  MELDEVAKT_TRY_ASSIGN(out.certificate_pem, sign_to_pem(certificate.get(), key.get()));
  MELDEVAKT_TRY_ASSIGN(out.private_key_pem, openssl::private_key_to_pem(key.get()));
  return out;
}

Result<KeyAndCertificate> issue_server_certificate(const KeyAndCertificate& authority,
                                                   const std::vector<std::string>& names,
                                                   Instant now, Duration lifetime) {
  MELDEVAKT_TRY_ASSIGN(const Issuer issuer, issuer_from(authority));
  MELDEVAKT_TRY_ASSIGN(const openssl::Key key, x509::make_p256_key());
  // Clients look at the alternative names only; a common name longer than 64 is not allowed.
  const bool named = !names.empty() && names.front().size() <= 64;
  MELDEVAKT_TRY_ASSIGN(const openssl::Certificate certificate,
                       draft(named ? std::string_view{names.front()} : "meldevakt-collector",
                             key.get(), issuer.certificate.get(), now, lifetime, kServer));
  MELDEVAKT_TRY(add_alternative_names(certificate.get(), names));
  KeyAndCertificate out;
  MELDEVAKT_TRY_ASSIGN(out.certificate_pem, sign_to_pem(certificate.get(), issuer.key.get()));
  MELDEVAKT_TRY_ASSIGN(out.private_key_pem, openssl::private_key_to_pem(key.get()));
  return out;
}

Result<std::string> issue_client_certificate(const KeyAndCertificate& authority,
                                             std::string_view request_pem,
                                             std::string_view common_name, Instant now,
                                             Duration lifetime) {
  MELDEVAKT_TRY_ASSIGN(const Issuer issuer, issuer_from(authority));
  MELDEVAKT_TRY_ASSIGN(const openssl::Request request, x509::request_from_pem(request_pem));
  MELDEVAKT_TRY_ASSIGN(const openssl::Key key, proven_key(request.get()));
  // The names in the request are wishes; the subject is ours to give.
  MELDEVAKT_TRY_ASSIGN(
      const openssl::Certificate certificate,
      draft(common_name, key.get(), issuer.certificate.get(), now, lifetime, kClient));
  return sign_to_pem(certificate.get(), issuer.key.get());
}

}  // namespace meldevakt
