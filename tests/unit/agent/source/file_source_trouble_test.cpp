// What can go wrong with files: deleted, unreadable, compressed, too many; and all of it at random.
#include "tests/unit/agent/source/file_source_play.h"

namespace meldevakt::agent {
namespace {

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

TEST_CASE("FileSource: wildcards in folders, and folders that come later") {
  Play play{{"*/app.log"}};
  CHECK(play.run() == "");
  std::filesystem::create_directory(play.folder / "x");
  play.folder.write("x/app.log", "a1\n");
  play.pass(seconds(10));
  CHECK(play.run() == "+A A:a1\n ");
}

TEST_CASE("FileSource: room reserved in advance is read when it has been written") {
  const std::string room(200'000, '\0');
  for (const bool wide : {false, true}) {
    CAPTURE(wide);
    const auto text = [&](const std::string& line) {
      std::string out;
      for (const char c : line) {
        out += c;
        if (wide) out += '\0';
      }
      return out;
    };
    Play play{{"app.log"}};
    std::string written = text("a1\n");
    play.folder.write("app.log", written + room);
    play.run(3);
    CHECK(play.sink.all == written);
    CHECK(play.last.caught_up);
    written += text("b1 longer than the padding that counts\n");
    play.folder.write("app.log", written + room.substr(written.size()));
    age(play, "app.log", -5);
    play.run(3);
    CHECK(play.sink.all == written);
    play.restart();
    play.run(2);
    CHECK(play.sink.all == written);
    written += text("c1\n");
    play.folder.write("app.log", written + room.substr(written.size()));
    age(play, "app.log", -10);
    play.run(2);
    CHECK(play.sink.all == written);
    play.folder.rename("app.log", "app.log.1");
    play.folder.write("app.log", text("d1\n"));
    age(play, "app.log", -15);
    play.run(3);
    CHECK(play.sink.all == written + text("d1\n"));
    CHECK(play.run(3) == "");
    CHECK(play.notes() == "");
  }
}

TEST_CASE("FileSource: a hole that a truncation left at the beginning is passed over") {
  Play play{{"app.log"}};
  play.folder.write("app.log", "");
  play.run();
  std::filesystem::resize_file(play.folder / "app.log", 3'000'000);
  play.folder.append("app.log", "a1\n");
  for (int i = 0; i < 8; ++i) play.run();
  CHECK(play.sink.all.size() == 3'000'003);
  CHECK(play.sink.all.substr(3'000'000) == "a1\n");
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
