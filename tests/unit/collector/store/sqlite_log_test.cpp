#include <doctest/doctest.h>
#include <sqlite3.h>

#include <memory>
#include <string>
#include <vector>

#include "collector/store/sqlite_store.h"
#include "common/seal/checkpoint.h"
#include "common/testing/fault_vfs.h"
#include "tests/unit/collector/fake_agent.h"
#include "tests/unit/collector/store/store_world.h"

namespace meldevakt::collector {
namespace {

using testing::admit;
using testing::FakeAgent;
using testing::kStart;

std::shared_ptr<const LogKey> log_key(char seed = 'L') {
  auto key = std::make_shared<LogKey>();
  key->origin = "kollektor.example";
  key->signer = signer_from_seed(std::string(32, seed)).value();
  key->public_key = key->signer->public_key();
  return key;
}

struct World {
  explicit World(std::shared_ptr<const LogKey> key = log_key()) { reopen(std::move(key)); }
  SqliteStore* operator->() { return store.get(); }
  void reopen(std::shared_ptr<const LogKey> key) {
    store.reset();
    store = SqliteStore::open(
                {"collector.db", "log-test", false, std::move(key), testing::random_bytes()})
                .value();
  }
  bool try_tamper(const char* sql) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open_v2("collector.db", &database, SQLITE_OPEN_READWRITE, "log-test") ==
            SQLITE_OK);
    const bool done = sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
    CHECK(sqlite3_changes(database) > 0);
    sqlite3_close(database);
    return done;
  }
  [[nodiscard]] TrustedCheckpoint checkpoint(const std::string& tenant) {
    LogPolicy policy;
    policy.log =
        make_note_key("kollektor.example/" + tenant, NoteKeyType::kEd25519, log_key()->public_key);
    const auto note = store->log_checkpoint(tenant);
    REQUIRE(note);
    auto trusted = verify_checkpoint(note.value(), policy, verifier);
    REQUIRE_MESSAGE(trusted, (trusted ? "" : trusted.error().message()));
    return trusted.value();
  }
  [[nodiscard]] std::vector<std::string> entries(const std::string& tenant) {
    const std::uint64_t size = checkpoint(tenant).checkpoint.size;
    std::vector<std::string> out;
    for (std::uint64_t tile = 0; tile_width(0, tile, size) > 0; ++tile) {
      TilePath path{{0, tile, tile_width(0, tile, size)}, true};
      const auto bundle = decode_bundle(store->log_tile(tenant, path).value());
      REQUIRE(bundle);
      out.insert(out.end(), bundle.value().begin(), bundle.value().end());
    }
    return out;
  }

  meldevakt::testing::FaultVfs disk{"log-test"};
  std::unique_ptr<SqliteStore> store;
  OpenSslVerifier verifier;
};

Receipt receipt(std::string id) {
  return testing::receipt(std::move(id), std::nullopt);
}

