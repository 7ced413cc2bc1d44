#include <doctest/doctest.h>
#include <openssl/bn.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/crypto/crypto.h"
#include "common/crypto/openssl.h"
#include "common/crypto/x509.h"
#include "common/ports/sha256.h"

namespace meldevakt {
namespace {

constexpr Instant kNow{1'795'000'000'000};  // a day in November 2026

KeyAndCertificate authority(std::string_view name = "Meldevakt test") {
  auto made = make_certificate_authority(name, kNow, days(3650));
  REQUIRE(made);
  return std::move(made).value();
}

KeyAndRequest request(std::string_view name = "ønske") {
  auto made = make_tls_key_and_request(name);
  REQUIRE(made);
  return std::move(made).value();
}

openssl::Certificate parsed(const std::string& pem) {
  auto certificate = x509::certificate_from_pem(pem);
  REQUIRE(certificate);
  return std::move(certificate).value();
}

// The chain as a TLS peer would check it at `at`; 0 is X509_V_OK.
int chain_error(const std::string& pem, const std::string& authority_pem, int purpose, Instant at) {
  const openssl::Certificate leaf = parsed(pem);
  const openssl::Certificate root = parsed(authority_pem);
  X509_STORE* const store = X509_STORE_new();
  X509_STORE_add_cert(store, root.get());
  X509_STORE_CTX* const context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, leaf.get(), nullptr);
  X509_STORE_CTX_set_purpose(context, purpose);
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_X509_STRICT);
  X509_STORE_CTX_set_time(context, 0, at.ms / 1000);
  X509_verify_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return error;
}

std::string text_of(const std::string& pem) {
  const openssl::Certificate certificate = parsed(pem);
  const openssl::Bio bio{BIO_new(BIO_s_mem())};
  X509_print(bio.get(), certificate.get());
  return openssl::text_of(bio.get());
}

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("certificates: server and client are good for their own purpose and time only") {
  const KeyAndCertificate ca = authority();
  auto server = issue_server_certificate(ca, {"kollektor.example"}, kNow, days(90));
  REQUIRE(server);
  auto client = issue_client_certificate(ca, request().request_pem, "agent-1", kNow, days(90));
  REQUIRE(client);
  const std::string server_pem = server.value().certificate_pem;
  const std::string client_pem = client.value();

  struct Case {
    std::string_view name;
    std::string pem;
    int purpose;
    Instant at;
    int want;
  };
  const std::vector<Case> cases{
      {"server now", server_pem, X509_PURPOSE_SSL_SERVER, kNow, X509_V_OK},
      {"client now", client_pem, X509_PURPOSE_SSL_CLIENT, kNow, X509_V_OK},
      {"server as client", server_pem, X509_PURPOSE_SSL_CLIENT, kNow, X509_V_ERR_INVALID_PURPOSE},
      {"client as server", client_pem, X509_PURPOSE_SSL_SERVER, kNow, X509_V_ERR_INVALID_PURPOSE},
      {"clock behind by 5 min", client_pem, X509_PURPOSE_SSL_CLIENT, kNow - minutes(5), X509_V_OK},
      {"behind by more", client_pem, X509_PURPOSE_SSL_CLIENT, kNow - minutes(6),
       X509_V_ERR_CERT_NOT_YET_VALID},
      {"last minute", client_pem, X509_PURPOSE_SSL_CLIENT, kNow + days(90) - minutes(1), X509_V_OK},
      {"too late", client_pem, X509_PURPOSE_SSL_CLIENT, kNow + days(90) + minutes(1),
       X509_V_ERR_CERT_HAS_EXPIRED},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(chain_error(c.pem, ca.certificate_pem, c.purpose, c.at) == c.want);
  }
  const KeyAndCertificate other = authority();
  CHECK(chain_error(client_pem, other.certificate_pem, X509_PURPOSE_SSL_CLIENT, kNow) != X509_V_OK);
}

