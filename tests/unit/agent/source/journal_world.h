// A journal in memory that can do what real ones do: grow, get a new sequence of numbers, lose its
// oldest entries, show a later entry before an earlier one, hold damaged entries. And a sink that
// is committed and killed like the agent's pipelines.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/source/journal_source.h"

namespace meldevakt::agent::testing {

inline std::string id_of(unsigned number) {
  std::string out(32, '0');
  for (std::size_t at = 31; number > 0; number /= 10, --at) {
    out[at] = static_cast<char>('0' + number % 10);
  }
  return out;
}

struct JournalWorld {
  struct Stored {
    JournalEntry entry;
    bool shown = true;  // false: not seen by a reader that has not looked again
    bool damaged = false;
  };
  std::deque<Stored> entries;
  unsigned sequence_id = 1;
  std::uint64_t sequence = 0;
  std::uint64_t time_us = 1'675'217'662'000'000;
  std::uint64_t made = 0;
  std::string refused;
  bool files = true;
  int opened = 0;

  Stored& add(const std::string& unit) {
    Stored stored;
    time_us += 1000;
    stored.entry.cursor = {id_of(sequence_id), ++sequence, id_of(900 + sequence_id),
                           time_us / 7,        time_us,    ++made};
    stored.entry.fields = {
        {"MESSAGE", "entry " + std::to_string(made)}, {"_SYSTEMD_UNIT", unit}, {"PRIORITY", "6"}};
    entries.push_back(std::move(stored));
    return entries.back();
  }
  void new_sequence() {
    ++sequence_id;
    sequence = 0;
  }
};

class MemoryJournal final : public Journal {
 public:
  explicit MemoryJournal(JournalWorld& world) : world_{world} { ++world_.opened; }

  JournalAccess access() override { return {world_.files ? 1U : 0U, world_.refused}; }
  Status refresh() override { return {}; }
  Status seek_head() override {
    behind_ = 0;
    at_ = nullptr;
    return {};
  }
  // Made numbers give the order, as times and numbers do in a real one.
  Status seek(const JournalCursor& cursor) override {
    for (JournalWorld::Stored& stored : world_.entries) stored.shown = true;
    behind_ = cursor.content - 1;
    at_ = nullptr;
    return {};
  }
  Result<bool> next() override {
    for (JournalWorld::Stored& stored : world_.entries) {
      if (!stored.shown || stored.entry.cursor.content <= behind_) continue;
      at_ = &stored;
      behind_ = stored.entry.cursor.content;
      return true;
    }
    return false;
  }
  Result<JournalCursor> cursor() override { return at_->entry.cursor; }
  Result<JournalEntry> entry() override {
    if (at_->damaged) return Error{Errc::kIo, "damaged"};
    return at_->entry;
  }

 private:
  JournalWorld& world_;
  std::uint64_t behind_ = 0;
  JournalWorld::Stored* at_ = nullptr;
};

inline OpenJournal open_in_memory(JournalWorld& world) {
  return
      [&world] { return Result<std::unique_ptr<Journal>>{std::make_unique<MemoryJournal>(world)}; };
}

struct Told {
  std::map<std::string, std::string> streams;
  std::vector<std::string> order;  // keys, as begun
  int cuts = 0;
};

// A source with its sink: what was told, and what of it survives a kill.
class JournalPlay : private FileSink {
 public:
  using Make = std::function<std::unique_ptr<SourceReader>(const std::vector<KnownFile>& known)>;
  explicit JournalPlay(Make make) : make_{std::move(make)} { start(); }
  JournalPlay(OpenJournal open, JournalFilter filter)
      : JournalPlay{[open = std::move(open),
                     filter = std::move(filter)](const std::vector<KnownFile>& known) {
          return std::make_unique<JournalSource>(JournalSource::Settings{"os", filter, open},
                                                 known);
        }} {}

  SourceTurn poll(std::size_t bytes_max) {
    now = now + seconds(2);
    const SourceTurn turn = source_->poll(*this, now, bytes_max);
    for (const SourceNote& note : source_->take_notes()) notes.push_back(note.text);
    return turn;
  }
  void poll_all() {
    for (int turns = 0; turns < 10'000; ++turns) {
      const SourceTurn turn = poll(1 << 20);
      if (turn.caught_up || turn.put_off) return;
    }
    FAIL("it never comes to an end");
  }
  // `lag`: how many lines are not settled yet.
  void commit(std::size_t lag = 0) {
    const auto low_water = [&](const std::string& key) {
      std::string& text = told.streams[key];
      std::size_t low = text.size();
      for (std::size_t i = 0; i < lag && low > saved_low_[key]; ++i) {
        low = low < 2 ? 0 : text.rfind('\n', low - 2) + 1;
      }
      saved_low_[key] = low;
      return static_cast<std::uint64_t>(low);
    };
    const FileChanges changes = source_->changes(low_water);
    saved_ = told;
    for (const std::string& key : changes.forgotten) rows_.erase(key);
    for (const KnownFile& row : changes.changed) {
      rows_[row.key] = row;
      if (saved_low_.contains(row.key)) CHECK(row.offset == saved_low_[row.key]);
    }
    CHECK(rows_.size() <= 1);
    for (const auto& [key, low] : saved_low_) {
      saved_.streams[key].resize(low);
    }
  }
  void kill() {
    told = saved_;
    start();
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const std::string& key : told.order) {
      const std::string& text = told.streams.at(key);
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        out.push_back(text.substr(at, end - at));
        at = end + 1;
      }
    }
    return out;
  }

  Told told;
  std::vector<std::string> notes;
  Instant now{1'700'000'000'000};

 private:
  void start() {
    saved_low_.clear();
    std::vector<KnownFile> known;
    for (const auto& [key, row] : rows_) known.push_back(row);
    for (const KnownFile& row : known) saved_low_[row.key] = row.offset;
    source_ = make_(known);
  }
  void begin_file(const std::string& key, std::uint64_t offset) override {
    std::string& text = told.streams[key];
    REQUIRE(text.size() == offset);
    if (std::find(told.order.begin(), told.order.end(), key) == told.order.end()) {
      told.order.push_back(key);
    }
  }
  void feed(const std::string& key, std::string_view bytes) override { told.streams[key] += bytes; }
  void end_file(const std::string& key, FileEnd end) override {
    CHECK(end == FileEnd::kCut);
    saved_low_.erase(key);
    ++told.cuts;
  }

  Make make_;
  std::unique_ptr<SourceReader> source_;
  Told saved_;
  std::map<std::string, KnownFile> rows_;
  std::map<std::string, std::size_t> saved_low_;
};

}  // namespace meldevakt::agent::testing
