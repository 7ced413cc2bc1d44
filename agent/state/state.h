// What the agent must not lose, in one SQLite database: positions, detector snapshots, chain heads,
// sealed frames, findings. One commit() is one transaction, synced when it returns (invariant 1).
//
// Order, and what a crash means there:
//   1 bytes are read, facts concluded, a statement sealed: in memory only. A crash: they are read
//     again from the committed positions, with the committed snapshots, to the same facts.
//   2 commit(): positions, snapshots, the chain head (moved by compare-and-swap), the frame and
//     the findings together. A crash before its end: as 1. After: the frame waits in the outbox.
//   3 the frame is sent, as often as needed; always the committed bytes, so one number never has
//     two contents. A crash: sent again, the collector knows it.
//   4 acknowledged(): the row leaves the outbox and stays as journal. A crash before: as 3.
//
// After any error but kLimit the object is spent: what was in memory may or may not have been
// committed. Close it, open again, and build everything anew from load().
//
// Thread-safety: none; one thread. Bounds: Options::outbox_bytes_max (kLimit, nothing committed),
// kJournalBytesMax and kJournalAgeMax (the oldest acknowledged statements go), kFindingAgeMax.
// Errors: kIo, kCorrupt, kLimit, kExists (a number was to be used twice), kInvalid.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/hold/hold.h"
#include "agent/state/database.h"
#include "agent/state/hold_rows.h"
#include "agent/state/state_rows.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt::agent {

inline constexpr std::uint64_t kJournalBytesMax = 512ULL * 1024 * 1024;
inline constexpr Duration kJournalAgeMax = days(400);
inline constexpr Duration kFindingAgeMax = days(400);

// The next link of a tenant's chain and what it was made of.
struct ChainStep {
  std::string tenant;
  ChainHead before;
  ChainHead after;
  std::string boot_id;
  std::int64_t boot_ns = 0;
};

struct Lives {
  std::string tenant;
  std::string snapshot;
};

// For people (status): what the newest statement says of a source, JSON.
struct CoverageText {
  std::string tenant;
  std::string source;
  std::string json;
};

struct Acknowledgement {
  std::string tenant;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::string proof;           // kept beside the statement; "" where there is none
  std::optional<SeenLog> log;  // the tenant's log, seen with that proof
};

// The collector's log was found false; of several the first is kept.
struct LogFault {
  std::string tenant;
  std::string text;
};

// For people (status): what the agent says of itself, one JSON value a topic; the newest counts.
struct StatusText {
  std::string topic;
  std::string json;
};

struct StateChange {
  Instant now;
  std::map<std::string, FileChanges> files;  // by source
  std::vector<PipelineRow> pipelines;        // their coverage is not written
  std::vector<CoverageText> coverage;
  std::vector<Lives> lives;
  std::vector<ChainStep> chains;
  std::vector<StatementRow> statements;
  std::vector<FindingRow> findings;  // a known id changes nothing
  std::vector<std::string> told;     // ids of findings that have been told in the log
  std::vector<std::string> given;    // ... and of those that on_finding's program has had
  std::vector<Acknowledgement> acknowledged;
  std::vector<LogFault> log_faults;
  std::vector<StatusText> status;
  HoldChange hold;
};

class State {
 public:
  struct Options {
    std::uint64_t outbox_bytes_max = 256ULL * 1024 * 1024;
    std::uint64_t journal_bytes_max = kJournalBytesMax;
  };
  // Creates or migrates; checks the database's integrity.
  [[nodiscard]] static Result<std::unique_ptr<State>> open(const std::string& uri, Options options);

  [[nodiscard]] Status commit(const StateChange& change);
  [[nodiscard]] Status acknowledged(const std::string& tenant, std::uint64_t epoch,
                                    std::uint64_t sequence, Instant now);

  // Takes out what an earlier run has found already.
  [[nodiscard]] Status keep_new(std::vector<FindingRow>& findings);

  [[nodiscard]] Status add_tenant(const TenantRow& tenant);  // kExists
  // The key of the collector's log, once known; kExists when another one is kept.
  [[nodiscard]] Status keep_log_key(const std::string& tenant, const std::string& key);
  // Forgets files and snapshots of a source: it will be read from the start. Ids of facts are the
  // same again, so nothing is doubled. Finished and ignored files stay known.
  [[nodiscard]] Status start_over(const std::string& source);
  // Forgets everything of sources that are not in `sources`.
  [[nodiscard]] Status keep_sources(const std::vector<std::string>& sources);

  struct Loaded {
    std::vector<TenantRow> tenants;
    std::vector<PipelineRow> pipelines;
    std::map<std::string, std::vector<KnownFile>> files;  // by source
    std::vector<FindingRow> untold;
    std::map<std::string, StatusRow> status;  // by topic
    StoredHolds holds;
  };
  [[nodiscard]] Result<Loaded> load();

  // Findings that on_finding's program has not had, oldest first.
  [[nodiscard]] Result<std::vector<FindingRow>> ungiven(std::size_t findings_max);

  // Frames to send, oldest first: of `tenant`, from (epoch, sequence) on, acknowledged ones too (a
  // collector that was set back asks for them again).
  [[nodiscard]] Result<std::vector<StatementRow>> frames(const std::string& tenant,
                                                         std::uint64_t epoch,
                                                         std::uint64_t sequence,
                                                         std::uint64_t bytes_max);
  [[nodiscard]] const OutboxSize& outbox() const { return outbox_; }
  [[nodiscard]] Result<std::optional<Instant>> last_acknowledged(const std::string& tenant);
  // Where the outbox of a tenant begins, or its chain's end when it is empty.
  [[nodiscard]] Result<std::pair<std::uint64_t, std::uint64_t>> outbox_begin(
      const std::string& tenant);

 private:
  State(Database db, Options options) : db_{std::move(db)}, options_{options} {}
  [[nodiscard]] Status in_transaction(const StateChange& change);
  [[nodiscard]] Status write_files(const std::string& source, const FileChanges& changes);
  [[nodiscard]] Status write_pipelines(const StateChange& change);
  [[nodiscard]] Status write_chains(const StateChange& change);
  [[nodiscard]] Status write_statements(const StateChange& change);
  [[nodiscard]] Status write_findings(const StateChange& change);
  [[nodiscard]] Status write_acknowledged(const StateChange& change);
  [[nodiscard]] Status write_log(const StateChange& change);
  [[nodiscard]] Status write_status(const StateChange& change);
  [[nodiscard]] Status trim_journal(Instant now);
  [[nodiscard]] Status transaction(const std::function<Status()>& body);

  Database db_;
  Options options_;
  OutboxSize outbox_;
  bool spent_ = false;
};

// The commands that only look: never writes, never checkpoints. kNotFound when there is no state.
[[nodiscard]] Result<Database> open_state_for_reading(const std::string& path);

}  // namespace meldevakt::agent
