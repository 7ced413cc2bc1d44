// Thousands of files in one glob: each is read, followed and forgotten as one alone would be, with
// a bounded number of open files.
#include <dirent.h>

#include <string>

#include "tests/unit/agent/source/file_source_play.h"

namespace meldevakt::agent {
namespace {

constexpr int kFiles = 2'000;

std::string name_of_file(int number) {
  return "service-" + std::to_string(number) + "x.log";
}

std::size_t open_files() {
  std::size_t count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

std::string read_all(Play& play) {
  play.sink.all.clear();
  do {
    play.turn();
  } while (!play.last.caught_up);
  play.commit();
  return play.sink.all;
}

TEST_CASE(
    "FileSource: thousands of files, a few of them written, rotated, deleted, and a restart") {
  Play play{{"*.log"}};
  std::string written;
  for (int i = 0; i < kFiles; ++i) {
    play.folder.write(name_of_file(i), std::to_string(i) + "\n");
    written += std::to_string(i) + "\n";
  }
  const std::size_t open_before = open_files();
  CHECK(read_all(play).size() == written.size());
  CHECK(open_files() <= open_before + kOpenFilesMax + 8);
  CHECK(play.last.state == ReadState::kRead);

  play.folder.append(name_of_file(7), "seven\n");
  play.folder.append(name_of_file(1'999), "last\n");
  play.folder.rename(name_of_file(1'000), name_of_file(1'000) + ".1");
  play.folder.append(name_of_file(1'000) + ".1", "old\n");
  play.folder.write(name_of_file(1'000), "new\n");
  play.pass(kListEvery);
  const std::string more = read_all(play);
  for (const char* line : {"seven\n", "last\n", "old\n", "new\n"}) {
    CAPTURE(line);
    CHECK(more.find(line) != std::string::npos);
  }
  CHECK(more.size() == std::string{"seven\nlast\nold\nnew\n"}.size());

  play.pass(kQuiet);
  for (int i = 0; i < 100; ++i) std::filesystem::remove(play.folder / name_of_file(i));
  play.folder.append(name_of_file(200), "again\n");
  play.restart();
  CHECK(read_all(play) == "again\n");
  CHECK(open_files() <= open_before + kOpenFilesMax + 8);
}

TEST_CASE(
    "FileSource: a file that was read, closed for want of handles and deleted later is no loss") {
  Play play{{"*.log"}};
  for (int i = 0; i < static_cast<int>(kOpenFilesMax) + 50; ++i) {
    play.folder.write(name_of_file(i), std::to_string(i) + "\n");
  }
  read_all(play);
  play.pass(kQuiet);
  read_all(play);
  for (int i = 0; i < static_cast<int>(kOpenFilesMax) + 50; ++i) {
    std::filesystem::remove(play.folder / name_of_file(i));
  }
  play.pass(kQuiet);
  play.sink.told.clear();
  play.run();
  CHECK(play.notes() == "");  // nothing is called lost
  CHECK(play.last.state == ReadState::kAbsent);
}

TEST_CASE(
    "FileSource: more files than can be followed: said once, a gap, and the others are read") {
  Play play{{"*.log"}};
  play.known_files_max = 3;
  play.start();
  for (int i = 0; i < 5; ++i) play.folder.write(name_of_file(i), std::to_string(i) + "\n");
  CHECK(read_all(play).size() == 3 * std::string{"0\n"}.size());
  CHECK(play.last.state == ReadState::kGap);
  CHECK(play.last.reason == "too_many_files");
  CHECK(play.notes() == "W more than 3 files; the rest is not read\n");
}

// Of no rotation: nothing is older or newer than anything.
std::string lone_name(int number) {
  return std::string{"fil-"} + static_cast<char>('a' + number) + ".log";
}

TEST_CASE(
    "FileSource: of many files the quiet ones are looked at once a second, and nothing is claimed "
    "before") {
  Play play{{"*.log"}};
  for (int i = 0; i < 20; ++i) {
    const std::string name = lone_name(i);
    play.folder.write(name, "a\n");
    age(play, name, 3600 - i);
  }
  play.run(120);  // twelve seconds: all are quiet, and their folder too
  int looked = 0;
  int turns_until_seen = 0;
  play.folder.append(lone_name(0), "b\n");
  for (std::string told; told.find("b\n") == std::string::npos; ++turns_until_seen) {
    REQUIRE(turns_until_seen < 20);
    told = play.run(1);
    looked += play.last.looked_at_all ? 1 : 0;
    CHECK(play.last.caught_up);
  }
  CHECK(turns_until_seen <= 11);
  CHECK(looked == 1);  // it was found by the turn that looked at all
  // What grows is looked at every time.
  play.folder.append(lone_name(0), "c\n");
  CHECK(play.run(1).find("c\n") != std::string::npos);
}

TEST_CASE("FileSource: a quiet file is not called over by a turn that did not look at it") {
  Play play{{"*.log"}};
  for (int i = 0; i < 20; ++i) {
    play.folder.write(lone_name(i), "a\n");
    age(play, lone_name(i), 7200 - i);
  }
  play.folder.write("app.2023-05-28.log", "a\n");
  age(play, "app.2023-05-28.log", 3600);
  play.folder.write("app.2023-05-29.log", "");
  age(play, "app.2023-05-29.log", 1800);
  play.run(120);
  // Its writer's last words, then the next day's file: whatever turn sees which, none is lost.
  play.folder.append("app.2023-05-28.log", "sist\n");
  play.folder.append("app.2023-05-29.log", "ny\n");
  const std::string told = play.run(40);
  const std::size_t last_words = told.find("sist\n");
  REQUIRE(last_words != std::string::npos);
  CHECK(told.find("ny\n") != std::string::npos);
}

}  // namespace
}  // namespace meldevakt::agent
