// Imports in every order: the state is the same.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "collector/store/sqlite_store.h"
#include "common/testing/doubles.h"
#include "common/testing/fault_vfs.h"
#include "tests/unit/collector/fake_agent.h"

namespace meldevakt::collector {
namespace {

using testing::kStart;

Receipt random_version(meldevakt::testing::SeededRandom& random, std::string id) {
  Receipt out;
  out.portal = "npb";
  out.message_id = std::move(id);
  if (random.below(3) != 0) {
    out.confirmed = kStart + seconds(static_cast<std::int64_t>(random.below(3)));
  }
  out.sent = kStart - minutes(static_cast<std::int64_t>(random.below(2)));
  out.form = random.below(2) == 0 ? FormType::kUnknown : FormType::kPrivate;
  out.channel = random.below(3) == 0 ? kPrintChannel : kCaseSystemChannel;
  if (random.below(3) == 0) out.district = "0301/0" + std::to_string(random.below(3));
  return out;
}

TEST_CASE("receipts: in whatever order imports come, the same of their rows counts") {
  constexpr std::uint64_t seed = 20'230'605;
  CAPTURE(seed);
  meldevakt::testing::SeededRandom random{seed};
  for (int world_number = 0; world_number < 12; ++world_number) {
    CAPTURE(world_number);
    std::vector<Receipt> versions;
    for (int i = 0; i < 4; ++i) {
      versions.push_back(random_version(random, "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"));
    }
    std::sort(versions.begin(), versions.end());
    std::optional<std::vector<Receipt>> first;
    do {
      const meldevakt::testing::FaultVfs disk{"receipt-order"};
      const auto world = SqliteStore::open({"collector.db", "receipt-order", false}).value();
      REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
      for (std::size_t i = 0; i < versions.size(); ++i) {
        REQUIRE(world->import_receipts("t1", {versions[i]}, std::nullopt,
                                       kStart + minutes(static_cast<std::int64_t>(i))));
      }
      std::vector<Alarm> alarms;
      const std::vector<Receipt> counts = world->tenant_input("t1", alarms).value().receipts;
      REQUIRE(counts.size() == 1);
      if (!first) first = counts;
      REQUIRE(counts == *first);
    } while (std::next_permutation(versions.begin(), versions.end()));
  }
}

}  // namespace
}  // namespace meldevakt::collector
