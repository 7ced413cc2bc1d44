// The public vectors of ../shared/data/vectors that are about logs. Skipped, saying so, where they
// are not.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/platform/disk.h"
#include "common/ports/sha256.h"
#include "common/seal/checkpoint.h"
#include "common/seal/merkle.h"
#include "common/seal/tiles.h"

namespace meldevakt {
namespace {

namespace fs = std::filesystem;

const fs::path kVectors = fs::path{MELDEVAKT_SOURCE_DIR} / "../shared/data/vectors";

bool skipped(const fs::path& folder) {
  if (fs::exists(folder)) return false;
  MESSAGE("skipped: " << folder.string() << " is not here");
  return true;
}

std::string text_of(const fs::path& path) {
  auto text = read_file(path.string(), 1 << 20);
  REQUIRE(text);
  return text.value();
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

// nullopt: it is no hash at all, as in some vectors on purpose.
std::optional<Sha256> hash_in(const nlohmann::json& value) {
  const auto bytes = from_base64(value.is_null() ? "" : value.get<std::string>());
  if (!bytes) return std::nullopt;
  const auto hash = Sha256::from_bytes(bytes.value());
  if (!hash) return std::nullopt;
  return hash.value();
}

// Some roots are other texts, where any root would do; ours are always hashes.
Sha256 root_in(const nlohmann::json& value) {
  const auto hash = hash_in(value);
  return hash ? *hash : sha256(value.dump());
}

std::optional<HashList> proof_in(const nlohmann::json& value) {
  HashList out;
  if (value.is_null()) return out;
  for (const auto& one : value) {
    const auto hash = hash_in(one);
    if (!hash) return std::nullopt;
    out.push_back(*hash);
  }
  return out;
}

TEST_CASE("vectors: inclusion proofs of transparency-dev/merkle") {
  const fs::path folder = kVectors / "merkle/testdata/inclusion";
  if (skipped(folder)) return;
  int count = 0;
  int held = 0;
  for (const fs::path& path : files_below(folder)) {
    CAPTURE(path.string());
    const auto vector = nlohmann::json::parse(text_of(path));
    const auto leaf = hash_in(vector.at("leafHash"));
    const Sha256 root = root_in(vector.at("root"));
    const auto proof = proof_in(vector.at("proof"));
    const bool holds =
        leaf && proof &&
        verify_inclusion(vector.at("leafIdx").get<std::uint64_t>(),
                         vector.at("treeSize").get<std::uint64_t>(), *leaf, *proof, root);
    CHECK(holds == !vector.at("wantErr").get<bool>());
    ++count;
    held += holds ? 1 : 0;
  }
  CHECK(count == 98);
  CHECK(held > 0);
}

TEST_CASE("vectors: consistency proofs of transparency-dev/merkle") {
  const fs::path folder = kVectors / "merkle/testdata/consistency";
  if (skipped(folder)) return;
  int count = 0;
  for (const fs::path& path : files_below(folder)) {
    CAPTURE(path.string());
    const auto vector = nlohmann::json::parse(text_of(path));
    const Sha256 root1 = root_in(vector.at("root1"));
    const Sha256 root2 = root_in(vector.at("root2"));
    const auto proof = proof_in(vector.at("proof"));
    const bool holds =
        proof && verify_consistency(vector.at("size1").get<std::uint64_t>(), root1,
                                    vector.at("size2").get<std::uint64_t>(), root2, *proof);
    CHECK(holds == !vector.at("wantErr").get<bool>());
    ++count;
  }
  CHECK(count == 98);
}

TEST_CASE("vectors: a whole log of Tessera, checkpoint by checkpoint") {
  const fs::path folder = kVectors / "tessera/testdata/log";
  if (skipped(folder)) return;
  std::vector<Checkpoint> seen;
  HashList leaves;
  for (std::uint64_t size = 0; size <= 15; ++size) {
    CAPTURE(size);
    const auto note = parse_note(text_of(folder / ("checkpoint." + std::to_string(size))));
    REQUIRE_MESSAGE(note, (note ? "" : note.error().message()));
    CHECK(to_text(note.value()) == text_of(folder / ("checkpoint." + std::to_string(size))));
    const auto checkpoint = parse_checkpoint_text(note.value().text);
    REQUIRE(checkpoint);
    REQUIRE(checkpoint.value().size == size);
    if (size > 0) {
      const Tile tile{0, 0, static_cast<std::uint32_t>(size)};
      const auto entries = decode_bundle(text_of(folder / bundle_path(tile)));
      REQUIRE(entries);
      REQUIRE(entries.value().size() == size);
      const std::string hashes = text_of(folder / tile_path(tile));
      leaves.clear();
      std::string ours;
      for (const std::string& entry : entries.value()) {
        leaves.push_back(leaf_hash(entry));
        ours.append(leaves.back().view());
      }
      CHECK(hashes == ours);
    }
    MerklePeaks tree;
    for (const Sha256& leaf : leaves) tree.append(leaf);
    CHECK(tree.root() == checkpoint.value().root);
    seen.push_back(checkpoint.value());
  }
  const ReadNode nodes = nodes_from_tiles(
      [&](unsigned level, std::uint64_t from, std::uint32_t count) -> Result<HashList> {
        if (level > 0 || from + count > leaves.size()) return Error{Errc::kNotFound, "no tile"};
        const auto begin = leaves.begin() + static_cast<std::ptrdiff_t>(from);
        return HashList{begin, begin + count};
      });
  for (std::size_t from = 1; from < seen.size(); ++from) {
    for (std::size_t to = from; to < seen.size(); ++to) {
      const auto proof = consistency_proof(from, to, nodes);
      REQUIRE(proof);
      CHECK(verify_consistency(from, seen[from].root, to, seen[to].root, proof.value()));
    }
  }
}

}  // namespace
}  // namespace meldevakt
