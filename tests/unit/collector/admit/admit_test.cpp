#include "collector/admit/admit.h"

#include <doctest/doctest.h>

#include "common/crypto/crypto.h"
#include "common/pack/pack.h"
#include "common/ports/sha256.h"
#include "common/seal/dsse.h"

namespace meldevakt::collector {
namespace {

std::unique_ptr<Signer> signer_of(char seed) {
  return signer_from_seed(std::string(32, seed)).value();
}

AgentKey key_of(const Signer& signer) {
  return {"tenant-1", agent_id_of(signer.public_key()), signer.public_key()};
}

Body body_of(char salt) {
  Body body;
  body.salt = std::string(32, salt);
  Fact fact;
  fact.id = std::string(32, 'a');
  fact.source = "trace";
  fact.rule = "committed";
  StepFact step;
  step.signal = Signal::kMessageCommitted;
  step.time = {1'772'445'600'000};
  step.attribution = Attribution::kNamed;
  step.references = {{ReferenceType::kPortalMessageId, "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"}};
  fact.what = step;
  body.facts.push_back(fact);
  return body;
}

BodyHash hash_of(const std::string& plain, const std::string& packed, std::uint64_t facts = 1) {
  return {sha256(packed), packed.size(), sha256(plain), plain.size(), 0, facts};
}

Statement statement_of(const AgentKey& key, std::vector<BodyHash> bodies) {
  Statement statement;
  statement.tenant = key.tenant;
  statement.agent = key.agent;
  statement.previous = sha256("enrolment");
  statement.span = {{1'772'445'500'000}, {1'772'445'600'000}};
  statement.boot_id = "00000000-0000-4000-8000-000000000001";
  statement.clock.source = "synchronised";
  statement.bodies = std::move(bodies);
  statement.software_version = "0.1.0";
  return statement;
}

// A frame as an agent makes it, with its parts at hand.
struct Made {
  std::unique_ptr<Signer> signer = signer_of('k');
  AgentKey key = key_of(*signer);
  std::vector<std::string> plain{encode_body(body_of('s')), encode_body(body_of('t'))};
  std::vector<std::string> packed{pack(plain[0]), pack(plain[1])};
  Statement statement =
      statement_of(key, {hash_of(plain[0], packed[0]), hash_of(plain[1], packed[1])});

  [[nodiscard]] Frame frame() const {
    return {seal(kStatementType, encode_statement(statement), *signer).value(), packed};
  }
  [[nodiscard]] std::string bytes() const { return encode_frame(frame()); }
};

const OpenSslVerifier kVerifier;

void refused(const Result<VerifiedFrame>& got, Errc code, const char* says) {
  REQUIRE(!got);
  CAPTURE(got.error().message());
  CHECK(to_string(got.error().code()) == to_string(code));
  CHECK(got.error().message().find(says) != std::string::npos);
}

TEST_CASE("verify_frame: what an agent made") {
  const Made made;
  const auto got = verify_frame(made.bytes(), made.key, kVerifier);
  REQUIRE(got);
  CHECK(got.value().statement == made.statement);
  CHECK(got.value().frame == made.frame());
  CHECK(got.value().link == link_hash(kStatementType, encode_statement(made.statement)));
  for (std::size_t i = 0; i < 2; ++i) {
    const auto body = open_body(got.value().frame.bodies[i], got.value().statement.bodies[i]);
    REQUIRE(body);
    CHECK(encode_body(body.value()) == made.plain[i]);
  }
}

TEST_CASE("verify_frame: another key, agent or tenant") {
  const Made made;
  const auto other = signer_of('o');
  AgentKey key = made.key;
  key.public_key = other->public_key();
  refused(verify_frame(made.bytes(), key, kVerifier), Errc::kRejected, "");
  key = made.key;
  key.agent = agent_id_of(other->public_key());
  refused(verify_frame(made.bytes(), key, kVerifier), Errc::kRejected, "another agent's");
  key = made.key;
  key.tenant = "tenant-2";
  refused(verify_frame(made.bytes(), key, kVerifier), Errc::kRejected, "another tenant's");
  // Even when the statement says what the server wants to hear: the signature is not that agent's.
  Made forged;
  forged.statement.agent = key_of(*other).agent;
  refused(verify_frame(forged.bytes(), key_of(*other), kVerifier), Errc::kRejected, "");
}

TEST_CASE("verify_frame: an enrolment is no statement") {
  const Made made;
  const Frame frame{seal(kEnrolmentType, encode_statement(made.statement), *made.signer).value(),
                    made.packed};
  CHECK(!verify_frame(encode_frame(frame), made.key, kVerifier));
}

TEST_CASE("verify_frame: every byte counts") {
  const Made made;
  const std::string bytes = made.bytes();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const char flip : {'\x01', '\x20', '\x80'}) {
      std::string altered = bytes;
      altered[at] = static_cast<char>(altered[at] ^ flip);
      const auto got = verify_frame(altered, made.key, kVerifier);
      if (!got) continue;
      // The only bytes that are not under a signature or a hash: the key's id, which is a hint.
      CAPTURE(at);
      REQUIRE(got.value().statement == made.statement);
      REQUIRE(got.value().frame.bodies == made.packed);
      REQUIRE(parse_envelope(got.value().frame.envelope).value().key_id !=
              parse_envelope(made.frame().envelope).value().key_id);
    }
  }
}

