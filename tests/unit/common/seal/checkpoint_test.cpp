#include "common/seal/checkpoint.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/crypto/crypto.h"
#include "common/seal/tiles.h"
#include "common/seal/witness.h"
#include "common/testing/doubles.h"
#include "tests/unit/common/seal/naive_tree.h"

namespace meldevakt {
namespace {

using testing::naive_root;
using testing::nodes_of;
using testing::numbered_leaves;

constexpr std::string_view kOrigin = "meldevakt.example/kommune-1";
constexpr std::string_view kWitness = "vitne.example/w1";

std::unique_ptr<Signer> signer(char seed) {
  return signer_from_seed(std::string(32, seed)).value();
}

LogPolicy policy(std::size_t needed) {
  LogPolicy out;
  out.log = make_note_key(kOrigin, NoteKeyType::kEd25519, signer('l')->public_key());
  out.witnesses = {
      make_note_key(kWitness, NoteKeyType::kCosignature, signer('w')->public_key()),
      make_note_key("vitne.example/w2", NoteKeyType::kCosignature, signer('v')->public_key())};
  out.witnesses_needed = needed;
  return out;
}

// A checkpoint over the first `size` leaves, signed by the log and `witnesses` of the two.
std::string checkpoint(const HashList& leaves, std::size_t size, std::size_t witnesses,
                       std::string_view origin = kOrigin) {
  Note note{checkpoint_text({std::string{origin}, size, naive_root(leaves, 0, size), {}}), {}};
  note.signatures.push_back(sign_note(note.text, origin, *signer('l')).value());
  const Instant at{1'700'000'000'000};
  if (witnesses > 0) {
    note.signatures.push_back(cosign_note(note.text, kWitness, *signer('w'), at).value());
  }
  if (witnesses > 1) {
    note.signatures.push_back(cosign_note(note.text, "vitne.example/w2", *signer('v'), at).value());
  }
  return to_text(note);
}

TEST_CASE("checkpoint: its text, both ways") {
  const HashList leaves = numbered_leaves(3);
  const Checkpoint three{std::string{kOrigin}, 3, naive_root(leaves, 0, 3), {}};
  CHECK(checkpoint_text({"o", 0, empty_tree_root(), {}}) ==
        "o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
  CHECK(parse_checkpoint_text(checkpoint_text(three)).value() == three);
  Checkpoint extended = three;
  extended.extensions = {"a", "b c"};
  CHECK(parse_checkpoint_text(checkpoint_text(extended)).value() == extended);
  const std::string root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
  for (const std::string& bad :
       {std::string{}, std::string{"o\n"}, std::string{"o\n1\n"}, "\n1\n" + root, "o\n01\n" + root,
        "o\n-1\n" + root, "o\n+1\n" + root, "o\n1 \n" + root, "o\n99999999999999999999\n" + root,
        std::string{"o\n1\nAAAA\n"}, "o\n1\n" + root + "\n", "o\n1\n" + root + "x",
        "o\n1\n" + root + "x\n\n",
        std::string{"o\n0\n"} + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        std::string(kOriginBytesMax + 1, 'o') + "\n1\n" + root}) {
    CAPTURE(bad);
    CHECK(parse_checkpoint_text(bad).error().code() == Errc::kCorrupt);
  }
}

TEST_CASE("checkpoint: trusted only with the log's signature, and as many witnesses as asked") {
  const OpenSslVerifier verifier;
  const HashList leaves = numbered_leaves(5);
  for (std::size_t witnesses = 0; witnesses <= 2; ++witnesses) {
    for (std::size_t needed = 0; needed <= 3; ++needed) {
      CAPTURE(witnesses);
      CAPTURE(needed);
      const auto trusted =
          verify_checkpoint(checkpoint(leaves, 5, witnesses), policy(needed), verifier);
      CHECK(trusted.has_value() == (needed <= witnesses));
      if (!trusted) continue;
      CHECK(trusted.value().checkpoint.size == 5);
      CHECK(trusted.value().witnesses.size() == witnesses);
    }
  }
  // Cosigned by all, but not by the log.
  Note note = parse_note(checkpoint(leaves, 5, 2)).value();
  note.signatures.erase(note.signatures.begin());
  CHECK(verify_checkpoint(to_text(note), policy(0), verifier).error().code() == Errc::kRejected);
  // Twice the same witness is one.
  note = parse_note(checkpoint(leaves, 5, 1)).value();
  note.signatures.push_back(note.signatures.back());
  CHECK(verify_checkpoint(to_text(note), policy(2), verifier).error().code() == Errc::kRejected);
  // Signed with the log's key, but of another log.
  Note other{checkpoint_text({"meldevakt.example/kommune-2", 5, naive_root(leaves, 0, 5), {}}), {}};
  other.signatures.push_back(sign_note(other.text, kOrigin, *signer('l')).value());
  CHECK(verify_checkpoint(to_text(other), policy(0), verifier).error().code() == Errc::kRejected);
}

TEST_CASE("log proof: every entry of small logs, and nothing else") {
  const OpenSslVerifier verifier;
  const HashList leaves = numbered_leaves(9);
  for (std::size_t size = 1; size <= leaves.size(); ++size) {
    for (std::size_t index = 0; index < size; ++index) {
      CAPTURE(size);
      CAPTURE(index);
      TlogProof proof;
      proof.index = index;
      proof.hashes = inclusion_proof(index, size, nodes_of(leaves)).value();
      proof.checkpoint = checkpoint(leaves, size, 1);
      if (index % 2 == 1) proof.extra = std::string("\0extra", 6);
      const std::string text = to_text(proof);
      const auto back = parse_tlog_proof(text);
      REQUIRE_MESSAGE(back, (back ? "" : back.error().message()));
      REQUIRE(back.value() == proof);
      const std::string entry = "entry " + std::to_string(index);
      REQUIRE(verify_tlog_proof(back.value(), entry, policy(1), verifier));
      REQUIRE_FALSE(verify_tlog_proof(back.value(), entry + " ", policy(1), verifier));
      REQUIRE_FALSE(verify_tlog_proof(back.value(), entry, policy(2), verifier));
      proof.index = size;
      REQUIRE(verify_tlog_proof(proof, entry, policy(1), verifier).error().code() ==
              Errc::kRejected);
    }
  }
}

TEST_CASE("log proof: read strictly") {
  const HashList leaves = numbered_leaves(2);
  TlogProof proof{"", 0, inclusion_proof(0, 2, nodes_of(leaves)).value(), checkpoint(leaves, 2, 0)};
  const std::string good = to_text(proof);
  REQUIRE(parse_tlog_proof(good));
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  for (const std::string& bad :
       {std::string{}, changed("@v1", "@v2"), changed("index 0", "index 00"),
        changed("index 0", "index -0"), changed("index 0", "extra \nindex 0"),
        changed("index 0", "extra *\nindex 0"), changed("index 0\n", ""),
        changed("index 0\n", "index 0\nAAAA\n"), good.substr(0, good.find("\n\n") + 1)}) {
    CAPTURE(bad);
    CHECK(parse_tlog_proof(bad).error().code() == Errc::kCorrupt);
  }
  proof.hashes.assign(kProofHashesMax, leaves[0]);
  CHECK(parse_tlog_proof(to_text(proof)));
  proof.hashes.push_back(leaves[0]);
  CHECK(parse_tlog_proof(to_text(proof)).error().code() == Errc::kLimit);
  CHECK(parse_tlog_proof(std::string(300'000, 'c')).error().code() == Errc::kLimit);
}

// ------------------------------------------------------------------------------------- a witness

struct Witness {
  WitnessedTree latest;
  const OpenSslVerifier verifier;

  WitnessDecision ask(const AddCheckpoint& request) { return ask(to_text(request)); }
  WitnessDecision ask(const std::string& request) {
    const auto key_of = [](std::string_view origin) -> std::optional<NoteKey> {
      if (origin != kOrigin) return std::nullopt;
      return policy(0).log;
    };
    const auto latest_of = [&](std::string_view) -> Result<WitnessedTree> { return latest; };
    auto decision = decide_add_checkpoint(request, key_of, latest_of, verifier);
    REQUIRE(decision);
    if (decision.value().answer == WitnessAnswer::kCosign) {
      CHECK(decision.value().why.empty());
      latest = {decision.value().checkpoint.size, decision.value().checkpoint.root};
    } else {
      CHECK_FALSE(decision.value().why.empty());
    }
    return decision.value();
  }
};

AddCheckpoint step(const HashList& leaves, std::size_t from, std::size_t to) {
  AddCheckpoint out;
  out.old_size = from;
  if (from > 0) out.proof = consistency_proof(from, to, nodes_of(leaves)).value();
  out.checkpoint = checkpoint(leaves, to, 0);
  return out;
}

TEST_CASE("witness: every pair of sizes up to nine, with every old size said") {
  const HashList leaves = numbered_leaves(9);
  for (std::size_t latest = 0; latest <= 9; ++latest) {
    for (std::size_t said = 0; said <= 9; ++said) {
      for (std::size_t to = 0; to <= 9; ++to) {
        CAPTURE(latest);
        CAPTURE(said);
        CAPTURE(to);
        Witness witness{{latest, naive_root(leaves, 0, latest)}, {}};
        AddCheckpoint request;
        request.old_size = said;
        if (said > 0 && said <= to) request.proof = step(leaves, said, to).proof;
        request.checkpoint = checkpoint(leaves, to, 0);
        const WitnessDecision decision = witness.ask(request);
        WitnessAnswer want = WitnessAnswer::kCosign;
        if (said > to) {
          want = WitnessAnswer::kMalformed;
        } else if (said != latest) {
          want = WitnessAnswer::kConflict;
        }
        CHECK(decision.answer == want);
        CHECK(decision.latest.size == (said > to ? 0 : latest));
        CHECK(witness.latest.size == (want == WitnessAnswer::kCosign ? to : latest));
      }
    }
  }
}

TEST_CASE("witness: what a log may not do") {
  const HashList leaves = numbered_leaves(8);
  HashList forked = leaves;
  forked[3] = leaf_hash("another");
  Witness witness;
  CHECK(witness.ask(step(leaves, 0, 5)).answer == WitnessAnswer::kCosign);
  const WitnessedTree five = witness.latest;

  CHECK(witness.ask(step(forked, 5, 8)).answer == WitnessAnswer::kInconsistent);
  CHECK(witness.ask(step(forked, 5, 5)).answer == WitnessAnswer::kConflict);
  AddCheckpoint request = step(leaves, 5, 8);
  request.proof.pop_back();
  CHECK(witness.ask(request).answer == WitnessAnswer::kInconsistent);
  request = step(leaves, 5, 5);
  request.proof.push_back(leaves[0]);
  CHECK(witness.ask(request).answer == WitnessAnswer::kInconsistent);
  request = step(leaves, 5, 8);
  request.checkpoint = checkpoint(leaves, 8, 0, "meldevakt.example/ukjent");
  CHECK(witness.ask(request).answer == WitnessAnswer::kUnknownLog);
  request = step(leaves, 5, 8);
  Note stolen = parse_note(request.checkpoint).value();
  stolen.signatures[0] = sign_note(stolen.text, kOrigin, *signer('x')).value();
  request.checkpoint = to_text(stolen);
  CHECK(witness.ask(request).answer == WitnessAnswer::kUnsigned);
  for (const std::string& bad : {std::string{}, std::string{"old 5\n\n"}, std::string{"old 05\n\n"},
                                 std::string{"old 5\nAAAA\n\n"}, std::string{"hei"}}) {
    CHECK(witness.ask(bad).answer == WitnessAnswer::kMalformed);
  }
  CHECK(witness.latest == five);
  CHECK(witness.ask(step(leaves, 5, 8)).answer == WitnessAnswer::kCosign);

  Witness fresh;
  request = step(leaves, 0, 5);
  request.proof.push_back(leaves[0]);
  CHECK(fresh.ask(request).answer == WitnessAnswer::kInconsistent);
}

}  // namespace
}  // namespace meldevakt
