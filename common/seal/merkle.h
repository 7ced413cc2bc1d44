// The Merkle tree of RFC 6962 (SHA-256): hashes, proofs, and their verification.
//
//   MerklePeaks tree;                               // of an empty tree
//   tree.append(leaf_hash(entry));
//   Sha256 root = tree.root();
//   Status ok = verify_inclusion(index, size, leaf_hash(entry), proof, root);
//
// Proofs are made from the hashes of complete subtrees, wherever they are kept (ReadNode): node
// (level, index) is the hash of the leaves [index << level, (index + 1) << level).
//
// Thread-safety: pure functions and plain values. Errors: kRejected for a proof that does not hold,
// kInvalid for a question that makes no sense; those of ReadNode as they are.
// Source: RFC 6962 section 2.1; verification as RFC 9162 sections 2.1.3.2 and 2.1.4.2 write it.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace meldevakt {

using HashList = std::vector<Sha256>;

// No tree of up to 2^63 leaves has a longer path; tlog-witness allows no longer proof either.
inline constexpr std::size_t kProofHashesMax = 63;

[[nodiscard]] Sha256 leaf_hash(std::string_view entry);
[[nodiscard]] Sha256 node_hash(const Sha256& left, const Sha256& right);
[[nodiscard]] Sha256 empty_tree_root();

[[nodiscard]] Status verify_inclusion(std::uint64_t index, std::uint64_t size, const Sha256& leaf,
                                      const HashList& proof, const Sha256& root);
// That the tree of `size2` leaves begins with that of `size1`. Of the empty tree nothing can be
// shown: size1 == 0 is kInvalid (who may begin with nothing, like a witness, must say so itself).
[[nodiscard]] Status verify_consistency(std::uint64_t size1, const Sha256& root1,
                                        std::uint64_t size2, const Sha256& root2,
                                        const HashList& proof);

using ReadNode = std::function<Result<Sha256>(unsigned level, std::uint64_t index)>;

[[nodiscard]] Result<HashList> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                               const ReadNode& read);
[[nodiscard]] Result<HashList> consistency_proof(std::uint64_t size1, std::uint64_t size2,
                                                 const ReadNode& read);
[[nodiscard]] Result<Sha256> tree_root(std::uint64_t size, const ReadNode& read);

// What has to be kept of a tree to append to it and to know its root: one hash for each one in the
// binary form of its size, the largest subtree first.
class MerklePeaks {
 public:
  MerklePeaks() = default;
  // kInvalid when there are not as many peaks as the size has ones.
  [[nodiscard]] static Result<MerklePeaks> from(std::uint64_t size, HashList peaks);

  void append(const Sha256& leaf);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const HashList& peaks() const { return peaks_; }
  [[nodiscard]] Sha256 root() const;

 private:
  std::uint64_t size_ = 0;
  HashList peaks_;
};

}  // namespace meldevakt
