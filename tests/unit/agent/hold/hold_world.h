// A keeper with two logs, a disk and a state in memory, for tests: power can go at any call, files
// can rotate and be gone.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/hold/hold_keeper.h"
#include "agent/hold/hold_opening.h"
#include "agent/hold/hold_part.h"
#include "common/crypto/crypto.h"
#include "common/ports/sealed_box.h"
#include "common/testing/doubles.h"

namespace meldevakt::agent::testing {

inline constexpr Instant kStart{1'675'242'000'000};

// Fails from the n-th call on; what was written before stays.
class MemoryHoldDisk final : public HoldDisk {
 public:
  std::map<std::string, std::map<std::string, std::string>> files;
  std::size_t calls = 0;
  std::size_t fail_at = SIZE_MAX;
  std::uint64_t room = 1'000'000'000'000;

  Status write(const std::string& hold, const std::string& name, std::string_view bytes) override {
    if (calls++ >= fail_at) return Error{Errc::kIo, "No space left on device"};
    files[hold][name] = std::string{bytes};
    return {};
  }
  Result<std::string> read(const std::string& hold, const std::string& name, std::size_t) override {
    if (!has(hold, name)) return Error{Errc::kNotFound, "is not there"};
    return files[hold][name];
  }
  bool has(const std::string& hold, const std::string& name) override {
    return files.contains(hold) && files[hold].contains(name);
  }
  std::vector<std::string> names(const std::string& hold) override {
    std::vector<std::string> out;
    if (hold.empty()) {
      for (const auto& [id, inside] : files) out.push_back(id);
    } else if (files.contains(hold)) {
      for (const auto& [name, bytes] : files[hold]) out.push_back(name);
    }
    return out;
  }
  Status remove(const std::string& hold, const std::string& name) override {
    if (calls++ >= fail_at) return Error{Errc::kIo, "Input/output error"};
    if (name.empty()) {
      files.erase(hold);
    } else if (files.contains(hold)) {
      files[hold].erase(name);
    }
    return {};
  }
  Result<std::uint64_t> free_bytes() override {
    if (calls++ >= fail_at) return Error{Errc::kIo, "Input/output error"};
    return room;
  }
};

// A source whose log is all that was ever written to it, but for files that are gone.
class FakeSource final : public HeldSource {
 public:
  explicit FakeSource(std::string name) : name_{std::move(name)} {}
  std::map<std::string, std::string> content;
  std::map<std::string, bool> gone;
  Tape tape_{4096};
  Instant newest;
  Instant now;
  std::string current;
  std::string folder = "/logg/";

  void rotate(const std::string& key) {
    current = key;
    tape_.begin(key, 0);
    newest_in_file_ = {};
  }
  void write(const std::string& bytes, Instant time) {
    tape_.feed(current, bytes, newest_in_file_);
    content[current] += bytes;
    newest_in_file_ = newest = time;
    tape_.seen(current, time);
  }
  // The agent is started again: what was stored of the tape, and the file read on.
  void restart(const std::vector<TapeMark>& marks) {
    tape_ = Tape{4096};
    tape_.restore(marks);
    if (!current.empty()) tape_.begin(current, content[current].size());
  }

  std::string held_name() const override { return name_; }
  std::string held_pack() const override { return "familia-like 1.0.0 00"; }
  bool concerns(const std::string&) const override { return true; }
  const Tape& tape() const override { return tape_; }
  Progress progress() const override { return {now, true, true}; }
  Result<std::string> read_again(const std::string& key, std::uint64_t from,
                                 std::size_t size) override {
    if (gone[key] || content[key].size() <= from) return Error{Errc::kNotFound, "gone"};
    return content[key].substr(from, size);
  }
  std::string path_of(const std::string& key) const override { return folder + key + ".log"; }

 private:
  std::string name_;
  Instant newest_in_file_;
};

class Collected final : public RunWriter {
 public:
  std::map<std::string, std::string> runs;  // by source and name
  Status begin(const OpenedRun& run) override {
    at_ = run.source + "/" + run.name;
    return {};
  }
  Status append(std::string_view bytes) override {
    runs[at_] += bytes;
    return {};
  }

