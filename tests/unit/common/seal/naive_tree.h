// RFC 6962 as it is written, without a thought of cost: the oracle of the Merkle tests.
#pragma once

#include <string>
#include <vector>

#include "common/seal/merkle.h"

namespace meldevakt::testing {

inline Sha256 naive_root(const HashList& leaves, std::size_t begin, std::size_t end) {
  if (begin == end) return empty_tree_root();
  if (end - begin == 1) return leaves[begin];
  std::size_t k = 1;
  while (k * 2 < end - begin) k *= 2;
  return node_hash(naive_root(leaves, begin, begin + k), naive_root(leaves, begin + k, end));
}

// PATH(m, D[begin:end])
inline HashList naive_path(std::size_t m, const HashList& leaves, std::size_t begin,
                           std::size_t end) {
  if (end - begin == 1) return {};
  std::size_t k = 1;
  while (k * 2 < end - begin) k *= 2;
  HashList out;
  if (m < k) {
    out = naive_path(m, leaves, begin, begin + k);
    out.push_back(naive_root(leaves, begin + k, end));
  } else {
    out = naive_path(m - k, leaves, begin + k, end);
    out.push_back(naive_root(leaves, begin, begin + k));
  }
  return out;
}

// SUBPROOF(m, D[begin:end], whole)
inline HashList naive_subproof(std::size_t m, const HashList& leaves, std::size_t begin,
                               std::size_t end, bool whole) {
  if (m == end - begin) return whole ? HashList{} : HashList{naive_root(leaves, begin, end)};
  std::size_t k = 1;
  while (k * 2 < end - begin) k *= 2;
  HashList out;
  if (m <= k) {
    out = naive_subproof(m, leaves, begin, begin + k, whole);
    out.push_back(naive_root(leaves, begin + k, end));
  } else {
    out = naive_subproof(m - k, leaves, begin + k, end, false);
    out.push_back(naive_root(leaves, begin, begin + k));
  }
  return out;
}

inline HashList numbered_leaves(std::size_t count) {
  HashList out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(leaf_hash("entry " + std::to_string(i)));
  return out;
}

inline ReadNode nodes_of(const HashList& leaves) {
  return [&leaves](unsigned level, std::uint64_t index) -> Result<Sha256> {
    const std::size_t begin = static_cast<std::size_t>(index) << level;
    const std::size_t end = begin + (std::size_t{1} << level);
    if (end > leaves.size()) return Error{Errc::kNotFound, "no such node"};
    return naive_root(leaves, begin, end);
  };
}

}  // namespace meldevakt::testing
