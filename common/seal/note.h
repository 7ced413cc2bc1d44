// Signed notes (C2SP signed-note): a text, a blank line, signature lines. What checkpoints are.
//
//   NoteKey key = make_note_key("example.no/t1", NoteKeyType::kEd25519, public_key);
//   Note note{text, {}};
//   MELDEVAKT_TRY_ASSIGN(note.signatures.emplace_back(), sign_note(text, name, signer));
//   MELDEVAKT_TRY_ASSIGN(auto by, verify_note(note, {key}, verifier));    // who signed, of these
//
// A signature is looked at only under a key that the caller knows, by name and id; others are
// ignored. Of a known key that does not verify the whole note is refused.
//
// Thread-safety: pure but for the signer's key. Errors: kCorrupt (form), kRejected (signatures),
// kLimit. Source: c2sp.org/signed-note, c2sp.org/tlog-cosignature (Ed25519 only: OpenSSL 3.0 has no
// ML-DSA). Keys are written as the Go note package does: name+id+Base64.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/ports/signer.h"

namespace meldevakt {

// Of one note as a whole, and of its signatures (the format says that 16 must be accepted).
inline constexpr std::size_t kNoteBytesMax = 64 * 1024;
inline constexpr std::size_t kNoteSignaturesMax = 64;

enum class NoteKeyType : std::uint8_t {
  kEd25519 = 0x01,      // over the text
  kCosignature = 0x04,  // over the text and the time at which it was signed
};

struct NoteKey {
  std::string name;
  NoteKeyType type = NoteKeyType::kEd25519;
  std::string public_key;  // 32 raw bytes
  std::uint32_t id = 0;    // of all three
  auto operator<=>(const NoteKey&) const = default;
};

struct NoteSignature {
  std::string key_name;
  std::uint32_t key_id = 0;
  std::string bytes;
  bool operator==(const NoteSignature&) const = default;
};

struct Note {
  std::string text;  // ends in a newline
  std::vector<NoteSignature> signatures;
  bool operator==(const Note&) const = default;
};

// Not empty, no spaces of any kind, no plus, UTF-8 without control characters.
[[nodiscard]] bool is_note_key_name(std::string_view name);
// REQUIRES: is_note_key_name(name).
[[nodiscard]] NoteKey make_note_key(std::string_view name, NoteKeyType type,
                                    std::string_view public_key);
[[nodiscard]] std::string to_text(const NoteKey& key);
[[nodiscard]] Result<NoteKey> parse_note_key(std::string_view text);

[[nodiscard]] std::string to_text(const Note& note);
[[nodiscard]] std::string to_line(const NoteSignature& signature);  // with its newline
[[nodiscard]] Result<Note> parse_note(std::string_view bytes);
// One or more signature lines alone, as a witness answers.
[[nodiscard]] Result<std::vector<NoteSignature>> parse_signature_lines(std::string_view lines);

[[nodiscard]] Result<NoteSignature> sign_note(std::string_view text, std::string_view key_name,
                                              Signer& signer);
// `at` to the second.
[[nodiscard]] Result<NoteSignature> cosign_note(std::string_view text, std::string_view key_name,
                                                Signer& signer, Instant at);

struct VerifiedSignature {
  NoteKey key;
  std::optional<Instant> at;  // of a cosignature
};
// Of these keys those that signed, each once, in the order of `known`; at least one, or kRejected.
[[nodiscard]] Result<std::vector<VerifiedSignature>> verify_note(const Note& note,
                                                                 const std::vector<NoteKey>& known,
                                                                 const Verifier& verifier);

}  // namespace meldevakt
