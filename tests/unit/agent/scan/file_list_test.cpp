#include "agent/scan/file_list.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "../temp_folder.h"

namespace meldevakt::agent {
namespace {

TEST_CASE("list_files: files, folders and globs, each file once, in a fixed order") {
  const testing::TempFolder folder;
  std::filesystem::create_directories(folder / "logg/under/dypt");
  for (const char* name : {"logg/b.log", "logg/a.log", "logg/under/dypt/c.log.gz", "enkel.log",
                           "enkel.log.1", "annet.txt"}) {
    folder.write(name, "12345");
  }
  std::filesystem::create_directory_symlink(folder / "logg", folder / "logg/under/ring");
  std::filesystem::create_symlink(folder / "annet.txt", folder / "logg/lenke");

  const FileList list = list_files({folder / "logg", folder / "enkel.log*", folder / "enkel.log"});
  const std::vector<std::string> want{folder / "logg/a.log", folder / "logg/b.log",
                                      folder / "logg/lenke", folder / "logg/under/dypt/c.log.gz",
                                      folder / "enkel.log",  folder / "enkel.log.1"};
  CHECK(list.files == want);
  CHECK(list.bytes == 30);
  CHECK(list.problems.empty());
}

TEST_CASE("list_files: what is not there is told") {
  const testing::TempFolder folder;
  folder.write("a.log", "");
  const FileList list =
      list_files({folder / "ikke-der", folder / "*.gz", folder / "a.log", "/dev/null"});
  CHECK(list.files == std::vector<std::string>{folder / "a.log"});
  REQUIRE(list.problems.size() == 3);
  CHECK(list.problems[0].file == folder / "ikke-der");
  CHECK(list.problems[2].what == "not a regular file");
}

}  // namespace
}  // namespace meldevakt::agent
