// Every operation on the disk fails once, then the power is cut. What was committed, and therefore
// perhaps sent, is there afterwards, and no number ever gets a second content.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>

#include "agent/state/state.h"
#include "common/ports/sha256.h"
#include "common/testing/fault_vfs.h"

namespace meldevakt::agent {
namespace {

using meldevakt::testing::Fault;
using meldevakt::testing::FaultVfs;

constexpr const char* kUri = "file:state.db?vfs=agent-sweep";
constexpr std::uint64_t kStatements = 3;

// The agent's side of one life of the disk: what it believes, and what it has told the world.
struct World {
  std::map<std::uint64_t, std::string> sent;       // only committed frames are sent
  std::map<std::uint64_t, std::string> attempted;  // of the commit that failed, if any
  std::uint64_t acknowledged = 0;
  int attempt = 0;  // frames sealed again have other bytes: salts differ
};

TenantRow tenant_row() {
  TenantRow row;
  row.id = "t1";
  row.name = "n";
  row.enrolment_link = sha256("enrolment");
  row.head = {0, 0, row.enrolment_link, Instant{}};
  return row;
}

StateChange next_statement(const ChainHead& head, const std::string& frame) {
  StateChange change;
  const ChainHead after{0, head.next_sequence + 1, sha256(frame), Instant{1}};
  StatementRow row;
  row.tenant = "t1";
  row.sequence = head.next_sequence;
  row.link = after.link;
  row.frame = frame;
  change.statements.push_back(row);
  change.chains.push_back({"t1", head, after, "boot", 0});
  KnownFile file;
  file.key = std::string(32, 'k');
  file.offset = head.next_sequence + 1;
  change.files["trace"].changed = {file};
  PipelineRow pipeline;
  pipeline.tenant = "t1";
  pipeline.source = "trace";
  pipeline.snapshot = "snapshot " + std::to_string(file.offset);
  change.pipelines.push_back(pipeline);
  return change;
}

// What must hold whenever the state can be read.
void check_world(State& state, const World& world) {
  const auto loaded = state.load();
  REQUIRE(loaded);
  if (loaded.value().tenants.empty()) {
    REQUIRE(world.sent.empty());
    return;
  }
  const ChainHead head = loaded.value().tenants[0].head;
  const auto frames = state.frames("t1", 0, 0, 1 << 30);
  REQUIRE(frames);
  REQUIRE(frames.value().size() == head.next_sequence);
  for (std::uint64_t i = 0; i < head.next_sequence; ++i) {
    const StatementRow& row = frames.value()[i];
    REQUIRE(row.sequence == i);
    const auto sent = world.sent.find(i);
    if (sent != world.sent.end()) {
      REQUIRE(row.frame == sent->second);
    } else {
      REQUIRE(world.attempted.contains(i));
      REQUIRE(row.frame == world.attempted.at(i));
    }
  }
  for (const auto& [sequence, frame] : world.sent) REQUIRE(sequence < head.next_sequence);
  if (head.next_sequence > 0) {
    REQUIRE(frames.value().back().link == head.link);
    REQUIRE(loaded.value().files.at("trace").at(0).offset == head.next_sequence);
    // The detector's state belongs to the position: each without the other loses or doubles.
    REQUIRE(loaded.value().pipelines.size() == 1);
    REQUIRE(loaded.value().pipelines[0].snapshot ==
            "snapshot " + std::to_string(head.next_sequence));
  }
  REQUIRE(state.outbox_begin("t1").value().second >= world.acknowledged);
}

// Works until everything is done (true) or the disk refuses (false).
bool work(World& world) {
  auto opened = State::open(kUri, {});
  if (!opened) return false;
  State& state = *opened.value();
  check_world(state, world);
  auto loaded = state.load();
  if (loaded.value().tenants.empty()) {
    if (!state.add_tenant(tenant_row())) return false;
    loaded = state.load();
  }
  ChainHead head = loaded.value().tenants[0].head;
  while (head.next_sequence < kStatements) {
    const std::string frame = "frame " + std::to_string(head.next_sequence) +
                              " sealed in attempt " + std::to_string(++world.attempt) +
                              std::string(3000, '.');
    const StateChange change = next_statement(head, frame);
    if (!state.commit(change)) {
      world.attempted[head.next_sequence] = frame;
      return false;
    }
    world.sent[head.next_sequence] = frame;
    head = change.chains[0].after;
    // Any earlier attempt was committed after all and is what is sent, or is gone for good.
    if (head.next_sequence % 2 == 0) {
      if (!state.acknowledged("t1", 0, head.next_sequence - 1, Instant{5})) return false;
    }
  }
  return true;
}

// An attempt whose outcome was not known is known after the next opening: it is there and gets
// sent, or its number is free.
void settle(World& world) {
  auto opened = State::open(kUri, {});
  REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message()));
  check_world(*opened.value(), world);
  const auto frames = opened.value()->frames("t1", 0, 0, 1 << 30);
  for (const StatementRow& row : frames.value()) world.sent.insert({row.sequence, row.frame});
  world.attempted.clear();
}

TEST_CASE("State: every failing operation, then a power cut") {
  for (const Fault fault : {Fault::kIoError, Fault::kDiskFull}) {
    for (const std::size_t torn : {std::size_t{0}, std::size_t{700}}) {
      bool finished = false;
      std::size_t n = 0;
      for (; !finished; ++n) {
        CAPTURE(static_cast<int>(fault));
        CAPTURE(torn);
        CAPTURE(n);
        REQUIRE(n < 2000);
        FaultVfs disk{"agent-sweep"};
        World world;
        disk.fail_at(n, fault);
        finished = work(world);
        disk.clear_fault();
        disk.power_cut(torn);
        settle(world);
        REQUIRE(work(world));
        REQUIRE(world.sent.size() == kStatements);
        disk.power_cut(0);
        settle(world);
      }
      MESSAGE("operations swept: " << n);
      CHECK(n > 20);
    }
  }
}

TEST_CASE(
    "State: every statement is on the disk before it can be sent: a sync at least for each "
    "commit") {
  FaultVfs disk{"agent-sweep"};
  auto opened = State::open(kUri, {});
  REQUIRE(opened);
  State& state = *opened.value();
  REQUIRE(state.add_tenant(tenant_row()));
  ChainHead head = state.load().value().tenants[0].head;
  while (head.next_sequence < 20) {
    const StateChange change = next_statement(head, "frame " + std::to_string(head.next_sequence));
    const std::size_t before = disk.syncs();
    REQUIRE(state.commit(change));
    CHECK(disk.syncs() > before);
    head = change.chains[0].after;
  }
}

TEST_CASE("State: the disk refuses for a while without a power cut") {
  for (std::size_t n = 0; n < 40; ++n) {
    CAPTURE(n);
    FaultVfs disk{"agent-sweep"};
    World world;
    disk.fail_at(n, Fault::kDiskFull);
    static_cast<void>(work(world));
    disk.clear_fault();
    settle(world);
    REQUIRE(work(world));
    // What was written while the disk refused must also survive the next power cut.
    disk.power_cut(0);
    settle(world);
    REQUIRE(world.sent.size() == kStatements);
  }
}

}  // namespace
}  // namespace meldevakt::agent
