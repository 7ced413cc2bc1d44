// Which references are names of one and the same message, as far as this source's log has said.
//
//   aliases.learn({portal, transport});            // true: news
//   aliases.same({portal}, {transport, client});   // true: they share a name, directly or by alias
//
// The collector joins messages for good (common/summary AliasFact); this book only keeps the
// detector from taking a second name of the same message for another message.
//
// Pure; decided by the order of calls alone. Thread-safety: none. Bounds: kGroupsMax messages, the
// one that learned something least recently is forgotten; kNamesMax names each, the newest stay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "common/summary/signal.h"

namespace meldevakt::agent {

class AliasBook {
 public:
  static constexpr std::size_t kGroupsMax = 512;
  static constexpr std::size_t kNamesMax = 16;

  // False when every one of them was known to be a name of one message.
  bool learn(const std::vector<Reference>& references);
  [[nodiscard]] bool same(const std::vector<Reference>& a, const std::vector<Reference>& b) const;

  // For snapshots: oldest first; learning them in this order makes an equal book.
  [[nodiscard]] std::vector<std::vector<Reference>> groups() const;

 private:
  void forget(std::uint64_t group);

  std::uint64_t next_ = 0;
  std::map<std::uint64_t, std::vector<Reference>> groups_;  // names in the order they were learned
  std::map<Reference, std::uint64_t> group_of_;
};

}  // namespace meldevakt::agent
