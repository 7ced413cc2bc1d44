// How many signed statements a second the collector verifies and stores durably, against bare
// SQLite inserting rows of the same size with the same durability in the same run; and how often it
// syncs.
//
//   durable_store_bench FOLDER STATEMENTS      one JSON object on stdout
//
// Rates are of wall time, on the disk that FOLDER lies on. Rounds of both are interleaved, so that
// what else the machine does falls on both. Syncs are counted by a SQLite VFS in memory.
#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "collector/store/sqlite_store.h"
#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/pack/pack.h"
#include "common/ports/sha256.h"
#include "common/seal/dsse.h"
#include "common/testing/doubles.h"
#include "common/testing/fault_vfs.h"

namespace meldevakt {
namespace {

constexpr std::size_t kRounds = 4;
constexpr std::int64_t kStartMs = 1'700'000'000'000;
constexpr std::string_view kToken = "one-time";

class Agent {
 public:
  Agent() : signer_{signer_from_seed(std::string(32, 's')).value()} {
    id_ = agent_id_of(signer_->public_key());
    const std::string payload = encode_enrolment({"tenant",
                                                  id_,
                                                  to_base64(signer_->public_key()),
                                                  sha256("tls"),
                                                  sha256(kToken),
                                                  {kStartMs},
                                                  "0.1.0"});
    enrolment_ = seal(kEnrolmentType, payload, *signer_).value();
    head_.link = link_hash(kEnrolmentType, payload);
  }

  // As it enrolled: the chain begins at the enrolment.
  collector::AgentRecord record() const {
    collector::AgentRecord record;
    record.key = {"tenant", id_, signer_->public_key()};
    record.tls_key = sha256("tls");
    record.enrolled = {kStartMs};
    record.head.link = link_hash(kEnrolmentType, parse_envelope(enrolment_).value().payload);
    return record;
  }
  const std::string& enrolment() const { return enrolment_; }

  // The next frame: one statement, one body with three facts, as a busy minute has.
  std::string next_frame() {
    Body body{random_.bytes(32), {}};
    for (int i = 0; i < 3; ++i) body.facts.push_back(fact(i));
    const std::string plain = encode_body(body);
    const std::string packed = pack(plain);

    Statement statement;
    statement.tenant = "tenant";
    statement.agent = id_;
    statement.sequence = head_.next_sequence;
    statement.previous = head_.link;
    statement.span = {head_.until, head_.until + seconds(60)};
    statement.boot_id = "00000000-0000-4000-8000-000000000001";
    statement.clock = {"synchronised", 0, 1000, false};
    statement.bodies.push_back({sha256(packed), packed.size(), sha256(plain), plain.size(), 0, 3});
    statement.software_version = "0.1.0";
    const std::string payload = encode_statement(statement);
    head_ = advance(statement, link_hash(kStatementType, payload));
    return encode_frame({seal(kStatementType, payload, *signer_).value(), {packed}});
  }

 private:
  Fact fact(int number) {
    StepFact step;
    step.signal = Signal::kMessageReceived;
    step.time = {kStartMs + number};
    step.attribution = Attribution::kNamed;
    std::string uuid = to_hex(random_.bytes(16));
    uuid[12] = '4';
    uuid[16] = 'a';
    for (const std::size_t at :
         {std::size_t{8}, std::size_t{13}, std::size_t{18}, std::size_t{23}}) {
      uuid.insert(at, 1, '-');
    }
    step.references = {{ReferenceType::kPortalMessageId, uuid}};
    Fact made;
    made.id = to_hex(random_.bytes(16));
    made.source = "trace";
    made.rule = "received";
    made.what = step;
    return made;
  }