TEST_CASE("verify_frame: every length but the right one is refused") {
  const Made made;
  const std::string bytes = made.bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    REQUIRE(!verify_frame(bytes.substr(0, size), made.key, kVerifier));
  }
  CHECK(!verify_frame(bytes + '\0', made.key, kVerifier));
  CHECK(!verify_frame(bytes + bytes, made.key, kVerifier));
}

TEST_CASE("verify_frame: bodies are the signed ones, all of them, in order") {
  const Made made;
  Frame frame = made.frame();
  std::swap(frame.bodies[0], frame.bodies[1]);
  refused(verify_frame(encode_frame(frame), made.key, kVerifier), Errc::kCorrupt, "body 0");
  frame = made.frame();
  frame.bodies.pop_back();
  refused(verify_frame(encode_frame(frame), made.key, kVerifier), Errc::kCorrupt,
          "names 2 bodies, the frame holds 1");
  frame = made.frame();
  frame.bodies.push_back(frame.bodies[0]);
  refused(verify_frame(encode_frame(frame), made.key, kVerifier), Errc::kCorrupt, "holds 3");
  frame = made.frame();
  frame.bodies[1] = frame.bodies[0];
  refused(verify_frame(encode_frame(frame), made.key, kVerifier), Errc::kCorrupt, "body 1");
  // The same contents, packed otherwise, are other bytes.
  frame = made.frame();
  frame.bodies[0] += pack("");
  refused(verify_frame(encode_frame(frame), made.key, kVerifier), Errc::kCorrupt, "other length");
}

TEST_CASE("open_body: a bomb is refused by what is signed, and a lie by its contents") {
  const Made made;
  // 64 MB of one letter pack into a few kB. Honest about it: refused by the bound.
  const std::string huge(64 * 1024 * 1024, 'a');
  const std::string bomb = pack(huge);
  CHECK(bomb.size() < 64 * 1024);
  auto got = open_body(bomb, hash_of(huge, bomb));
  REQUIRE(!got);
  CHECK(got.error().code() == Errc::kLimit);
  // Claims to be small: nothing beyond the claim is ever produced.
  BodyHash lie = hash_of(huge, bomb);
  lie.plain_bytes = 100;
  got = open_body(bomb, lie);
  REQUIRE(!got);
  // Claims more than there is.
  BodyHash boast = hash_of(made.plain[0], made.packed[0]);
  boast.plain_bytes += 1;
  CHECK(!open_body(made.packed[0], boast));
  // Signed hashes of other contents, another count of facts, an unknown dictionary.
  BodyHash other = hash_of(made.plain[0], made.packed[0]);
  other.plain = sha256("other");
  got = open_body(made.packed[0], other);
  REQUIRE(!got);
  CHECK(got.error().message().find("other contents") != std::string::npos);
  got = open_body(made.packed[0], hash_of(made.plain[0], made.packed[0], 2));
  REQUIRE(!got);
  CHECK(got.error().message().find("number of facts") != std::string::npos);
  other = hash_of(made.plain[0], made.packed[0]);
  other.dictionary = 7;
  got = open_body(made.packed[0], other);
  REQUIRE(!got);
  CHECK(got.error().message().find("dictionary") != std::string::npos);
  // Well packed, well hashed, and no body.
  const std::string text = "{}";
  const std::string packed_text = pack(text);
  CHECK(!open_body(packed_text, hash_of(text, packed_text)));
}

