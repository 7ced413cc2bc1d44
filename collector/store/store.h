// Where the collector keeps what it must not lose. One interface, so that SQLite and PostgreSQL
// pass the same tests; scoped by tenant in every call that reads.
//
// Durability (invariant 3): a call that returns ok has synced its transaction; the caller may
// acknowledge. After kIo nothing of the call is there and the store must be reopened.
//
// Order inside store_frame, and what a crash means there: 1 the head is read; 2 decide(); 3
// envelope, bodies and ledger row are inserted; 4 the head is moved by compare-and-swap, the log
// grows and its checkpoint is signed; 5 commit, synced. A crash before 5 leaves nothing (the agent
// sends again: kExtends); after 5 everything (kDuplicate).
//
// Thread-safety: one thread at a time; the collector gives it one strand.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collector/admit/admit.h"
#include "collector/correlate/correlate.h"
#include "collector/incidents/ledger_entry.h"
#include "collector/registry/registry.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/receipts/receipts.h"
#include "common/seal/chain.h"
#include "common/seal/tiles.h"

namespace meldevakt::collector {

struct Tenant {
  std::string id;
  std::string name;
  std::string organisation;
  Instant created;
};

struct AgentRecord {
  AgentKey key;
  Sha256 tls_key;  // of the client certificate's SubjectPublicKeyInfo
  ChainHead head;
  Instant enrolled;
  std::optional<Instant> last_received;
};

struct Invitation {
  Sha256 token_hash;  // the token itself is never stored
  std::string tenant;
  Instant expires;
};

struct StoredFrame {
  ChainDecision decision = ChainDecision::kExtends;
  std::uint64_t index = 0;          // in the tenant's ledger; for kExtends and kDuplicate
  std::uint64_t next_sequence = 0;  // what the chain wants next
};

struct Alarm {
  std::string tenant;
  std::string agent;
  std::string kind;  // "fork", "silent", "undecodable_body", ...
  std::string detail;
  Instant time;
  std::optional<Instant> closed{};  // when what it tells of was over
};

// The alarm as it is to be stored, beside those that are: the same words are stored once
// (add_alarm), so what was closed and is so again says when it was found again.
[[nodiscard]] Alarm found_again(Alarm alarm, const std::vector<Alarm>& stored, Instant now);

struct ImportResult {
  std::vector<Receipt> rows{};  // those that say something new, in their order
  Instant told{};               // when it was imported
  std::uint64_t added = 0;
  std::uint64_t changed = 0;  // the portal says something new of a message: kept beside the old
  std::uint64_t unchanged = 0;
};

struct LogProof {
  std::string proof;     // C2SP tlog-proof, with the checkpoint as it stands
  HashList consistency;  // from the log of the size that the asker has seen; none from size 0
};

// One run of the standing control, as it was signed (collector/report/control_record.h).
struct StoredControl {
  std::uint64_t number = 0;  // of the tenant's, from 0 on, none left out
  Sha256 link;               // of the envelope: the next one names it
  Instant ran;
  std::string envelope;
};

// What a person told, under the number the store gave it.
struct ToldEntry {
  LedgerEntry entry;
  Instant recorded;
};
inline constexpr std::uint64_t kControlNumberMax = 9'223'372'036'854'775'807;
inline constexpr std::size_t kToldMax = 100'000;  // a tenant

class Store {
 public:
  virtual ~Store() = default;

  virtual Status add_tenant(const Tenant& tenant) = 0;  // kExists
  virtual Result<std::vector<Tenant>> tenants() = 0;
  virtual Status add_invitation(const Invitation& invitation) = 0;

  // Uses the invitation up and adds the agent, in one transaction. kRejected: unknown, used or
  // expired. Returns whether it is the tenant's first agent.
  virtual Result<bool> enrol(const AgentRecord& agent, const Sha256& token_hash,
                             std::string_view enrolment_envelope, Instant now) = 0;
  virtual Result<AgentRecord> agent(const std::string& agent_id) = 0;  // kNotFound
  virtual Result<std::vector<AgentRecord>> agents(const std::string& tenant) = 0;

  virtual Result<StoredFrame> store_frame(const VerifiedFrame& frame, Instant received) = 0;

