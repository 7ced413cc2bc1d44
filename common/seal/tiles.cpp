#include "common/seal/tiles.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "common/base/text.h"

namespace meldevakt {
namespace {

constexpr std::string_view kTilePrefix = "tile/";
constexpr std::string_view kEntriesLevel = "entries";
constexpr std::string_view kPartial = ".p/";

// Three digits an element, every element but the last behind an "x".
std::string index_path(std::uint64_t index) {
  const auto digits = [](std::uint64_t part) {
    std::string text = std::to_string(part);
    return std::string(3 - text.size(), '0') + text;
  };
  std::string out = digits(index % 1000);
  for (index /= 1000; index > 0; index /= 1000) out = "x" + digits(index % 1000) + "/" + out;
  return out;
}

std::string path_of(std::string_view level, const Tile& tile) {
  std::string out{kTilePrefix};
  out.append(level).append("/").append(index_path(tile.index));
  if (tile.width != kTileWidth) out.append(kPartial).append(std::to_string(tile.width));
  return out;
}

std::optional<std::uint64_t> parse_index(std::string_view path) {
  std::uint64_t index = 0;
  while (true) {
    const std::size_t slash = path.find('/');
    const bool last = slash == std::string_view::npos;
    std::string_view element = path.substr(0, slash);
    if (!last) {
      if (element.empty() || element.front() != 'x') return std::nullopt;
      element.remove_prefix(1);
    }
    const auto part = parse_u64(element);
    if (element.size() != 3 || !part) return std::nullopt;
    if (index > (std::numeric_limits<std::uint64_t>::max() - *part) / 1000) return std::nullopt;
    index = index * 1000 + *part;
    if (last) return index;
    path.remove_prefix(slash + 1);
  }
}

// How many hashes of this tile level a tree of `size` leaves has.
std::uint64_t hashes_at(unsigned level, std::uint64_t size) {
  const unsigned shift = level * kTileHeight;
  return shift >= 64 ? 0 : size >> shift;
}

Sha256 root_of(HashList hashes) {  // REQUIRES: a power of two of them
  for (std::size_t count = hashes.size(); count > 1; count /= 2) {
    for (std::size_t i = 0; i < count / 2; ++i) {
      hashes[i] = node_hash(hashes[2 * i], hashes[2 * i + 1]);
    }
  }
  return hashes.front();
}

}  // namespace

std::string tile_path(const Tile& tile) {
  return path_of(std::to_string(tile.level), tile);
}

std::string bundle_path(const Tile& level_zero) {
  return path_of(kEntriesLevel, level_zero);
}

std::optional<TilePath> parse_tile_path(std::string_view path) {
  const std::string_view whole = path;
  if (path.substr(0, kTilePrefix.size()) != kTilePrefix) return std::nullopt;
  path.remove_prefix(kTilePrefix.size());
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  TilePath out;
  const std::string_view level = path.substr(0, slash);
  path.remove_prefix(slash + 1);
  if (level == kEntriesLevel) {
    out.entries = true;
  } else {
    const auto number = parse_u64(level);
    if (!number || *number > kTileLevelMax) return std::nullopt;
    out.tile.level = static_cast<unsigned>(*number);
  }
  if (const std::size_t partial = path.find(kPartial); partial != std::string_view::npos) {
    const auto width = parse_u64(path.substr(partial + kPartial.size()));
    if (!width || *width == 0 || *width >= kTileWidth) return std::nullopt;
    out.tile.width = static_cast<std::uint32_t>(*width);
    path = path.substr(0, partial);
  }
  const auto index = parse_index(path);
  if (!index) return std::nullopt;
  out.tile.index = *index;
  // Numbers have other spellings (a leading zero, an element too many): only ours is a name.
  const std::string spelled = out.entries ? bundle_path(out.tile) : tile_path(out.tile);
  if (spelled != whole) return std::nullopt;
  return out;
}

std::uint32_t tile_width(unsigned level, std::uint64_t index, std::uint64_t size) {
  const std::uint64_t hashes = hashes_at(level, size);
  const std::uint64_t full = hashes / kTileWidth;
  if (index < full) return kTileWidth;
  return index == full ? static_cast<std::uint32_t>(hashes % kTileWidth) : 0;
}

std::vector<Tile> edge_tiles(std::uint64_t size) {
  std::vector<Tile> out;
  for (unsigned level = 0; hashes_at(level, size) > 0; ++level) {
    const std::uint64_t index = (hashes_at(level, size) - 1) / kTileWidth;
    out.push_back({level, index, tile_width(level, index, size)});
  }
  return out;
}

Result<std::vector<TileHash>> tile_hashes_added(std::uint64_t size, const HashList& leaves,
                                                const ReadTileHashes& read) {
  std::vector<TileHash> out;
  HashList fresh = leaves;  // of the level at hand
  for (unsigned level = 0; !fresh.empty(); ++level) {
    const std::uint64_t from = hashes_at(level, size);
    const auto before = static_cast<std::uint32_t>(from % kTileWidth);
    HashList tile;  // the one that is being filled
    // Only a tile that becomes full is hashed; what it held before has to be read for that alone.
    if (before > 0 && before + fresh.size() >= kTileWidth) {
      MELDEVAKT_TRY_ASSIGN(tile, read(level, from - before, before));
      if (tile.size() != before) {
        return Error{Errc::kCorrupt, "Merkle tree: a tile is not as wide as its size says"};
      }
    } else {
      tile.resize(before);
    }
    HashList above;
    for (std::size_t i = 0; i < fresh.size(); ++i) {
      out.push_back({level, from + i, fresh[i]});
      tile.push_back(fresh[i]);
      if (tile.size() == kTileWidth) above.push_back(root_of(std::exchange(tile, {})));
    }
    fresh = std::move(above);
  }
  return out;
}

ReadNode nodes_from_tiles(ReadTileHashes read) {
  return [read = std::move(read)](unsigned level, std::uint64_t index) -> Result<Sha256> {
    const unsigned height = level % kTileHeight;
    const std::uint32_t count = 1U << height;
    MELDEVAKT_TRY_ASSIGN(HashList hashes, read(level / kTileHeight, index << height, count));
    if (hashes.size() != count) {
      return Error{Errc::kCorrupt, "Merkle tree: a tile is not as wide as its size says"};
    }
    return root_of(std::move(hashes));
  };
}

Result<std::string> encode_bundle(const std::vector<std::string>& entries) {
  std::string out;
  for (const std::string& entry : entries) {
    if (entry.size() > kEntryBytesMax) {
      return Error{Errc::kLimit, "log entry: " + std::to_string(entry.size()) + " bytes, at most " +
                                     std::to_string(kEntryBytesMax)};
    }
    out.push_back(static_cast<char>(entry.size() >> 8U));
    out.push_back(static_cast<char>(entry.size() & 0xFFU));
    out.append(entry);
  }
  return out;
}

Result<std::vector<std::string>> decode_bundle(std::string_view bytes) {
  std::vector<std::string> out;
  while (!bytes.empty()) {
    if (out.size() == kTileWidth) {
      return Error{Errc::kLimit, "entry bundle: more than 256 entries"};
    }
    if (bytes.size() < 2) return Error{Errc::kCorrupt, "entry bundle: ends within a length"};
    const auto high = static_cast<std::size_t>(static_cast<unsigned char>(bytes[0]));
    const auto low = static_cast<std::size_t>(static_cast<unsigned char>(bytes[1]));
    const std::size_t size = high << 8U | low;
    bytes.remove_prefix(2);
    if (bytes.size() < size) return Error{Errc::kCorrupt, "entry bundle: ends within an entry"};
    out.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return out;
}

}  // namespace meldevakt