TEST_CASE(
    "log: everything that is stored of a tenant is an entry, in order, and its own tenant's") {
  World world;
  FakeAgent agent{'a', "t1"};
  FakeAgent foreign{'b', "t2"};
  REQUIRE(admit(*world.store, agent));
  REQUIRE(admit(*world.store, foreign));
  const VerifiedFrame one = agent.next("one");
  REQUIRE(world->store_frame(one, kStart));
  REQUIRE(world->import_receipts("t1", {receipt("m1"), receipt("m2")},
                                 ReceiptCoverage{"npb", {kStart, kStart + days(1)}}, kStart));
  REQUIRE(world->add_alarm({"t1", agent.id(), "test", "noko", kStart}));
  const std::vector<std::string> entries = world.entries("t1");
  REQUIRE(entries.size() == 4);
  CHECK(entries[0] == agent.enrolment());
  CHECK(entries[1] == one.frame.envelope);
  CHECK(entries[2].find(R"("kind":"receipts","time":1675000000000,"added":2,"changed":0)") !=
        std::string::npos);
  CHECK(entries[3].find(R"("alarm":"test","detail":"noko")") != std::string::npos);
  CHECK(world.entries("t2") == std::vector<std::string>{foreign.enrolment()});

  // What changes nothing is no entry: a duplicate, the same rows and the same alarm again.
  CHECK(world->store_frame(one, kStart).value().decision == ChainDecision::kDuplicate);
  REQUIRE(world->import_receipts("t1", {receipt("m1"), receipt("m2")},
                                 ReceiptCoverage{"npb", {kStart, kStart + days(1)}}, kStart));
  REQUIRE(world->add_alarm({"t1", agent.id(), "test", "noko", kStart + hours(1)}));
  CHECK(world.entries("t1") == entries);

  // A fork is an entry by its alarm.
  agent.set_head(agent.record().head);
  CHECK(world->store_frame(agent.next("other"), kStart).value().decision == ChainDecision::kFork);
  CHECK(world.entries("t1").size() == 5);
  CHECK(world.entries("t1")[4].find(R"("alarm":"fork")") != std::string::npos);
  CHECK(world->check_store(world.verifier));
}

TEST_CASE("log: over several tiles, every statement is proved against every size seen before") {
  World world;
  FakeAgent agent{'a', "t1"};
  REQUIRE(admit(*world.store, agent));
  std::vector<std::string> envelopes;
  std::vector<Checkpoint> seen{world.checkpoint("t1").checkpoint};
  for (int i = 0; i < 530; ++i) {
    const VerifiedFrame frame = agent.next(std::to_string(i));
    REQUIRE(world->store_frame(frame, kStart));
    envelopes.push_back(frame.frame.envelope);
    if (i % 97 == 0 || i == 254 || i == 255 || i > 526) {
      seen.push_back(world.checkpoint("t1").checkpoint);
    }
  }
  LogPolicy policy;
  policy.log = make_note_key("kollektor.example/t1", NoteKeyType::kEd25519, log_key()->public_key);
  const Checkpoint now = world.checkpoint("t1").checkpoint;
  CHECK(now.size == 531);
  for (std::uint64_t sequence = 0; sequence < envelopes.size(); sequence += 13) {
    const Checkpoint& before = seen[sequence % seen.size()];
    const auto proof = world->log_proof(agent.id(), 0, sequence, before.size);
    REQUIRE(proof);
    const auto parsed = parse_tlog_proof(proof.value().proof);
    REQUIRE(parsed);
    CHECK(parsed.value().index == sequence + 1);
    CHECK(verify_tlog_proof(parsed.value(), envelopes[sequence], policy, world.verifier));
    CHECK(verify_consistency(before.size, before.root, now.size, now.root,
                             proof.value().consistency));
  }
  CHECK(world->log_proof(agent.id(), 0, 530, 0).error().code() == Errc::kNotFound);
  CHECK(world->log_proof(agent.id(), 1, 0, 0).error().code() == Errc::kNotFound);
  CHECK(world->log_proof("nobody", 0, 0, 0).error().code() == Errc::kNotFound);
  CHECK(world->log_proof(agent.id(), 0, 0, 532).error().code() == Errc::kInvalid);
  CHECK(world->log_proof(agent.id(), 0, 0, 0).value().consistency.empty());

  // Tiles as C2SP lays them out, full and partial, and partial ones of earlier sizes.
  const auto tile = [&](const char* path) { return world->log_tile("t1", *parse_tile_path(path)); };
  CHECK(tile("tile/0/000").value().size() == 8192);
  CHECK(tile("tile/0/002.p/19").value().size() == 19 * 32);
  CHECK(tile("tile/0/002.p/7").value() == tile("tile/0/002.p/19").value().substr(0, 7 * 32));
  CHECK(tile("tile/1/000.p/2").value().size() == 64);
  for (const char* missing : {"tile/0/002", "tile/0/002.p/20", "tile/0/003.p/1", "tile/1/000",
                              "tile/1/000.p/3", "tile/2/000.p/1", "tile/entries/002.p/20"}) {
    CAPTURE(missing);
    CHECK(tile(missing).error().code() == Errc::kNotFound);
  }
  CHECK(world->log_tile("t9", *parse_tile_path("tile/0/000.p/1")).error().code() ==
        Errc::kNotFound);
  CHECK(world->check_store(world.verifier));
}