 private:
  std::string at_;
};

// The state: what was committed. A crash leaves this and the disk.
struct HoldWorld {
  HoldSettings settings;
  MemoryHoldDisk disk;
  meldevakt::testing::SeededRandom random{5};
  BoxKeys keys = make_box_keys().value();
  std::unique_ptr<Signer> signer = signer_from_seed(std::string(32, 's')).value();
  FakeSource trace{"trace"};
  FakeSource sql{"sql"};
  std::map<std::string, Hold> holds;
  std::vector<HoldPart> parts;
  std::map<std::string, std::map<std::pair<std::string, std::uint64_t>, TapeMark>> marks;
  std::unique_ptr<HoldKeeper> keeper;
  std::vector<std::string> said;

  HoldWorld() {
    trace.rotate("t0");
    sql.rotate("s0");
    start();
  }
  void start() {
    std::vector<Hold> all;
    for (const auto& [id, hold] : holds) all.push_back(hold);
    for (FakeSource* source : {&trace, &sql}) {
      std::vector<TapeMark> stored;
      for (const auto& [at, mark] : marks[source->held_name()]) stored.push_back(mark);
      if (keeper) source->restart(stored);
    }
    HoldKeeper::Parts with{
        settings,
        disk,
        random,
        [this](const std::string&) -> Result<std::string> { return keys.public_key; },
        {{"t1", {"agent", signer.get()}}},
        "0.1.0",
        [this](bool, const std::string& text) { said.push_back(text); }};
    keeper = std::make_unique<HoldKeeper>(std::move(with), all, parts,
                                          std::vector<HeldSource*>{&trace, &sql});
  }
  void commit() {
    HoldChange change;
    keeper->take_changes(change);
    for (Hold& hold : change.holds) {
      if (hold.state == HoldState::kErased) {
        std::erase_if(parts, [&](const HoldPart& part) { return part.hold == hold.id; });
      }
      // As the database has it: through its text.
      holds[hold.id] = decode_hold(encode_hold(hold)).value();
    }
    for (HoldPart& part : change.parts) {
      if (holds[part.hold].state != HoldState::kErased) parts.push_back(std::move(part));
    }
    keep_marks();
    keeper->committed();
  }
  void keep_marks() {
    for (FakeSource* source : {&trace, &sql}) {
      const TapeChanges tape = source->tape_.take_changes();
      auto& stored = marks[source->held_name()];
      for (const TapeMark& mark : tape.dropped) stored.erase({mark.key, mark.offset});
      for (const TapeMark& mark : tape.added) stored[{mark.key, mark.offset}] = mark;
    }
  }
  void turn(Instant now) {
    trace.now = sql.now = now;
    for (int i = 0; i < 50 && keeper->work(now); ++i) {
    }
  }
  void find(const std::string& id, Instant time, Instant now,
            const std::string& kind = "failed_commit") {
    keeper->found("t1", {id, kind, time, "trace", "mssql/-2"}, now);
    commit();
  }
  OpenReport open(const Hold& hold, Collected& into) {
    std::vector<HoldPart> own;
    for (const HoldPart& part : parts) {
      if (part.hold == hold.id) own.push_back(part);
    }
    return open_hold(
               disk, hold, own,
               [this](const std::string&) -> Result<std::string> { return keys.private_key; }, into)
        .value();
  }
  // Every byte that a hold gives back is the one that was written there.
  void check_truth(const Hold& hold) {
    Collected got;
    const OpenReport report = open(hold, got);
    for (const std::string& problem : report.problems) CAPTURE(problem);
    CHECK(report.problems.empty());
    for (const OpenedRun& run : report.runs) {
      FakeSource& source = run.source == "trace" ? trace : sql;
      CHECK(got.runs[run.source + "/" + run.name] ==
            source.content[run.key].substr(run.from, run.to - run.from));
    }
  }
};

inline std::string line(Instant time, const std::string& text) {
  return to_rfc3339(time) + " [7] " + text + "\n";
}

// An hour of log, a finding in its middle, told half a minute later.
inline void live_through(HoldWorld& world, Instant finding, int rotations_every) {
  for (int second = 0; second < 3600; second += 5) {
    const Instant now = kStart + seconds(second);
    if (rotations_every > 0 && second > 0 && second % rotations_every == 0) {
      world.trace.rotate("t" + std::to_string(second));
    }
    world.trace.write(line(now, "lagrer melding"), now);
    if (second % 30 == 0) world.sql.write(line(now, "I/O requests taking longer"), now);
    if (now == finding + seconds(30)) world.find("f1", finding, now);
    world.turn(now);
    world.commit();
  }
}

}  // namespace meldevakt::agent::testing
