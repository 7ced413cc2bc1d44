#include "common/seal/note.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/text.h"
#include "common/ports/sha256.h"

namespace meldevakt {
namespace {

constexpr std::string_view kDash = "\xE2\x80\x94 ";  // U+2014 and a space
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kTimeBytes = 8;

Error corrupt(std::string_view what) {
  return Error{Errc::kCorrupt, "note: " + std::string{what}};
}

// Unicode's White_Space beyond ASCII.
bool has_wide_space(std::string_view text) {
  constexpr std::array<std::string_view, 7> spaces = {
      "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\xA8",
      "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE3\x80\x80"};
  for (const std::string_view space : spaces) {
    if (text.find(space) != std::string_view::npos) return true;
  }
  if (text.find("\xE2\x81\x9F") != std::string_view::npos) return true;
  // U+2000 to U+200A
  for (std::size_t at = text.find("\xE2\x80"); at != std::string_view::npos;
       at = text.find("\xE2\x80", at + 1)) {
    const auto last = static_cast<unsigned char>(text[at + 2]);  // UTF-8: three bytes
    if (last <= 0x8A) return true;
  }
  return false;
}

bool is_note_text(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; };
  return is_utf8(text) && std::none_of(text.begin(), text.end(), is_control);
}

std::uint32_t key_id(std::string_view name, NoteKeyType type, std::string_view public_key) {
  std::string all{name};
  all.append("\n").push_back(static_cast<char>(type));
  all.append(public_key);
  return read_u32(sha256(all).view());
}

std::string cosigned_message(std::string_view text, std::uint64_t seconds) {
  std::string out = "cosignature/v1\ntime " + std::to_string(seconds) + "\n";
  out.append(text);
  return out;
}

Result<NoteSignature> parse_line(std::string_view line) {
  if (line.substr(0, kDash.size()) != kDash) return corrupt("a line is no signature");
  line.remove_prefix(kDash.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return corrupt("a signature line ends within it");
  NoteSignature out;
  out.key_name = line.substr(0, space);
  if (!is_note_key_name(out.key_name)) return corrupt("not a key's name in a signature line");
  const Result<std::string> bytes = from_base64(line.substr(space + 1));
  if (!bytes || bytes.value().size() <= sizeof(out.key_id)) {
    return corrupt("a signature is not Base64 of a key's id and more");
  }
  out.key_id = read_u32(bytes.value());
  out.bytes = bytes.value().substr(sizeof(out.key_id));
  return out;
}

// When it was signed, for a cosignature; nullopt when it does not verify.
std::optional<VerifiedSignature> verify_one(const NoteKey& key, std::string_view text,
                                            std::string_view bytes, const Verifier& verifier) {
  if (key.type == NoteKeyType::kEd25519) {
    if (bytes.size() != kSignatureBytes || !verifier.verify(key.public_key, text, bytes)) {
      return std::nullopt;
    }
    return VerifiedSignature{key, std::nullopt};
  }
  if (bytes.size() != kTimeBytes + kSignatureBytes) return std::nullopt;
  const std::uint64_t seconds = read_u64(bytes);
  constexpr std::uint64_t seconds_max = 253'402'300'799;  // the year 9999 ends
  if (seconds > seconds_max) return std::nullopt;
  if (!verifier.verify(key.public_key, cosigned_message(text, seconds), bytes.substr(kTimeBytes))) {
    return std::nullopt;
  }
  return VerifiedSignature{key, Instant{static_cast<std::int64_t>(seconds) * 1000}};
}

}  // namespace

bool is_note_key_name(std::string_view name) {
  const auto is_bad = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '+' || c == '\x7F';
  };
  return !name.empty() && is_utf8(name) && std::none_of(name.begin(), name.end(), is_bad) &&
         !has_wide_space(name);
}

NoteKey make_note_key(std::string_view name, NoteKeyType type, std::string_view public_key) {
  return {std::string{name}, type, std::string{public_key}, key_id(name, type, public_key)};
}

std::string to_text(const NoteKey& key) {
  std::string id;
  append_u32(id, key.id);
  std::string typed{static_cast<char>(key.type)};
  typed.append(key.public_key);
  return key.name + "+" + to_hex(id) + "+" + to_base64(typed);
}

