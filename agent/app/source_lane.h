// One source of the configuration at work: it is read once, and its bytes go to one
// pipeline for each tenant that it concerns, because keys differ from tenant to tenant.
//
// The pipelines of a source see the same bytes at the same times, so their low-water marks agree,
// and one position a file is enough for all.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/app/backlog_watch.h"
#include "agent/app/config.h"
#include "agent/app/log.h"
#include "agent/hold/hold_keeper.h"
#include "agent/source/source_reader.h"
#include "agent/state/state.h"
#include "agent/summarise/source_pipeline.h"
#include "common/base/time.h"

namespace meldevakt::agent {

class SourceLane final : private FileSink, public HeldSource {
 public:
  struct Branch {
    std::string tenant;  // id
    SourcePipeline pipeline;
  };
  // `rotation`: as an earlier run saw it.
  SourceLane(std::string name, std::unique_ptr<SourceReader> reader, std::vector<Branch> branches,
             RotationPace rotation = {})
      : name_{std::move(name)},
        reader_{std::move(reader)},
        branches_{std::move(branches)},
        backlog_{rotation} {}

  struct Polled {
    std::size_t bytes = 0;
    bool more = false;
  };
  // `may_claim`: false while the clock is behind, see AgentTime.
  Polled poll(Instant now, std::size_t bytes_max, bool may_claim, Log& log);
  // Reading stops for a reason of ours; the log file is the buffer.
  void hold(std::string_view reason, Instant now);

  // The tenant's pipeline, or nullptr.
  [[nodiscard]] SourcePipeline* pipeline(const std::string& tenant);
  void mark_changed() { changed_ = true; }
  [[nodiscard]] bool changed() const { return changed_; }
  // Positions and snapshots since the last call, into a change to commit.
  void store(StateChange& change, Instant now);

  // As of the first tenant: all see the same bytes.
  [[nodiscard]] const SourcePipeline& any_pipeline() const { return branches_.front().pipeline; }
  [[nodiscard]] bool has_facts() const;  // of any tenant, not sealed yet
  [[nodiscard]] const BacklogWatch& backlog() const { return backlog_; }
  // From now on what passes is remembered for the log hold. `marks`: as stored.
  void remember(std::size_t recent_bytes_max, const std::vector<TapeMark>& marks, std::string pack);
  [[nodiscard]] std::string held_name() const override { return name_; }
  [[nodiscard]] std::string held_pack() const override { return held_pack_; }
  [[nodiscard]] bool concerns(const std::string& tenant) const override;
  [[nodiscard]] const Tape& tape() const override { return *tape_; }
  [[nodiscard]] Progress progress() const override;
  [[nodiscard]] Result<std::string> read_again(const std::string& key, std::uint64_t from,
                                               std::size_t size) override {
    return reader_->read_again(key, from, size);
  }
  [[nodiscard]] std::string path_of(const std::string& key) const override {
    return reader_->path_of(key);
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] ReadState state() const { return state_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  void begin_file(const std::string& key, std::uint64_t offset) override;
  void name_file(const std::string& key, const std::string& path, const std::string& log) override;
  void unread(const UnreadFiles& unread) override;
  void feed(const std::string& key, std::string_view bytes) override;
  void end_file(const std::string& key, FileEnd end) override;
  void set_state(ReadState state, std::string_view reason, Instant now);
  [[nodiscard]] Instant newest_event(const std::string& key) const;
  void look_at_unfinished();

  std::string name_;
  std::unique_ptr<SourceReader> reader_;
  std::vector<Branch> branches_;
  Instant now_;  // of the poll under way
  ReadState state_ = ReadState::kUnknown;
  std::string reason_;
  bool changed_ = false;
  BacklogWatch backlog_;
  bool read_all_ = false;     // that was there, though more of the same time may come
  std::optional<Tape> tape_;  // none: nothing is held
  std::string held_pack_;
  std::set<std::string> unfinished_;  // files whose last record is not finished
};

}  // namespace meldevakt::agent