TEST_CASE(
    "log: kept without a key, signed by the first writer that has one, under the first name") {
  World world{nullptr};
  FakeAgent agent{'a', "t1"};
  REQUIRE(admit(*world.store, agent));
  REQUIRE(world->store_frame(agent.next("one"), kStart));
  CHECK(world->log_checkpoint("t1").error().code() == Errc::kNotFound);
  CHECK(world->log_proof(agent.id(), 0, 0, 0).error().code() == Errc::kNotFound);
  CHECK(world->check_store(world.verifier));
  world.reopen(log_key());
  CHECK(world.checkpoint("t1").checkpoint.size == 2);
  CHECK(world->check_store(world.verifier));

  auto renamed = std::make_shared<LogKey>(*log_key());
  renamed->origin = "anna.example";
  world.reopen(renamed);
  REQUIRE(world->store_frame(agent.next("two"), kStart));
  CHECK(world.checkpoint("t1").checkpoint.size == 3);
  REQUIRE(world->add_tenant({"t2", "Ny", "", kStart}));
  CHECK(world->log_checkpoint("t2").value().find("anna.example/t2\n0\n") == 0);

  // Another key is not taken for the log's own.
  world.store.reset();
  const auto refused = SqliteStore::open({"collector.db", "log-test", false, log_key('M')});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kInvalid);
  CHECK(refused.error().message().find("kollektor.example/t1 was signed with another key") !=
        std::string::npos);
  world.reopen(log_key());
  CHECK(world.checkpoint("t1").checkpoint.size == 3);
  CHECK(world->check_store(world.verifier));
  world.reopen(nullptr);
  REQUIRE(world->store_frame(agent.next("three"), kStart));
  CHECK(world->log_checkpoint("t1").error().code() == Errc::kNotFound);
  world.reopen(log_key());
  CHECK(world.checkpoint("t1").checkpoint.size == 4);
}

TEST_CASE("log: a database from before there were logs gets them, of all that it holds") {
  World world{nullptr};
  FakeAgent agent{'a', "t1"};
  REQUIRE(admit(*world.store, agent));
  REQUIRE(world->add_tenant({"t2", "Tom", "", kStart}));
  for (const char* note : {"one", "two"}) REQUIRE(world->store_frame(agent.next(note), kStart));
  REQUIRE(world->import_receipts("t1", {receipt("m1")},
                                 ReceiptCoverage{"npb", {kStart, kStart + days(1)}}, kStart));
  Receipt changed = receipt("m1");
  changed.confirmed = kStart;
  REQUIRE(world->import_receipts("t1", {changed}, std::nullopt, kStart + hours(1)));
  REQUIRE(world->add_alarm({"t1", agent.id(), "test", "noko", kStart}));
  world.store.reset();
  REQUIRE(
      world.try_tamper("DROP TABLE registry; DROP TABLE controls; DROP TABLE told;"
                       "ALTER TABLE alarms DROP COLUMN closed; DROP INDEX receipts_of_entry;"
                       "DROP TABLE log_hashes; DROP TABLE log_entries; DROP TABLE logs;"
                       "ALTER TABLE receipts DROP COLUMN log_idx; PRAGMA user_version = 1;"
                       "UPDATE tenants SET created = created"));
  world.reopen(log_key());
  CHECK(world.checkpoint("t1").checkpoint.size == 7);
  CHECK(world.checkpoint("t2").checkpoint.size == 0);
  const std::vector<std::string> entries = world.entries("t1");
  CHECK(entries[3].find(R"("time":1675000000000,"added":1,"changed":0)") != std::string::npos);
  CHECK(entries[4].find(R"("time":1675003600000,"added":0,"changed":1)") != std::string::npos);
  CHECK(entries[5].find(R"("complete_until":1675086400000})") != std::string::npos);
  CHECK(entries[6].find(R"("alarm":"test","detail":"noko")") != std::string::npos);
  REQUIRE(world->store_frame(agent.next("three"), kStart));
  REQUIRE(world->import_receipts("t1", {receipt("m1"), receipt("m2")}, std::nullopt, kStart));
  CHECK(world.checkpoint("t1").checkpoint.size == 9);
  CHECK(world->check_store(world.verifier));
}

