#include "common/ports/sealed_box.h"

#include <openssl/kdf.h>
#include <openssl/pkcs12.h>

#include <array>
#include <climits>
#include <memory>
#include <optional>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/crypto/openssl.h"
#include "common/ports/sha256.h"

namespace meldevakt {
namespace {

using openssl::as_unsigned;
using openssl::Free;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Free<EVP_CIPHER_CTX_free>>;

constexpr std::string_view kLabel = "meldevakt sealed box v1\n";
constexpr std::size_t kNonceBytes = 12;

unsigned char* to_unsigned(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

Result<openssl::Key> private_key_of(std::string_view raw) {
  if (raw.size() != kBoxKeyBytes) return Error{Errc::kInvalid, "a private key has 32 bytes"};
  openssl::Key key{
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, as_unsigned(raw), raw.size())};
  if (!key) return openssl::error(Errc::kInvalid, "not a private key");
  return key;
}

Result<openssl::Key> public_key_of(std::string_view raw) {
  if (raw.size() != kBoxKeyBytes) return Error{Errc::kInvalid, "a public key has 32 bytes"};
  openssl::Key key{
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, as_unsigned(raw), raw.size())};
  if (!key) return openssl::error(Errc::kInvalid, "not a public key");
  return key;
}

using GetRaw = int (*)(const EVP_PKEY*, unsigned char*, std::size_t*);
Result<std::string> raw_of(const EVP_PKEY* key, GetRaw get) {
  std::string raw(kBoxKeyBytes, '\0');
  std::size_t size = raw.size();
  if (get(key, to_unsigned(raw), &size) != 1 || size != kBoxKeyBytes) {
    return openssl::error(Errc::kInvalid, "the key is of another kind than X25519");
  }
  return raw;
}

// OpenSSL refuses a shared secret of zeros, which is what a weak public key gives.
Result<std::string> shared_secret(EVP_PKEY* own, EVP_PKEY* peer) {
  const KeyContext context{EVP_PKEY_CTX_new(own, nullptr)};
  std::string secret(kBoxKeyBytes, '\0');
  std::size_t size = secret.size();
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer) != 1 ||
      EVP_PKEY_derive(context.get(), to_unsigned(secret), &size) != 1 || size != kBoxKeyBytes) {
    return openssl::error(Errc::kInvalid, "the public key is weak or none");
  }
  return secret;
}

Result<std::string> chunk_key(std::string_view secret, std::string_view one_time,
                              std::string_view recipient, std::string_view context) {
  const std::string salt = std::string{one_time} + std::string{recipient};
  const std::string info = std::string{kLabel} + std::string{sha256(context).view()};
  const KeyContext kdf{EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr)};
  std::string key(kBoxKeyBytes, '\0');
  std::size_t size = key.size();
  if (!kdf || EVP_PKEY_derive_init(kdf.get()) != 1 ||
      EVP_PKEY_CTX_set_hkdf_md(kdf.get(), EVP_sha256()) != 1 ||
      EVP_PKEY_CTX_set1_hkdf_salt(kdf.get(), as_unsigned(salt), static_cast<int>(salt.size())) !=
          1 ||
      EVP_PKEY_CTX_set1_hkdf_key(kdf.get(), as_unsigned(secret), static_cast<int>(secret.size())) !=
          1 ||
      EVP_PKEY_CTX_add1_hkdf_info(kdf.get(), as_unsigned(info), static_cast<int>(info.size())) !=
          1 ||
      EVP_PKEY_derive(kdf.get(), to_unsigned(key), &size) != 1) {
    return openssl::error(Errc::kIo, "cannot derive a key");
  }
  return key;
}

// Three zero bytes, the chunk's number, and whether it is the last.
std::array<unsigned char, kNonceBytes> nonce_of(std::uint64_t number, bool last) {
  std::string bytes(3, '\0');
  append_u64(bytes, number);
  bytes.push_back(last ? '\1' : '\0');
  std::array<unsigned char, kNonceBytes> nonce{};
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<unsigned char>(bytes[i]);
  return nonce;
}

bool seal_chunk(EVP_CIPHER_CTX* cipher, std::uint64_t number, bool last, std::string_view plain,
                std::string& out) {
  const auto nonce = nonce_of(number, last);
  const std::size_t at = out.size();
  out.resize(at + plain.size() + kBoxTagBytes);
  unsigned char* to = to_unsigned(out) + at;
  int size = 0;
  int rest = 0;
  return EVP_EncryptInit_ex(cipher, nullptr, nullptr, nullptr, nonce.data()) == 1 &&
         EVP_EncryptUpdate(cipher, to, &size, as_unsigned(plain), static_cast<int>(plain.size())) ==
             1 &&
         EVP_EncryptFinal_ex(cipher, to + size, &rest) == 1 &&
         static_cast<std::size_t>(size + rest) == plain.size() &&
         EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, kBoxTagBytes, to + plain.size()) == 1;
}

