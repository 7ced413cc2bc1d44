#include "common/testing/memory_disk.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace meldevakt::testing {
namespace {

TEST_CASE("MemoryFile: a power cut keeps what was synced and a prefix of what waits, in order") {
  for (std::size_t torn = 0; torn <= 9; ++torn) {
    CAPTURE(torn);
    MemoryFile file;
    file.write(0, "synced");
    file.sync();
    file.write(0, "ABC");     // over the old bytes
    file.write(8, "DEFGHI");  // behind a hole
    CHECK(file.seen() == std::string("ABCced\0\0DEFGHI", 14));
    file.power_cut(torn);
    std::string want = std::string{"ABC"}.substr(0, torn) +
                       std::string{"synced"}.substr(std::min<std::size_t>(torn, 3));
    if (torn > 3) want += std::string(2, '\0') + std::string{"DEFGHI"}.substr(0, torn - 3);
    CHECK(file.seen() == want);
    file.power_cut(100);  // nothing waits any more
    CHECK(file.seen() == want);
  }
}

TEST_CASE("MemoryFile: a truncation waits like a write") {
  MemoryFile file;
  file.write(0, "0123456789");
  file.sync();
  file.truncate(4);
  CHECK(file.seen() == "0123");
  MemoryFile cut = file;
  cut.power_cut(0);
  CHECK(cut.seen() == "0123456789");
  file.sync();
  file.power_cut(0);
  CHECK(file.seen() == "0123");
}

TEST_CASE("MemoryFile: a failed sync is not made good by a later one") {
  MemoryFile file;
  file.write(0, "old");
  file.sync();
  file.write(0, "new");
  file.lose_sync();
  CHECK(file.seen() == "new");  // programs still see it
  file.write(3, "!");
  file.sync();
  file.power_cut(100);
  CHECK(file.seen() == "old!");
}

TEST_CASE("MemoryDisk: names are durable only after their own sync") {
  MemoryDisk disk;
  disk.create("a")->write(0, "a");
  disk.find("a")->sync();
  disk.sync_names();
  disk.create("b")->write(0, "b");
  disk.find("b")->sync();
  disk.remove("a");
  CHECK(disk.find("a") == nullptr);
  disk.power_cut(0);
  REQUIRE(disk.find("a") != nullptr);
  CHECK(disk.find("a")->seen() == "a");
  CHECK(disk.find("b") == nullptr);

  disk.remove("a");
  disk.sync_names();
  disk.power_cut(0);
  CHECK(disk.find("a") == nullptr);
}

}  // namespace
}  // namespace meldevakt::testing
