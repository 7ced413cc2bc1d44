#include "agent/ship/log_proofs.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/ship/collector_answers.h"
#include "common/base/bytes.h"
#include "common/crypto/crypto.h"
#include "common/seal/tiles.h"
#include "common/summary/frame.h"
#include "common/summary/json.h"

namespace meldevakt::agent {
namespace {

constexpr std::string_view kOrigin = "meldevakt.example/t1";

// A collector with a log, in memory: answers as PROTOCOL.md says, or as the test bends it.
class LogCollector : public HttpTransport {
 public:
  explicit LogCollector(char key = 'l') : signer_{signer_from_seed(std::string(32, key)).value()} {}

  Result<HttpAnswer> request(const std::string&, const std::string& path, const std::string&,
                             std::string_view) override {
    asked.push_back(path);
    if (next_answer) return std::exchange(next_answer, std::nullopt).value();
    if (path == "/v1/log/key") return HttpAnswer{200, R"({"key":")" + key() + "\"}"};
    return HttpAnswer{200, proof()};
  }
  [[nodiscard]] std::string key() const {
    return to_text(make_note_key(kOrigin, NoteKeyType::kEd25519, signer_->public_key()));
  }

  std::vector<std::string> entries;
  std::size_t seen = 0;  // by the agent
  std::optional<HttpAnswer> next_answer;
  std::vector<std::string> asked;

