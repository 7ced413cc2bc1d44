#include "agent/ship/log_proofs.h"

#include "agent/ship/collector_answers.h"
#include "common/summary/frame.h"

namespace meldevakt::agent {
namespace {

HandoverResult later(std::string why) {
  HandoverResult out;
  out.detail = std::move(why);
  return out;
}

// `shown`: what a person, and a court, can hold against what was seen.
HandoverResult false_log(std::string why, std::string shown) {
  HandoverResult out;
  out.outcome = Handover::kFalseLog;
  out.detail = std::move(why);
  out.proof = std::move(shown);
  return out;
}

HandoverResult stored() {
  HandoverResult out;
  out.outcome = Handover::kStored;
  return out;
}

}  // namespace

HandoverResult LogProofs::after_stored(HttpTransport& transport, const OutgoingFrame& frame) {
  if (seen_.key.empty()) {
    Result<std::string> key = get_log_key(transport, verifier_);
    if (!key && key.error().code() == Errc::kNotFound) return stored();
    if (!key) return later(key.error().message());
    seen_.key = std::move(key).value();
  }
  const Result<Frame> own = decode_frame(frame.bytes);
  if (!own) return later("the frame itself is damaged: " + own.error().message());
  const Result<ShownProof> shown =
      get_log_proof(transport, frame.epoch, frame.sequence, seen_.size);
  if (!shown && shown.error().code() == Errc::kExists) {
    return false_log(
        "its log has fewer than the " + std::to_string(seen_.size) + " entries it signed before",
        shown.error().message());
  }
  if (!shown) return later(shown.error().message());
  Result<SeenLog> now = follow_log(seen_, own.value().envelope, shown.value(), verifier_);
  if (!now && now.error().code() == Errc::kRejected) {
    return false_log(now.error().message(), shown.value().proof);
  }
  if (!now) return later("its log proof is not understood: " + now.error().message());
  seen_ = std::move(now).value();
  HandoverResult out = stored();
  out.proof = shown.value().proof;
  out.log = seen_;
  return out;
}

}  // namespace meldevakt::agent
