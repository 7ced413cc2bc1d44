#include "agent/scan/quiet_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "../temp_folder.h"

namespace meldevakt::agent {
namespace {

struct Descriptor {
  explicit Descriptor(const std::string& path) : number{::open(path.c_str(), O_RDWR)} {}
  ~Descriptor() { ::close(number); }
  int number;
};

std::size_t pages_in_memory(const Descriptor& file, std::size_t bytes) {
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file.number, 0);
  REQUIRE(mapped != MAP_FAILED);
  std::vector<unsigned char> pages((bytes + 4095) / 4096);
  REQUIRE(::mincore(mapped, bytes, pages.data()) == 0);
  ::munmap(mapped, bytes);
  return static_cast<std::size_t>(
      std::count_if(pages.begin(), pages.end(), [](unsigned char p) { return (p & 1U) != 0; }));
}

std::string read_all(QuietFile& file) {
  std::string out;
  std::string buffer(100'000, '\0');
  while (true) {
    const auto got = file.read(buffer.data(), buffer.size());
    REQUIRE(got.has_value());
    if (got.value() == 0) return out;
    out.append(buffer, 0, got.value());
  }
}

TEST_CASE("QuietFile: leaves the page cache as it found it") {
  const testing::TempFolder folder;
  constexpr std::size_t kBytes = 24 * 1024 * 1024;
  const std::string text(kBytes, 'x');
  folder.write("kald", text);
  const Descriptor file{folder / "kald"};
  REQUIRE(::fsync(file.number) == 0);
  REQUIRE(::posix_fadvise(file.number, 0, 0, POSIX_FADV_DONTNEED) == 0);
  if (pages_in_memory(file, kBytes) > 0) {
    MESSAGE("this file system keeps everything in memory: nothing to be seen here");
    return;
  }
  // One megabyte in the middle was in use before.
  REQUIRE(::posix_fadvise(file.number, 0, 0, POSIX_FADV_RANDOM) == 0);
  std::string warm(1024 * 1024, '\0');
  REQUIRE(::pread(file.number, warm.data(), warm.size(), 8 * 1024 * 1024) ==
          static_cast<ssize_t>(warm.size()));
  const std::size_t before = pages_in_memory(file, kBytes);
  REQUIRE(before >= 256);
  {
    auto quiet = QuietFile::open(folder / "kald");
    REQUIRE(quiet.has_value());
    CHECK(read_all(*quiet.value()) == text);
  }
  const std::size_t after = pages_in_memory(file, kBytes);
  CHECK(after + 64 >= before);  // what was in use stays; a system short of memory takes some itself
  CHECK(after <= before + 64);  // what was not is not brought in
}

TEST_CASE(
    "QuietFile: going forth and back, as an archive's directory asks, leaves no trace either") {
  const testing::TempFolder folder;
  constexpr std::size_t kBytes = 40 * 1024 * 1024;
  const std::string text(kBytes, 'y');
  folder.write("kald", text);
  const Descriptor file{folder / "kald"};
  REQUIRE(::fsync(file.number) == 0);
  REQUIRE(::posix_fadvise(file.number, 0, 0, POSIX_FADV_DONTNEED) == 0);
  if (pages_in_memory(file, kBytes) > 0) return;
  {
    auto quiet = QuietFile::open(folder / "kald");
    REQUIRE(quiet.has_value());
    std::string end(1000, '\0');
    quiet.value()->seek(kBytes - 1000);
    REQUIRE(quiet.value()->read(end.data(), end.size()).value() == 1000);
    quiet.value()->seek(0);
    CHECK(read_all(*quiet.value()) == text);
  }
  CHECK(pages_in_memory(file, kBytes) <= 64);
}

TEST_CASE("QuietFile: reads what was there when it was opened, and no further") {
  const testing::TempFolder folder;
  folder.write("vokser", "en linje\n");
  auto quiet = QuietFile::open(folder / "vokser");
  REQUIRE(quiet.has_value());
  folder.append("vokser", "og en til\n");
  CHECK(read_all(*quiet.value()) == "en linje\n");

  folder.write("krymper", std::string(50'000, 'a'));
  auto shrinks = QuietFile::open(folder / "krymper");
  REQUIRE(shrinks.has_value());
  folder.write("krymper", "kort");
  CHECK(read_all(*shrinks.value()) == "kort");
}

TEST_CASE("QuietFile: only regular files, and opening never waits") {
  const testing::TempFolder folder;
  CHECK(QuietFile::open(folder / "mangler").error().code() == Errc::kNotFound);
  CHECK(QuietFile::open(folder.path()).error().code() == Errc::kInvalid);
  CHECK(QuietFile::open("/dev/zero").error().code() == Errc::kInvalid);
}

}  // namespace
}  // namespace meldevakt::agent
