#include "common/platform/disk.h"

#include <doctest/doctest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/common/platform/temporary_folder.h"

namespace meldevakt {
namespace {

using testing::TemporaryFolder;

bool says(const Error& error, std::string_view part) {
  return error.message().find(part) != std::string::npos;
}

unsigned mode_of(const std::string& path) {
  struct stat state {};
  REQUIRE(::stat(path.c_str(), &state) == 0);
  return state.st_mode & 07777U;
}

// Runs in a child of its own: limits, identities and locks there are not ours. Returns its status.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(body());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_CASE("read_file: the bytes, or why not") {
  const TemporaryFolder folder;
  const std::string path = folder / "fil æøå";
  const std::string bytes{"a\0b\r\n\xff", 6};
  REQUIRE(write_file_atomically(path, bytes, FileMode::kEveryoneReads, Replace::kNever));
  const auto whole = read_file(path, 6);
  REQUIRE(whole);
  CHECK(whole.value() == bytes);

  struct Case {
    std::string path;
    std::size_t bytes_max;
    Errc code;
    std::string_view words;
  };
  const std::vector<Case> cases{
      {path, 5, Errc::kLimit, "5 bytes"},
      {path, 0, Errc::kLimit, "0 bytes"},
      {folder / "none", 10, Errc::kNotFound, "No such file or directory"},
      {path + "/below", 10, Errc::kNotFound, "Not a directory"},
      {folder.path(), 10, Errc::kInvalid, "Is a directory"},
      {folder / std::string(300, 'x'), 10, Errc::kInvalid, "File name too long"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.path);
    const auto result = read_file(c.path, c.bytes_max);
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == c.code);
    CHECK(says(result.error(), c.path));
    CHECK(says(result.error(), c.words));
  }
}

TEST_CASE("read_file: longer than one buffer, and exactly the limit") {
  const TemporaryFolder folder;
  for (const std::size_t size : {0U, 1U, 16'383U, 16'384U, 16'385U, 100'000U}) {
    CAPTURE(size);
    const std::string path = folder / std::to_string(size);
    REQUIRE(
        write_file_atomically(path, std::string(size, 'x'), FileMode::kOwnerOnly, Replace::kNever));
    const auto whole = read_file(path, size);
    REQUIRE(whole);
    CHECK(whole.value().size() == size);
    if (size > 0) CHECK_FALSE(read_file(path, size - 1));
  }
}

TEST_CASE("read_secret_file: only when nobody else may open it") {
  const TemporaryFolder folder;
  const std::string path = folder / "secret";
  REQUIRE(write_file_atomically(path, "s", FileMode::kOwnerOnly, Replace::kNever));
  for (unsigned mode = 0; mode < 01000; ++mode) {
    if ((mode & 0400U) == 0) continue;
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const auto result = read_secret_file(path, 10);
    CAPTURE(mode);
    REQUIRE(result.has_value() == ((mode & 077U) == 0));
    if (result) continue;
    CHECK(result.error().code() == Errc::kInvalid);
    CHECK(says(result.error(), "chmod 600 '" + path + "'"));
  }
  CHECK(read_secret_file(folder / "none", 10).error().code() == Errc::kNotFound);
  CHECK(read_secret_file(folder.path(), 10).error().code() == Errc::kInvalid);
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  CHECK(read_secret_file(path, 0).error().code() == Errc::kLimit);
}

TEST_CASE("write_file_atomically: the mode is the one asked for, whatever the umask") {
  const TemporaryFolder folder;
  for (const mode_t mask : {0000U, 0022U, 0077U}) {
    CAPTURE(mask);
    const mode_t before = ::umask(mask);
    const std::string name = std::to_string(mask);
    CHECK(write_file_atomically(folder / ("o" + name), "x", FileMode::kOwnerOnly, Replace::kNever));
    CHECK(write_file_atomically(folder / ("e" + name), "x", FileMode::kEveryoneReads,
                                Replace::kNever));
    ::umask(before);
    CHECK(mode_of(folder / ("o" + name)) == 0600);
    CHECK(mode_of(folder / ("e" + name)) == 0644);
  }
}