  virtual Result<ImportResult> import_receipts(const std::string& tenant,
                                               const std::vector<Receipt>& receipts,
                                               const std::optional<ReceiptCoverage>& coverage,
                                               Instant now) = 0;
  // When the first of its rows was imported; nullopt: none was.
  virtual Result<std::optional<Instant>> first_import(const std::string& tenant) = 0;
  virtual Status add_alarm(const Alarm& alarm) = 0;
  // What those of that kind tell of is over now: each that is open is closed, and the log says so.
  virtual Status close_alarms(const std::string& tenant, const std::string& agent,
                              std::string_view kind, Instant now) = 0;
  // Those that are closed too. A "silent" one is closed by the agent's next statement.
  virtual Result<std::vector<Alarm>> alarms(const std::string& tenant) = 0;

  // The tenant's transparency log (SCHEMA.md, "The log"). The signed checkpoint as it stands;
  // kNotFound for an unknown tenant, or while nobody signed yet.
  virtual Result<std::string> log_checkpoint(const std::string& tenant) = 0;
  // The key that signs it, "name+id+Base64" (common/seal/note.h); kNotFound likewise.
  virtual Result<std::string> log_key(const std::string& tenant) = 0;
  // The bytes of a tile or of a bundle of entries; kNotFound when the log is not that wide.
  virtual Result<std::string> log_tile(const std::string& tenant, const TilePath& path) = 0;

  // That this agent's statement stands in its tenant's log. kNotFound: no such statement, or no
  // signed checkpoint; kInvalid: `seen` is a larger log than this one ever was.
  virtual Result<LogProof> log_proof(const std::string& agent_id, std::uint64_t epoch,
                                     std::uint64_t sequence, std::uint64_t seen) = 0;

  // Adds to the tenant's register what is not so already (entries_that_change), all or nothing;
  // nothing is ever overwritten. kLimit: more than
  // kEntriesMax. `entries` have passed check_entry().
  virtual Status add_registry_entries(const std::string& tenant,
                                      const std::vector<RegistryEntry>& entries, Instant now) = 0;
  // In the order in which they were added.
  virtual Result<std::vector<RegistryEntry>> registry_entries(const std::string& tenant) = 0;

  // kExists: the number is taken.
  virtual Status add_control(const std::string& tenant, const StoredControl& control) = 0;
  // The newest so many of those with a number below `before`, the newest first.
  virtual Result<std::vector<StoredControl>> controls_before(std::uint64_t before,
                                                             const std::string& tenant,
                                                             std::size_t count_max) = 0;
  [[nodiscard]] Result<std::vector<StoredControl>> controls(const std::string& tenant,
                                                            std::size_t count_max) {
    return controls_before(kControlNumberMax, tenant, count_max);
  }

  // Adds what a person told under the tenant's next number, whatever number it has, and returns
  // that. kLimit: more than kToldMax. `entry` has passed its check.
  virtual Result<std::uint64_t> add_told(const std::string& tenant, const LedgerEntry& entry,
                                         Instant now) = 0;
  // In the order of their numbers. One that cannot be read costs only itself: it becomes an alarm.
  virtual Result<std::vector<ToldEntry>> told(const std::string& tenant,
                                              std::vector<Alarm>& alarms_found) = 0;

  // Every version of every row that was ever imported, by portal, message and version.
  virtual Result<std::vector<Receipt>> receipt_versions(const std::string& tenant) = 0;

  // Everything correlate() needs of one tenant, decoded from the stored bytes, as of one moment and
  // in parts: of at most kPartItems items and what one statement tells. `use` may not call the
  // store. A body that cannot be opened costs only itself: it becomes an alarm in `alarms_found`.
  using UseOfInput = std::function<void(TenantInput&& part)>;
  static constexpr std::size_t kPartItems = 10'000;
  virtual Status read_input(const std::string& tenant, const UseOfInput& use,
                            std::vector<Alarm>& alarms_found) = 0;
  // All of it at once: ten million messages do not fit in memory so.
  [[nodiscard]] Result<TenantInput> tenant_input(const std::string& tenant,
                                                 std::vector<Alarm>& alarms_found);
};

}  // namespace meldevakt::collector
