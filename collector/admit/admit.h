// What a frame must survive before anything in it is believed or decompressed, in this order:
// structure and bounds; the envelope's form; its signature by the key this agent enrolled; that the
// statement is that agent's and tenant's; that every body's bytes hash to what is signed.
//
//   MELDEVAKT_TRY_ASSIGN(VerifiedFrame v, verify_frame(bytes, agent_key, verifier));
//   switch (decide(head, v.statement, v.link, stored_link)) ...      // inside the storing
//   transaction
//
// Pure. Thread-safety: pure functions. Errors: kCorrupt, kLimit (400, 413), kRejected (403).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/ports/signer.h"
#include "common/seal/chain.h"
#include "common/summary/fact.h"
#include "common/summary/frame.h"
#include "common/summary/statement.h"

namespace meldevakt::collector {

struct AgentKey {
  std::string tenant;
  std::string agent;
  std::string public_key;  // 32 raw bytes
};

struct VerifiedFrame {
  Frame frame;  // verbatim
  Statement statement;
  Sha256 link;
};
[[nodiscard]] Result<VerifiedFrame> verify_frame(std::string_view bytes, const AgentKey& key,
                                                 const Verifier& verifier);

// After storing: decompress (bounded by what is signed), check the plain hash, decode strictly.
[[nodiscard]] Result<Body> open_body(std::string_view packed, const BodyHash& hash);

// The enrolment inside a request: form, own signature, key acceptable, agent id derived from the
// key.
struct VerifiedEnrolment {
  Enrolment enrolment;
  std::string public_key;  // 32 raw bytes
  Sha256 link;             // the chain starts here
};
[[nodiscard]] Result<VerifiedEnrolment> verify_enrolment(std::string_view envelope_json,
                                                         const Verifier& verifier);

}  // namespace meldevakt::collector
