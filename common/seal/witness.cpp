#include "common/seal/witness.h"

#include <utility>

#include "common/base/text.h"

namespace meldevakt {
namespace {

WitnessDecision refuse(WitnessAnswer answer, std::string why, WitnessDecision with = {}) {
  with.answer = answer;
  with.why = std::move(why);
  return with;
}

}  // namespace

Result<WitnessDecision> decide_add_checkpoint(std::string_view text, const FindLogKey& key_of,
                                              const FindWitnessedTree& latest_of,
                                              const Verifier& verifier) {
  const Result<AddCheckpoint> request = parse_add_checkpoint(text);
  if (!request) return refuse(WitnessAnswer::kMalformed, request.error().message());
  const Result<Note> note = parse_note(request.value().checkpoint);
  if (!note) return refuse(WitnessAnswer::kMalformed, note.error().message());
  const Result<Checkpoint> checkpoint = parse_checkpoint_text(note.value().text);
  if (!checkpoint) return refuse(WitnessAnswer::kMalformed, checkpoint.error().message());

  WitnessDecision out;
  out.checkpoint = checkpoint.value();
  const Checkpoint& fresh = out.checkpoint;
  const std::optional<NoteKey> key = key_of(fresh.origin);
  if (!key) return refuse(WitnessAnswer::kUnknownLog, "no such log: " + quoted(fresh.origin), out);
  const auto by = verify_note(note.value(), {*key}, verifier);
  if (!by) return refuse(WitnessAnswer::kUnsigned, by.error().message(), out);

  const std::uint64_t old_size = request.value().old_size;
  if (old_size > fresh.size) {
    return refuse(WitnessAnswer::kMalformed, "the checkpoint is older than what it follows", out);
  }
  MELDEVAKT_TRY_ASSIGN(out.latest, latest_of(fresh.origin));
  if (old_size != out.latest.size) {
    return refuse(WitnessAnswer::kConflict,
                  "follows size " + std::to_string(old_size) + ", cosigned last was " +
                      std::to_string(out.latest.size),
                  out);
  }
  const HashList& proof = request.value().proof;
  if (old_size == fresh.size && old_size > 0 && fresh.root != out.latest.root) {
    return refuse(WitnessAnswer::kConflict,
                  "the log signed two roots for size " + std::to_string(old_size), out);
  }
  if (old_size == 0) {
    // Everything follows the empty tree; there is nothing to prove, and nothing to be proved with.
    if (!proof.empty()) return refuse(WitnessAnswer::kInconsistent, "a proof from nothing", out);
  } else if (const Status holds =
                 verify_consistency(old_size, out.latest.root, fresh.size, fresh.root, proof);
             !holds) {
    return refuse(WitnessAnswer::kInconsistent, holds.error().message(), out);
  }
  out.answer = WitnessAnswer::kCosign;
  out.text = note.value().text;
  return out;
}

}  // namespace meldevakt
