#include "agent/state/state.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <filesystem>
#include <string>
#include <vector>

#include "common/ports/sha256.h"
#include "tests/unit/agent/temp_folder.h"

namespace meldevakt::agent {
namespace {

using meldevakt::testing::TempFolder;

constexpr Instant kStart{1'600'000'000'000};

TenantRow tenant_row() {
  TenantRow row;
  row.id = "t1";
  row.name = "Eksempel kommune";
  row.agent = std::string(32, 'a');
  row.collector = "https://127.0.0.1:8443";
  row.enrolled = kStart;
  row.enrolment_link = sha256("enrolment");
  row.head = {0, 0, row.enrolment_link, Instant{}};
  return row;
}

ChainHead after(const ChainHead& head, std::string_view frame) {
  return {head.epoch, head.next_sequence + 1, sha256(frame), Instant{head.until.ms + 1000}};
}

// One sealed statement on top of `head`, which moves.
StateChange statement(ChainHead& head, const std::string& frame) {
  StateChange change;
  change.now = kStart;
  StatementRow row;
  row.tenant = "t1";
  row.epoch = head.epoch;
  row.sequence = head.next_sequence;
  row.link = sha256(frame);
  row.sealed = kStart;
  row.frame = frame;
  change.statements.push_back(row);
  const ChainHead next = after(head, frame);
  change.chains.push_back({"t1", head, next, "boot", 7});
  head = next;
  return change;
}

struct Fixture {
  TempFolder folder;
  std::unique_ptr<State> state;
  ChainHead head = tenant_row().head;

  explicit Fixture(State::Options options = {}) { open(options); }
  void open(State::Options options = {}) {
    state.reset();
    auto opened = State::open(folder / "state.db", options);
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message()));
    state = std::move(opened).value();
  }
  void enrol() { REQUIRE(state->add_tenant(tenant_row())); }
  std::size_t waiting() {
    const auto begin = state->outbox_begin("t1");
    REQUIRE(begin);
    return head.next_sequence - begin.value().second;
  }
};

TEST_CASE("State: what was committed is there after opening again") {
  Fixture f;
  f.enrol();
  StateChange change = statement(f.head, "frame zero");
  KnownFile file;
  file.key = std::string(32, 'k');
  file.device = 0xFFFFFFFFFFFFFFF0U;  // needs all 64 bits
  file.inode = 12;
  file.head = sha256("head");
  file.head_bytes = 100;
  file.tail = sha256("tail");
  file.tail_bytes = 5;
  file.offset = 99;
  file.path = "/var/log/blåbær.log";
  file.cut = true;
  change.files["trace"].changed = {file};
  change.pipelines.push_back({"t1", "trace", std::string("snap\0shot", 9), "", kStart});
  change.coverage.push_back({"t1", "trace", "{\"read\":1}"});
  change.lives.push_back({"t1", "lives"});
  Finding finding{FindingKind::kReceiptWithoutCommit,
                  {{ReferenceType::kPortalMessageId, "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"},
                   {ReferenceType::kClientId, std::string(32, '1')}},
                  kStart,
                  "trace",
                  "pg/55P03",
                  "A sentence."};
  change.findings.push_back({finding_id("t1", finding), "t1", finding, kStart, {}});
  REQUIRE(f.state->commit(change));

  f.open();
  const auto loaded = f.state->load();
  REQUIRE(loaded);
  REQUIRE(loaded.value().tenants.size() == 1);
  const TenantRow& row = loaded.value().tenants[0];
  CHECK(row.head == f.head);
  CHECK(row.boot_id == "boot");
  CHECK(row.boot_ns == 7);
  CHECK(row.lives == "lives");
  CHECK(row.enrolment_link == sha256("enrolment"));
  CHECK(loaded.value().files.at("trace") == std::vector<KnownFile>{file});
  REQUIRE(loaded.value().pipelines.size() == 1);
  CHECK(loaded.value().pipelines[0].snapshot == std::string("snap\0shot", 9));
  CHECK(loaded.value().pipelines[0].coverage == "{\"read\":1}");
  REQUIRE(loaded.value().untold.size() == 1);
  CHECK(loaded.value().untold[0].finding == finding);
  const auto frames = f.state->frames("t1", 0, 0, 1000);
  REQUIRE(frames);
  REQUIRE(frames.value().size() == 1);
  CHECK(frames.value()[0].frame == "frame zero");
  CHECK(f.state->outbox().bytes == 10);
}

TEST_CASE("State: a finding is new once, and told once") {
  Fixture f;
  f.enrol();
  Finding finding;
  finding.references = {{ReferenceType::kPortalMessageId, "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"}};
  const FindingRow row{finding_id("t1", finding), "t1", finding, kStart, {}};
  finding.time = kStart;  // another record decided the same
  CHECK(finding_id("t1", finding) == row.id);
  CHECK(finding_id("t2", finding) != row.id);
  StateChange change;
  change.findings = {row};
  REQUIRE(f.state->keep_new(change.findings));
  REQUIRE(change.findings.size() == 1);
  REQUIRE(f.state->commit(change));
  REQUIRE(f.state->keep_new(change.findings));
  CHECK(change.findings.empty());
  StateChange told;
  told.told = {row.id};
  REQUIRE(f.state->commit(told));
  CHECK(f.state->load().value().untold.empty());
  // Told in the log, and the program has not had it.
  REQUIRE(f.state->ungiven(5));
  CHECK(f.state->ungiven(5).value().size() == 1);
  CHECK(f.state->ungiven(0).value().empty());
  StateChange given;
  given.given = {row.id};
  REQUIRE(f.state->commit(given));
  CHECK(f.state->ungiven(5).value().empty());
}

