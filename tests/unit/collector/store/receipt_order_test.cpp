// Imports in every order: the state is the same.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "collector/store/sqlite_store.h"
#include "common/receipts/counting_rows.h"
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
  // Not to be believed: long after every import.
  if (random.below(4) == 0) out.confirmed = kStart + days(random.below(2) == 0 ? 365 : 366);
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
      // However they are cut into files.
      for (std::size_t i = 0; i < versions.size();) {
        const std::size_t end = std::min(versions.size(), i + 1 + random.below(3));
        const std::vector<Receipt> file(versions.begin() + static_cast<std::ptrdiff_t>(i),
                                        versions.begin() + static_cast<std::ptrdiff_t>(end));
        REQUIRE(world->import_receipts("t1", file, std::nullopt,
                                       kStart + minutes(static_cast<std::int64_t>(i))));
        i = end;
      }
      std::vector<Alarm> alarms;
      const TenantInput input = world->tenant_input("t1", alarms).value();
      std::vector<WeighedRow> told;
      for (const Receipt& row : input.receipts) told.push_back({row, {}});
      for (const RowAhead& ahead : input.rows_ahead) {
        told.push_back({ahead.row, telling_of(ahead.row, ahead.told)});
      }
      const std::vector<Receipt> counts = counting_rows(told);
      if (!first) first = counts;
      REQUIRE(counts == *first);
    } while (std::next_permutation(versions.begin(), versions.end()));
  }
}

TEST_CASE("receipts: a row of what is still to come changes nothing of what was told before it") {
  const meldevakt::testing::FaultVfs disk{"receipt-ahead"};
  const auto world = SqliteStore::open({"collector.db", "receipt-ahead", false}).value();
  REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
  Receipt good;
  good.portal = "npb";
  good.message_id = "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";
  good.sent = kStart - hours(2);
  good.confirmed = kStart - hours(1);
  Receipt ahead = good;
  ahead.confirmed = kStart + days(365);
  const auto import = [&](const Receipt& row, Instant now) {
    return world->import_receipts("t1", {row}, std::nullopt, now).value();
  };
  REQUIRE(import(good, kStart).rows.size() == 1);
  const ImportResult result = import(ahead, kStart + minutes(1));
  CHECK(result.changed == 1);  // it is kept
  CHECK(result.told == kStart + minutes(1));
  // When its time has come it is still what was told too early.
  CHECK(import(ahead, kStart + days(366)).rows.empty());
  std::vector<Alarm> alarms;
  CHECK(world->tenant_input("t1", alarms).value().receipts == std::vector<Receipt>{good});
  CHECK(world->tenant_input("t1", alarms).value().rows_ahead.size() == 1);
  // Our own clock was an hour slow: when the time has come a list that holds it tells it anew.
  Receipt soon = good;
  soon.confirmed = kStart + hours(1);
  CHECK(import(soon, kStart + minutes(2)).changed == 1);
  CHECK(import(soon, kStart + minutes(3)).unchanged == 1);
  const ImportResult anew = import(soon, kStart + hours(1));
  CHECK(anew.changed == 1);
  REQUIRE(anew.rows.size() == 1);
  CHECK(anew.rows[0] == soon);
  CHECK(import(soon, kStart + hours(2)).unchanged == 1);
  const TenantInput all = world->tenant_input("t1", alarms).value();
  CHECK(all.receipts == std::vector<Receipt>{good, soon});
  CHECK(all.rows_ahead.size() == 2);
}

}  // namespace
}  // namespace meldevakt::collector
