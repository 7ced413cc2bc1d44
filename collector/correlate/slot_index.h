// From a key to the slot that holds it, where the keys themselves lie elsewhere: 5 bytes an entry
// at most 85 % full. Sharded, so that growing never needs twice the memory.
//
//   auto found = index.find(hash, [&](std::uint32_t slot) { return rows[slot].key == key; });
//   index.insert(hash, slot, [&](std::uint32_t s) { return hash_of(rows[s].key); });
//
// Keys are never removed. Thread-safety: none. Cost: O(1) on average for hashes that are spread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace meldevakt::collector {

class SlotIndex {
 public:
  template <typename Same>
  [[nodiscard]] std::optional<std::uint32_t> find(std::uint64_t hash, const Same& same) const {
    const Shard& shard = shards_[hash % kShards];
    if (shard.slots.empty()) return std::nullopt;
    for (std::size_t at = place(shard, hash);; at = at + 1 == shard.slots.size() ? 0 : at + 1) {
      if (shard.tags[at] == 0) return std::nullopt;
      if (shard.tags[at] == tag_of(hash) && same(shard.slots[at])) return shard.slots[at];
    }
  }

  // REQUIRES: the key is not there.
  template <typename HashOf>
  void insert(std::uint64_t hash, std::uint32_t slot, const HashOf& hash_of) {
    Shard& shard = shards_[hash % kShards];
    if ((shard.count + 1) * 100 > shard.slots.size() * kFullPercent) grow(shard, hash_of);
    put(shard, hash, slot);
    ++shard.count;
  }

 private:
  static constexpr std::size_t kShards = 256;
  static constexpr std::size_t kFullPercent = 85;
  struct Shard {
    std::vector<std::uint32_t> slots;
    std::vector<std::uint8_t> tags;  // 0: free
    std::size_t count = 0;
  };

  static std::uint8_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint8_t>(1 + (hash >> 8) % 255);
  }
  static std::size_t place(const Shard& shard, std::uint64_t hash) {
    return static_cast<std::size_t>(((hash >> 32) * shard.slots.size()) >> 32);
  }
  static void put(Shard& shard, std::uint64_t hash, std::uint32_t slot) {
    std::size_t at = place(shard, hash);
    while (shard.tags[at] != 0) at = at + 1 == shard.slots.size() ? 0 : at + 1;
    shard.slots[at] = slot;
    shard.tags[at] = tag_of(hash);
  }
  template <typename HashOf>
  static void grow(Shard& shard, const HashOf& hash_of) {
    const Shard before = std::exchange(shard, Shard{});
    const std::size_t size = before.slots.size() + before.slots.size() / 4 + 8;
    shard.slots.assign(size, 0);
    shard.tags.assign(size, 0);
    shard.count = before.count;
    for (std::size_t i = 0; i < before.slots.size(); ++i) {
      if (before.tags[i] != 0) put(shard, hash_of(before.slots[i]), before.slots[i]);
    }
  }

  std::array<Shard, kShards> shards_;
};

}  // namespace meldevakt::collector
