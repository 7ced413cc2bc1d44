// Rotated logs that were compressed: while the agent was stopped, while it ran, damaged,
// unfinished.
#include <string>

#include "tests/unit/agent/packed.h"
#include "tests/unit/agent/source/file_source_play.h"

namespace meldevakt::agent {
namespace {

std::string ending(Compression compression) {
  switch (compression) {
    case Compression::kGzip: return ".gz";
    case Compression::kBzip2: return ".bz2";
    case Compression::kZstandard: return ".zst";
    case Compression::kZip: return ".zip";
  }
  return "";
}

constexpr Compression kAll[] = {Compression::kGzip, Compression::kBzip2, Compression::kZstandard,
                                Compression::kZip};

// Rotates as logrotate does with `compress`: the newest generation is .1.gz.
void rotate_compressed(Play& play, Compression compression, int generations) {
  const std::string end = ending(compression);
  for (int i = generations; i >= 1; --i) {
    const std::string from = "app.log." + std::to_string(i) + end;
    if (std::filesystem::exists(play.folder / from)) {
      play.folder.rename(from, "app.log." + std::to_string(i + 1) + end);
    }
  }
  const auto time = std::filesystem::last_write_time(play.folder / "app.log");
  play.folder.write("app.log.1" + end, packed(compression, play.folder.read("app.log")));
  std::filesystem::last_write_time(play.folder / ("app.log.1" + end), time);
  std::filesystem::remove(play.folder / "app.log");
  play.folder.write("app.log", "");
}

TEST_CASE(
    "FileSource: generations that were compressed while it was stopped are read on, in order") {
  for (const Compression compression : kAll) {
    for (const std::size_t first_bytes : {5U, 3'000U, 2'000'000U}) {
      for (const char* glob : {"app.log", "app.log*"}) {
        CAPTURE(to_string(compression));
        CAPTURE(first_bytes);
        CAPTURE(glob);
        Play play{{glob}};
        std::string written = block('a', first_bytes);
        play.folder.write("app.log", written);
        age(play, "app.log", 1000);
        play.run(3);
        REQUIRE(play.sink.all == written);
        play.restart();
        for (int i = 0; i < 3; ++i) {
          const std::string text = "generation " + std::to_string(i) + "\n";
          play.folder.append("app.log", text);
          age(play, "app.log", 900 - i);
          written += text;
          rotate_compressed(play, compression, 5);
        }
        play.folder.append("app.log", "now\n");
        play.run(4);
        CHECK(play.sink.all == written + "now\n");
        CHECK(play.notes() == "");
        const std::string again = play.run(2);
        play.restart();
        CHECK(play.run(2).find(':') == std::string::npos);  // nothing is read a second time
        CHECK(again.find(':') == std::string::npos);
      }
    }
  }
}

TEST_CASE("FileSource: an archive made of a file that was read to its end is not read") {
  for (const Compression compression : kAll) {
    CAPTURE(to_string(compression));
    Play play{{"app.log"}};
    std::string written;
    play.folder.write("app.log", "");
    play.run();
    for (std::size_t i = 0; i < 6; ++i) {
      const std::string text = "line " + std::to_string(i) + "\n" + block('x', i * 700 + 1);
      play.folder.append("app.log", text);
      written += text;
      if (i % 2 == 0) play.run(3);  // some are compressed before their end is told
      rotate_compressed(play, compression, 8);
      if (i % 3 == 0) play.restart();
      play.run(3);
      REQUIRE(play.sink.all == written);
    }
    CHECK(play.notes() == "");
  }
}

TEST_CASE("FileSource: archives that lay there before the source was first read are left alone") {
  Play play{{"app.log*"}};
  play.folder.write("app.log.2.gz", gzipped("old\n"));
  play.folder.write("app.log.3.gz", "no gzip at all");
  play.folder.write("app.log", "a1\n");
  CHECK(play.run() == "+A A:a1\n ");
  play.folder.rename("app.log.2.gz", "app.log.4.gz");
  play.restart();
  CHECK(play.run() == "+A@3 ");
  CHECK(play.notes() == "");
}

TEST_CASE("FileSource: a damaged archive is said once and makes a gap; the rest is read") {
  Play play{{"app.log"}};
  play.folder.write("app.log", "a1\n");
  play.run();
  play.restart();
  rotate_compressed(play, Compression::kGzip, 3);
  play.folder.append("app.log", "b1\n");
  rotate_compressed(play, Compression::kGzip, 3);
  std::string damaged = play.folder.read("app.log.1.gz");
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);
  play.folder.write("app.log.1.gz", damaged);
  play.folder.append("app.log", "c1\n");
  const std::string told = play.run(3);
  CHECK(told.find("! ") != std::string::npos);
  CHECK(play.sink.all == "a1\nc1\n");
  CHECK(play.notes() ==
        "W app.log.1.gz: cannot be unpacked: its checksum does not match; what it holds was not "
        "read\n");
  play.restart();
  CHECK(play.run(2).find('!') == std::string::npos);
}

TEST_CASE("FileSource: an archive that is still being written is waited for") {
  Play play{{"app.log"}};
  const std::string first = block('a', 2'000);
  play.folder.write("app.log", first);
  play.run();
  play.restart();
  play.folder.append("app.log", "more\n");
  const std::string whole = gzipped(play.folder.read("app.log"));
  std::filesystem::remove(play.folder / "app.log");
  play.folder.write("app.log", "new\n");
  play.folder.write("app.log.1.gz", whole.substr(0, whole.size() - 9));
  CHECK(play.run(3) == "");
  CHECK(play.last.put_off);
  play.folder.write("app.log.1.gz", whole);
  play.run(3);
  CHECK(play.sink.all == first + "more\nnew\n");
  CHECK(play.notes() == "");
}

TEST_CASE("FileSource: an archive that is never finished is given up, with a gap") {
  Play play{{"app.log"}};
  const std::string first = block('a', 2'000);
  play.folder.write("app.log", first);
  play.run();
  play.restart();
  play.folder.append("app.log", "more\n");
  const std::string whole = gzipped(play.folder.read("app.log"));
  std::filesystem::remove(play.folder / "app.log");
  play.folder.write("app.log", "new\n");
  play.folder.write("app.log.1.gz", whole.substr(0, whole.size() - 9));
  play.run(2);
  play.pass(seconds(20));
  const std::string told = play.run(4);
  CHECK(told.find("A! ") != std::string::npos);
  CHECK(play.sink.all == first + "new\n");
  CHECK(play.notes().find("is lost") != std::string::npos);
}

}  // namespace
}  // namespace meldevakt::agent