 private:
  [[nodiscard]] Result<Sha256> node(unsigned level, std::uint64_t index) const {
    const std::uint64_t width = 1ULL << level;
    MerklePeaks tree;
    for (std::uint64_t i = index * width; i < (index + 1) * width; ++i) {
      tree.append(leaf_hash(entries[i]));
    }
    return tree.root();
  }
  [[nodiscard]] std::string proof() const {
    const auto read = [this](unsigned level, std::uint64_t index) { return node(level, index); };
    const std::uint64_t size = entries.size();
    Note note{checkpoint_text({std::string{kOrigin}, size, tree_root(size, read).value(), {}}), {}};
    note.signatures.push_back(sign_note(note.text, kOrigin, *signer_).value());
    JsonWriter json;
    json.begin_object().member(
        "proof", to_text(TlogProof{"", size - 1, inclusion_proof(size - 1, size, read).value(),
                                   to_text(note)}));
    json.name("consistency").begin_array();
    if (seen > 0 && seen < size) {
      const HashList hashes = consistency_proof(seen, size, read).value();
      for (const Sha256& hash : hashes) {
        json.value(to_base64(hash.view()));
      }
    }
    json.end_array().end_object();
    return std::move(json).take();
  }
  std::unique_ptr<Signer> signer_;
};

OutgoingFrame frame(std::uint64_t sequence) {
  return {"t1", "a", 0, sequence, encode_frame({"envelope " + std::to_string(sequence), {}})};
}

TEST_CASE(
    "LogProofs: the key is asked for once, and each statement is proved before it is let go") {
  const OpenSslVerifier verifier;
  LogCollector collector;
  LogProofs proofs{{}, verifier};
  for (std::uint64_t i = 0; i < 5; ++i) {
    collector.entries.push_back("somebody else's " + std::to_string(i));
    collector.entries.push_back("envelope " + std::to_string(i));
    const HandoverResult result = proofs.after_stored(collector, frame(i));
    REQUIRE_MESSAGE(result.outcome == Handover::kStored, result.detail);
    REQUIRE(result.log);
    CHECK(result.log->size == collector.entries.size());
    CHECK(result.log->key == collector.key());
    CHECK(parse_tlog_proof(result.proof).value().index == collector.entries.size() - 1);
    collector.seen = collector.entries.size();
  }
  CHECK(collector.asked == std::vector<std::string>{"/v1/log/key", "/v1/log/proof/0/0/0",
                                                    "/v1/log/proof/0/1/2", "/v1/log/proof/0/2/4",
                                                    "/v1/log/proof/0/3/6", "/v1/log/proof/0/4/8"});
}

TEST_CASE("LogProofs: what each answer leads to, for an agent that has seen two entries") {
  const OpenSslVerifier verifier;
  struct Case {
    std::string_view name;
    std::vector<std::string> entries;  // what the log holds now
    char key;
    std::optional<HttpAnswer> answer;
    Handover want;
  };
  const std::vector<Case> cases{
      {"goes on", {"a", "envelope 0", "b", "envelope 1"}, 'l', {}, Handover::kStored},
      {"the same statement again", {"a", "envelope 0"}, 'l', {}, Handover::kFalseLog},
      {"left out", {"a", "envelope 0", "b"}, 'l', {}, Handover::kFalseLog},
      {"another past", {"x", "envelope 0", "envelope 1"}, 'l', {}, Handover::kFalseLog},
      {"another key", {"a", "envelope 0", "envelope 1"}, 'k', {}, Handover::kFalseLog},
      {"shorter",
       {},
       'l',
       HttpAnswer{409, R"({"error":"log_is_shorter","detail":"d"})"},
       Handover::kFalseLog},
      {"another conflict", {}, 'l', HttpAnswer{409, R"({"error":"x"})"}, Handover::kRetry},
      {"no proof yet", {}, 'l', HttpAnswer{404, R"({"error":"not_found"})"}, Handover::kRetry},
      {"busy", {}, 'l', HttpAnswer{503, R"({"error":"busy"})"}, Handover::kRetry},
      {"no JSON", {}, 'l', HttpAnswer{200, "ok"}, Handover::kRetry},
      {"a member more",
       {},
       'l',
       HttpAnswer{200, R"({"proof":"p","consistency":[],"x":1})"},
       Handover::kRetry},
      {"no proof in it",
       {},
       'l',
       HttpAnswer{200, R"({"proof":"p","consistency":[]})"},
       Handover::kRetry},
      {"no hash",
       {},
       'l',
       HttpAnswer{200, R"({"proof":"p","consistency":["AAAA"]})"},
       Handover::kRetry},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    LogCollector before;
    before.entries = {"a", "envelope 0"};
    LogProofs proofs{{}, verifier};
    REQUIRE(proofs.after_stored(before, frame(0)).outcome == Handover::kStored);
    LogCollector collector{c.key};
    collector.entries = c.entries;
    collector.seen = 2;
    collector.next_answer = c.answer;
    const HandoverResult result = proofs.after_stored(collector, frame(1));
    CHECK(result.outcome == c.want);
    if (c.want == Handover::kFalseLog) CHECK_FALSE(result.proof.empty());
    if (c.want != Handover::kStored) CHECK(proofs.seen().size == 2);
  }
}

TEST_CASE("LogProofs: a collector without a log is believed until it has shown one") {
  const OpenSslVerifier verifier;
  LogCollector collector;
  collector.entries = {"envelope 0"};
  collector.next_answer = HttpAnswer{404, R"({"error":"not_found"})"};
  LogProofs fresh{{}, verifier};
  CHECK(fresh.after_stored(collector, frame(0)).outcome == Handover::kStored);
  CHECK(fresh.seen().key.empty());
  // It may be upgraded while the agent runs.
  CHECK(fresh.after_stored(collector, frame(0)).log);
  CHECK(fresh.seen().key == collector.key());
  SeenLog seen;
  seen.key = collector.key();
  LogProofs bound{seen, verifier};
  collector.next_answer = HttpAnswer{404, R"({"error":"not_found"})"};
  CHECK(bound.after_stored(collector, frame(0)).outcome == Handover::kRetry);
  CHECK(bound.after_stored(collector, frame(0)).outcome == Handover::kStored);
}

TEST_CASE("get_log_key: only a key that a log can sign with") {
  const OpenSslVerifier verifier;
  const std::string weak(32, '\0');  // of small order
  const std::string key = signer_from_seed(std::string(32, 'l')).value()->public_key();
  const std::vector<std::string> bodies{
      "{}",
      R"({"key":""})",
      R"({"key":"no key"})",
      R"({"key":7})",
      R"({"key":")" + to_text(make_note_key(kOrigin, NoteKeyType::kEd25519, weak)) + "\"}",
      R"({"key":")" + to_text(make_note_key(kOrigin, NoteKeyType::kCosignature, key)) + "\"}"};
  for (const std::string& body : bodies) {
    CAPTURE(body);
    LogCollector collector;
    collector.next_answer = HttpAnswer{200, body};
    const auto read = get_log_key(collector, verifier);
    REQUIRE_FALSE(read);
    CHECK(read.error().code() == Errc::kCorrupt);
  }
}

}  // namespace
}  // namespace meldevakt::agent
