// A Merkle tree as tiles of 256 hashes (C2SP tlog-tiles): their names, their growth, and the
// bundles of entries beside them.
//
//   std::string path = tile_path({0, 1234067, 256});          // "tile/0/x001/x234/067"
//   auto added = tile_hashes_added(size, leaves, read);        // what to keep of an appended batch
//   ReadNode nodes = nodes_from_tiles(read);                   // for proofs
//
// A tile hash (level, position): at level 0 the hash of a leaf, at level n that of a full tile of
// the level below. A tile is 256 neighbours, a partial tile the first of them.
//
// Thread-safety: pure functions and plain values. Errors: kInvalid, kLimit; those of ReadTileHashes
// as they are. Source: c2sp.org/tlog-tiles.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/seal/merkle.h"

namespace meldevakt {

inline constexpr std::uint32_t kTileWidth = 256;
inline constexpr unsigned kTileHeight = 8;
inline constexpr unsigned kTileLevelMax = 63;
inline constexpr std::size_t kEntryBytesMax = 65'535;  // its length stands in two bytes

struct Tile {
  unsigned level = 0;
  std::uint64_t index = 0;
  std::uint32_t width = kTileWidth;  // below 256: partial
  auto operator<=>(const Tile&) const = default;
};

[[nodiscard]] std::string tile_path(const Tile& tile);          // "tile/1/x001/234.p/7"
[[nodiscard]] std::string bundle_path(const Tile& level_zero);  // "tile/entries/x001/234.p/7"
// Of either form, in its one spelling; `entries` tells which it was.
struct TilePath {
  Tile tile;
  bool entries = false;
};
[[nodiscard]] std::optional<TilePath> parse_tile_path(std::string_view path);

// How wide tile `index` of `level` is in a tree of `size` leaves; 0: it has no such tile.
[[nodiscard]] std::uint32_t tile_width(unsigned level, std::uint64_t index, std::uint64_t size);
// All tiles at the right edge of the tree, full ones too, one a level: what a new size adds to.
[[nodiscard]] std::vector<Tile> edge_tiles(std::uint64_t size);

struct TileHash {
  unsigned level = 0;
  std::uint64_t position = 0;
  Sha256 hash;
  bool operator==(const TileHash&) const = default;
};
// `count` neighbours from `position` on, exactly; they are there.
using ReadTileHashes =
    std::function<Result<HashList>(unsigned level, std::uint64_t position, std::uint32_t count)>;

// What a tree of `size` leaves gains by these leaves, by level and position.
[[nodiscard]] Result<std::vector<TileHash>> tile_hashes_added(std::uint64_t size,
                                                              const HashList& leaves,
                                                              const ReadTileHashes& read);
[[nodiscard]] ReadNode nodes_from_tiles(ReadTileHashes read);

// Entries one after the other, each behind its length (big-endian, two bytes).
[[nodiscard]] Result<std::string> encode_bundle(const std::vector<std::string>& entries);
[[nodiscard]] Result<std::vector<std::string>> decode_bundle(std::string_view bytes);

}  // namespace meldevakt