TEST_CASE("certificates: what stands in them") {
  const KeyAndCertificate ca = authority();
  const std::string root = text_of(ca.certificate_pem);
  CHECK(says(root, "Subject: CN=Meldevakt test"));
  CHECK(says(root, "Basic Constraints: critical\n                CA:TRUE, pathlen:0"));
  CHECK(says(root, "Key Usage: critical\n                Certificate Sign, CRL Sign"));
  CHECK(says(root, "ecdsa-with-SHA256"));
  CHECK(says(root, "prime256v1"));

  auto server = issue_server_certificate(ca, {"kollektor.example", "*.example", "127.0.0.1", "::1"},
                                         kNow, days(90));
  REQUIRE(server);
  const std::string text = text_of(server.value().certificate_pem);
  CHECK(says(text, "Version: 3"));
  CHECK(says(text,
             "DNS:kollektor.example, DNS:*.example, IP Address:127.0.0.1, "
             "IP Address:0:0:0:0:0:0:0:1"));
  CHECK(says(text, "CA:FALSE"));
  CHECK(says(text, "Key Usage: critical\n                Digital Signature"));
  CHECK(says(text, "TLS Web Server Authentication"));
  CHECK_FALSE(says(text, "TLS Web Client Authentication"));
  CHECK(says(text, "Subject Key Identifier"));
  CHECK(says(text, "Authority Key Identifier"));

  const openssl::Certificate leaf = parsed(server.value().certificate_pem);
  CHECK(X509_check_host(leaf.get(), "kollektor.example", 0, 0, nullptr) == 1);
  CHECK(X509_check_host(leaf.get(), "annen.test", 0, 0, nullptr) == 0);
  CHECK(X509_check_ip_asc(leaf.get(), "127.0.0.1", 0) == 1);
  CHECK(X509_check_ip_asc(leaf.get(), "127.0.0.2", 0) == 0);
  const auto key = openssl::private_key_from_pem(server.value().private_key_pem);
  REQUIRE(key);
  CHECK(X509_check_private_key(leaf.get(), key.value().get()) == 1);
}

TEST_CASE("certificates: serial numbers are 128 random bits") {
  const KeyAndCertificate ca = authority();
  const KeyAndRequest wish = request();
  std::set<std::string> serials;
  int longest = 0;
  for (int i = 0; i < 40; ++i) {
    auto pem = issue_client_certificate(ca, wish.request_pem, "a", kNow, days(1));
    REQUIRE(pem);
    const openssl::Certificate leaf = parsed(pem.value());
    const openssl::BigNumber serial{
        ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf.get()), nullptr)};
    CHECK_FALSE(BN_is_negative(serial.get()));
    longest = std::max(longest, BN_num_bits(serial.get()));
    char* const hex = BN_bn2hex(serial.get());
    serials.emplace(hex);
    OPENSSL_free(hex);
  }
  CHECK(serials.size() == 40);
  CHECK(longest > 120);
  CHECK(longest <= 128);
}

TEST_CASE("certificates: the client's name is ours to give, its key is the request's") {
  const KeyAndCertificate ca = authority();
  const KeyAndRequest wish = request("ønsket navn");
  auto pem = issue_client_certificate(ca, wish.request_pem, "0123456789abcdef", kNow, days(90));
  REQUIRE(pem);
  const std::string text = text_of(pem.value());
  CHECK(says(text, "Subject: CN=0123456789abcdef"));
  CHECK_FALSE(says(text, "nsket navn"));

  const auto of_request = public_key_hash_of_request(wish.request_pem);
  const auto of_certificate = public_key_hash_of_certificate(pem.value());
  REQUIRE(of_request);
  REQUIRE(of_certificate);
  CHECK(of_request.value() == wish.public_key_hash);
  CHECK(of_certificate.value() == wish.public_key_hash);

  // The same number as by the ordinary way: SHA-256 of the DER of the public key.
  const auto key = openssl::private_key_from_pem(wish.private_key_pem);
  REQUIRE(key);
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.value().get(), &der);
  REQUIRE(size > 0);
  CHECK(sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)}) ==
        wish.public_key_hash);
  OPENSSL_free(der);
}

TEST_CASE("certificates: the fingerprint is of the DER, whatever stands around the PEM") {
  const KeyAndCertificate ca = authority();
  const auto plain = fingerprint_of_certificate(ca.certificate_pem);
  const auto framed = fingerprint_of_certificate("a note\n" + ca.certificate_pem + "\nmore\n");
  REQUIRE(plain);
  REQUIRE(framed);
  CHECK(plain.value() == framed.value());
  const auto other = fingerprint_of_certificate(authority().certificate_pem);
  REQUIRE(other);
  CHECK(other.value() != plain.value());
}

// A request made by hand, to be signed by the wrong key or with another kind of key.
std::string made_by_hand(EVP_PKEY* holds, EVP_PKEY* signs, const EVP_MD* digest) {
  const openssl::Request out{X509_REQ_new()};
  REQUIRE(X509_REQ_set_pubkey(out.get(), holds) == 1);
  REQUIRE(X509_REQ_sign(out.get(), signs, digest) > 0);
  const openssl::Bio bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509_REQ(bio.get(), out.get());
  return openssl::text_of(bio.get());
}