TEST_CASE("State: acknowledged leaves the outbox and stays in the journal") {
  Fixture f;
  f.enrol();
  REQUIRE(f.state->commit(statement(f.head, "zero")));
  REQUIRE(f.state->commit(statement(f.head, "one")));
  CHECK(f.waiting() == 2);
  REQUIRE(f.state->acknowledged("t1", 0, 0, kStart + seconds(5)));
  CHECK(f.waiting() == 1);
  CHECK(f.state->outbox().bytes == 3);
  const auto all = f.state->frames("t1", 0, 0, 1000);
  REQUIRE(all.value().size() == 2);
  CHECK(all.value()[0].acknowledged == kStart + seconds(5));
  CHECK_FALSE(all.value()[1].acknowledged);
  REQUIRE(f.state->acknowledged("t1", 0, 0, kStart + seconds(9)));  // said again: the first holds
  CHECK(f.state->frames("t1", 0, 0, 1000).value()[0].acknowledged == kStart + seconds(5));
  f.open();
  CHECK(f.waiting() == 1);
}

TEST_CASE("State: the log as it was seen is kept with the acknowledgement it was seen with") {
  Fixture f;
  f.enrol();
  REQUIRE(f.state->commit(statement(f.head, "zero")));
  REQUIRE(f.state->keep_log_key("t1", "key"));
  REQUIRE(f.state->keep_log_key("t1", "key"));
  CHECK(f.state->keep_log_key("nobody", "key").error().code() == Errc::kExists);
  f.open();
  CHECK(f.state->keep_log_key("t1", "another").error().code() == Errc::kExists);
  f.open();
  const SeenLog seen{"key", 7, sha256("root"), "checkpoint"};
  StateChange change;
  change.now = kStart;
  change.acknowledged.push_back({"t1", 0, 0, "proof", seen});
  change.log_faults = {{"t1", "first"}, {"t1", "second"}};
  REQUIRE(f.state->commit(change));
  REQUIRE(f.state->acknowledged("t1", 0, 0, kStart));  // said again, without a proof
  f.open();
  const TenantRow row = f.state->load().value().tenants[0];
  CHECK(row.log == seen);
  CHECK(row.log_fault == "first");
  CHECK(f.state->frames("t1", 0, 0, 1000).value()[0].proof == "proof");
}

TEST_CASE("State: the outbox is bounded, and the refused commit leaves nothing") {
  Fixture f{{.outbox_bytes_max = 10}};
  f.enrol();
  REQUIRE(f.state->commit(statement(f.head, "12345678")));
  ChainHead there = f.head;
  StateChange more = statement(f.head, "xyz");
  more.lives.push_back({"t1", "not to be seen"});
  const Status refused = f.state->commit(more);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kLimit);
  CHECK(f.state->load().value().tenants[0].lives == "");
  CHECK(f.state->load().value().tenants[0].head == there);
  REQUIRE(f.state->acknowledged("t1", 0, 0, kStart));
  REQUIRE(f.state->commit(more));  // room again
}

TEST_CASE("State: a number is never used twice") {
  Fixture f;
  f.enrol();
  ChainHead before = f.head;
  REQUIRE(f.state->commit(statement(f.head, "zero")));
  const Status again = f.state->commit(statement(before, "other"));
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == Errc::kExists);
  CHECK_FALSE(f.state->acknowledged("t1", 0, 0, kStart));  // spent after an error
  f.open();
  CHECK(f.state->frames("t1", 0, 0, 1000).value()[0].frame == "zero");
}

TEST_CASE("State: the journal is bounded by size, the outbox is not touched by that") {
  Fixture f{{.outbox_bytes_max = 1'000'000, .journal_bytes_max = 1000}};
  f.enrol();
  for (int i = 0; i < 150; ++i) REQUIRE(f.state->commit(statement(f.head, std::string(100, 'x'))));
  for (std::uint64_t i = 0; i < 140; ++i) REQUIRE(f.state->acknowledged("t1", 0, i, kStart));
  CHECK(f.waiting() == 10);
  CHECK(f.state->frames("t1", 0, 0, 1'000'000).value().size() < 120);
}

