#include "common/seal/merkle.h"

#include <bit>
#include <string>
#include <utility>

#include "common/ports/sha256.h"

namespace meldevakt {
namespace {

Error does_not_hold(std::string_view which) {
  return Error{Errc::kRejected, std::string{which} + " proof: does not lead to the root"};
}

// The largest power of two below `count`, where RFC 6962 divides a tree. REQUIRES: count > 1.
std::uint64_t split_of(std::uint64_t count) {
  return std::bit_floor(count - 1);
}

// The hash over the leaves [begin, begin + count). `begin` is a multiple of every power of two that
// is asked for below it, as it is wherever RFC 6962 divides.
Result<Sha256> subtree_root(std::uint64_t begin, std::uint64_t count, const ReadNode& read) {
  if (std::has_single_bit(count)) {
    const auto level = static_cast<unsigned>(std::countr_zero(count));
    return read(level, begin >> level);
  }
  const std::uint64_t left = split_of(count);
  MELDEVAKT_TRY_ASSIGN(const Sha256 one, subtree_root(begin, left, read));
  MELDEVAKT_TRY_ASSIGN(const Sha256 two, subtree_root(begin + left, count - left, read));
  return node_hash(one, two);
}

// From the root down to a part of the tree: at each step one half is entered and the hash of the
// other is kept.
class Descent {
 public:
  Descent(std::uint64_t size, const ReadNode& read) : count_{size}, read_{read} {}

  [[nodiscard]] std::uint64_t begin() const { return begin_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // Where the right half begins. REQUIRES: count() > 1.
  [[nodiscard]] std::uint64_t middle() const { return begin_ + split_of(count_); }
  Status enter_left() {
    const std::uint64_t half = split_of(count_);
    MELDEVAKT_TRY(keep(begin_ + half, count_ - half));
    count_ = half;
    return {};
  }
  Status enter_right() {
    const std::uint64_t half = split_of(count_);
    MELDEVAKT_TRY(keep(begin_, half));
    begin_ += half;
    count_ -= half;
    return {};
  }
  Status keep(std::uint64_t begin, std::uint64_t count) {
    MELDEVAKT_TRY_ASSIGN(const Sha256 hash, subtree_root(begin, count, read_));
    kept_.push_back(hash);
    return {};
  }
  // As proofs have them: the lowest first.
  [[nodiscard]] HashList proof() const { return {kept_.rbegin(), kept_.rend()}; }

 private:
  std::uint64_t begin_ = 0;
  std::uint64_t count_;
  const ReadNode& read_;
  HashList kept_;
};

}  // namespace

Sha256 leaf_hash(std::string_view entry) {
  Sha256Stream stream;
  stream.update(std::string_view{"\0", 1});
  stream.update(entry);
  return stream.finish();
}

Sha256 node_hash(const Sha256& left, const Sha256& right) {
  std::string both{'\x01'};
  both.append(left.view()).append(right.view());
  return sha256(both);
}

Sha256 empty_tree_root() {
  return sha256("");
}

Status verify_inclusion(std::uint64_t index, std::uint64_t size, const Sha256& leaf,
                        const HashList& proof, const Sha256& root) {
  if (index >= size) return Error{Errc::kInvalid, "inclusion proof: no such leaf in the tree"};
  std::uint64_t at = index;
  std::uint64_t last = size - 1;
  Sha256 hash = leaf;
  for (const Sha256& sibling : proof) {
    if (last == 0) return does_not_hold("inclusion");
    if (at % 2 == 1 || at == last) {
      hash = node_hash(sibling, hash);
      while (at % 2 == 0 && at != 0) {
        at /= 2;
        last /= 2;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    at /= 2;
    last /= 2;
  }
  if (last != 0 || hash != root) return does_not_hold("inclusion");
  return {};
}

Status verify_consistency(std::uint64_t size1, const Sha256& root1, std::uint64_t size2,
                          const Sha256& root2, const HashList& proof) {
  if (size1 == 0) return Error{Errc::kInvalid, "consistency proof: begins with the empty tree"};
  if (size1 > size2) return Error{Errc::kInvalid, "consistency proof: the tree became smaller"};
  if (size1 == size2) {
    if (!proof.empty() || root1 != root2) return does_not_hold("consistency");
    return {};
  }
  // A first tree that is complete is a node of the second, and its root is not sent.
  const bool complete = std::has_single_bit(size1);
  if (proof.empty()) return does_not_hold("consistency");
  std::uint64_t at = size1 - 1;
  std::uint64_t last = size2 - 1;
  while (at % 2 == 1) {
    at /= 2;
    last /= 2;
  }
  Sha256 first = complete ? root1 : proof.front();
  Sha256 second = first;
  for (std::size_t i = complete ? 0 : 1; i < proof.size(); ++i) {
    if (last == 0) return does_not_hold("consistency");
    if (at % 2 == 1 || at == last) {
      first = node_hash(proof[i], first);
      second = node_hash(proof[i], second);
      while (at % 2 == 0 && at != 0) {
        at /= 2;
        last /= 2;
      }
    } else {
      second = node_hash(second, proof[i]);
    }
    at /= 2;
    last /= 2;
  }
  if (last != 0 || first != root1 || second != root2) return does_not_hold("consistency");
  return {};
}

Result<HashList> inclusion_proof(std::uint64_t index, std::uint64_t size, const ReadNode& read) {
  if (index >= size) return Error{Errc::kInvalid, "inclusion proof: no such leaf in the tree"};
  Descent at{size, read};
  while (at.count() > 1) {
    MELDEVAKT_TRY(index < at.middle() ? at.enter_left() : at.enter_right());
  }
  return at.proof();
}

Result<HashList> consistency_proof(std::uint64_t size1, std::uint64_t size2, const ReadNode& read) {
  if (size1 == 0 || size1 > size2) {
    return Error{Errc::kInvalid, "consistency proof: from " + std::to_string(size1) + " to " +
                                     std::to_string(size2) + " leaves there is none"};
  }
  Descent at{size2, read};
  while (at.begin() + at.count() != size1) {
    MELDEVAKT_TRY(size1 <= at.middle() ? at.enter_left() : at.enter_right());
  }
  // The first tree itself, unless it is one whole node from the beginning.
  if (at.begin() != 0) MELDEVAKT_TRY(at.keep(at.begin(), at.count()));
  return at.proof();
}

Result<Sha256> tree_root(std::uint64_t size, const ReadNode& read) {
  if (size == 0) return empty_tree_root();
  return subtree_root(0, size, read);
}

Result<MerklePeaks> MerklePeaks::from(std::uint64_t size, HashList peaks) {
  if (peaks.size() != static_cast<std::size_t>(std::popcount(size))) {
    return Error{Errc::kInvalid, "Merkle tree: " + std::to_string(peaks.size()) +
                                     " peaks do not make " + std::to_string(size) + " leaves"};
  }
  MerklePeaks out;
  out.size_ = size;
  out.peaks_ = std::move(peaks);
  return out;
}

void MerklePeaks::append(const Sha256& leaf) {
  Sha256 hash = leaf;
  for (std::uint64_t ones = size_; ones % 2 == 1; ones /= 2) {
    hash = node_hash(peaks_.back(), hash);
    peaks_.pop_back();
  }
  peaks_.push_back(hash);
  ++size_;
}

Sha256 MerklePeaks::root() const {
  if (peaks_.empty()) return empty_tree_root();
  Sha256 hash = peaks_.back();
  for (std::size_t i = peaks_.size() - 1; i > 0; --i) hash = node_hash(peaks_[i - 1], hash);
  return hash;
}

}  // namespace meldevakt
