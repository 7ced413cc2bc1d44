// Bytes that anybody may write and only the holder of a private key can read.
//
// A port bound when a program is linked, as sha256.h is: the implementation is in common/crypto.
//
//   MELDEVAKT_TRY_ASSIGN(BoxKeys keys, make_box_keys());
//   MELDEVAKT_TRY_ASSIGN(std::string box, seal_box(keys.public_key, "what it belongs to", plain));
//   MELDEVAKT_TRY_ASSIGN(std::string plain, open_box(keys.private_key, "what it belongs to", box));
//
// X25519 with a key made for this box alone, HKDF-SHA-256, ChaCha20-Poly1305 in chunks of
// kBoxChunkBytes; a chunk's number and whether it is the last stand in its nonce, so that a chunk
// that is missing, moved or repeated does not verify. `context` is not in the box and not secret:
// a box opens only with the very bytes it was sealed with. The layout is in agent/hold/FORMAT.md.
//
// Private keys go into files as PKCS#8 PEM, with a passphrase as PBES2 of scrypt and AES-256-CBC:
// what `openssl pkey` reads.
//
// Thread-safety: pure functions. Memory: `plain` once more. Errors: kInvalid (not a key, a weak
// public key), kCorrupt (another key or context, or changed bytes: nobody can tell which),
// kRejected (wrong passphrase, or one is needed), kIo (the library).
// Sources: RFC 7748, RFC 5869, RFC 8439, RFC 7914, RFC 8018; chunks after Hoang et al., "Online
// Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", STREAM.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meldevakt {

inline constexpr std::size_t kBoxKeyBytes = 32;
inline constexpr std::size_t kBoxTagBytes = 16;
inline constexpr std::size_t kBoxChunkBytes = 64 * 1024;
// Work for each try of a passphrase: as much as OpenSSL's own limit lets its tools open.
inline constexpr std::uint64_t kScryptCost = 16'384;
inline constexpr std::uint64_t kScryptBlock = 8;
inline constexpr std::uint64_t kScryptParallel = 8;

struct BoxKeys {
  std::string private_key;  // 32 raw bytes
  std::string public_key;   // 32 raw bytes
};
[[nodiscard]] Result<BoxKeys> make_box_keys();
[[nodiscard]] Result<std::string> public_box_key(std::string_view private_key);
// First 16 hexadecimal digits of SHA-256 of the public key.
[[nodiscard]] std::string box_key_id(std::string_view public_key);

[[nodiscard]] std::size_t box_bytes(std::size_t plain_bytes);
[[nodiscard]] Result<std::string> seal_box(std::string_view public_key, std::string_view context,
                                           std::string_view plain);
[[nodiscard]] Result<std::string> open_box(std::string_view private_key, std::string_view context,
                                           std::string_view box);

// `passphrase` "": not encrypted.
[[nodiscard]] Result<std::string> box_key_to_pem(std::string_view private_key,
                                                 std::string_view passphrase);
[[nodiscard]] Result<std::string> box_key_from_pem(std::string_view pem,
                                                   std::string_view passphrase);
[[nodiscard]] bool needs_passphrase(std::string_view pem);
[[nodiscard]] Result<std::string> public_box_key_to_pem(std::string_view public_key);
[[nodiscard]] Result<std::string> public_box_key_from_pem(std::string_view pem);

// Overwrites a secret before its memory goes back to the heap.
void cleanse(std::string& secret);

}  // namespace meldevakt
