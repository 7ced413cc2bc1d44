// The disk fails at every single operation of a day's work, and then the power goes. What must
// hold: a frame that was answered ok is there, no index is used twice, heads are the chains' ends,
// and the agent can go on from what the collector says.
#include <doctest/doctest.h>

#include <map>
#include <optional>

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

constexpr int kFrames = 6;
const SqliteStore::Options kOptions{"collector.db", "store-fault", false};

// Frames are made once: signing them for every crash point would be most of the test.
struct Script {
  Script() {
    for (int i = 0; i < kFrames; ++i) {
      // Bodies of several pages, so that one commit is many writes.
      frames.push_back(agent.next(std::string(1, static_cast<char>('a' + i))));
    }
  }
  FakeAgent agent{'s', "t1"};
  std::vector<VerifiedFrame> frames;
};

const Script& script() {
  static const Script the_script;
  return the_script;
}

void prepare() {
  auto store = SqliteStore::open(kOptions).value();
  REQUIRE(admit(*store, FakeAgent{'s', "t1"}));
}

// Sends frame after frame as an agent does; stops at the first error. Returns the acknowledged.
std::map<std::uint64_t, std::uint64_t> send_all(SqliteStore& store) {
  std::map<std::uint64_t, std::uint64_t> acknowledged;  // sequence -> index
  for (const VerifiedFrame& frame : script().frames) {
    const auto stored = store.store_frame(frame, kStart);
    if (!stored) break;
    REQUIRE((stored.value().decision == ChainDecision::kExtends ||
             stored.value().decision == ChainDecision::kDuplicate));
    acknowledged[frame.statement.sequence] = stored.value().index;
  }
  return acknowledged;
}

// After the disk is well again: nothing acknowledged is lost, and the rest can be sent.
void expect_whole(const std::map<std::uint64_t, std::uint64_t>& acknowledged) {
  auto opened = SqliteStore::open(kOptions);
  REQUIRE_MESSAGE(opened, opened.error().message());
  SqliteStore& store = *opened.value();
  const Status checked = store.check_store(OpenSslVerifier{});
  REQUIRE_MESSAGE(checked, checked.error().message());
  const ChainHead head = store.agent(script().agent.id()).value().head;
  CHECK(head.next_sequence >= acknowledged.size());
  const auto again = send_all(store);
  CHECK(again.size() == kFrames);
  for (const auto& [sequence, index] : acknowledged) CHECK(again.at(sequence) == index);
  for (const auto& [sequence, index] : again)
    CHECK(index == sequence);  // one agent: no gap, no two
  REQUIRE(store.check_store(OpenSslVerifier{}));
  std::vector<Alarm> alarms;
  CHECK(store.tenant_input("t1", alarms).value().facts.size() == kFrames);
  CHECK(alarms.empty());
  CHECK(store.alarms("t1").value().empty());
}

std::size_t operations_of_a_run() {
  FaultVfs disk{"store-fault"};
  prepare();
  disk.clear_fault();
  {
    auto store = SqliteStore::open(kOptions).value();
    REQUIRE(send_all(*store).size() == kFrames);
  }
  return disk.operations();
}

TEST_CASE("each operation fails in turn, then the power goes: no acknowledged frame is lost") {
  const std::size_t operations = operations_of_a_run();
  MESSAGE("operations in one run: " << operations);
  REQUIRE(operations > 20);
  for (const Fault fault : {Fault::kIoError, Fault::kDiskFull}) {
    for (const std::size_t torn : {std::size_t{0}, std::size_t{700}, std::size_t{100'000'000}}) {
      for (std::size_t n = 0; n < operations; ++n) {
        CAPTURE(n);
        CAPTURE(torn);
        FaultVfs disk{"store-fault"};
        prepare();
        disk.fail_at(n, fault);
        std::map<std::uint64_t, std::uint64_t> acknowledged;
        if (auto store = SqliteStore::open(kOptions)) acknowledged = send_all(*store.value());
        disk.power_cut(torn);
        disk.clear_fault();
        expect_whole(acknowledged);
      }
    }
  }
}

TEST_CASE(
    "each operation fails in turn, the disk mends, the same process goes on, then a power cut") {
  const std::size_t operations = operations_of_a_run();
  for (const Fault fault : {Fault::kIoError, Fault::kDiskFull}) {
    for (std::size_t n = 0; n < operations; ++n) {
      CAPTURE(n);
      FaultVfs disk{"store-fault"};
      prepare();
      std::map<std::uint64_t, std::uint64_t> acknowledged;
      {
        auto opened = SqliteStore::open(kOptions).value();
        disk.fail_at(n, fault);
        const auto before = send_all(*opened);
        disk.clear_fault();
        // What was refused may or may not be there; it is acknowledged now, and must stay.
        acknowledged = send_all(*opened);
        REQUIRE(acknowledged.size() == kFrames);
        for (const auto& [sequence, index] : before) CHECK(acknowledged.at(sequence) == index);
        REQUIRE(opened->check_store(OpenSslVerifier{}));
        disk.power_cut(0);
      }
      expect_whole(acknowledged);
    }
  }
}

TEST_CASE("a failed process leaves its log to the next one, which must not trust it: power cut") {
  // The sync of a commit fails; the process dies without mending anything. Another process opens
  // the database, sees the whole commit in the log, answers "duplicate" - and then the power goes.
  const std::size_t operations = operations_of_a_run();
  for (std::size_t n = 0; n < operations; ++n) {
    CAPTURE(n);
    FaultVfs disk{"store-fault"};
    prepare();
    {
      auto opened = SqliteStore::open(kOptions).value();
      disk.fail_at(n, Fault::kIoError);
      (void)send_all(*opened);
    }
    disk.clear_fault();
    std::map<std::uint64_t, std::uint64_t> acknowledged;
    {
      auto opened = SqliteStore::open(kOptions).value();
      // Exactly the refused one: more would force the log out by their own syncs.
      const std::uint64_t next = opened->agent(script().agent.id()).value().head.next_sequence;
      for (std::uint64_t i = 0; i < next; ++i) {
        const auto stored = opened->store_frame(script().frames[i], kStart).value();
        REQUIRE(stored.decision == ChainDecision::kDuplicate);
        acknowledged[i] = stored.index;
      }
      disk.power_cut(0);
    }
    expect_whole(acknowledged);
  }
}

TEST_CASE("every acknowledged frame is one sync at least") {
  FaultVfs disk{"store-fault"};
  prepare();
  auto store = SqliteStore::open(kOptions).value();
  for (const VerifiedFrame& frame : script().frames) {
    const std::size_t before = disk.syncs();
    REQUIRE(store->store_frame(frame, kStart).value().decision == ChainDecision::kExtends);
    CHECK(disk.syncs() > before);
  }
}

}  // namespace
}  // namespace meldevakt::collector