TEST_CASE("write_file_atomically: replaces when it may, and never leaves anything else") {
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  REQUIRE(write_file_atomically(path, "one", FileMode::kEveryoneReads, Replace::kNever));
  const Status refused = write_file_atomically(path, "two", FileMode::kOwnerOnly, Replace::kNever);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kExists);
  CHECK(says(refused.error(), path));
  CHECK(read_file(path, 10).value() == "one");
  REQUIRE(write_file_atomically(path, "three", FileMode::kOwnerOnly, Replace::kAllowed));
  CHECK(read_file(path, 10).value() == "three");
  CHECK(mode_of(path) == 0600);
  CHECK(folder.names() == std::vector<std::string>{"f"});
}

TEST_CASE("write_file_atomically: paths that cannot be") {
  const TemporaryFolder folder;
  REQUIRE(write_file_atomically(folder / "file", "x", FileMode::kOwnerOnly, Replace::kNever));
  REQUIRE(::mkdir((folder / "sub").c_str(), 0700) == 0);
  struct Case {
    std::string path;
    std::string_view words;
  };
  const std::vector<Case> cases{
      {folder / "file/below", "Not a directory"},
      {folder / "none/below", "No such file or directory"},
      {folder / "sub", "Is a directory"},
      {"/proc/meldevakt-test", ""},  // a file system that makes no files, for root either
  };
  for (const Case& c : cases) {
    CAPTURE(c.path);
    const Status result =
        write_file_atomically(c.path, "secret words", FileMode::kOwnerOnly, Replace::kAllowed);
    REQUIRE_FALSE(result);
    CHECK(says(result.error(), c.path));
    CHECK(says(result.error(), c.words));
    CHECK_FALSE(says(result.error(), "secret words"));
  }
  CHECK(folder.names() == std::vector<std::string>{"file", "sub"});
}

// The child lowers the largest file it may write; SIGXFSZ off, so that write(2) answers EFBIG.
TEST_CASE("write_file_atomically: a write that fails midway leaves the old file and no other") {
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  REQUIRE(write_file_atomically(path, "old", FileMode::kOwnerOnly, Replace::kNever));
  const int status = in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = 4096, .rlim_max = 4096};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    const Status result = write_file_atomically(path, std::string(10'000, 'x'),
                                                FileMode::kOwnerOnly, Replace::kAllowed);
    if (result) return 3;
    if (!says(result.error(), "File too large") || !says(result.error(), "LimitFSIZE")) return 4;
    return write_file_atomically(path + "2", "fits", FileMode::kOwnerOnly, Replace::kNever) ? 0 : 5;
  });
  CHECK(status == 0);
  CHECK(read_file(path, 10).value() == "old");
  CHECK(folder.names() == std::vector<std::string>{"f", "f2"});
}