bool open_chunk(EVP_CIPHER_CTX* cipher, std::uint64_t number, bool last, std::string_view sealed,
                std::string& out) {
  const auto nonce = nonce_of(number, last);
  const std::size_t plain_bytes = sealed.size() - kBoxTagBytes;
  std::string tag{sealed.substr(plain_bytes)};
  const std::size_t at = out.size();
  out.resize(at + plain_bytes + kBoxTagBytes);  // some room more: an empty chunk has an address too
  unsigned char* to = to_unsigned(out) + at;
  int size = 0;
  int rest = 0;
  const bool good =
      EVP_DecryptInit_ex(cipher, nullptr, nullptr, nullptr, nonce.data()) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, kBoxTagBytes, tag.data()) == 1 &&
      EVP_DecryptUpdate(cipher, to, &size, as_unsigned(sealed), static_cast<int>(plain_bytes)) ==
          1 &&
      EVP_DecryptFinal_ex(cipher, to + size, &rest) == 1;
  out.resize(at + plain_bytes);
  return good;
}

int no_prompt(char* to, int size, int, void* passphrase) {
  const auto* text = static_cast<const std::string*>(passphrase);
  if (text == nullptr || text->empty() || text->size() > static_cast<std::size_t>(size)) return -1;
  text->copy(to, text->size());
  return static_cast<int>(text->size());
}

Result<openssl::Bio> encrypted_pem(EVP_PKEY* key, std::string_view passphrase) {
  using PrivateInfo = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Free<PKCS8_PRIV_KEY_INFO_free>>;
  using Algorithm = std::unique_ptr<X509_ALGOR, Free<X509_ALGOR_free>>;
  using Encrypted = std::unique_ptr<X509_SIG, Free<X509_SIG_free>>;
  const PrivateInfo info{EVP_PKEY2PKCS8(key)};
  Algorithm algorithm{PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), nullptr, 16, nullptr, kScryptCost,
                                            kScryptBlock, kScryptParallel)};
  if (!info || !algorithm) return openssl::error(Errc::kIo, "cannot encrypt a private key");
  const Encrypted encrypted{PKCS8_set0_pbe(passphrase.data(), static_cast<int>(passphrase.size()),
                                           info.get(), algorithm.get())};
  if (!encrypted) return openssl::error(Errc::kIo, "cannot encrypt a private key");
  static_cast<void>(algorithm.release());  // now a part of what is encrypted
  openssl::Bio bio = openssl::secret_bio();
  if (PEM_write_bio_PKCS8(bio.get(), encrypted.get()) != 1) {
    return openssl::error(Errc::kIo, "cannot write a private key as PEM");
  }
  return bio;
}

}  // namespace

