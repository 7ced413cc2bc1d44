#include "common/seal/tiles.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/testing/doubles.h"
#include "tests/unit/common/seal/naive_tree.h"

namespace meldevakt {
namespace {

using testing::naive_root;
using testing::numbered_leaves;

// Tile hashes as a store keeps them.
class KeptTiles {
 public:
  Status append(const HashList& leaves) {
    MELDEVAKT_TRY_ASSIGN(const std::vector<TileHash> added,
                         tile_hashes_added(size_, leaves, reader()));
    for (const TileHash& one : added) {
      CHECK(kept_.emplace(std::pair{one.level, one.position}, one.hash).second);
    }
    size_ += leaves.size();
    return {};
  }
  [[nodiscard]] ReadTileHashes reader() const {
    return [this](unsigned level, std::uint64_t from, std::uint32_t count) -> Result<HashList> {
      HashList out;
      for (std::uint64_t i = 0; i < count; ++i) {
        const auto found = kept_.find({level, from + i});
        if (found == kept_.end()) return Error{Errc::kNotFound, "no such hash"};
        out.push_back(found->second);
      }
      return out;
    };
  }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::size_t hashes() const { return kept_.size(); }

 private:
  std::map<std::pair<unsigned, std::uint64_t>, Sha256> kept_;
  std::uint64_t size_ = 0;
};

TEST_CASE("tiles: names") {
  struct Case {
    Tile tile;
    const char* path;
  };
  for (const Case& c :
       {Case{{0, 0, 256}, "tile/0/000"}, Case{{0, 5, 256}, "tile/0/005"},
        Case{{1, 999, 7}, "tile/1/999.p/7"}, Case{{0, 1000, 256}, "tile/0/x001/000"},
        Case{{0, 1234067, 256}, "tile/0/x001/x234/067"},
        Case{{63, 1234067, 255}, "tile/63/x001/x234/067.p/255"}}) {
    CAPTURE(c.path);
    CHECK(tile_path(c.tile) == c.path);
    const auto back = parse_tile_path(c.path);
    REQUIRE(back);
    CHECK(back->tile == c.tile);
    CHECK_FALSE(back->entries);
  }
  CHECK(bundle_path({0, 1234067, 12}) == "tile/entries/x001/x234/067.p/12");
  CHECK(parse_tile_path("tile/entries/x001/x234/067.p/12")->entries);
  const std::string largest = tile_path({0, ~std::uint64_t{0}, 256});
  CHECK(parse_tile_path(largest)->tile.index == ~std::uint64_t{0});
  for (const char* bad : {"",
                          "tile",
                          "tile/",
                          "tile/0",
                          "tile/0/",
                          "tile/0/0",
                          "tile/0/00",
                          "tile/0/0000",
                          "tile/0/x000/001",
                          "tile/0/001/002",
                          "tile/0/x01/002",
                          "tile/0/x001",
                          "tile/0/-01",
                          "tile/00/001",
                          "tile/64/001",
                          "tile/x/001",
                          "tile/0/001.p/0",
                          "tile/0/001.p/256",
                          "tile/0/001.p/01",
                          "tile/0/001.p/",
                          "tile/0/001.p",
                          "tile/0/001.p/1/",
                          "/tile/0/001",
                          "tile/0/../000",
                          "tile/0/001 ",
                          "tile/0/x018/x446/x744/x073/x709/x551/616",
                          "tile/entries/1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_tile_path(bad));
  }
}

TEST_CASE("tiles: widths, with the numbers of the specification's own example") {
  CHECK(tile_width(0, 272, 70'000) == 256);
  CHECK(tile_width(0, 273, 70'000) == 112);
  CHECK(tile_width(0, 274, 70'000) == 0);
  CHECK(tile_width(1, 0, 70'000) == 256);
  CHECK(tile_width(1, 1, 70'000) == 17);
  CHECK(tile_width(2, 0, 70'000) == 1);
  CHECK(tile_width(2, 1, 70'000) == 0);
  CHECK(tile_width(8, 0, ~std::uint64_t{0}) == 0);
  CHECK(edge_tiles(0).empty());
  CHECK(edge_tiles(256) == std::vector<Tile>{{0, 0, 256}, {1, 0, 1}});
  CHECK(edge_tiles(70'000) == std::vector<Tile>{{0, 273, 112}, {1, 1, 17}, {2, 0, 1}});
}

TEST_CASE("tiles: grown in any steps they hold the same tree, and prove it") {
  const HashList leaves = numbered_leaves(1'400);
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    testing::SeededRandom random{seed};
    KeptTiles tiles;
    MerklePeaks peaks;
    std::vector<std::pair<std::uint64_t, Sha256>> seen;
    while (tiles.size() < leaves.size()) {
      const std::uint64_t step = seed == 1 ? 1 : random.below(seed == 2 ? 600 : 40);
      const auto from = static_cast<std::ptrdiff_t>(tiles.size());
      const auto to =
          static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(leaves.size(), tiles.size() + step));
      const HashList batch{leaves.begin() + from, leaves.begin() + to};
      REQUIRE(tiles.append(batch));
      for (const Sha256& leaf : batch) peaks.append(leaf);
      REQUIRE(tiles.size() == peaks.size());
      if (tiles.size() == 0 || random.below(20) != 0) continue;
      const ReadNode nodes = nodes_from_tiles(tiles.reader());
      REQUIRE(tree_root(tiles.size(), nodes).value() == peaks.root());
      seen.emplace_back(tiles.size(), peaks.root());
      const std::uint64_t index = random.below(tiles.size());
      const auto included = inclusion_proof(index, tiles.size(), nodes);
      REQUIRE(included);
      REQUIRE(verify_inclusion(index, tiles.size(), leaves[index], included.value(), peaks.root()));
      const auto& [old_size, old_root] = seen[random.below(seen.size())];
      const auto grown = consistency_proof(old_size, tiles.size(), nodes);
      REQUIRE(grown);
      REQUIRE(verify_consistency(old_size, old_root, tiles.size(), peaks.root(), grown.value()));
    }
    CHECK(tiles.hashes() == 1'400 + 5);
    CHECK(peaks.root() == naive_root(leaves, 0, leaves.size()));
  }
}

TEST_CASE("tiles: two levels up") {
  KeptTiles tiles;
  MerklePeaks peaks;
  HashList leaves = numbered_leaves(65'536 + 300);
  REQUIRE(tiles.append({leaves.begin(), leaves.begin() + 65'500}));
  REQUIRE(tiles.append({leaves.begin() + 65'500, leaves.end()}));
  for (const Sha256& leaf : leaves) peaks.append(leaf);
  CHECK(tiles.hashes() == leaves.size() + 257 + 1);
  CHECK(tree_root(tiles.size(), nodes_from_tiles(tiles.reader())).value() == peaks.root());
}

TEST_CASE("tiles: what a store cannot read, or has too little of, is an error") {
  const HashList leaves = numbered_leaves(300);
  const ReadTileHashes failing = [](unsigned, std::uint64_t, std::uint32_t) -> Result<HashList> {
    return Error{Errc::kIo, "disk"};
  };
  const ReadTileHashes shorter = [](unsigned, std::uint64_t, std::uint32_t) -> Result<HashList> {
    return HashList{};
  };
  CHECK(tile_hashes_added(3, leaves, failing).error().code() == Errc::kIo);
  CHECK(tile_hashes_added(3, leaves, shorter).error().code() == Errc::kCorrupt);
  CHECK(nodes_from_tiles(shorter)(3, 0).error().code() == Errc::kCorrupt);
  CHECK(tile_hashes_added(3, {leaves[0]}, failing));  // nothing has to be read
}

TEST_CASE("tiles: bundles of entries") {
  const std::vector<std::string> entries{"", "a", std::string(kEntryBytesMax, 'x'), "\0\n"};
  const auto bytes = encode_bundle(entries);
  REQUIRE(bytes);
  CHECK(bytes.value().size() == 8 + 0 + 1 + kEntryBytesMax + entries[3].size());
  CHECK(decode_bundle(bytes.value()).value() == entries);
  CHECK(decode_bundle("").value().empty());
  CHECK(encode_bundle({std::string(kEntryBytesMax + 1, 'x')}).error().code() == Errc::kLimit);
  for (std::size_t cut = 1; cut < 6; ++cut) {
    const std::string whole = encode_bundle({"abc"}).value();
    if (cut == whole.size()) continue;
    CHECK(decode_bundle(whole.substr(0, cut)).error().code() == Errc::kCorrupt);
  }
  CHECK(decode_bundle(std::string(514, '\0')).error().code() == Errc::kLimit);
  CHECK(decode_bundle(std::string(512, '\0')).value().size() == 256);
}

}  // namespace
}  // namespace meldevakt
