// The collector held to its log: nothing that it acknowledges is let go of before it has proved
// that the statement stands in the tenant's log, and that the log goes on from what was seen of it.
//
//   LogProofs proofs{tenant.log, verifier};
//   HandoverResult result = proofs.after_stored(transport, frame);   // kStored, or why not
//
// The log's key is taken from the collector once, over the connection whose authority came with
// the invitation, and kept (SeenLog::key); no other key counts ever after. A collector from before
// there were logs has none to show (404): then its acknowledgement alone counts, and it is asked
// again with each, until a key has been seen.
//
// Thread-safety: as the transport. Outcomes: kStored; kRetry (no answer, one that is not
// understood, no proof yet); kFalseLog (it contradicts itself: common/seal/seen_log.h, kRejected).
// Source: collector/http/PROTOCOL.md, /v1/log/key and /v1/log/proof.
#pragma once

#include <string>
#include <utility>

#include "agent/ship/frame_sender.h"
#include "agent/ship/https.h"
#include "common/base/result.h"
#include "common/ports/signer.h"
#include "common/seal/seen_log.h"

namespace meldevakt::agent {

class LogProofs {
 public:
  // `verifier` must outlive it.
  LogProofs(SeenLog seen, const Verifier& verifier) : seen_{std::move(seen)}, verifier_{verifier} {}

  [[nodiscard]] HandoverResult after_stored(HttpTransport& transport, const OutgoingFrame& frame);
  [[nodiscard]] const SeenLog& seen() const { return seen_; }

 private:
  SeenLog seen_;
  const Verifier& verifier_;
};

}  // namespace meldevakt::agent