TEST_CASE("certificates: a request that is not signed by its own P-256 key gets none") {
  const KeyAndCertificate ca = authority();
  const openssl::Key mine{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
  const openssl::Key stranger{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
  const openssl::Key larger{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384")};
  const openssl::Key edwards{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};

  const auto code = [&](const std::string& pem) {
    auto issued = issue_client_certificate(ca, pem, "a", kNow, days(1));
    REQUIRE_FALSE(issued);
    return issued.error().code();
  };
  REQUIRE(issue_client_certificate(ca, made_by_hand(mine.get(), mine.get(), EVP_sha256()), "a",
                                   kNow, days(1)));
  CHECK(code(made_by_hand(mine.get(), stranger.get(), EVP_sha256())) == Errc::kCorrupt);
  CHECK(code(made_by_hand(larger.get(), larger.get(), EVP_sha256())) == Errc::kInvalid);
  CHECK(code(made_by_hand(edwards.get(), edwards.get(), nullptr)) == Errc::kInvalid);
  CHECK(code("") == Errc::kCorrupt);
  CHECK(code("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n") ==
        Errc::kCorrupt);
  CHECK(code(ca.certificate_pem) == Errc::kCorrupt);
  CHECK(code(std::string(100'000, '-')) == Errc::kLimit);
  // Every single changed character: refused, or the same bytes after all (padding bits).
  const std::string good = request().request_pem;
  const std::string want = "a";
  std::size_t refused = 0;
  for (std::size_t i = 40; i + 40 < good.size(); i += 3) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    refused += issue_client_certificate(ca, bad, want, kNow, days(1)) ? 0U : 1U;
  }
  CHECK(refused + 1 >= (good.size() - 80 + 2) / 3);
}

TEST_CASE("certificates: a compressed point is the same key with the same hash") {
  const KeyAndCertificate ca = authority();
  const openssl::Key key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
  REQUIRE(EVP_PKEY_set_utf8_string_param(key.get(), "point-format", "compressed") == 1);
  const std::string pem = made_by_hand(key.get(), key.get(), EVP_sha256());
  const auto of_request = public_key_hash_of_request(pem);
  REQUIRE(of_request);
  auto issued = issue_client_certificate(ca, pem, "a", kNow, days(1));
  REQUIRE(issued);
  const auto of_certificate = public_key_hash_of_certificate(issued.value());
  REQUIRE(of_certificate);
  CHECK(of_certificate.value() == of_request.value());
}

TEST_CASE("certificates: names that are neither DNS name nor address are refused") {
  const KeyAndCertificate ca = authority();
  const std::string long_label(64, 'a');
  for (const std::string& name :
       {std::string{}, std::string{"a,DNS:b"}, std::string{"blåbær.example"}, std::string{"a b"},
        std::string{".a"}, std::string{"a..b"}, std::string{"a."}, std::string{"*"},
        std::string{"a.*"}, std::string{"127.0.0.1\0.example", 18}, long_label,
        std::string(254, 'a'), std::string{"https://a"}, std::string{"a:8443"}}) {
    CAPTURE(name);
    const auto issued = issue_server_certificate(ca, {"good.example", name}, kNow, days(1));
    REQUIRE_FALSE(issued);
    CHECK(issued.error().code() == Errc::kInvalid);
  }
  CHECK_FALSE(issue_server_certificate(ca, {}, kNow, days(1)));
  // Longer than a common name may be, which only the alternative names carry then.
  const std::string long_name = std::string(60, 'a') + '.' + std::string(60, 'b') + ".example";
  auto issued = issue_server_certificate(ca, {long_name}, kNow, days(1));
  REQUIRE(issued);
  CHECK(X509_check_host(parsed(issued.value().certificate_pem).get(), long_name.c_str(), 0, 0,
                        nullptr) == 1);
}

TEST_CASE("certificates: mixed-up or broken authorities issue nothing") {
  const KeyAndCertificate one = authority();
  const KeyAndCertificate two = authority();
  const std::string wish = request().request_pem;
  const auto fails = [&](const KeyAndCertificate& ca) {
    const auto issued = issue_client_certificate(ca, wish, "a", kNow, days(1));
    REQUIRE_FALSE(issued);
    CHECK(issued.error().code() == Errc::kCorrupt);
    CHECK(issued.error().message().find("PRIVATE") == std::string::npos);
  };
  fails({one.private_key_pem, two.certificate_pem});
  fails({"", one.certificate_pem});
  fails({one.private_key_pem, ""});
  fails({one.certificate_pem, one.private_key_pem});
}

TEST_CASE("certificates: impossible wishes are errors of the caller") {
  const KeyAndCertificate ca = authority();
  const std::string wish = request().request_pem;
  for (const std::string& name : {std::string{}, std::string(65, 'a'), std::string("\xff\xfe")}) {
    CAPTURE(name);
    const auto issued = issue_client_certificate(ca, wish, name, kNow, days(1));
    REQUIRE_FALSE(issued);
    CHECK(issued.error().code() == Errc::kInvalid);
    CHECK_FALSE(make_tls_key_and_request(name));
  }
  for (const Duration lifetime : {Duration{0}, days(-1), days(4'000'000)}) {
    CAPTURE(lifetime.ms);
    CHECK_FALSE(issue_client_certificate(ca, wish, "a", kNow, lifetime));
  }
  CHECK(issue_client_certificate(ca, wish, std::string(64, 'a'), kNow, days(1)));
}

}  // namespace
}  // namespace meldevakt
