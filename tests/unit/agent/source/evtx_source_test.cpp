#include "agent/source/evtx_source.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/source/told_records.h"
#include "common/testing/doubles.h"
#include "tests/support/evtx_writer.h"
#include "tests/unit/agent/temp_folder.h"

namespace meldevakt::agent {
namespace {

using testing::EvtxWriter;
using testing::SeededRandom;
using testing::TempFolder;

constexpr std::string_view kEnd = "</Event>\n";

// A source with its sink: what was told, and what of it survives a kill.
class Play : private FileSink {
 public:
  explicit Play(std::string glob) : glob_{std::move(glob)} { start(); }

  SourceTurn poll(std::size_t bytes_max = 1 << 20) {
    now = now + seconds(2);
    const SourceTurn turn = source_->poll(*this, now, bytes_max);
    CHECK_FALSE(turn.caught_up);  // a copy says nothing of the time after it
    for (const SourceNote& note : source_->take_notes()) notes.push_back(note.text);
    return turn;
  }
  // Until everything that rests is read.
  SourceTurn poll_all() {
    SourceTurn turn = poll();
    for (int rests = 0; rests < 3; rests = turn.put_off ? rests + 1 : 0) turn = poll();
    return turn;
  }
  // `lag`: how many events are in no finished record yet.
  void commit(std::size_t lag = 0) {
    saved_ = told;
    const FileChanges changes = source_->changes([&](const std::string& key) {
      std::string& text = saved_.streams[key];
      for (std::size_t i = 0; i < lag && text.size() > settled_[key]; ++i) {
        const std::size_t before = text.rfind(kEnd, text.size() - kEnd.size() - 1);
        text.resize(before == std::string::npos ? 0 : before + kEnd.size());
      }
      settled_[key] = text.size();
      return static_cast<std::uint64_t>(text.size());
    });
    for (const std::string& key : changes.forgotten) rows_.erase(key);
    for (const KnownFile& row : changes.changed) rows_[row.key] = row;
  }
  void kill() {
    told = saved_;
    start();
  }
  [[nodiscard]] std::string ids() const {
    std::string out;
    for (const std::string& key : told.order) {
      const std::string& text = told.streams.at(key);
      for (std::size_t at = text.find("<EventRecordID>"); at != std::string::npos;
           at = text.find("<EventRecordID>", at + 1)) {
        const std::size_t from = at + 15;
        out += (out.empty() ? "" : " ") + text.substr(from, text.find('<', from) - from);
      }
    }
    return out;
  }
  [[nodiscard]] std::size_t noted(std::string_view text) const {
    return static_cast<std::size_t>(std::count_if(
        notes.begin(), notes.end(),
        [&](const std::string& note) { return note.find(text) != std::string::npos; }));
  }

  struct Told {
    std::map<std::string, std::string> streams;
    std::vector<std::string> order;  // keys, as begun
    int cuts = 0;
  };
  Told told;
  std::vector<std::string> notes;
  Instant now{1'700'000'000'000};

 private:
  void start() {
    std::vector<KnownFile> known;
    settled_.clear();
    for (const auto& [key, row] : rows_) known.push_back(row);
    source_ = std::make_unique<EvtxSource>(EvtxSource::Settings{"system", {glob_}}, known);
  }
  void begin_file(const std::string& key, std::uint64_t offset) override {
    REQUIRE(told.streams[key].size() == offset);
    settled_[key] = offset;
    if (std::find(told.order.begin(), told.order.end(), key) == told.order.end()) {
      told.order.push_back(key);
    }
  }
  void feed(const std::string& key, std::string_view bytes) override {
    CHECK(bytes.ends_with(kEnd));
    told.streams[key] += bytes;
  }
  void end_file(const std::string&, FileEnd end) override {
    CHECK(end == FileEnd::kCut);
    ++told.cuts;
  }

