// What a witness of logs decides about a new checkpoint (C2SP tlog-witness, add-checkpoint): the
// rules, without the network and the disk.
//
//   WitnessDecision d = decide_add_checkpoint(request, known_logs, latest, verifier);
//   if (d.answer == WitnessAnswer::kCosign) ... store d.checkpoint durably, if `latest` is still
//   the
//                                               one asked about; only then cosign and answer.
//
// Thread-safety: pure. Source: c2sp.org/tlog-witness; the numbers are its HTTP status codes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/seal/checkpoint.h"

namespace meldevakt {

enum class WitnessAnswer : std::uint16_t {
  kCosign = 200,
  kMalformed = 400,     // not of the form, or older than what it is said to follow
  kUnsigned = 403,      // by no key that is trusted for this log
  kUnknownLog = 404,    // its origin
  kConflict = 409,      // another size was cosigned last, or another root under the same size
  kInconsistent = 422,  // the proof does not hold
};

// What was cosigned last for one log; size 0 when nothing was yet.
struct WitnessedTree {
  std::uint64_t size = 0;
  Sha256 root;
  bool operator==(const WitnessedTree&) const = default;
};

struct WitnessDecision {
  WitnessAnswer answer = WitnessAnswer::kMalformed;
  std::string why;        // in English, for the log; "" for kCosign
  Checkpoint checkpoint;  // of kCosign, kConflict and kInconsistent
  std::string text;       // what to cosign, of kCosign
  WitnessedTree latest;   // as asked
};

// The key of the log with this origin; nullopt when it is not known.
using FindLogKey = std::function<std::optional<NoteKey>(std::string_view origin)>;
using FindWitnessedTree = std::function<Result<WitnessedTree>(std::string_view origin)>;

// Errors: those of FindWitnessedTree.
[[nodiscard]] Result<WitnessDecision> decide_add_checkpoint(std::string_view request,
                                                            const FindLogKey& key_of,
                                                            const FindWitnessedTree& latest_of,
                                                            const Verifier& verifier);

}  // namespace meldevakt
