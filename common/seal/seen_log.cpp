#include "common/seal/seen_log.h"

namespace meldevakt {
namespace {

// Of the same size it must be the same log; of a larger one it must begin with the seen one.
Status goes_on(const SeenLog& seen, const Checkpoint& now, const HashList& consistency) {
  const auto rejected = [](const std::string& why) {
    return Error{Errc::kRejected, "log: " + why};
  };
  if (now.size < seen.size) {
    return rejected("it has " + std::to_string(now.size) + " entries, and had " +
                    std::to_string(seen.size) + " before");
  }
  if (now.size == seen.size || seen.size == 0) {
    if (now.size == seen.size && seen.size != 0 && now.root != seen.root) {
      return rejected("it has another content than before at the same size, " +
                      std::to_string(now.size));
    }
    if (!consistency.empty()) return Error{Errc::kCorrupt, "log: hashes that prove nothing"};
    return {};
  }
  if (verify_consistency(seen.size, seen.root, now.size, now.root, consistency)) return {};
  return rejected("with " + std::to_string(now.size) +
                  " entries it does not begin with what it was with " + std::to_string(seen.size));
}

}  // namespace

Result<SeenLog> follow_log(const SeenLog& seen, std::string_view entry, const ShownProof& shown,
                           const Verifier& verifier) {
  LogPolicy policy;
  MELDEVAKT_TRY_ASSIGN(policy.log, parse_note_key(seen.key));
  MELDEVAKT_TRY_ASSIGN(const TlogProof proof, parse_tlog_proof(shown.proof));
  MELDEVAKT_TRY_ASSIGN(const TrustedCheckpoint now,
                       verify_tlog_proof(proof, entry, policy, verifier));
  MELDEVAKT_TRY(goes_on(seen, now.checkpoint, shown.consistency));
  return SeenLog{seen.key, now.checkpoint.size, now.checkpoint.root, proof.checkpoint};
}

}  // namespace meldevakt
