#include "collector/admit/admit.h"

#include <utility>

#include "common/base/limits.h"
#include "common/pack/pack.h"
#include "common/ports/sha256.h"
#include "common/seal/dsse.h"

namespace meldevakt::collector {
namespace {

constexpr std::size_t kPublicKeyBytes = 32;
constexpr std::size_t kAgentIdDigits = 32;

Status check_owner(const Statement& statement, const AgentKey& key) {
  if (statement.agent != key.agent) {
    return Error{Errc::kRejected, "the statement is another agent's"};
  }
  if (statement.tenant != key.tenant) {
    return Error{Errc::kRejected, "the statement is another tenant's"};
  }
  return {};
}

Status check_body(const std::string& packed, const BodyHash& signed_hash) {
  if (signed_hash.plain_bytes > limits::kBodyPlainBytesMax ||
      packed.size() > limits::kBodyPackedBytesMax) {
    return Error{Errc::kLimit, "larger than a body may be"};
  }
  if (packed.size() != signed_hash.packed_bytes) {
    return Error{Errc::kCorrupt, "other length than was signed"};
  }
  if (sha256(packed) != signed_hash.packed) {
    return Error{Errc::kCorrupt, "other bytes than were signed"};
  }
  return {};
}

Status check_bodies(const Frame& frame, const Statement& statement) {
  if (frame.bodies.size() != statement.bodies.size()) {
    return Error{Errc::kCorrupt, "the statement names " + std::to_string(statement.bodies.size()) +
                                     " bodies, the frame holds " +
                                     std::to_string(frame.bodies.size())};
  }
  for (std::size_t i = 0; i < frame.bodies.size(); ++i) {
    if (auto checked = check_body(frame.bodies[i], statement.bodies[i]); !checked) {
      return std::move(checked).error().in("body " + std::to_string(i));
    }
  }
  return {};
}

}  // namespace

Result<VerifiedFrame> verify_frame(std::string_view bytes, const AgentKey& key,
                                   const Verifier& verifier) {
  MELDEVAKT_TRY_ASSIGN(Frame frame, decode_frame(bytes));
  MELDEVAKT_TRY_ASSIGN(const Envelope envelope, parse_envelope(frame.envelope));
  MELDEVAKT_TRY(verify_envelope(envelope, kStatementType, key.public_key, verifier));
  MELDEVAKT_TRY_ASSIGN(Statement statement, decode_statement(envelope.payload));
  MELDEVAKT_TRY(check_owner(statement, key));
  MELDEVAKT_TRY(check_bodies(frame, statement));
  const Sha256 link = link_hash(kStatementType, envelope.payload);
  return VerifiedFrame{std::move(frame), std::move(statement), link};
}

Result<Body> open_body(std::string_view packed, const BodyHash& hash) {
  if (hash.dictionary != 0) {
    return Error{Errc::kCorrupt, "packed with a dictionary that is not known here"};
  }
  if (hash.plain_bytes > limits::kBodyPlainBytesMax) {
    return Error{Errc::kLimit, "larger than a body may be"};
  }
  MELDEVAKT_TRY_ASSIGN(const std::string plain, unpack(packed, hash.plain_bytes));
  if (sha256(plain) != hash.plain) {
    return Error{Errc::kCorrupt, "other contents than were signed"};
  }
  MELDEVAKT_TRY_ASSIGN(Body body, decode_body(plain));
  if (body.facts.size() != hash.facts) {
    return Error{Errc::kCorrupt, "other number of facts than was signed"};
  }
  return body;
}

Result<VerifiedEnrolment> verify_enrolment(std::string_view envelope_json,
                                           const Verifier& verifier) {
  if (envelope_json.size() > limits::kEnvelopeBytesMax) {
    return Error{Errc::kLimit, "larger than an envelope may be"};
  }
  MELDEVAKT_TRY_ASSIGN(const Envelope envelope, parse_envelope(envelope_json));
  if (envelope.payload_type != kEnrolmentType) {
    return Error{Errc::kCorrupt, "not an enrolment"};
  }
  // The key it is checked with stands inside: what this proves is possession, not identity.
  MELDEVAKT_TRY_ASSIGN(Enrolment enrolment, decode_enrolment(envelope.payload));
  MELDEVAKT_TRY_ASSIGN(std::string public_key, from_base64(enrolment.signing_key));
  if (public_key.size() != kPublicKeyBytes || !verifier.is_acceptable_key(public_key)) {
    return Error{Errc::kRejected, "the signing key is none that an honest agent has"};
  }
  MELDEVAKT_TRY(verify_envelope(envelope, kEnrolmentType, public_key, verifier));
  if (enrolment.agent != sha256(public_key).hex().substr(0, kAgentIdDigits)) {
    return Error{Errc::kRejected, "the agent's id is not that of its key"};
  }
  const Sha256 link = link_hash(kEnrolmentType, envelope.payload);
  return VerifiedEnrolment{std::move(enrolment), std::move(public_key), link};
}

}  // namespace meldevakt::collector