void cleanse(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

Result<BoxKeys> make_box_keys() {
  const openssl::Key key{EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")};
  if (!key) return openssl::error(Errc::kIo, "cannot make an X25519 key");
  BoxKeys out;
  MELDEVAKT_TRY_ASSIGN(out.private_key, raw_of(key.get(), EVP_PKEY_get_raw_private_key));
  MELDEVAKT_TRY_ASSIGN(out.public_key, raw_of(key.get(), EVP_PKEY_get_raw_public_key));
  return out;
}

Result<std::string> public_box_key(std::string_view private_key) {
  MELDEVAKT_TRY_ASSIGN(const openssl::Key key, private_key_of(private_key));
  return raw_of(key.get(), EVP_PKEY_get_raw_public_key);
}

std::string box_key_id(std::string_view public_key) {
  return sha256(public_key).hex().substr(0, 16);
}

std::size_t box_bytes(std::size_t plain_bytes) {
  const std::size_t chunks =
      plain_bytes == 0 ? 1 : (plain_bytes + kBoxChunkBytes - 1) / kBoxChunkBytes;
  return kBoxKeyBytes + plain_bytes + chunks * kBoxTagBytes;
}

Result<std::string> seal_box(std::string_view public_key, std::string_view context,
                             std::string_view plain) {
  MELDEVAKT_TRY_ASSIGN(const openssl::Key peer, public_key_of(public_key));
  const openssl::Key own{EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")};
  if (!own) return openssl::error(Errc::kIo, "cannot make an X25519 key");
  MELDEVAKT_TRY_ASSIGN(const std::string one_time, raw_of(own.get(), EVP_PKEY_get_raw_public_key));
  MELDEVAKT_TRY_ASSIGN(std::string secret, shared_secret(own.get(), peer.get()));
  const openssl::Cleanse cleanse_secret{secret};
  MELDEVAKT_TRY_ASSIGN(std::string key, chunk_key(secret, one_time, public_key, context));
  const openssl::Cleanse cleanse_key{key};
  const CipherContext cipher{EVP_CIPHER_CTX_new()};
  if (!cipher || EVP_EncryptInit_ex(cipher.get(), EVP_chacha20_poly1305(), nullptr,
                                    as_unsigned(key), nullptr) != 1) {
    return openssl::error(Errc::kIo, "cannot encrypt");
  }
  std::string out = one_time;
  out.reserve(box_bytes(plain.size()));
  std::uint64_t number = 0;
  do {
    const std::string_view chunk = plain.substr(0, kBoxChunkBytes);
    plain.remove_prefix(chunk.size());
    if (!seal_chunk(cipher.get(), number++, plain.empty(), chunk, out)) {
      return openssl::error(Errc::kIo, "cannot encrypt");
    }
  } while (!plain.empty());
  return out;
}

Result<std::string> open_box(std::string_view private_key, std::string_view context,
                             std::string_view box) {
  const Error refused{Errc::kCorrupt, "does not open: it was changed, or is for another key"};
  if (box.size() < kBoxKeyBytes + kBoxTagBytes) return Error{Errc::kCorrupt, "is cut short"};
  MELDEVAKT_TRY_ASSIGN(const openssl::Key own, private_key_of(private_key));
  MELDEVAKT_TRY_ASSIGN(const std::string recipient, raw_of(own.get(), EVP_PKEY_get_raw_public_key));
  const std::string_view one_time = box.substr(0, kBoxKeyBytes);
  MELDEVAKT_TRY_ASSIGN(const openssl::Key peer, public_key_of(one_time));
  Result<std::string> secret = shared_secret(own.get(), peer.get());
  if (!secret) return refused;
  const openssl::Cleanse cleanse_secret{secret.value()};
  MELDEVAKT_TRY_ASSIGN(std::string key, chunk_key(secret.value(), one_time, recipient, context));
  const openssl::Cleanse cleanse_key{key};
  const CipherContext cipher{EVP_CIPHER_CTX_new()};
  if (!cipher || EVP_DecryptInit_ex(cipher.get(), EVP_chacha20_poly1305(), nullptr,
                                    as_unsigned(key), nullptr) != 1) {
    return openssl::error(Errc::kIo, "cannot decrypt");
  }
  std::string out;
  out.reserve(box.size());
  box.remove_prefix(kBoxKeyBytes);
  std::uint64_t number = 0;
  while (!box.empty()) {
    const std::string_view chunk = box.substr(0, kBoxChunkBytes + kBoxTagBytes);
    box.remove_prefix(chunk.size());
    // An empty chunk is how a box of nothing ends, and never follows another.
    const bool formed =
        chunk.size() > kBoxTagBytes || (chunk.size() == kBoxTagBytes && number == 0);
    if (!formed || !open_chunk(cipher.get(), number++, box.empty(), chunk, out)) {
      ERR_clear_error();
      cleanse(out);
      return refused;
    }
  }
  return out;
}

Result<std::string> box_key_to_pem(std::string_view private_key, std::string_view passphrase) {
  MELDEVAKT_TRY_ASSIGN(const openssl::Key key, private_key_of(private_key));
  if (passphrase.empty()) return openssl::private_key_to_pem(key.get());
  MELDEVAKT_TRY_ASSIGN(const openssl::Bio bio, encrypted_pem(key.get(), passphrase));
  return openssl::text_of(bio.get());
}

bool needs_passphrase(std::string_view pem) {
  return pem.find("-----BEGIN ENCRYPTED PRIVATE KEY-----") != std::string_view::npos;
}

Result<std::string> box_key_from_pem(std::string_view pem, std::string_view passphrase) {
  if (pem.size() > INT_MAX) return Error{Errc::kCorrupt, "is no private key"};
  const openssl::Bio bio = openssl::bio_over(pem);
  std::string text{passphrase};
  const openssl::Cleanse cleanse_text{text};
  const openssl::Key key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_prompt, &text)};
  if (key) return raw_of(key.get(), EVP_PKEY_get_raw_private_key);
  ERR_clear_error();
  if (!needs_passphrase(pem)) return Error{Errc::kCorrupt, "is no private key in PEM"};
  if (passphrase.empty()) return Error{Errc::kRejected, "needs its passphrase"};
  return Error{Errc::kRejected, "does not open with this passphrase"};
}

Result<std::string> public_box_key_to_pem(std::string_view public_key) {
  MELDEVAKT_TRY_ASSIGN(const openssl::Key key, public_key_of(public_key));
  const openssl::Bio bio = openssl::secret_bio();
  if (PEM_write_bio_PUBKEY(bio.get(), key.get()) != 1) {
    return openssl::error(Errc::kIo, "cannot write a public key as PEM");
  }
  return openssl::text_of(bio.get());
}

Result<std::string> public_box_key_from_pem(std::string_view pem) {
  if (pem.size() > INT_MAX) return Error{Errc::kCorrupt, "is no public key"};
  const openssl::Bio bio = openssl::bio_over(pem);
  const openssl::Key key{PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr)};
  if (!key) return openssl::error(Errc::kCorrupt, "is no public key in PEM");
  return raw_of(key.get(), EVP_PKEY_get_raw_public_key);
}

}  // namespace meldevakt