TEST_CASE("State: starting a source over keeps what was finished or ignored") {
  Fixture f;
  f.enrol();
  StateChange change;
  for (const auto state : {FileState::kReading, FileState::kFinished, FileState::kIgnored}) {
    KnownFile file;
    file.key = std::string(32, static_cast<char>('a' + static_cast<int>(state)));
    file.state = state;
    change.files["trace"].changed.push_back(file);
    change.files["sql"].changed.push_back(file);
  }
  change.pipelines.push_back({"t1", "trace", "snapshot", "", kStart});
  REQUIRE(f.state->commit(change));
  REQUIRE(f.state->start_over("trace"));
  CHECK(f.state->load().value().files["trace"].size() == 2);
  CHECK(f.state->load().value().pipelines.empty());
  REQUIRE(f.state->keep_sources({"trace"}));
  CHECK(f.state->load().value().files.size() == 1);
  StateChange gone;
  gone.files["trace"].forgotten = {std::string(32, 'b')};
  REQUIRE(f.state->commit(gone));
  CHECK(f.state->load().value().files["trace"].size() == 1);
}

TEST_CASE("State: reading beside the writer changes nothing") {
  Fixture f;
  f.enrol();
  REQUIRE(f.state->commit(statement(f.head, "zero")));
  const auto size = std::filesystem::file_size(f.folder / "state.db-wal");
  {
    auto db = open_state_for_reading(f.folder / "state.db");
    REQUIRE(db);
    CHECK(read_tenants(db.value()).value().size() == 1);
    CHECK(read_outbox_size(db.value()).value().statements == 1);
    CHECK_FALSE(db.value().execute("DELETE FROM tenants"));
  }
  CHECK(std::filesystem::file_size(f.folder / "state.db-wal") == size);
  CHECK(open_state_for_reading(f.folder / "nowhere.db").error().code() == Errc::kNotFound);
}

TEST_CASE("State: what cannot be used is refused with the reason") {
  TempFolder folder;
  SUBCASE("no database") {
    folder.write("state.db", std::string(5000, 'x'));
    const auto opened = State::open(folder / "state.db", {});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::kCorrupt);
    CHECK(opened.error().message().find("state.db") != std::string::npos);
  }
  SUBCASE("damaged") {
    { REQUIRE(State::open(folder / "state.db", {})); }
    std::string bytes = folder.read("state.db");
    for (std::size_t i = 5000; i < bytes.size(); ++i) bytes[i] = 'x';
    folder.write("state.db", bytes);
    const auto opened = State::open(folder / "state.db", {});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::kCorrupt);
  }
  SUBCASE("of a newer version") {
    {
      auto db = Database::open(folder / "state.db", Access::kWrite);
      REQUIRE(db.value().execute("PRAGMA user_version = 99"));
    }
    const auto opened = State::open(folder / "state.db", {});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::kInvalid);
    CHECK(opened.error().message().find("newer version") != std::string::npos);
  }
  SUBCASE("a folder that is not there") {
    const auto opened = State::open(folder / "nowhere/state.db", {});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::kIo);
  }
}

TEST_CASE("State: what an earlier version wrote is brought up to date, and nothing of it is lost") {
  Fixture f;
  f.enrol();
  StateChange change = statement(f.head, "frame zero");
  KnownFile file;
  file.key = std::string(32, 'k');
  file.inode = 12;
  file.path = "/var/log/app.log";
  change.files["trace"].changed = {file};
  REQUIRE(f.state->commit(change));
  f.state.reset();
  {
    auto db = Database::open(f.folder / "state.db", Access::kWrite);
    REQUIRE(db);
    REQUIRE(db.value().execute(
        "ALTER TABLE files DROP COLUMN cursor; ALTER TABLE files DROP COLUMN "
        "cut; DROP TABLE status; DROP TABLE holds; DROP TABLE hold_parts; DROP TABLE "
        "hold_marks; ALTER TABLE tenants DROP COLUMN log_key; ALTER TABLE tenants DROP COLUMN "
        "log_size; ALTER TABLE tenants DROP COLUMN log_root; ALTER TABLE tenants DROP COLUMN "
        "log_checkpoint; ALTER TABLE tenants DROP COLUMN log_fault; ALTER TABLE statements DROP "
        "COLUMN proof; DROP INDEX findings_ungiven; ALTER TABLE findings DROP COLUMN given_ms; "
        "PRAGMA user_version = 1"));
  }
  f.open();
  const auto loaded = f.state->load();
  REQUIRE(loaded);
  CHECK(loaded.value().files.at("trace") == std::vector<KnownFile>{file});
  CHECK(loaded.value().tenants[0].head == f.head);
  CHECK(f.waiting() == 1);
}

TEST_CASE("State: durable as promised") {
  TempFolder folder;
  auto db = Database::open(folder / "state.db", Access::kWrite);
  REQUIRE(db);
  CHECK(db.value().number("PRAGMA synchronous").value() == 2);
  CHECK(db.value().number("PRAGMA mmap_size").value() == 0);
  auto mode = db.value().prepare("PRAGMA journal_mode");
  REQUIRE(mode.value().step());
  CHECK(mode.value().text(0) == "wal");
  const auto rights = std::filesystem::status(folder / "state.db").permissions();
  CHECK((rights & std::filesystem::perms{077}) == std::filesystem::perms::none);
}

}  // namespace
}  // namespace meldevakt::agent