TEST_CASE("verify_frame: a statement that promises a bomb is refused before anything is unpacked") {
  Made made;
  made.statement.bodies[0].plain_bytes = std::uint64_t{1} << 40U;
  CHECK(!verify_frame(made.bytes(), made.key, kVerifier));
}

// --- enrolment

struct Enrolling {
  std::unique_ptr<Signer> signer = signer_of('k');
  Enrolment enrolment{"tenant-1",
                      agent_id_of(signer->public_key()),
                      to_base64(signer->public_key()),
                      sha256("tls key"),
                      sha256("token"),
                      {1'772'445'600'000},
                      "0.1.0"};
  [[nodiscard]] std::string envelope() const {
    return seal(kEnrolmentType, encode_enrolment(enrolment), *signer).value();
  }
};

TEST_CASE("verify_enrolment: the key that signs is the key that is presented") {
  const Enrolling e;
  const auto got = verify_enrolment(e.envelope(), kVerifier);
  REQUIRE(got);
  CHECK(got.value().enrolment == e.enrolment);
  CHECK(got.value().public_key == e.signer->public_key());
  CHECK(got.value().link == link_hash(kEnrolmentType, encode_enrolment(e.enrolment)));

  Enrolling thief;  // presents somebody else's key, signs with its own
  thief.enrolment.signing_key = to_base64(signer_of('v')->public_key());
  thief.enrolment.agent = agent_id_of(signer_of('v')->public_key());
  const auto stolen = verify_enrolment(thief.envelope(), kVerifier);
  REQUIRE(!stolen);
  CHECK(stolen.error().code() == Errc::kRejected);

  Enrolling liar;  // its own key, another agent's id
  liar.enrolment.agent = agent_id_of(signer_of('v')->public_key());
  const auto lied = verify_enrolment(liar.envelope(), kVerifier);
  REQUIRE(!lied);
  CHECK(lied.error().message().find("not that of its key") != std::string::npos);
}

TEST_CASE("verify_enrolment: keys no honest agent has, other types, other bytes") {
  Enrolling weak;  // the neutral element: small order
  std::string one(32, '\0');
  one[0] = '\x01';
  weak.enrolment.signing_key = to_base64(one);
  weak.enrolment.agent = agent_id_of(one);
  const auto got = verify_enrolment(weak.envelope(), kVerifier);
  REQUIRE(!got);
  CHECK(got.error().code() == Errc::kRejected);
  // Not for its signature, which anybody can make fit such a key.
  CHECK(got.error().message().find("none that an honest agent has") != std::string::npos);

  const Enrolling e;
  CHECK(!verify_enrolment(seal(kStatementType, encode_enrolment(e.enrolment), *e.signer).value(),
                          kVerifier));
  const std::string envelope = e.envelope();
  for (std::size_t at = 0; at < envelope.size(); ++at) {
    CAPTURE(at);
    REQUIRE(!verify_enrolment(envelope.substr(0, at), kVerifier));
    std::string altered = envelope;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    const auto other = verify_enrolment(altered, kVerifier);
    if (other) REQUIRE(other.value().enrolment == e.enrolment);  // only the key's id, a hint
  }
  CHECK(!verify_enrolment(std::string(1 << 20, '{'), kVerifier));
}

}  // namespace
}  // namespace meldevakt::collector