Result<NoteKey> parse_note_key(std::string_view text) {
  const auto bad = [](std::string_view why) {
    return Error{Errc::kCorrupt, "verifier key: " + std::string{why}};
  };
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) return bad("not of the form name+id+key");
  const std::string_view name = text.substr(0, first);
  if (!is_note_key_name(name)) return bad("not a key's name");
  const Result<std::string> id = from_hex(text.substr(first + 1, second - first - 1));
  const Result<std::string> typed = from_base64(text.substr(second + 1));
  if (!id || id.value().size() != sizeof(std::uint32_t)) return bad("its id is not 8 digits");
  if (!typed || typed.value().size() != 1 + kKeyBytes) return bad("not an Ed25519 key");
  const auto type = static_cast<NoteKeyType>(typed.value().front());
  if (type != NoteKeyType::kEd25519 && type != NoteKeyType::kCosignature) {
    return bad("its type is neither 1 (Ed25519) nor 4 (cosignature)");
  }
  NoteKey key = make_note_key(name, type, std::string_view{typed.value()}.substr(1));
  if (key.id != read_u32(id.value())) return bad("its id is not that of its name and key");
  return key;
}

std::string to_line(const NoteSignature& signature) {
  std::string bytes;
  append_u32(bytes, signature.key_id);
  bytes.append(signature.bytes);
  std::string out{kDash};
  out.append(signature.key_name).append(" ").append(to_base64(bytes)).append("\n");
  return out;
}

std::string to_text(const Note& note) {
  std::string out = note.text + "\n";
  for (const NoteSignature& signature : note.signatures) out += to_line(signature);
  return out;
}

Result<std::vector<NoteSignature>> parse_signature_lines(std::string_view lines) {
  std::vector<NoteSignature> out;
  if (lines.size() > kNoteBytesMax) return Error{Errc::kLimit, "note: too large"};
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    if (end == std::string_view::npos) return corrupt("its last line has no end");
    if (out.size() == kNoteSignaturesMax) {
      return Error{Errc::kLimit,
                   "note: more than " + std::to_string(kNoteSignaturesMax) + " signatures"};
    }
    MELDEVAKT_TRY_ASSIGN(NoteSignature one, parse_line(lines.substr(0, end)));
    out.push_back(std::move(one));
    lines.remove_prefix(end + 1);
  }
  if (out.empty()) return corrupt("no signature");
  return out;
}

Result<Note> parse_note(std::string_view bytes) {
  if (bytes.size() > kNoteBytesMax) {
    return Error{Errc::kLimit, "note: larger than " + std::to_string(kNoteBytesMax) + " bytes"};
  }
  if (!is_note_text(bytes)) return corrupt("not UTF-8 without control characters");
  const std::size_t blank = bytes.rfind("\n\n");  // the last empty line
  if (blank == std::string_view::npos) return corrupt("no blank line before the signatures");
  Note out;
  out.text = bytes.substr(0, blank + 1);
  MELDEVAKT_TRY_ASSIGN(out.signatures, parse_signature_lines(bytes.substr(blank + 2)));
  return out;
}

Result<NoteSignature> sign_note(std::string_view text, std::string_view key_name, Signer& signer) {
  const std::uint32_t id = key_id(key_name, NoteKeyType::kEd25519, signer.public_key());
  MELDEVAKT_TRY_ASSIGN(std::string signature, signer.sign(text));
  return NoteSignature{std::string{key_name}, id, std::move(signature)};
}

Result<NoteSignature> cosign_note(std::string_view text, std::string_view key_name, Signer& signer,
                                  Instant at) {
  if (at.ms < 0) return Error{Errc::kInvalid, "cosignature: a time before 1970"};
  const std::uint32_t id = key_id(key_name, NoteKeyType::kCosignature, signer.public_key());
  const auto seconds = static_cast<std::uint64_t>(at.ms / 1000);
  MELDEVAKT_TRY_ASSIGN(const std::string signature, signer.sign(cosigned_message(text, seconds)));
  NoteSignature out{std::string{key_name}, id, ""};
  append_u64(out.bytes, seconds);
  out.bytes.append(signature);
  return out;
}

Result<std::vector<VerifiedSignature>> verify_note(const Note& note,
                                                   const std::vector<NoteKey>& known,
                                                   const Verifier& verifier) {
  std::vector<VerifiedSignature> out;
  for (const NoteKey& key : known) {
    std::optional<VerifiedSignature> newest;
    for (const NoteSignature& signature : note.signatures) {
      if (signature.key_name != key.name || signature.key_id != key.id) continue;
      auto one = verify_one(key, note.text, signature.bytes, verifier);
      if (!one) {
        return Error{Errc::kRejected,
                     "note: a signature of " + quoted(key.name) + " does not verify"};
      }
      if (!newest || one->at > newest->at) newest = std::move(one);
    }
    if (newest) out.push_back(std::move(*newest));
  }
  if (out.empty()) return Error{Errc::kRejected, "note: not signed by any known key"};
  return out;
}

}  // namespace meldevakt