TEST_CASE("audit finds every kind of tampering with a log") {
  const char* damages[] = {
      "UPDATE log_entries SET entry = CAST(entry || ' ' AS BLOB) WHERE kind = 'receipts'",
      "UPDATE log_entries SET kind = 'alarm' WHERE idx = 1",
      "UPDATE log_entries SET kind = 'else' WHERE kind = 'receipts'",
      "UPDATE log_entries SET ledger_idx = 9999 WHERE idx = 1",
      "UPDATE log_hashes SET hash = zeroblob(32) WHERE level = 0 AND position = 1",
      "UPDATE log_hashes SET hash = zeroblob(32) WHERE level = 1",
      "DELETE FROM log_hashes WHERE level = 1",
      "DELETE FROM log_hashes WHERE level = 0 AND position = 257",
      "INSERT INTO log_hashes VALUES ('t1', 5, 0, zeroblob(32))",
      "DELETE FROM log_entries WHERE idx = 3",
      "INSERT INTO log_entries VALUES ('t1', 999, 'alarm', 0, NULL, NULL, x'7b7d')",
      "UPDATE logs SET root = zeroblob(32)",
      "UPDATE logs SET peaks = zeroblob(length(peaks))",
      "UPDATE logs SET size = size - 1",
      "UPDATE logs SET note = replace(note, 'kollektor', 'kontroll')",
      "UPDATE logs SET note = ''",
      "UPDATE receipts SET channel = 'print' WHERE message_id = 'm2'",
      "DELETE FROM receipts WHERE message_id = 'm1'",
      "UPDATE receipts SET log_idx = NULL WHERE message_id = 'm1'",
  };
  for (const char* damage : damages) {
    CAPTURE(damage);
    World world;
    FakeAgent agent{'a', "t1"};
    REQUIRE(admit(*world.store, agent));
    for (int i = 0; i < 257; ++i) {
      REQUIRE(world->store_frame(agent.next(std::to_string(i)), kStart));
    }
    REQUIRE(world->import_receipts("t1", {receipt("m1"), receipt("m2")}, std::nullopt, kStart));
    REQUIRE(world->check_store(world.verifier));
    REQUIRE(world.try_tamper(damage));
    const Status checked = world->check_store(world.verifier);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code() != Errc::kIo);
  }
}

TEST_CASE("audit: a reader beside the writer, as of one moment; and under another key") {
  World world;
  FakeAgent agent{'a', "t1"};
  REQUIRE(admit(*world.store, agent));
  REQUIRE(world->store_frame(agent.next("one"), kStart));
  auto key = std::make_shared<LogKey>(*log_key());
  key->signer = nullptr;
  const auto reader = SqliteStore::open({"collector.db", "log-test", true, key}).value();
  const auto audited = reader->audit(world.verifier);
  REQUIRE(audited);
  REQUIRE(audited.value().size() == 1);
  CHECK(audited.value()[0].tenant == "t1");
  CHECK(audited.value()[0].statements == 1);
  CHECK(audited.value()[0].log_entries == 2);
  const auto other = SqliteStore::open({"collector.db", "log-test", true, log_key('M')}).value();
  CHECK(other->check_store(world.verifier).error().code() == Errc::kRejected);
}

}  // namespace
}  // namespace meldevakt::collector
