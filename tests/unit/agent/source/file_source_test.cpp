// Each case plays a story with real files and states what the sink was told, as one string.
#include "agent/source/file_source.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/agent/temp_folder.h"

namespace meldevakt::agent {
namespace {

// Keeps what a pipeline would: one letter a file, in the order files were begun.
class Recorder : public FileSink {
 public:
  void begin_file(const std::string& key, std::uint64_t offset) override {
    if (!letters_.contains(key)) letters_[key] = static_cast<char>('A' + letters_.size());
    told += std::string{"+"} + letters_[key];
    if (offset > 0) told += "@" + std::to_string(offset);
    told += " ";
    at_[key] = offset;
  }
  void feed(const std::string& key, std::string_view bytes) override {
    REQUIRE(at_.contains(key));
    told += std::string{letters_[key]} + ":" + std::string{bytes} + " ";
    at_[key] += bytes.size();
    all += bytes;
  }
  void end_file(const std::string& key, FileEnd end) override {
    REQUIRE(at_.contains(key));
    told += std::string{letters_[key]} + (end == FileEnd::kComplete ? "$ " : "! ");
    at_.erase(key);
  }
  [[nodiscard]] std::uint64_t low_water(const std::string& key) const { return at_.at(key); }

  std::string told;
  std::string all;

 private:
  std::map<std::string, char> letters_;
  std::map<std::string, std::uint64_t> at_;
};

// An agent's use of one source, with the stored rows between runs.
class Play {
 public:
  explicit Play(std::vector<std::string> globs) {
    for (std::string& glob : globs) globs_.push_back(folder / glob);
    start();
  }
  void start() {
    std::vector<KnownFile> known;
    for (const auto& [key, file] : stored_) known.push_back(file);
    source_ = std::make_unique<FileSource>(FileSource::Settings{.name = "trace", .globs = globs_},
                                           known, ran_before_);
  }
  // One turn and its commit. Returns what the sink was told since the last call.
  std::string turn() {
    last = source_->poll(sink, now_, bytes_max);
    now_ = now_ + milliseconds(100);
    return std::exchange(sink.told, {});
  }
  void commit() {
    FileChanges changes =
        source_->changes([&](const std::string& key) { return sink.low_water(key); });
    for (const std::string& key : changes.forgotten) stored_.erase(key);
    for (KnownFile& file : changes.changed) stored_[file.key] = file;
    ran_before_ = true;
  }
  std::string run(int turns = 2) {
    std::string told;
    for (int i = 0; i < turns; ++i) {
      told += turn();
      commit();
    }
    return told;
  }
  void restart() {
    commit();
    crash();
  }
  void crash() {
    sink.told.clear();
    start();
  }
  std::string notes() {
    std::string out;
    for (const SourceNote& note : source_->take_notes()) {
      std::string text = note.text;
      for (auto at = text.find(folder.path()); at != std::string::npos;
           at = text.find(folder.path())) {
        text.erase(at, folder.path().size() + 1);
      }
      out += (note.warning ? "W " : "I ") + text + "\n";
    }
    return out;
  }
  void pass(Duration time) { now_ = now_ + time; }
  [[nodiscard]] std::size_t stored() const { return stored_.size(); }

  testing::TempFolder folder;
  Recorder sink;
  FileSource::Turn last;
  std::size_t bytes_max = 1 << 20;

