// Reading once more what was handed on: wherever rotation has brought the file, and never anything
// else than what was read.
#include <string>

#include "tests/unit/agent/packed.h"
#include "tests/unit/agent/source/file_source_play.h"

namespace meldevakt::agent {
namespace {

std::string again(Play& play, std::uint64_t from, std::size_t size) {
  const auto bytes = play.reader().read_again(play.sink.keys.at(0), from, size);
  if (bytes) return bytes.value();
  return bytes.error().code() == Errc::kNotFound ? "gone" : bytes.error().message();
}

TEST_CASE("FileSource::read_again: as it lies there, and after a restart") {
  Play play{{"app.log"}};
  play.folder.write("app.log", "en\nto\ntre\n");
  play.run();
  CHECK(again(play, 0, 100) == "en\nto\ntre\n");
  CHECK(again(play, 3, 4) == "to\nt");
  CHECK(again(play, 10, 4) == "gone");
  CHECK(play.reader().path_of(play.sink.keys[0]) == play.folder / "app.log");
  play.restart();
  play.run();
  CHECK(again(play, 3, 4) == "to\nt");
  CHECK(play.reader().read_again("no such key", 0, 4).error().code() == Errc::kNotFound);
  CHECK(play.reader().path_of("no such key").empty());
}

TEST_CASE("FileSource::read_again: renamed, and followed by another") {
  Play play{{"app.log"}};
  play.folder.write("app.log", "en\nto\ntre\n");
  play.run();
  play.folder.rename("app.log", "app.log.1");
  play.folder.write("app.log", "fire\n");
  play.run(30);
  CHECK(again(play, 3, 4) == "to\nt");
  CHECK(play.reader().path_of(play.sink.keys[0]) == play.folder / "app.log.1");
  play.restart();
  play.run(3);
  CHECK(again(play, 3, 4) == "to\nt");
}

TEST_CASE("FileSource::read_again: packed by rotation, it is read out of the archive") {
  struct Case {
    Compression compression;
    const char* name;
  };
  for (const Case& c :
       {Case{Compression::kGzip, "app.log.1.gz"}, Case{Compression::kBzip2, "app.log.1.bz2"},
        Case{Compression::kZstandard, "app.log.1.zst"}, Case{Compression::kZip, "app.log.1.zip"}}) {
    const std::string name = c.name;
    CAPTURE(name);
    Play play{{"app.log"}};
    const std::string text = "en\nto\ntre\n" + block('x', 100'000);
    play.folder.write("app.log", text);
    play.run();
    const auto time = std::filesystem::last_write_time(play.folder / "app.log");
    play.folder.write(c.name, packed(c.compression, text));
    std::filesystem::last_write_time(play.folder / c.name, time);
    std::filesystem::remove(play.folder / "app.log");
    play.folder.write("app.log", "fire\n");
    play.run(50);
    CHECK(again(play, 3, 4) == "to\nt");
    CHECK(again(play, 3, 50'000) == text.substr(3, 50'000));
    play.restart();  // its name is gone, and with the run what was known of it
    play.run(3);
    CHECK(again(play, 3, 4) == "gone");
  }
}

TEST_CASE("FileSource::read_again: deleted, or truncated and filled anew, it is gone") {
  Play play{{"app.log"}};
  play.folder.write("app.log", "en\nto\ntre\n");
  play.run();
  SUBCASE("deleted while the agent was stopped") {
    play.commit();
    std::filesystem::remove(play.folder / "app.log");
    play.crash();
    play.run(50);
    CHECK(again(play, 3, 4) == "gone");
  }
  SUBCASE("truncated and filled with as much") {
    play.folder.write("app.log", "1n\n2o\n3re\n");
    CHECK(again(play, 3, 4) == "gone");
    play.run(3);
    CHECK(again(play, 3, 4) == "gone");
  }
}

}  // namespace
}  // namespace meldevakt::agent
