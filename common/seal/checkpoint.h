// Checkpoints (C2SP tlog-checkpoint): the size and root of a log under its origin, as the text of a
// signed note; and the proof that an entry stands in a log whose checkpoint is trusted (C2SP
// tlog-proof).
//
//   std::string text = checkpoint_text({"example.no/t1", size, root, {}});
//   LogPolicy policy{log_key, witness_keys, 1};
//   MELDEVAKT_TRY_ASSIGN(TrustedCheckpoint c, verify_checkpoint(bytes, policy, verifier));
//   MELDEVAKT_TRY_ASSIGN(TlogProof proof, parse_tlog_proof(file));
//   MELDEVAKT_TRY_ASSIGN(TrustedCheckpoint c, verify_tlog_proof(proof, entry, policy, verifier));
//
// Thread-safety: pure functions on plain values. Errors: kCorrupt (form), kRejected (not signed as
// the policy asks, or the proof does not hold), kLimit.
// Source: c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature, c2sp.org/tlog-proof.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/ports/signer.h"
#include "common/seal/merkle.h"
#include "common/seal/note.h"

namespace meldevakt {

inline constexpr std::size_t kOriginBytesMax = 255;

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Sha256 root;
  std::vector<std::string> extensions;  // further lines; we write none
  bool operator==(const Checkpoint&) const = default;
};

[[nodiscard]] std::string checkpoint_text(const Checkpoint& checkpoint);
[[nodiscard]] Result<Checkpoint> parse_checkpoint_text(std::string_view text);

// Whom a checkpoint must be signed by.
struct LogPolicy {
  NoteKey log;                     // its name is the log's origin
  std::vector<NoteKey> witnesses;  // of type kCosignature
  std::size_t witnesses_needed = 0;
};

struct TrustedCheckpoint {
  Checkpoint checkpoint;
  Note note;
  std::vector<VerifiedSignature> witnesses;  // that cosigned
};

[[nodiscard]] Result<TrustedCheckpoint> verify_checkpoint(std::string_view note,
                                                          const LogPolicy& policy,
                                                          const Verifier& verifier);

struct TlogProof {
  std::string extra;  // not signed: nothing may be believed of it
  std::uint64_t index = 0;
  HashList hashes;
  std::string checkpoint;  // the note, as it is
  bool operator==(const TlogProof&) const = default;
};

[[nodiscard]] std::string to_text(const TlogProof& proof);
[[nodiscard]] Result<TlogProof> parse_tlog_proof(std::string_view text);
[[nodiscard]] Result<TrustedCheckpoint> verify_tlog_proof(const TlogProof& proof,
                                                          std::string_view entry,
                                                          const LogPolicy& policy,
                                                          const Verifier& verifier);

// What a log sends to a witness (C2SP tlog-witness, add-checkpoint).
struct AddCheckpoint {
  std::uint64_t old_size = 0;
  HashList proof;
  std::string checkpoint;  // the note, as it is
  bool operator==(const AddCheckpoint&) const = default;
};
[[nodiscard]] std::string to_text(const AddCheckpoint& request);
[[nodiscard]] Result<AddCheckpoint> parse_add_checkpoint(std::string_view text);

}  // namespace meldevakt
