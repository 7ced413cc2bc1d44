// Looking while names move: a rotation is many renames, and neither a listing nor a series of stats
// is one moment.
#include <atomic>
#include <string>
#include <thread>

#include "tests/unit/agent/source/file_source_play.h"

namespace meldevakt::agent {
namespace {

// Renames the whole chain beside each look, as log4net does at a rotation. Each rotation leaves a
// name of its own in the folder, as a real one does with the file it begins: otherwise one up and
// one down within a look would bring every name back to where it was, and look like rest.
class Rotating {
 public:
  Rotating(std::string path, int generations)
      : path_{std::move(path)}, generations_{generations}, thread_{[this] { rotate(); }} {}
  ~Rotating() {
    stop_ = true;
    thread_.join();
  }
  Rotating(const Rotating&) = delete;
  Rotating& operator=(const Rotating&) = delete;

  void next() { ++wanted_; }
  [[nodiscard]] int rotations() const { return done_; }

 private:
  [[nodiscard]] std::string generation(int number) const {
    return path_ + "." + std::to_string(number);
  }
  // Up by one, and down again the next time, so that the chain has no end.
  void rotate() {
    while (!stop_) {
      if (done_ == wanted_) {
        std::this_thread::yield();
        continue;
      }
      const bool up = done_ % 2 == 0;
      for (int i = 0; i < generations_; ++i) {
        const int from = up ? generations_ - i : i + 2;
        const int to = up ? from + 1 : from - 1;
        if (std::rename(generation(from).c_str(), generation(to).c_str()) != 0) ++failed;
        const std::string stamp = path_ + "-stamp-";
        const std::string before = stamp + std::to_string(done_);
        if (i == 0) std::rename(before.c_str(), (stamp + std::to_string(done_ + 1)).c_str());
      }
      ++done_;
    }
  }

  std::string path_;
  int generations_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> wanted_ = 0;
  std::atomic<int> done_ = 0;

 public:
  std::atomic<int> failed = 0;

 private:
  std::thread thread_;
};

TEST_CASE("FileSource: started amid rotations, no file is called lost or read in the wrong order") {
  constexpr int kGenerations = 30;
  constexpr int kRounds = 150;
  Play play{{"app.log"}};
  play.folder.write("app.log", "");
  play.run();
  std::string written;
  for (int i = kGenerations; i >= 1; --i) {
    const std::string name = "app.log." + std::to_string(i);
    const std::string text = "generation " + std::to_string(i) + "\n";
    play.folder.write(name, text);
    age(play, name, i * 100);
    written += text;
  }
  play.folder.write("app.log-stamp-0", "");
  Rotating rotating{play.folder / "app.log", kGenerations};
  const auto read_all = [&] {
    do {
      rotating.next();
      play.turn();
    } while (play.last.put_off || !play.last.caught_up);
    return play.notes();
  };
  for (int round = 0; round < kRounds; ++round) {  // every file is new
    play.sink.all.clear();
    play.crash();
    const std::string notes = read_all();
    CAPTURE(round);
    REQUIRE(notes == "");
    REQUIRE(play.sink.all == written);
  }
  play.commit();
  for (int round = 0; round < kRounds; ++round) {  // every file is known
    play.crash();
    const std::string notes = read_all();
    CAPTURE(round);
    REQUIRE(notes == "");
    REQUIRE(play.sink.all == written);
    if (round % 4 == 0) play.commit();
  }
  CHECK(rotating.failed == 0);
  CHECK(rotating.rotations() > kRounds);
}

TEST_CASE("FileSource: a folder in which names never rest is read all the same, a little later") {
  Play play{{"app.log"}};
  play.folder.write("app.log", "a1\n");
  std::atomic<bool> stop = false;
  std::thread busy{[&] {
    while (!stop) {
      play.folder.write("never", "");
      play.folder.rename("never", "rests");
    }
  }};
  std::string told;
  for (int i = 0; i < 100'000 && told.empty(); ++i) told = play.turn();
  stop = true;
  busy.join();
  CHECK(told == "+A A:a1\n ");
}

}  // namespace
}  // namespace meldevakt::agent
