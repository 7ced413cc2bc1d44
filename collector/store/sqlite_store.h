// The Store on SQLite: one file, one connection that writes and checkpoints (SCHEMA.md).
//
//   MELDEVAKT_TRY_ASSIGN(auto store, SqliteStore::open({.path = "collector.db"}));
//   MELDEVAKT_TRY_ASSIGN(StoredFrame stored, store->store_frame(verified, now));   // synced when
//   ok
//
// Write-ahead log, synchronous=FULL, no memory map. The caller makes sure that one process opens
// it for writing (collector.lock): Debian's SQLite 3.40.1 can damage a database when two
// connections write or checkpoint at once (EVIDENCE.md section 0). Readers never checkpoint.
//
// After an error of the disk the connection is closed without another write. The next call opens
// anew: the log is written over itself and synced first, so that nothing that was only in memory
// passes for durable; the file is checked (quick_check) unless the disk was merely full. A call
// that reported kIo may therefore turn out to have been stored: the agent sends again and is told
// kDuplicate.
//
// Thread-safety: one thread at a time. Errors: as in sqlite.h; kInvalid for a write to a reader.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collector/store/log_key.h"
#include "collector/store/sqlite.h"
#include "collector/store/store.h"
#include "common/ports/random.h"

namespace meldevakt::collector {

class SqliteStore : public Store {
 public:
  // Other envelopes under a number that is taken are kept, up to this many an agent.
  static constexpr std::uint64_t kForksKeptMax = 100;

  struct Options {
    std::string path;
    std::string vfs;  // "" = the system's
    bool read_only = false;
    std::shared_ptr<const LogKey> log_key = nullptr;
    // For salts. Without it what people tell, registers and controls cannot be added to (kInvalid).
    std::shared_ptr<Random> random = nullptr;
  };
  // A writer makes and migrates the database. kNotFound: a reader and no database there.
  [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> open(Options options);

  // Whether a log in this database is signed, whatever version made it. kIo: no database is there.
  [[nodiscard]] static Result<bool> has_signed_logs(const std::string& path);

  Status add_tenant(const Tenant& tenant) override;
  Result<std::vector<Tenant>> tenants() override;
  Status add_invitation(const Invitation& invitation) override;
  // The same agent with the same keys and invitation again is answered as the first time: an
  // answer can be lost on its way.
  Result<bool> enrol(const AgentRecord& agent, const Sha256& token_hash,
                     std::string_view enrolment_envelope, Instant now) override;
  Result<AgentRecord> agent(const std::string& agent_id) override;
  Result<std::vector<AgentRecord>> agents(const std::string& tenant) override;
  Result<StoredFrame> store_frame(const VerifiedFrame& frame, Instant received) override;
  // "changed" only for a version of the row that was never seen before. The receipt that counts is
  // a confirmed one before an unconfirmed one, then the one imported last.
  Result<std::optional<Instant>> first_import(const std::string& tenant) override;
  Result<ImportResult> import_receipts(const std::string& tenant,
                                       const std::vector<Receipt>& receipts,
                                       const std::optional<ReceiptCoverage>& coverage,
                                       Instant now) override;
  // The same agent, kind and detail again is the same alarm; the first time is kept.
  Status add_alarm(const Alarm& alarm) override;
  Status close_alarms(const std::string& tenant, const std::string& agent, std::string_view kind,
                      Instant now) override;
  Result<std::vector<Alarm>> alarms(const std::string& tenant) override;
  Result<std::string> log_checkpoint(const std::string& tenant) override;
  Result<std::string> log_key(const std::string& tenant) override;
  Result<std::string> log_tile(const std::string& tenant, const TilePath& path) override;
  Result<LogProof> log_proof(const std::string& agent_id, std::uint64_t epoch,
                             std::uint64_t sequence, std::uint64_t seen) override;
  Status add_registry_entries(const std::string& tenant, const std::vector<RegistryEntry>& entries,
                              Instant now) override;
  Result<std::vector<RegistryEntry>> registry_entries(const std::string& tenant) override;
  Status add_control(const std::string& tenant, const StoredControl& control) override;
  Result<std::vector<StoredControl>> controls_before(std::uint64_t before,
                                                     const std::string& tenant,
                                                     std::size_t count_max) override;
  Result<std::uint64_t> add_told(const std::string& tenant, const LedgerEntry& entry,
                                 Instant now) override;
  Result<std::vector<ToldEntry>> told(const std::string& tenant,
                                      std::vector<Alarm>& alarms_found) override;
  Result<std::vector<Receipt>> receipt_versions(const std::string& tenant) override;
  Status read_input(const std::string& tenant, const UseOfInput& use,
                    std::vector<Alarm>& alarms_found) override;

  // Derives every chain, hash, signature, log and head again from the stored bytes; kCorrupt names
  // the first thing that disagrees. The checkpoints' signatures only with a log key.
  [[nodiscard]] Status check_store(const Verifier& verifier);
  // The same, and what was found to hold, by tenant.
  struct Audited {
    std::string tenant;
    std::uint64_t statements = 0;
    std::uint64_t log_entries = 0;
  };
  [[nodiscard]] Result<std::vector<Audited>> audit(const Verifier& verifier);

 private:
  explicit SqliteStore(Options options) : options_{std::move(options)} {}

  [[nodiscard]] Status ensure_open();
  [[nodiscard]] Status open_writer();
  [[nodiscard]] Status open_reader();
  // Runs `work` on an open connection and drops the connection after an error of the disk.
  [[nodiscard]] Status with(const std::function<Status(sql::Connection&)>& work);
  // The same inside a transaction.
  [[nodiscard]] Status write(const std::function<Status(sql::Connection&)>& work);

  Options options_;
  std::unique_ptr<sql::Connection> connection_;
  bool check_next_open_ = true;
};

}  // namespace meldevakt::collector
