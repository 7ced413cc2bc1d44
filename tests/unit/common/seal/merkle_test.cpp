#include "common/seal/merkle.h"

#include <doctest/doctest.h>

#include <bit>
#include <string>
#include <vector>

#include "common/testing/doubles.h"
#include "tests/unit/common/seal/naive_tree.h"

namespace meldevakt {
namespace {

using testing::naive_path;
using testing::naive_root;
using testing::naive_subproof;
using testing::nodes_of;
using testing::numbered_leaves;

constexpr std::size_t kWorld = 40;  // every tree up to this size is tried in full

TEST_CASE("merkle: the hashes of RFC 6962") {
  CHECK(empty_tree_root().hex() ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // SHA-256 of one zero byte
  CHECK(leaf_hash("").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  const Sha256 a = leaf_hash("a");
  const Sha256 b = leaf_hash("b");
  CHECK(node_hash(a, b) != node_hash(b, a));
  CHECK(node_hash(a, b) != leaf_hash(std::string{a.view()} + std::string{b.view()}));
}

TEST_CASE("merkle: peaks give the root of every size, and can be kept") {
  const HashList leaves = numbered_leaves(130);
  MerklePeaks tree;
  CHECK(tree.root() == empty_tree_root());
  for (std::size_t size = 1; size <= leaves.size(); ++size) {
    tree.append(leaves[size - 1]);
    REQUIRE(tree.size() == size);
    REQUIRE(tree.peaks().size() == static_cast<std::size_t>(std::popcount(size)));
    REQUIRE(tree.root() == naive_root(leaves, 0, size));
    auto kept = MerklePeaks::from(tree.size(), tree.peaks());
    REQUIRE(kept);
    tree = kept.value();
    CHECK(tree_root(size, nodes_of(leaves)).value() == tree.root());
  }
  CHECK_FALSE(MerklePeaks::from(3, {leaves[0]}));
  CHECK_FALSE(MerklePeaks::from(0, {leaves[0]}));
}

TEST_CASE("merkle: every inclusion proof up to forty leaves holds, and only for its own leaf") {
  const HashList leaves = numbered_leaves(kWorld);
  for (std::size_t size = 1; size <= kWorld; ++size) {
    const Sha256 root = naive_root(leaves, 0, size);
    for (std::size_t index = 0; index < size; ++index) {
      CAPTURE(size);
      CAPTURE(index);
      const auto proof = inclusion_proof(index, size, nodes_of(leaves));
      REQUIRE(proof);
      REQUIRE(proof.value() == naive_path(index, leaves, 0, size));
      REQUIRE(verify_inclusion(index, size, leaves[index], proof.value(), root));
      for (std::size_t other = 0; other <= size; ++other) {
        if (other == index) continue;
        REQUIRE_FALSE(verify_inclusion(other, size, leaves[index], proof.value(), root));
        if (other < size) {
          REQUIRE_FALSE(verify_inclusion(index, size, leaves[other], proof.value(), root));
        }
      }
      HashList broken = proof.value();
      broken.push_back(root);
      REQUIRE_FALSE(verify_inclusion(index, size, leaves[index], broken, root));
      for (std::size_t i = 0; i < proof.value().size(); ++i) {
        broken = proof.value();
        broken[i].value[i % 32] ^= 1U;
        REQUIRE_FALSE(verify_inclusion(index, size, leaves[index], broken, root));
        broken = proof.value();
        broken.erase(broken.begin() + static_cast<std::ptrdiff_t>(i));
        REQUIRE_FALSE(verify_inclusion(index, size, leaves[index], broken, root));
      }
    }
  }
  CHECK_FALSE(inclusion_proof(0, 0, nodes_of(leaves)));
  CHECK_FALSE(inclusion_proof(3, 3, nodes_of(leaves)));
}

TEST_CASE("merkle: every consistency proof up to forty leaves holds, and only between its trees") {
  const HashList leaves = numbered_leaves(kWorld);
  for (std::size_t to = 1; to <= kWorld; ++to) {
    const Sha256 root2 = naive_root(leaves, 0, to);
    for (std::size_t from = 1; from <= to; ++from) {
      CAPTURE(from);
      CAPTURE(to);
      const Sha256 root1 = naive_root(leaves, 0, from);
      const auto proof = consistency_proof(from, to, nodes_of(leaves));
      REQUIRE(proof);
      REQUIRE(proof.value() == naive_subproof(from, leaves, 0, to, true));
      REQUIRE(verify_consistency(from, root1, to, root2, proof.value()));
      HashList broken = proof.value();
      broken.push_back(root2);
      REQUIRE_FALSE(verify_consistency(from, root1, to, root2, broken));
      for (std::size_t i = 0; i < proof.value().size(); ++i) {
        broken = proof.value();
        broken[i].value[0] ^= 0x80U;
        REQUIRE_FALSE(verify_consistency(from, root1, to, root2, broken));
      }
      if (from == to) continue;
      REQUIRE_FALSE(verify_consistency(from, root2, to, root2, proof.value()));
      REQUIRE_FALSE(verify_consistency(from, root1, to, root1, proof.value()));
      REQUIRE_FALSE(verify_consistency(to, root2, from, root1, proof.value()));
      REQUIRE_FALSE(verify_consistency(from, root1, to, root2, {}));
    }
  }
  CHECK(verify_consistency(0, empty_tree_root(), 1, leaves[0], {}).error().code() ==
        Errc::kInvalid);
  CHECK_FALSE(consistency_proof(0, 1, nodes_of(leaves)));
  CHECK_FALSE(consistency_proof(2, 1, nodes_of(leaves)));
}

TEST_CASE("merkle: a node that cannot be read is an error and no proof") {
  const ReadNode none = [](unsigned, std::uint64_t) -> Result<Sha256> {
    return Error{Errc::kIo, "disk"};
  };
  CHECK(inclusion_proof(1, 7, none).error().code() == Errc::kIo);
  CHECK(consistency_proof(3, 7, none).error().code() == Errc::kIo);
  CHECK(tree_root(7, none).error().code() == Errc::kIo);
}

TEST_CASE("merkle: sizes near the end of 64 bits neither hang nor wrap") {
  constexpr std::uint64_t huge = ~std::uint64_t{0};
  const HashList proof(63, leaf_hash("x"));
  CHECK_FALSE(verify_inclusion(huge - 1, huge, leaf_hash("y"), proof, leaf_hash("z")));
  CHECK_FALSE(verify_inclusion(0, huge, leaf_hash("y"), proof, leaf_hash("z")));
  CHECK_FALSE(verify_consistency(huge - 1, leaf_hash("y"), huge, leaf_hash("z"), proof));
  const ReadNode any = [](unsigned, std::uint64_t) -> Result<Sha256> { return leaf_hash("n"); };
  const auto made = inclusion_proof(huge - 2, huge, any);
  REQUIRE(made);
  CHECK(made.value().size() <= 64);
}

}  // namespace
}  // namespace meldevakt