  std::unique_ptr<Signer> signer_;
  testing::SeededRandom random_{7};
  std::string id_;
  std::string enrolment_;
  ChainHead head_{0, 0, {}, {kStartMs}};
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::unique_ptr<collector::SqliteStore> open_store(const collector::SqliteStore::Options& options,
                                                   const Agent& agent) {
  auto store = collector::SqliteStore::open(options).value();
  const Sha256 token = sha256(kToken);
  const bool ready = store->add_tenant({"tenant", "Tenant", "", {kStartMs}}).has_value() &&
                     store->add_invitation({token, "tenant", {kStartMs + 1'000'000}}).has_value() &&
                     store->enrol(agent.record(), token, agent.enrolment(), {kStartMs}).has_value();
  MELDEVAKT_CHECK(ready);
  return store;
}

// Verifies and stores; aborts when a frame is not taken, since the figure would then be of
// something else.
void store_frames(collector::SqliteStore& store, const Agent& agent,
                  const std::vector<std::string>& frames) {
  const OpenSslVerifier verifier;
  for (const std::string& frame : frames) {
    const auto verified = collector::verify_frame(frame, agent.record().key, verifier);
    MELDEVAKT_CHECK(verified.has_value());
    const auto stored = store.store_frame(verified.value(), {kStartMs});
    MELDEVAKT_CHECK(stored.has_value() && stored.value().decision == ChainDecision::kExtends);
  }
}

class BareTable {
 public:
  explicit BareTable(const std::string& path) {
    MELDEVAKT_CHECK(sqlite3_open(path.c_str(), &database_) == SQLITE_OK);
    for (const char* sql :
         {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE rows(bytes BLOB)"}) {
      MELDEVAKT_CHECK(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    }
    sqlite3_prepare_v2(database_, "INSERT INTO rows VALUES(?1)", -1, &insert_, nullptr);
  }
  ~BareTable() {
    sqlite3_finalize(insert_);
    sqlite3_close(database_);
  }
  BareTable(const BareTable&) = delete;
  BareTable& operator=(const BareTable&) = delete;

  void insert(const std::string& bytes) {
    sqlite3_bind_blob(insert_, 1, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
    MELDEVAKT_CHECK(sqlite3_step(insert_) == SQLITE_DONE);
    sqlite3_reset(insert_);
  }

 private:
  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

int run(const std::string& folder, std::size_t statements) {
  Agent agent;
  std::vector<std::vector<std::string>> rounds(kRounds);
  for (auto& frames : rounds) {
    for (std::size_t i = 0; i < statements / kRounds; ++i) frames.push_back(agent.next_frame());
  }

  auto store = open_store({folder + "/collector.db", "", false}, agent);
  BareTable bare{folder + "/bare.db"};
  double store_seconds = 0;
  double bare_seconds = 0;
  for (const auto& frames : rounds) {
    auto start = std::chrono::steady_clock::now();
    store_frames(*store, agent, frames);
    store_seconds += seconds_since(start);
    start = std::chrono::steady_clock::now();
    for (const std::string& frame : frames) bare.insert(frame);
    bare_seconds += seconds_since(start);
  }
  const Status checked = store->check_store(OpenSslVerifier{});
  const bool intact = checked.has_value();
  if (!intact) std::fprintf(stderr, "%s\n", checked.error().message().c_str());

  testing::FaultVfs counting{"counting"};
  Agent again;
  std::size_t syncs = 0;
  const std::size_t counted = 100;
  {
    auto memory = open_store({"collector.db", "counting", false}, again);
    std::vector<std::string> frames;
    for (std::size_t i = 0; i < counted; ++i) frames.push_back(again.next_frame());
    const std::size_t before = counting.syncs();
    store_frames(*memory, again, frames);
    syncs = counting.syncs() - before;
  }
  const auto count = static_cast<double>(statements / kRounds * kRounds);
  std::printf(
      "{\"statements_per_second\":%.1f,\"bare_inserts_per_second\":%.1f,\"intact\":%s,"
      "\"syncs\":%zu,\"synced_statements\":%zu}\n",
      count / store_seconds, count / bare_seconds, intact ? "true" : "false", syncs, counted);
  return intact ? 0 : 1;
}

}  // namespace
}  // namespace meldevakt

int main(int argc, char** argv) {
  const auto statements = argc == 3 ? meldevakt::parse_u64(argv[2]) : std::nullopt;
  if (!statements || *statements < meldevakt::kRounds) {
    std::fprintf(stderr, "usage: durable_store_bench FOLDER STATEMENTS (at least %zu)\n",
                 meldevakt::kRounds);
    return 2;
  }
  return meldevakt::run(argv[1], static_cast<std::size_t>(*statements));
}
