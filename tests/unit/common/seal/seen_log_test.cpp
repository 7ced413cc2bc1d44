#include "common/seal/seen_log.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/crypto/crypto.h"
#include "common/testing/doubles.h"
#include "tests/unit/common/seal/naive_tree.h"

namespace meldevakt {
namespace {

using testing::naive_path;
using testing::naive_root;
using testing::naive_subproof;
using testing::SeededRandom;

constexpr std::string_view kOrigin = "meldevakt.example/kommune-1";

std::unique_ptr<Signer> signer(char seed) {
  return signer_from_seed(std::string(32, seed)).value();
}

std::string key_text(char seed = 'l') {
  return to_text(make_note_key(kOrigin, NoteKeyType::kEd25519, signer(seed)->public_key()));
}

// A log as its keeper holds it, honest or not: whatever entries it likes, signed.
struct Keeper {
  std::vector<std::string> entries;
  char key = 'l';

  [[nodiscard]] HashList leaves(std::size_t size) const {
    HashList out;
    for (std::size_t i = 0; i < size; ++i) out.push_back(leaf_hash(entries[i]));
    return out;
  }
  [[nodiscard]] std::string checkpoint(std::size_t size) const {
    Note note{checkpoint_text({std::string{kOrigin}, size, naive_root(leaves(size), 0, size), {}}),
              {}};
    note.signatures.push_back(sign_note(note.text, kOrigin, *signer(key)).value());
    return to_text(note);
  }
  // Of entry `index`, in the log of `size`, to somebody who has seen it with `seen`.
  [[nodiscard]] ShownProof show(std::size_t index, std::size_t size, std::size_t seen) const {
    ShownProof out;
    const HashList all = leaves(size);
    out.proof = to_text(TlogProof{"", index, naive_path(index, all, 0, size), checkpoint(size)});
    if (seen > 0 && seen < size) out.consistency = naive_subproof(seen, all, 0, size, true);
    return out;
  }
};

Keeper keeper(std::size_t size) {
  Keeper out;
  for (std::size_t i = 0; i < size; ++i) out.entries.push_back("entry " + std::to_string(i));
  return out;
}

SeenLog fresh() {
  SeenLog seen;
  seen.key = key_text();
  return seen;
}

TEST_CASE("follow_log: every honest log, from every size to every other, shows every entry") {
  const OpenSslVerifier verifier;
  const Keeper log = keeper(9);
  for (std::size_t before = 1; before <= 9; ++before) {
    const auto seen = follow_log(fresh(), "entry 0", log.show(0, before, 0), verifier);
    REQUIRE(seen);
    CHECK(seen.value().size == before);
    CHECK(seen.value().checkpoint == log.checkpoint(before));
    for (std::size_t size = before; size <= 9; ++size) {
      for (std::size_t index = 0; index < size; ++index) {
        CAPTURE(before);
        CAPTURE(size);
        CAPTURE(index);
        const auto now =
            follow_log(seen.value(), log.entries[index], log.show(index, size, before), verifier);
        REQUIRE(now);
        CHECK(now.value().size == size);
      }
    }
  }
}

TEST_CASE("follow_log: what contradicts what was seen is rejected, what is damaged is not") {
  const OpenSslVerifier verifier;
  const Keeper log = keeper(6);
  const SeenLog seen = follow_log(fresh(), "entry 3", log.show(3, 4, 0), verifier).value();
  Keeper split = log;  // another history, from entry 2 on
  split.entries[2] = "another";
  Keeper foreign = log;
  foreign.key = 'x';
  ShownProof noise = log.show(4, 6, 4);
  noise.consistency.front() = Sha256{};
  ShownProof cut = log.show(4, 6, 4);
  cut.proof.resize(cut.proof.size() / 2);
  ShownProof idle = log.show(3, 4, 4);
  idle.consistency.push_back(Sha256{});
  struct Case {
    std::string_view name;
    std::string_view entry;
    ShownProof shown;
    Errc want;
  };
  const std::vector<Case> cases{
      {"a shorter log", "entry 2", log.show(2, 3, 0), Errc::kRejected},
      {"another log of the same size", "entry 3", split.show(3, 4, 4), Errc::kRejected},
      {"another history, longer", "entry 4", split.show(4, 6, 4), Errc::kRejected},
      {"the entry is not in it", "mine", log.show(4, 6, 4), Errc::kRejected},
      {"the entry stands elsewhere", "entry 4", log.show(5, 6, 4), Errc::kRejected},
      {"signed by another key", "entry 4", foreign.show(4, 6, 4), Errc::kRejected},
      {"hashes that do not fit", "entry 4", noise, Errc::kRejected},
      {"no hashes", "entry 4", {log.show(4, 6, 4).proof, {}}, Errc::kRejected},
      {"cut off", "entry 4", cut, Errc::kCorrupt},
      {"hashes where none belong", "entry 3", idle, Errc::kCorrupt},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const auto now = follow_log(seen, c.entry, c.shown, verifier);
    REQUIRE_FALSE(now);
    CHECK(now.error().code() == c.want);
  }
}

std::uint64_t cases_wanted() {
  const char* const text = std::getenv("MELDEVAKT_LYING_LOGS");
  return text == nullptr ? 1000 : std::strtoull(text, nullptr, 10);
}

// One lie about what this reader has seen: entries left out, changed, put in before, taken back,
// or put in another order; perhaps with more behind it.
Keeper lie(const Keeper& honest, std::size_t seen, SeededRandom& random) {
  Keeper out = honest;
  const auto at = static_cast<std::ptrdiff_t>(random.below(seen));
  switch (random.below(4)) {
    case 0: out.entries.erase(out.entries.begin() + at); break;
    case 1: out.entries[static_cast<std::size_t>(at)] += "x"; break;
    case 2: out.entries.insert(out.entries.begin() + at, "put in"); break;
    default:
      std::swap(out.entries[static_cast<std::size_t>(at)],
                out.entries[(static_cast<std::size_t>(at) + 1) % seen]);
  }
  const std::size_t more = random.below(6);
  for (std::size_t i = 0; i < more; ++i) out.entries.push_back("later " + std::to_string(i));
  return out;
}

TEST_CASE("follow_log: a log that lies about its past can show this reader nothing any more") {
  const OpenSslVerifier verifier;
  const std::uint64_t seed = 20'230'522;
  SeededRandom random{seed};
  MESSAGE("seed " << seed);
  for (std::uint64_t i = 0; i < cases_wanted(); ++i) {
    const std::size_t seen_size = 2 + random.below(12);
    const Keeper honest = keeper(seen_size + random.below(4));
    const SeenLog seen =
        follow_log(fresh(), "entry 0", honest.show(0, seen_size, 0), verifier).value();
    const Keeper lying = lie(honest, seen_size, random);
    CAPTURE(i);
    CAPTURE(seen_size);
    for (std::size_t size = 1; size <= lying.entries.size(); ++size) {
      const std::size_t index = random.below(size);
      // It may show any hashes: those of its own tree, or of the honest one.
      ShownProof shown = lying.show(index, size, seen_size);
      if (random.below(2) == 0 && size <= honest.entries.size() && size > seen_size) {
        shown.consistency = honest.show(0, size, seen_size).consistency;
      }
      CHECK_FALSE(follow_log(seen, lying.entries[index], shown, verifier));
    }
  }
}

}  // namespace
}  // namespace meldevakt
