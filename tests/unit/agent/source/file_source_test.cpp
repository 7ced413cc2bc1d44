// Each case plays a story with real files and states what the sink was told, as one string.
#include "tests/unit/agent/source/file_source_play.h"

namespace meldevakt::agent {
namespace {

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

TEST_CASE("FileSource: each file is said to be a part of its log") {
  Play play{{"app-*.log", "app-*.log.1"}};
  play.folder.write("app-1.log.1", "a\n");
  play.folder.write("app-1.log", "b\n");
  play.folder.write("app-2.log", "c\n");
  age(play, "app-1.log.1", 60);
  age(play, "app-1.log", 50);
  play.run();
  CHECK(play.sink.logs == std::vector<std::string>{"app-1.log", "app-1.log", "app-2.log"});
}

TEST_CASE("FileSource: it says which logs have unread bytes before it hands on any") {
  Play play{{"app-*.log", "app-*.log.1"}};
  play.folder.write("app-1.log.1", "a1\n");
  play.folder.write("app-1.log", "b1\n");
  age(play, "app-1.log.1", 60);
  age(play, "app-1.log", 50);
  play.bytes_max = 3;
  play.turn();
  CHECK(play.sink.unreads == std::vector<std::string>{"one app-1.log app-1.log"});
  play.folder.write("app-2.log", "c1\n");
  play.sink.unreads.clear();
  play.turn();
  play.turn();
  play.turn();
  CHECK(play.sink.unreads ==
        std::vector<std::string>{"several app-1.log app-2.log", "several app-2.log", "several"});
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
  CHECK(play.run(3) == (seen_half_way ? "A:a3\n A~ +B B:b1\n " : "A:a2\n A~ +B B:b1\n "));
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

TEST_CASE("FileSource: a copy that was read to its end is over, though nothing follows it yet") {
  Play play{{"app.log*"}};
  const std::string first = block('a', 3000);
  play.folder.write("app.log", first);
  CHECK(play.run() == "+A A:" + first + " ");
  play.folder.append("app.log", "a2\n");
  std::filesystem::copy_file(play.folder / "app.log", play.folder / "app.log.1");
  play.folder.write("app.log", "");
  const std::string told = play.run(3);
  CHECK(told.find("A:a2\n ") != std::string::npos);
  CHECK(told.find("A~") != std::string::npos);
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
  CHECK(play.run(3) == "+A@3000 A:a2\n A~ +B B:b1\n ");
}

TEST_CASE("FileSource: what is over is ended before the first byte of what follows it is read") {
  Play play{{"app.log"}};
  play.folder.write("app.log", "a1\nno end");
  CHECK(play.run() == "+A A:a1\nno end ");
  play.folder.rename("app.log", "app.log.1");
  play.folder.write("app.log", "");
  age(play, "app.log.1", 100);
  CHECK(play.run(5) == "+B ");
  play.folder.append("app.log", "b1\n");
  CHECK(play.run() == "A$ B:b1\n ");
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

}  // namespace
}  // namespace meldevakt::agent