 private:
  std::vector<std::string> globs_;
  std::map<std::string, KnownFile> stored_;
  bool ran_before_ = false;
  Instant now_{1'600'000'000'000};
  std::unique_ptr<FileSource> source_;
};

std::string block(char c, std::size_t size) {
  std::string out(size, c);
  out.back() = '\n';
  return out;
}

// Names in time-stamp order: writes within one tick of the file system's clock would be a tie.
void age(const Play& play, std::string_view name, int seconds_ago) {
  const auto time =
      std::filesystem::file_time_type::clock::now() - std::chrono::seconds(seconds_ago);
  std::filesystem::last_write_time(play.folder / name, time);
}

TEST_CASE("FileSource: a growing file") {
  Play play{{"app.log"}};
  CHECK(play.run() == "");
  CHECK(play.last.state == ReadState::kAbsent);
  CHECK(play.last.reason == "no_file");
  play.folder.write("app.log", "a1\n");
  CHECK(play.run() == "+A A:a1\n ");
  CHECK(play.last.state == ReadState::kRead);
  CHECK(play.last.caught_up);
  CHECK(play.run() == "");
  play.folder.append("app.log", "a2\n");
  CHECK(play.run() == "A:a2\n ");
}

TEST_CASE("FileSource: rename rotation is read to the end of the old, then the new") {
  Play play{{"app.log"}};
  play.folder.write("app.log", "a1\n");
  CHECK(play.run() == "+A A:a1\n ");
  play.folder.append("app.log", "a2\n");
  play.folder.rename("app.log", "app.log.1");
  CHECK(play.run() == "A:a2\n ");
  play.folder.append("app.log.1", "a3\n");  // its writer has not turned to the new file yet
  play.folder.write("app.log", "");
  CHECK(play.run() == "A:a3\n +B ");
  play.folder.append("app.log", "b1\n");
  CHECK(play.run() == "A$ B:b1\n ");
}

TEST_CASE("FileSource: rotated names that the glob matches are read once") {
  Play play{{"app.log*"}};
  play.folder.write("app.log.1", "a1\n");
  age(play, "app.log.1", 60);
  play.folder.write("app.log", "b1\n");
  CHECK(play.run() == "+A A:a1\n A$ +B B:b1\n ");
  play.folder.rename("app.log.1", "app.log.2");
  play.folder.rename("app.log", "app.log.1");
  play.folder.write("app.log", "c1\n");
  CHECK(play.run(5) == "B$ +C C:c1\n ");
  play.restart();
  CHECK(play.run(5) == "+C@3 ");
}

TEST_CASE("FileSource: continues at its position after a restart, also under another name") {
  Play play{{"app.log"}};
  play.folder.write("app.log", "a1\n");
  play.run();
  play.restart();
  play.folder.append("app.log", "a2\n");
  CHECK(play.run() == "+A@3 A:a2\n ");
  play.restart();
  play.folder.append("app.log", "a3\n");
  play.folder.rename("app.log", "whatever.txt");
  age(play, "whatever.txt", 60);
  play.folder.write("app.log", "b1\n");
  CHECK(play.run() == "+A@6 A:a3\n A$ +B B:b1\n ");
  CHECK(play.notes() == "");
}

TEST_CASE("FileSource: several rotations while stopped lose nothing, also outside the glob") {
  Play play{{"app.log"}};
  play.folder.write("app.log.1", "old\n");  // lay there before: not ours
  age(play, "app.log.1", 900);
  play.folder.write("app.log", "a1\n");
  CHECK(play.run() == "+A A:a1\n ");
  play.restart();
  play.folder.append("app.log", "a2\n");
  play.folder.rename("app.log.1", "app.log.4");
  play.folder.rename("app.log", "app.log.3");
  play.folder.write("app.log.2", "b1\n");
  play.folder.write("app.log.1", "c1\n");
  play.folder.write("app.log", "d1\n");
  age(play, "app.log.3", 300);
  age(play, "app.log.2", 200);
  age(play, "app.log.1", 100);
  CHECK(play.run() == "+A@3 A:a2\n A$ +B B:b1\n B$ +C C:c1\n C$ +D D:d1\n ");
  play.restart();
  CHECK(play.run(5) == "+D@3 ");
}

TEST_CASE("FileSource: several rotations between two turns lose nothing") {
  Play play{{"app.log"}};
  play.folder.write("app.log", "a1\n");
  CHECK(play.run() == "+A A:a1\n ");
  play.folder.append("app.log", "a2\n");
  play.folder.rename("app.log", "app.log.2");
  play.folder.write("app.log.1", "b1\n");
  play.folder.write("app.log", "c1\n");
  age(play, "app.log.2", 300);
  age(play, "app.log.1", 200);
  CHECK(play.run() == "A:a2\n A$ +B B:b1\n B$ +C C:c1\n ");
}

TEST_CASE("FileSource: truncated is a new file, and what was unread is lost") {
  Play play{{"app.log"}};
  play.folder.write("app.log", "a1 a2 a3\n");
  CHECK(play.run() == "+A A:a1 a2 a3\n ");
  play.folder.write("app.log", "b1\n");
  CHECK(play.run() == "A! +B B:b1\n ");
  CHECK(play.notes() ==
        "W app.log: truncated or replaced in place; what was unread of it is lost\n");
  SUBCASE("while stopped, filled again past the old position") {
    play.restart();
    play.folder.write("app.log", "c1 c2 c3 c4\n");
    CHECK(play.run() == "+B@3 B! +C C:c1 c2 c3 c4\n ");
  }
  SUBCASE("filled again past the old position between two turns") {
    play.folder.write("app.log", "c1 c2 c3 c4\n");
    CHECK(play.run() == "B! +C C:c1 c2 c3 c4\n ");
  }
  SUBCASE("with the same length") {
    play.folder.write("app.log", "c1\n");
    age(play, "app.log", -5);
    CHECK(play.run() == "B! +C C:c1\n ");
  }
}

TEST_CASE("FileSource: a long banner does not hide that the content behind it is new") {
  Play play{{"app.log"}};
  const std::string banner = block('=', 2000);
  play.folder.write("app.log", banner + "a1\n");
  play.run();
  play.restart();
  play.folder.write("app.log", banner + "b1 b2\n");
  CHECK(play.run() == "+A@2003 A! +B B:" + banner + "b1 b2\n ");
}

void copy_and_truncate(bool copies_in_glob, bool seen_half_way) {
  Play play{{copies_in_glob ? "app.log*" : "app.log"}};
  const std::string first = block('a', 3000);
  play.folder.write("app.log", first);
  CHECK(play.run() == "+A A:" + first + " ");
  play.folder.append("app.log", "a2\n");
  std::filesystem::copy_file(play.folder / "app.log", play.folder / "app.log.1");
  if (seen_half_way) {
    CHECK(play.run() == "A:a2\n ");
    play.folder.append("app.log.1", "a3\n");  // as if the copying had gone on
  }
  age(play, "app.log.1", 60);
  play.folder.write("app.log", "b1\n");
  CHECK(play.run(3) == (seen_half_way ? "A:a3\n A$ +B B:b1\n " : "A:a2\n A$ +B B:b1\n "));
  CHECK(play.notes() == "I app.log.1: the file was copied and truncated; its copy is read on\n");
  play.restart();
  CHECK(play.run(3) == "+B@3 ");
}

TEST_CASE("FileSource: copy and truncate") {
  for (const bool copies_in_glob : {false, true}) {
    for (const bool seen_half_way : {false, true}) {
      CAPTURE(copies_in_glob);
      CAPTURE(seen_half_way);
      copy_and_truncate(copies_in_glob, seen_half_way);
    }
  }
}

TEST_CASE("FileSource: copy and truncate while stopped") {
  Play play{{"app.log"}};
  const std::string first = block('a', 3000);
  play.folder.write("app.log", first);
  play.run();
  play.restart();
  play.folder.append("app.log", "a2\n");
  std::filesystem::copy_file(play.folder / "app.log", play.folder / "app.log.1");
  age(play, "app.log.1", 60);
  play.folder.write("app.log", "b1\n");
  CHECK(play.run(3) == "+A@3000 A:a2\n A$ +B B:b1\n ");
}

TEST_CASE("FileSource: two files with the same first kilobyte are two files") {
  Play play{{"*.log"}};
  const std::string banner = block('=', 1024);
  play.folder.write("a.log", banner + "a1\n");
  age(play, "a.log", 60);
  play.folder.write("b.log", banner + "b1\n");
  CHECK(play.run() == "+A A:" + banner + "a1\n +B B:" + banner + "b1\n ");
  play.folder.append("a.log", "a2\n");
  play.folder.append("b.log", "b2\n");
  const std::string told = play.run();
  CHECK(told.find("A:a2\n") != std::string::npos);
  CHECK(told.find("B:b2\n") != std::string::npos);
}

TEST_CASE("FileSource: a copy beside the original is not read, until it goes its own way") {
  Play play{{"*.log"}};
  const std::string first = block('a', 3000);
  play.folder.write("a.log", first);
  play.run();
  std::filesystem::copy_file(play.folder / "a.log", play.folder / "b.log");
  CHECK(play.run(3) == "");
  play.folder.append("a.log", "a2\n");
  play.folder.append("b.log", "b2\n");
  const std::string told = play.run(3);
  CHECK(told.find("A:a2\n") != std::string::npos);
  CHECK(told.find("+B B:" + first + "b2\n") != std::string::npos);
}

TEST_CASE("FileSource: a deleted file") {
  Play play{{"app.log"}};
  play.folder.write("app.log", "a1\n");
  play.run();
  SUBCASE("is read on through its handle, and over when replaced") {
    play.folder.append("app.log", "a2\n");
    play.folder.remove("app.log");
    play.folder.write("app.log", "b1\n");
    CHECK(play.run(3) == "A:a2\n A$ +B B:b1\n ");
  }
  SUBCASE("is over when quiet") {
    play.folder.remove("app.log");
    CHECK(play.run() == "");
    CHECK(play.last.state == ReadState::kRead);
    play.pass(minutes(2));
    CHECK(play.run() == "A$ ");
    CHECK(play.run(5) == "");
    CHECK(play.last.state == ReadState::kAbsent);
    CHECK(play.stored() == 0);
  }
  SUBCASE("while stopped is lost") {
    play.restart();
    play.folder.remove("app.log");
    CHECK(play.run() == "+A@3 A! ");
    CHECK(play.notes() ==
          "W app.log: gone, truncated or replaced before it was known to be read to its end; what "
          "was unread of it is lost\n");
    play.folder.write("app.log", "b1\n");
    CHECK(play.run() == "+B B:b1\n ");
  }
}

TEST_CASE("FileSource: dated names follow each other") {
  Play play{{"trace-*.log"}};
  play.folder.write("trace-2023-02-01.log", "a1\n");
  CHECK(play.run() == "+A A:a1\n ");
  play.folder.append("trace-2023-02-01.log", "a2\n");
  age(play, "trace-2023-02-01.log", 60);
  play.folder.write("trace-2023-02-02.log", "b1\n");
  CHECK(play.run() == "A:a2\n A$ +B B:b1\n ");
  play.folder.append("trace-2023-02-01.log", "a3\n");  // late after all: read again from its start
  CHECK(play.run() == "+C C:a1\na2\na3\n ");
}

TEST_CASE("FileSource: what cannot be read is said once, and read when it can be") {
  Play play{{"app.log"}};
  SUBCASE("a directory") {
    std::filesystem::create_directory(play.folder / "app.log");
    CHECK(play.run(5) == "");
    CHECK(play.last.state == ReadState::kGap);
    CHECK(play.last.reason == "not_a_file");
    CHECK(play.notes() ==
          "W app.log: cannot be read: is a directory; read again by itself when this is mended\n");
  }
  SUBCASE("a pipe") {
    REQUIRE(::mkfifo((play.folder / "app.log").c_str(), 0600) == 0);
    CHECK(play.run(5) == "");
    CHECK(play.last.reason == "not_a_file");
    CHECK(play.notes() ==
          "W app.log: cannot be read: is not a regular file; read again by itself "
          "when this is mended\n");
  }
  SUBCASE("permission") {
    if (::geteuid() == 0) {
      MESSAGE("skipped: root may read everything");
      return;
    }
    play.folder.write("app.log", "a1\n");
    REQUIRE(::chmod((play.folder / "app.log").c_str(), 0) == 0);
    CHECK(play.run(5) == "");
    CHECK(play.last.reason == "permission");
    CHECK(play.notes() ==
          "W app.log: cannot be read: Permission denied; read again by itself when "
          "this is mended\n");
    REQUIRE(::chmod((play.folder / "app.log").c_str(), 0600) == 0);
    CHECK(play.run(2) == "+A A:a1\n ");
    return;
  }
  play.folder.remove("app.log");
  play.folder.write("app.log", "a1\n");
  CHECK(play.run(2) == "+A A:a1\n ");
  CHECK(play.last.state == ReadState::kRead);
}

TEST_CASE("FileSource: a turn is bounded, and says that there is more") {
  Play play{{"*.log"}};
  play.bytes_max = kReadBytes;
  play.folder.write("a.log", block('a', 3 * kReadBytes));
  age(play, "a.log", 60);
  play.folder.write("b.log", "b1\n");
  int turns = 0;
  do {
    play.turn();
    CHECK(play.last.bytes <= kReadBytes);
    ++turns;
  } while (!play.last.caught_up);
  CHECK(turns == 4);
  CHECK(play.sink.all == block('a', 3 * kReadBytes) + "b1\n");
}

TEST_CASE("FileSource: compressed files are named once and not read") {
  Play play{{"app.log*"}};
  play.folder.write("app.log", "a1\n");
  play.folder.write("app.log.2.gz", "zzz");
  CHECK(play.run(5) == "+A A:a1\n ");
  CHECK(play.last.state == ReadState::kRead);
  CHECK(play.notes() == "I app.log.2.gz: compressed files are not read\n");
}

TEST_CASE("FileSource: wildcards in folders, and folders that come later") {
  Play play{{"*/app.log"}};
  CHECK(play.run() == "");
  std::filesystem::create_directory(play.folder / "x");
  play.folder.write("x/app.log", "a1\n");
  play.pass(seconds(10));
  CHECK(play.run() == "+A A:a1\n ");
}

// Random stories: whatever rotations, restarts and crashes come, every byte written is handed on
// exactly once counting from the committed positions, in order.
TEST_CASE("FileSource: under random rotation, restarts and crashes nothing is lost or doubled") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    std::uint64_t random = seed * 0x9E3779B97F4A7C15U;
    const auto below = [&](std::uint64_t bound) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      return random % bound;
    };
    Play play{{seed % 2 == 0 ? "app.log" : "app.log*"}};
    std::string written;
    std::string committed;
    int line = 0;
    int minutes_ago = 100'000;
    play.folder.write("app.log", "");
    play.run();
    for (int step = 0; step < 60; ++step) {
      switch (below(6)) {
        case 0:
        case 1:
        case 2: {
          const std::string text = "line " + std::to_string(++line) + "\n";
          play.folder.append("app.log", text);
          age(play, "app.log", minutes_ago -= 10);
          written += text;
          break;
        }
        case 3:
          for (int i = 60; i >= 1; --i) {
            const std::string from = "app.log." + std::to_string(i);
            if (std::filesystem::exists(play.folder / from)) {
              play.folder.rename(from, "app.log." + std::to_string(i + 1));
            }
          }
          play.folder.rename("app.log", "app.log.1");
          play.folder.write("app.log", "");
          age(play, "app.log", minutes_ago -= 10);
          break;
        case 4:
          play.turn();
          if (below(2) == 0) {
            play.commit();
            committed = play.sink.all;
          }
          break;
        default:
          play.crash();
          play.sink.all = committed;
          break;
      }
    }
    play.run(3);
    REQUIRE(play.sink.all == written);
  }
}

}  // namespace
}  // namespace meldevakt::agent
