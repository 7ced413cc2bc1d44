// What the collector's answers mean: its paths, as calls (collector/http/PROTOCOL.md).
//
// An answer is read strictly (common/summary/json.h): all of its members, each once, and no others.
// One that is not understood lets nothing leave the outbox and stops nothing: the frame is sent
// again.
//
// Thread-safety: as the transport. Errors: kRejected (403 and other refusals, with the collector's
// words), kUnavailable (not reached, 429, 5xx), kCorrupt (an answer that is none).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/ship/clock_comparison.h"
#include "agent/ship/frame_sender.h"
#include "agent/ship/https.h"
#include "agent/ship/log_proofs.h"
#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/ports/clock.h"
#include "common/seal/seen_log.h"

namespace meldevakt::agent {

inline constexpr const char* kFrameMediaType = "application/vnd.meldevakt.frame.v1";

struct EnrolAnswer {
  std::string agent;
  std::string tenant;
  std::string certificate_pem;
  std::string authority_pem;
  bool first_agent = false;
};
// `token`: Base64url, as in the invitation.
[[nodiscard]] Result<EnrolAnswer> enrol(HttpTransport& transport, std::string_view token,
                                        std::string_view envelope, std::string_view request_pem);

struct HeadAnswer {
  std::uint64_t epoch = 0;
  std::uint64_t next_sequence = 0;
  Sha256 link;
  std::optional<Instant> time;  // the collector's clock; collectors from before this was told: none
};
[[nodiscard]] Result<HeadAnswer> get_head(HttpTransport& transport);

// GET /v1/log/key: "name+id+Base64" (common/seal/note.h), of a key that can sign. kNotFound: the
// collector keeps no log, or has not signed it yet.
[[nodiscard]] Result<std::string> get_log_key(HttpTransport& transport, const Verifier& verifier);
// GET /v1/log/proof. kNotFound: no such statement. kExists: the log is shorter than `seen`.
[[nodiscard]] Result<ShownProof> get_log_proof(HttpTransport& transport, std::uint64_t epoch,
                                               std::uint64_t sequence, std::uint64_t seen);

struct ComparedClocks {
  std::shared_ptr<ClockComparison> comparison;  // nullptr: nobody asks
  Clock* ours = nullptr;                        // outlives the sender; REQUIRES: with comparison
};

// POST /v1/frames, and the proof of what is stored (log_proofs.h). An answer "ahead" without a
// usable number asks GET /v1/head for it.
//
// Each answer says what the collector's clock says: compared with ours in `clocks`, from the first
// question on, which begin() asks for its sake.
class HttpsSender : public FrameSender {
 public:
  HttpsSender(std::unique_ptr<HttpTransport> transport, LogProofs proofs,
              ComparedClocks clocks = {})
      : transport_{std::move(transport)}, proofs_{std::move(proofs)}, clocks_{std::move(clocks)} {}
  [[nodiscard]] bool begin() override;
  [[nodiscard]] HandoverResult send(const OutgoingFrame& frame) override;

 private:
  [[nodiscard]] HandoverResult conflict(const HttpAnswer& answer);
  [[nodiscard]] Instant now() const;
  void compare(Instant asked, const std::optional<Instant>& theirs) const;

  std::unique_ptr<HttpTransport> transport_;
  LogProofs proofs_;
  ComparedClocks clocks_;
};

}  // namespace meldevakt::agent
