#include "collector/store/sqlite_store.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <functional>

#include "common/testing/fault_vfs.h"
#include "tests/unit/collector/fake_agent.h"
#include "tests/unit/collector/store/store_world.h"

namespace meldevakt::collector {
namespace {

using testing::admit;
using testing::FakeAgent;
using testing::kStart;

using World = testing::StoreWorld;
using testing::receipt;

TEST_CASE("tenants: added once, listed by name") {
  World world;
  CHECK(world->add_tenant({"t2", "Bø", "", kStart}));
  CHECK(world->add_tenant({"t1", "Aure", "123456785", kStart}));
  CHECK(world->add_tenant({"t3", "Aure", "", kStart}).error().code() == Errc::kExists);
  CHECK(world->add_tenant({"t1", "Canada", "", kStart}).error().code() == Errc::kExists);
  const auto tenants = world->tenants().value();
  REQUIRE(tenants.size() == 2);
  CHECK(tenants[0].name == "Aure");
  CHECK(tenants[0].organisation == "123456785");
  CHECK(tenants[1].id == "t2");
}

TEST_CASE("an invitation admits one agent, of its tenant, in time, once") {
  World world;
  FakeAgent agent{'a', "t1"};
  FakeAgent other{'b', "t1"};
  REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
  REQUIRE(world->add_tenant({"t2", "Bø", "", kStart}));
  const auto enrol = [&](const AgentRecord& record, Instant now) {
    return world->enrol(record, agent.token_hash(), agent.enrolment(), now);
  };
  CHECK(enrol(agent.record(), kStart).error().code() == Errc::kRejected);  // no invitation
  REQUIRE(world->add_invitation({agent.token_hash(), "t1", kStart + hours(1)}));
  CHECK(enrol(agent.record(), kStart + hours(1)).error().code() == Errc::kRejected);  // expired
  AgentRecord foreign = agent.record();
  foreign.key.tenant = "t2";
  CHECK(enrol(foreign, kStart).error().code() == Errc::kRejected);

  CHECK(enrol(agent.record(), kStart).value());               // the tenant's first
  CHECK(enrol(agent.record(), kStart + seconds(1)).value());  // the answer was lost: same again
  AgentRecord rekeyed = agent.record();
  rekeyed.tls_key = sha256("another");
  CHECK(enrol(rekeyed, kStart).error().code() == Errc::kRejected);
  CHECK(enrol(other.record(), kStart).error().code() == Errc::kRejected);  // used

  REQUIRE(world->add_invitation({other.token_hash(), "t1", kStart + hours(1)}));
  CHECK_FALSE(world->enrol(other.record(), other.token_hash(), other.enrolment(), kStart).value());
  const AgentRecord stored = world->agent(agent.id()).value();
  CHECK(stored.key.public_key == agent.key().public_key);
  CHECK(stored.tls_key == agent.record().tls_key);
  CHECK(stored.head == agent.head());
  CHECK_FALSE(stored.last_received);
  CHECK(world->agents("t1").value().size() == 2);
  CHECK(world->agents("t2").value().empty());
  CHECK(world->agent("nobody").error().code() == Errc::kNotFound);
  CHECK(world->check_store(world.verifier));
}

TEST_CASE("frames extend the chain, indices are the tenant's, repetition is answered alike") {
  World world;
  FakeAgent a{'a', "t1"};
  FakeAgent b{'b', "t1"};
  FakeAgent c{'c', "t2"};
  for (const FakeAgent* agent : {&a, &b, &c}) REQUIRE(admit(*world, *agent));
  const VerifiedFrame first = a.next("one");
  const VerifiedFrame second = b.next("two");
  const VerifiedFrame foreign = c.next("three");
  const VerifiedFrame third = a.next("four");
  struct Case {
    const VerifiedFrame& frame;
    ChainDecision decision;
    std::uint64_t index;
    std::uint64_t next;
  };
  const Case cases[] = {
      {first, ChainDecision::kExtends, 0, 1},   {first, ChainDecision::kDuplicate, 0, 1},
      {second, ChainDecision::kExtends, 1, 1},  {foreign, ChainDecision::kExtends, 0, 1},
      {third, ChainDecision::kExtends, 2, 2},   {first, ChainDecision::kDuplicate, 0, 2},
      {second, ChainDecision::kDuplicate, 1, 1}};
  for (const Case& test : cases) {
    const StoredFrame stored = world->store_frame(test.frame, kStart + minutes(1)).value();
    CHECK(stored.decision == test.decision);
    CHECK(stored.index == test.index);
    CHECK(stored.next_sequence == test.next);
    CHECK(world->check_store(world.verifier));
  }
  CHECK(world->agent(a.id()).value().head == a.head());
  CHECK(world->agent(a.id()).value().last_received == kStart + minutes(1));
  CHECK(world->alarms("t1").value().empty());
}

TEST_CASE("other bytes under a taken number: both kept, one alarm, of that tenant only") {
  World world;
  FakeAgent agent{'a', "t1"};
  FakeAgent other{'b', "t2"};
  REQUIRE(admit(*world, agent));
  REQUIRE(admit(*world, other));
  REQUIRE(world->store_frame(agent.next("one"), kStart));
  const ChainHead backup = agent.head();
  REQUIRE(world->store_frame(agent.next("two"), kStart));
  agent.set_head(backup);  // the agent's state is put back from a copy
  const VerifiedFrame forked = agent.next("another two");
  for (int again = 0; again < 3; ++again) {
    const StoredFrame stored = world->store_frame(forked, kStart + seconds(again)).value();
    CHECK(stored.decision == ChainDecision::kFork);
    CHECK(stored.next_sequence == 2);
  }
  const auto alarms = world->alarms("t1").value();
  REQUIRE(alarms.size() == 1);
  CHECK(alarms[0].kind == "fork");
  CHECK(alarms[0].agent == agent.id());
  CHECK(alarms[0].time == kStart);
  CHECK(world->alarms("t2").value().empty());
  CHECK(world->check_store(world.verifier));
  world.tamper("UPDATE evidence_forks SET received = received + 1");  // it is there, once
}

TEST_CASE("another history under the next number is a fork, a skipped number is ahead") {
  World world;
  FakeAgent agent{'a', "t1"};
  REQUIRE(admit(*world, agent));
  REQUIRE(world->store_frame(agent.next("one"), kStart));
  ChainHead elsewhere = agent.head();
  elsewhere.link = sha256("another history");
  agent.set_head(elsewhere);
  CHECK(world->store_frame(agent.next("x"), kStart).value().decision == ChainDecision::kFork);
  // The head has moved on in the agent only: what comes now is past what we have.
  for (int again = 0; again < 2; ++again) {
    const StoredFrame stored = world->store_frame(agent.next("y"), kStart).value();
    CHECK(stored.decision == ChainDecision::kAhead);
    CHECK(stored.next_sequence == 1);
  }
  const auto alarms = world->alarms("t1").value();
  REQUIRE(alarms.size() == 2);  // "ahead" is one, however often the agent asks
  CHECK(alarms[0].kind == "ahead");
  CHECK(alarms[1].kind == "fork");
  CHECK(world->check_store(world.verifier));
}

TEST_CASE("forks that are kept have a bound, refusing has none") {
  World world;
  FakeAgent agent{'a', "t1"};
  REQUIRE(admit(*world, agent));
  const ChainHead start = agent.head();
  REQUIRE(world->store_frame(agent.next("one"), kStart));
  for (std::uint64_t i = 0; i < SqliteStore::kForksKeptMax + 5; ++i) {
    agent.set_head(start);
    const auto stored = world->store_frame(agent.next("fork " + std::to_string(i)), kStart);
    REQUIRE(stored.value().decision == ChainDecision::kFork);
  }
  const auto alarms = world->alarms("t1").value();
  CHECK(alarms.size() == SqliteStore::kForksKeptMax + 1);
  CHECK(alarms.back().kind == "fork_flood");
}

TEST_CASE("a frame of an unknown agent, of another tenant, or of numbers too large is not stored") {
  World world;
  FakeAgent agent{'a', "t1"};
  CHECK(world->store_frame(agent.next(), kStart).error().code() == Errc::kNotFound);
  FakeAgent again{'a', "t1"};
  REQUIRE(admit(*world, again));
  VerifiedFrame foreign = again.next();
  foreign.statement.tenant = "t2";
  CHECK(world->store_frame(foreign, kStart).error().code() == Errc::kRejected);
  VerifiedFrame huge = foreign;
  huge.statement.tenant = "t1";
  huge.statement.sequence = std::uint64_t{1} << 63;
  CHECK(world->store_frame(huge, kStart).error().code() == Errc::kLimit);
  CHECK(world->check_store(world.verifier));
}

TEST_CASE("receipts: every version is kept and given") {
  World world;
  REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
  const Receipt sent = receipt("5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10", std::nullopt);
  const Receipt confirmed = receipt(sent.message_id, kStart + seconds(5));
  const Receipt corrected = receipt(sent.message_id, kStart + seconds(7));
  const Receipt other = receipt("0b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a11", kStart);
  const auto import = [&](const std::vector<Receipt>& rows, int at) {
    return world->import_receipts("t1", rows, std::nullopt, kStart + minutes(at)).value();
  };
  const auto counts = [](const ImportResult& r) {
    return std::vector<std::uint64_t>{r.added, r.changed, r.unchanged};
  };
  CHECK(counts(import({sent, other, other}, 1)) == std::vector<std::uint64_t>{2, 0, 1});
  CHECK(counts(import({confirmed, other}, 2)) == std::vector<std::uint64_t>{0, 1, 1});
  std::vector<Alarm> alarms;
  auto input = world->tenant_input("t1", alarms).value();
  CHECK(input.receipts == std::vector<Receipt>{other, sent, confirmed});

  // An older export again changes nothing; a correction does.
  CHECK(counts(import({sent}, 3)) == std::vector<std::uint64_t>{0, 0, 1});
  CHECK(world->tenant_input("t1", alarms).value().receipts == input.receipts);
  CHECK(counts(import({corrected}, 4)) == std::vector<std::uint64_t>{0, 1, 0});
  CHECK(world->tenant_input("t1", alarms).value().receipts.back() == corrected);
  CHECK(world->import_receipts("nobody", {sent}, std::nullopt, kStart).error().code() ==
        Errc::kNotFound);
}

TEST_CASE("check_store finds every kind of tampering") {
  const char* damages[] = {
      "UPDATE ledger SET link = zeroblob(32) WHERE idx = 1",
      "UPDATE ledger SET envelope = CAST(replace(envelope, '\"sig\":\"', '\"sig\":\"AA') AS BLOB) "
      "WHERE idx = 1",
      "UPDATE ledger SET sequence = 7 WHERE idx = 1",
      "UPDATE ledger SET idx = 9 WHERE idx = 1; UPDATE bodies SET idx = 9 WHERE idx = 1",
      "DELETE FROM bodies WHERE idx = 1",
      "UPDATE bodies SET packed = CAST(packed || x'00' AS BLOB) WHERE idx = 1",
      "UPDATE bodies SET position = 1 WHERE idx = 1",
      "UPDATE agents SET head_next = 1",
      "UPDATE agents SET head_link = zeroblob(32)",
      "UPDATE agents SET head_until = head_until + 1",
      "UPDATE agents SET public_key = zeroblob(32)",
      "UPDATE tenants SET ledger_next = 1",
      "DELETE FROM bodies WHERE idx = 2; DELETE FROM ledger WHERE idx = 2",
  };
  for (const char* damage : damages) {
    CAPTURE(damage);
    World world;
    FakeAgent agent{'a', "t1"};
    REQUIRE(admit(*world, agent));
    for (const char* note : {"one", "two", "three"}) {
      REQUIRE(world->store_frame(agent.next(note), kStart));
    }
    REQUIRE(world->check_store(world.verifier));
    world.tamper(damage);
    CHECK(world->check_store(world.verifier).error().code() != Errc::kIo);
  }
}

TEST_CASE("a reader sees what the writer committed, and writes nothing") {
  World world;
  FakeAgent agent{'a', "t1"};
  REQUIRE(admit(*world, agent));
  auto reader = SqliteStore::open({"collector.db", "store-test", true}).value();
  REQUIRE(world->store_frame(agent.next("one"), kStart));
  CHECK(reader->agent(agent.id()).value().head.next_sequence == 1);
  CHECK(reader->add_tenant({"t9", "Ny", "", kStart}).error().code() == Errc::kInvalid);
  CHECK(reader->store_frame(agent.next("two"), kStart).error().code() == Errc::kInvalid);
}

TEST_CASE("opening: what is not ours, or newer than us, is refused") {
  meldevakt::testing::FaultVfs disk{"open-test"};
  const auto make = [](const char* name, const char* sql) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open_v2(name, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                            "open-test") == SQLITE_OK);
    REQUIRE(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(database);
  };
  make("foreign.db", "CREATE TABLE x (y); PRAGMA user_version = 3");
  make("newer.db",
       "CREATE TABLE x (y); PRAGMA application_id = 1297500977;"
       "PRAGMA user_version = 99");
  const auto refusal = [](const char* name, bool read_only) {
    const auto store = SqliteStore::open({name, "open-test", read_only});
    return store ? std::string{} : store.error().message();
  };
  CHECK(refusal("foreign.db", false).find("not a database of meldevakt-collector") !=
        std::string::npos);
  CHECK(refusal("newer.db", false).find("schema version 99") != std::string::npos);
  CHECK_FALSE(refusal("missing.db", true).empty());
  CHECK(refusal("new.db", false).empty());
  CHECK(refusal("new.db", true).empty());
}

}  // namespace
}  // namespace meldevakt::collector