  std::string glob_;
  std::unique_ptr<EvtxSource> source_;
  Told saved_;
  std::map<std::string, KnownFile> rows_;
  std::map<std::string, std::size_t> settled_;
};

// Events [from, to) of one log, a second apart.
std::string copy_of(std::uint64_t from, std::uint64_t to, bool dirty = false,
                    const testing::WrittenEvent& event = {}) {
  EvtxWriter log;
  log.events_a_chunk = 4;
  log.next_record = from;
  log.time_ms += static_cast<std::int64_t>(from) * 1000;
  log.add(to - from, event);
  return log.file(dirty);
}

TEST_CASE("EvtxSource: copies that overlap, are written over and come late: each event once") {
  const TempFolder folder;
  folder.write("System-1.evtx", copy_of(5, 11));
  Play play{folder / "System*.evtx"};
  CHECK(play.poll().bytes == 0);  // it may still be being copied
  CHECK(play.poll_all().state == ReadState::kRead);
  CHECK(play.ids() == "5 6 7 8 9 10");
  folder.write("System-2.evtx", copy_of(8, 14, true));
  play.poll_all();
  CHECK(play.ids() == "5 6 7 8 9 10 11 12 13");
  folder.write("System-2.evtx", copy_of(8, 16));
  play.poll_all();
  CHECK(play.ids() == "5 6 7 8 9 10 11 12 13 14 15");
  folder.write("System-0.evtx", copy_of(3, 7));
  play.poll_all();
  CHECK(play.ids() == "5 6 7 8 9 10 11 12 13 14 15 3 4");
  CHECK(play.told.cuts == 0);
  CHECK(play.notes.empty());
}

TEST_CASE("EvtxSource: what no copy holds is a gap, and told once a copy") {
  const TempFolder folder;
  folder.write("a.evtx", copy_of(1, 4));
  folder.write("b.evtx", copy_of(9, 11));
  Play play{folder / "*.evtx"};
  play.poll_all();
  CHECK(play.ids() == "1 2 3 9 10");
  CHECK(play.told.cuts == 1);
  CHECK(play.noted("b.evtx: 5 events before those in it were never in a copy") == 1);
  // The log was cleared: its numbers begin anew, later.
  EvtxWriter cleared;
  cleared.time_ms += 60'000;
  cleared.add(2, {});
  folder.write("c.evtx", cleared.file());
  play.poll_all();
  CHECK(play.ids() == "1 2 3 9 10 1 2");
  CHECK(play.told.cuts == 2);
}

TEST_CASE("EvtxSource: a damaged copy costs itself, and another one heals it") {
  const TempFolder folder;
  std::string damaged = copy_of(1, 13);
  damaged[kEvtxHeaderBytes + kEvtxChunkBytes] = 'x';  // the second of three chunks
  folder.write("a.evtx", damaged);
  folder.write("b.evtx", copy_of(13, 15));
  folder.write("c.evtx", "no event log");
  Play play{folder / "*.evtx"};
  const SourceTurn turn = play.poll_all();
  CHECK(play.ids() == "1 2 3 4 9 10 11 12 13 14");
  CHECK(play.told.cuts >= 1);
  CHECK(play.noted("a.evtx: damaged chunks: 1 of 3; everything else was read") == 1);
  CHECK(play.noted("c.evtx: it is no .evtx file") == 1);
  CHECK(turn.state == ReadState::kGap);
  CHECK(turn.reason == "unreadable");
  folder.remove("c.evtx");
  folder.write("a.evtx", copy_of(1, 13));
  CHECK(play.poll_all().state == ReadState::kRead);
  CHECK(play.ids() == "1 2 3 4 9 10 11 12 13 14 5 6 7 8");
}

TEST_CASE("EvtxSource: one log a source; events of another are left out and told") {
  const TempFolder folder;
  folder.write("a.evtx", copy_of(1, 3));
  folder.write("b.evtx", copy_of(5, 9, false, {.channel = "Application"}));
  Play play{folder / "*.evtx"};
  play.poll_all();
  CHECK(play.ids() == "1 2");
  CHECK(play.noted("b.evtx: 4 events are left out, of the log Application of app01: this source "
                   "reads System of app01; make one for each log") == 1);
}

TEST_CASE("EvtxSource: damage that another copy makes good is no gap; a clock set back is none") {
  const TempFolder folder;
  folder.write("a.evtx", copy_of(1, 13));
  Play play{folder / "*.evtx"};
  play.poll_all();
  std::string damaged = copy_of(5, 17);
  damaged[kEvtxHeaderBytes + kEvtxChunkBytes] = 'x';  // events 9 to 12, which are told
  folder.write("b.evtx", damaged);
  play.poll_all();
  CHECK(play.noted("b.evtx: damaged chunks: 1 of 3") == 1);
  CHECK(play.ids() == "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16");
  CHECK(play.told.cuts == 0);
  // An hour back, and then on through the same times once more.
  EvtxWriter back;
  back.events_a_chunk = 4;
  back.next_record = 17;
  back.time_ms -= 10'000;  // before everything that was told
  back.add(30, {});
  folder.write("c.evtx", back.file());
  play.poll_all();
  CHECK(play.told.cuts == 0);
  CHECK(
      play.ids().ends_with("15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 "
                           "37 38 39 40 41 42 43 44 45 46"));
}

TEST_CASE("EvtxSource: a computer that was given another name is known by its numbers") {
  const TempFolder folder;
  folder.write("a.evtx", copy_of(1, 4));
  folder.write("b.evtx", copy_of(4, 7, false, {.computer = "app-prod-01"}));
  Play play{folder / "*.evtx"};
  play.poll_all();
  CHECK(play.ids() == "1 2 3 4 5 6");
  CHECK(play.noted("the computer of its log goes on as app-prod-01") == 1);
  play.commit();
  play.kill();
  folder.write("c.evtx", copy_of(7, 9, false, {.computer = "app-prod-01"}));
  folder.write("d.evtx", copy_of(30, 32, false, {.computer = "app02"}));
  play.poll_all();
  CHECK(play.ids() == "1 2 3 4 5 6 7 8");
  CHECK(play.told.cuts == 0);
  CHECK(play.noted("2 events are left out, of the log System of app02: this source reads System of "
                   "app01, app-prod-01") == 1);
}

TEST_CASE("EvtxSource: many copies and much damage are read over many polls") {
  const TempFolder folder;
  constexpr std::uint64_t kCopies = 3 * kEvtxLooksMax;
  for (std::uint64_t i = 0; i < kCopies; ++i) {  // the oldest events last by name
    folder.write("c" + std::to_string(100 - i) + ".evtx", copy_of(1 + 2 * i, 3 + 2 * i));
  }
  Play play{folder / "*.evtx"};
  static_cast<void>(play.poll());
  for (int polls = 0; polls < 2; ++polls) {
    const SourceTurn turn = play.poll();
    CHECK_FALSE(turn.put_off);
    CHECK_FALSE(turn.drained);
    CHECK(turn.bytes == 0);
  }
  CHECK(play.poll_all().drained);
  CHECK(play.told.cuts == 0);
  CHECK(play.ids().starts_with("1 2 3 4 5 6 7"));
  std::string damaged = copy_of(1000, 1000 + 4 * 30);
  for (std::size_t chunk = 1; chunk < 30; ++chunk) {
    damaged[kEvtxHeaderBytes + chunk * kEvtxChunkBytes] = 'x';
  }
  folder.write("damaged.evtx", damaged);
  static_cast<void>(play.poll());
  int polls = 0;
  while (!play.poll().drained) ++polls;
  CHECK(polls >= 2);
  CHECK(play.noted("damaged chunks: 29 of 30") == 1);
}

TEST_CASE("EvtxSource: no file, an empty log, a copy that goes") {
  const TempFolder folder;
  Play play{folder / "*.evtx"};
  SourceTurn turn = play.poll_all();
  CHECK(turn.state == ReadState::kAbsent);
  CHECK(turn.reason == "no_file");
  folder.write("a.evtx", EvtxWriter{}.file());
  CHECK(play.poll_all().state == ReadState::kRead);
  CHECK(play.ids() == "");
  folder.write("a.evtx", copy_of(1, 3));
  play.poll_all();
  play.commit();
  folder.remove("a.evtx");
  play.poll_all();
  play.commit();
  play.kill();
  folder.write("a.evtx", copy_of(2, 4));
  play.poll_all();
  CHECK(play.ids() == "1 2 3");
}

TEST_CASE("EvtxSource: what the system refuses is asked for again, and told once") {
  const TempFolder folder;
  folder.write("a.evtx", copy_of(1, 3));
  std::filesystem::permissions(folder / "a.evtx", std::filesystem::perms::none);
  if (std::ifstream{folder / "a.evtx"}.is_open()) {
    MESSAGE("skipped: root may read everything");
    return;
  }
  Play play{folder / "*.evtx"};
  CHECK(play.poll_all().state == ReadState::kGap);
  CHECK(play.poll_all().state == ReadState::kGap);
  CHECK(play.noted("a.evtx: ") == 1);
  std::filesystem::permissions(folder / "a.evtx", std::filesystem::perms::owner_all);
  CHECK(play.poll_all().state == ReadState::kRead);
  CHECK(play.ids() == "1 2");
}

TEST_CASE("EvtxSource property: killed anywhere, 0 lost and 0 doubled") {
  constexpr std::uint64_t kSeed = 20250305;
  MESSAGE("seed " << kSeed);
  for (std::uint64_t seed = kSeed; seed < kSeed + 6; ++seed) {
    CAPTURE(seed);
    SeededRandom random{seed};
    const TempFolder folder;
    Play play{folder / "*.evtx"};
    std::uint64_t to = 1;
    std::string want;
    for (int step = 0; step < 14; ++step) {
      const std::uint64_t from = to - std::min<std::uint64_t>(to - 1, random.below(6));
      const std::uint64_t grown = to + 1 + random.below(7);
      for (; to < grown; ++to) want += (want.empty() ? "" : " ") + std::to_string(to);
      folder.write("copy" + std::to_string(random.below(3)) + ".evtx", copy_of(from, to));
      for (int polls = 0; polls < 4; ++polls) {
        static_cast<void>(play.poll(1 + random.below(4000)));
        if (random.below(3) == 0) play.commit(random.below(4));
        if (random.below(4) == 0) play.kill();
      }
      play.poll_all();  // a copy is written over after it was read, and that was stored
      play.commit();
    }
    CHECK(play.ids() == want);
    CHECK(play.told.cuts == 0);
  }
}

TEST_CASE("ToldRecords: against a plain set of records") {
  constexpr std::uint64_t kSeed = 20250306;
  MESSAGE("seed " << kSeed);
  SeededRandom random{kSeed};
  for (int run = 0; run < 200; ++run) {
    ToldRecords told;
    std::map<std::uint64_t, bool> set;
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t record = 1 + random.below(30);
      const EventPlace place{"System", record, "2023-02-01T08:14:" + std::to_string(10 + record)};
      REQUIRE(told.holds(place) == set[record]);
      if (!set[record]) told.add(place);
      set[record] = true;
    }
    const auto again = ToldRecords::parse(told.text());
    REQUIRE(again);
    CHECK(again.value().text() == told.text());
  }
  for (const char* bad : {"1", "1 2 a", "2 1 a b", "1 2 b a", "x 2 a b", "1 2 a b c", " "}) {
    CAPTURE(bad);
    CHECK_FALSE(ToldRecords::parse(bad).has_value());
  }
  ToldRecords many;
  for (std::uint64_t i = 0; i < kToldRunsMax + 5; ++i) {
    many.add({"System", 2 * i + 1, std::to_string(1'000'000 + i)});
  }
  CHECK_FALSE(many.holds({"System", 1, "1000000"}));
  CHECK(many.holds({"System", 2 * kToldRunsMax + 1, std::to_string(1'000'000 + kToldRunsMax)}));
}

}  // namespace
}  // namespace meldevakt::agent
