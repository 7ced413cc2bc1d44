// The disk fails at every single operation while people tell, the register grows and a control is
// kept; then the power goes. What was answered ok is there, no number is used twice, and the log
// tells of exactly what is stored.
#include <doctest/doctest.h>

#include "collector/store/sqlite_store.h"
#include "common/testing/fault_vfs.h"
#include "tests/unit/collector/fake_agent.h"

namespace meldevakt::collector {
namespace {

using meldevakt::testing::Fault;
using meldevakt::testing::FaultVfs;
using testing::admit;
using testing::FakeAgent;
using testing::kStart;

const SqliteStore::Options kOptions{"collector.db", "told-fault", false, nullptr,
                                    testing::random_bytes()};

struct Kept {
  std::uint64_t told = 0;
  std::uint64_t registry = 0;
  std::uint64_t controls = 0;
  bool silent = false;
};

void prepare() {
  auto store = SqliteStore::open(kOptions).value();
  REQUIRE(admit(*store, FakeAgent{'s', "t1"}));
}

// A day's work; stops at the first error and says what was answered ok.
Kept work(SqliteStore& store) {
  Kept kept;
  Testimony entry;
  entry.told = kStart;
  entry.person = "Kari Prøve";
  entry.what = SenderMistaken{"m1"};
  for (int i = 0; i < 2; ++i) {
    if (!store.add_told("t1", entry, kStart)) return kept;
    ++kept.told;
  }
  if (!store.add_registry_entries("t1", {{EntryKind::kName, "Bø", "", kAlways}}, kStart)) {
    return kept;
  }
  ++kept.registry;
  const auto signer = signer_from_seed(std::string(32, 'C')).value();
  const std::string record = seal("control", "record", *signer).value();
  if (!store.add_control("t1", {0, link_hash("control", "record"), kStart, record})) return kept;
  ++kept.controls;
  const std::string agent = FakeAgent{'s', "t1"}.id();
  if (!store.add_alarm({"t1", agent, "silent", "since then", kStart})) return kept;
  kept.silent = true;
  return kept;
}

void expect_whole(const Kept& kept) {
  auto opened = SqliteStore::open(kOptions);
  REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message()));
  SqliteStore& store = *opened.value();
  const Status checked = store.check_store(OpenSslVerifier{});
  REQUIRE_MESSAGE(checked, (checked ? "" : checked.error().message()));
  std::vector<Alarm> alarms;
  const auto told = store.told("t1", alarms).value();
  CHECK(alarms.empty());
  CHECK(told.size() >= kept.told);
  for (std::size_t i = 0; i < told.size(); ++i) CHECK(number_of(told[i].entry) == i);
  CHECK(store.registry_entries("t1").value().size() >= kept.registry);
  CHECK(store.controls("t1", 10).value().size() >= kept.controls);
  CHECK(store.alarms("t1").value().size() >= (kept.silent ? 1U : 0U));
}

std::size_t operations_of_a_run() {
  FaultVfs disk{"told-fault"};
  prepare();
  disk.clear_fault();
  {
    auto store = SqliteStore::open(kOptions).value();
    REQUIRE(work(*store).silent);
  }
  return disk.operations();
}

TEST_CASE("each operation fails in turn, then the power goes: nothing that was told is lost") {
  const std::size_t operations = operations_of_a_run();
  REQUIRE(operations > 10);
  for (const std::size_t torn : {std::size_t{0}, std::size_t{700}}) {
    for (std::size_t n = 0; n < operations; ++n) {
      CAPTURE(n);
      CAPTURE(torn);
      FaultVfs disk{"told-fault"};
      prepare();
      disk.fail_at(n, Fault::kIoError);
      Kept kept;
      if (auto store = SqliteStore::open(kOptions)) kept = work(*store.value());
      disk.power_cut(torn);
      disk.clear_fault();
      expect_whole(kept);
    }
  }
}

}  // namespace
}  // namespace meldevakt::collector
