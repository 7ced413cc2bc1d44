// What comes through admission is what was signed, byte for byte. The signature itself is taken as
// good here: no fuzzer would ever get past it, and what lies behind it must hold too.
#include "collector/admit/admit.h"
#include "common/base/check.h"
#include "common/ports/sha256.h"
#include "common/seal/dsse.h"
#include "tests/fuzz/input.h"

namespace {

class TrustingVerifier : public meldevakt::Verifier {
 public:
  [[nodiscard]] bool verify(std::string_view, std::string_view, std::string_view) const override {
    return true;
  }
  [[nodiscard]] bool is_acceptable_key(std::string_view) const override { return true; }
};

// The key of the agent that the frame claims to be from.
meldevakt::collector::AgentKey claimed_key(std::string_view bytes) {
  meldevakt::collector::AgentKey key{"t", "a", std::string(32, 'k')};
  const auto frame = meldevakt::decode_frame(bytes);
  if (!frame) return key;
  const auto envelope = meldevakt::parse_envelope(frame.value().envelope);
  if (!envelope) return key;
  const auto statement = meldevakt::decode_statement(envelope.value().payload);
  if (!statement) return key;
  key.tenant = statement.value().tenant;
  key.agent = statement.value().agent;
  return key;
}

}  // namespace

int fuzz_admission(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = meldevakt::fuzz::text_of(data, size);
  const TrustingVerifier verifier;
  (void)meldevakt::collector::verify_enrolment(bytes, verifier);
  const auto got = meldevakt::collector::verify_frame(bytes, claimed_key(bytes), verifier);
  if (!got) return 0;
  MELDEVAKT_CHECK(meldevakt::encode_frame(got.value().frame) == bytes);
  const auto& bodies = got.value().frame.bodies;
  const auto& hashes = got.value().statement.bodies;
  MELDEVAKT_CHECK(bodies.size() == hashes.size());
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    MELDEVAKT_CHECK(meldevakt::sha256(bodies[i]) == hashes[i].packed);
    const auto body = meldevakt::collector::open_body(bodies[i], hashes[i]);
    MELDEVAKT_CHECK(!body || body.value().facts.size() == hashes[i].facts);
  }
  return 0;
}
