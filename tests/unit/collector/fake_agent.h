// An agent for the collector's tests: real keys, real signatures, real bodies, no process.
// Thread-safety: none.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collector/admit/admit.h"
#include "collector/store/store.h"
#include "common/crypto/crypto.h"
#include "common/pack/pack.h"
#include "common/ports/sha256.h"
#include "common/seal/chain.h"
#include "common/seal/dsse.h"
#include "common/summary/frame.h"

namespace meldevakt::collector::testing {

// For a store's salts.
inline std::shared_ptr<Random> random_bytes() {
  return std::make_shared<OpenSslRandom>();
}

inline constexpr Instant kStart{1'675'000'000'000};  // January 2023

class FakeAgent {
 public:
  FakeAgent(char seed, std::string tenant)
      : tenant_{std::move(tenant)},
        token_(32, seed),
        signer_{signer_from_seed(std::string(32, seed)).value()},
        tls_key_{sha256(std::string("tls") + seed)} {
    enrol();
  }

  [[nodiscard]] const std::string& tenant() const { return tenant_; }
  [[nodiscard]] std::string id() const { return agent_id_of(signer_->public_key()); }
  [[nodiscard]] const std::string& token() const { return token_; }
  [[nodiscard]] Sha256 token_hash() const { return sha256(token_); }
  [[nodiscard]] const std::string& enrolment() const { return enrolment_; }
  [[nodiscard]] const ChainHead& head() const { return head_; }
  [[nodiscard]] Signer& signer() { return *signer_; }
  [[nodiscard]] AgentKey key() const { return {tenant_, id(), signer_->public_key()}; }
  void set_head(const ChainHead& head) { head_ = head; }
  void set_tls_key(const Sha256& key) {
    tls_key_ = key;
    enrol();
  }

  void set_invitation(const std::string& token, const Sha256& tls_key) {
    token_ = token;
    set_tls_key(tls_key);
  }

  [[nodiscard]] AgentRecord record() const {
    AgentRecord record;
    record.key = key();
    record.tls_key = tls_key_;
    record.head = first_;
    record.enrolled = kStart;
    return record;
  }

  // The next statement; `note` makes its body differ. Moves this agent's own head.
  [[nodiscard]] std::string next_bytes(const std::string& note = "a") {
    return encode_frame(next_frame(note));
  }
  [[nodiscard]] VerifiedFrame next(const std::string& note = "a") {
    return verify_frame(next_bytes(note), key(), OpenSslVerifier{}).value();
  }
  [[nodiscard]] Frame next_frame(const std::string& note) {
    const std::string plain = encode_body({sha256(note).hex().substr(0, 32), {fact(note)}});
    const std::string packed = pack(plain);
    Statement statement = next_statement();
    statement.bodies.push_back({sha256(packed), packed.size(), sha256(plain), plain.size(), 0, 1});
    return seal_frame(statement, {packed});
  }
  [[nodiscard]] Statement next_statement() const {
    Statement statement;
    statement.tenant = tenant_;
    statement.agent = id();
    statement.epoch = head_.epoch;
    statement.sequence = head_.next_sequence;
    statement.previous = head_.link;
    const Instant from = head_.until == Instant{} ? kStart : head_.until;
    statement.span = {from, from + seconds(1)};
    statement.boot_id = "00000000-0000-4000-8000-000000000001";
    statement.clock = {"synchronised", 0, 1500, false};
    SourceCoverage source;
    source.id = "trace";
    source.kind = "file";
    source.pack = {"familia-like", "1.0.0", sha256("pack")};
    source.reading.push_back({statement.span, ReadState::kRead, ""});
    statement.sources.push_back(source);
    statement.configuration = sha256("configuration");
    statement.software_version = "0.1.0";
    return statement;
  }
  [[nodiscard]] Frame seal_frame(const Statement& statement, std::vector<std::string> bodies) {
    const std::string payload = encode_statement(statement);
    head_ = advance(statement, link_hash(kStatementType, payload));
    return {seal(kStatementType, payload, *signer_).value(), std::move(bodies)};
  }

 private:
  void enrol() {
    Enrolment enrolment;
    enrolment.tenant = tenant_;
    enrolment.agent = id();
    enrolment.signing_key = to_base64(signer_->public_key());
    enrolment.tls_key = tls_key_;
    enrolment.invitation = token_hash();
    enrolment.time = kStart;
    enrolment.software_version = "0.1.0";
    const std::string payload = encode_enrolment(enrolment);
    enrolment_ = seal(kEnrolmentType, payload, *signer_).value();
    first_ = {0, 0, link_hash(kEnrolmentType, payload), Instant{}};
    head_ = first_;
  }
  [[nodiscard]] static Fact fact(const std::string& note) {
    StepFact step;
    step.signal = Signal::kMessageReceived;
    step.time = kStart;
    step.attribution = Attribution::kNamed;
    step.references = {{ReferenceType::kPortalMessageId, "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"}};
    return {sha256(note).hex().substr(0, 32), 0, "trace", "received", step};
  }

  std::string tenant_;
  std::string token_;
  std::unique_ptr<Signer> signer_;
  Sha256 tls_key_;
  std::string enrolment_;
  ChainHead first_;
  ChainHead head_;
};

// A store with the tenant, its invitation and this agent in it.
inline Status admit(Store& store, const FakeAgent& agent) {
  Status added = store.add_tenant({agent.tenant(), "Kommune " + agent.tenant(), "", kStart});
  if (!added && added.error().code() != Errc::kExists) return added;
  MELDEVAKT_TRY(store.add_invitation({agent.token_hash(), agent.tenant(), kStart + hours(1)}));
  MELDEVAKT_TRY_ASSIGN([[maybe_unused]] const bool first,
                       store.enrol(agent.record(), agent.token_hash(), agent.enrolment(), kStart));
  return {};
}

}  // namespace meldevakt::collector::testing