TEST_CASE("write_file_atomically: a full disk") {
  const TemporaryFolder folder;
  const std::string disk = folder / "disk";
  REQUIRE(::mkdir(disk.c_str(), 0700) == 0);
  if (::mount("none", disk.c_str(), "tmpfs", 0, "size=64k") != 0) {
    MESSAGE("skipped: mounting a small tmpfs is not permitted here");
    return;
  }
  const Status old =
      write_file_atomically(disk + "/f", "old", FileMode::kOwnerOnly, Replace::kNever);
  const Status full = write_file_atomically(disk + "/f", std::string(200'000, 'x'),
                                            FileMode::kOwnerOnly, Replace::kAllowed);
  const auto kept = read_file(disk + "/f", 10);
  const Status again = write_file_atomically(disk + "/f", std::string(40'000, 'y'),
                                             FileMode::kOwnerOnly, Replace::kAllowed);
  CHECK(::umount(disk.c_str()) == 0);
  CHECK(old);
  REQUIRE_FALSE(full);
  CHECK(full.error().code() == Errc::kIo);
  CHECK(says(full.error(), "No space left on device; free some space"));
  REQUIRE(kept);
  CHECK(kept.value() == "old");
  CHECK(again);  // what the failed attempt took was given back
}

TEST_CASE("write_file_atomically: a folder we may not write into") {
  const TemporaryFolder folder;
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  REQUIRE(write_file_atomically(folder / "f", "old", FileMode::kOwnerOnly, Replace::kNever));
  const int status = in_child([&] {
    // Root may write everywhere; "nobody" (65534) may not. An ordinary user takes the right away.
    if (::geteuid() == 0 ? ::setuid(65534) != 0 : ::chmod(folder.path().c_str(), 0555) != 0) {
      return 2;
    }
    const Status result =
        write_file_atomically(folder / "g", "x", FileMode::kOwnerOnly, Replace::kNever);
    if (result || result.error().code() != Errc::kIo) return 3;
    if (!says(result.error(), "Permission denied; check the owner")) return 4;
    return 0;
  });
  CHECK(status == 0);
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  CHECK(folder.names() == std::vector<std::string>{"f"});
}

TEST_CASE("write_file_atomically: a reader sees the old or the new bytes, never a mixture") {
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  const std::string first(50'000, 'a');
  const std::string second(70'000, 'b');
  REQUIRE(write_file_atomically(path, first, FileMode::kOwnerOnly, Replace::kNever));
  const pid_t writer = ::fork();
  REQUIRE(writer >= 0);
  if (writer == 0) {
    for (int i = 0; i < 40; ++i) {
      if (!write_file_atomically(path, i % 2 == 0 ? second : first, FileMode::kOwnerOnly,
                                 Replace::kAllowed)) {
        ::_exit(1);
      }
    }
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(writer, &status, WNOHANG) == 0) {
    const auto seen = read_file(path, 100'000);
    REQUIRE(seen);
    REQUIRE((seen.value() == first || seen.value() == second));
  }
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("make_private_directory: with parents, for the owner only, and ok when there") {
  const TemporaryFolder folder;
  const std::string path = folder / "a/b/c";
  REQUIRE(make_private_directory(path));
  CHECK(mode_of(folder / "a") == 0700);
  CHECK(mode_of(path) == 0700);
  CHECK(make_private_directory(path));
  CHECK(make_private_directory(path + "/"));
  CHECK(make_private_directory(folder / "x//y/"));
  CHECK(mode_of(folder / "x/y") == 0700);
  REQUIRE(::mkdir((folder / "wide").c_str(), 0755) == 0);
  CHECK(make_private_directory(folder / "wide"));

  REQUIRE(write_file_atomically(folder / "f", "x", FileMode::kOwnerOnly, Replace::kNever));
  const Status on_file = make_private_directory(folder / "f");
  REQUIRE_FALSE(on_file);
  CHECK(on_file.error().code() == Errc::kInvalid);
  CHECK(says(on_file.error(), "is a file"));
  const Status below_file = make_private_directory(folder / "f/g/h");
  REQUIRE_FALSE(below_file);
  CHECK(says(below_file.error(), "Not a directory"));
  CHECK_FALSE(make_private_directory(""));
}

TEST_CASE("ProcessLock: one process at a time, told who, free when it ends in any way") {
  const TemporaryFolder folder;
  const std::string path = folder / "lock";
  {
    auto held = ProcessLock::acquire(path);
    REQUIRE(held);
    CHECK(mode_of(path) == 0600);
    const ProcessLock moved = std::move(held).value();
    const std::string us = "process " + std::to_string(::getpid());
    const int status = in_child([&] {
      const auto second = ProcessLock::acquire(path);
      if (second) return 2;
      if (second.error().code() != Errc::kExists) return 3;
      return says(second.error(), us) && says(second.error(), path) ? 0 : 4;
    });
    CHECK(status == 0);
    CHECK_FALSE(ProcessLock::acquire(path));  // nor twice in one process
  }
  CHECK(ProcessLock::acquire(path));

  // A process that is killed while holding it.
  std::array<int, 2> ready{};
  REQUIRE(::pipe(ready.data()) == 0);
  const pid_t holder = ::fork();
  REQUIRE(holder >= 0);
  if (holder == 0) {
    const auto held = ProcessLock::acquire(path);
    [[maybe_unused]] const auto written = ::write(ready[1], held ? "1" : "0", 1);
    while (true) ::pause();
  }
  char answer = '?';
  REQUIRE(::read(ready[0], &answer, 1) == 1);
  CHECK(answer == '1');
  CHECK_FALSE(ProcessLock::acquire(path));
  REQUIRE(::kill(holder, SIGKILL) == 0);
  REQUIRE(::waitpid(holder, nullptr, 0) == holder);
  ::close(ready[0]);
  ::close(ready[1]);
  CHECK(ProcessLock::acquire(path));
}

TEST_CASE("ProcessLock: a file that cannot be opened") {
  const TemporaryFolder folder;
  const auto missing = ProcessLock::acquire(folder / "none/lock");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code() == Errc::kNotFound);
  REQUIRE(::symlink("elsewhere", (folder / "link").c_str()) == 0);
  const auto link = ProcessLock::acquire(folder / "link");
  REQUIRE_FALSE(link);
  CHECK(link.error().code() == Errc::kInvalid);
}

}  // namespace
}  // namespace meldevakt
