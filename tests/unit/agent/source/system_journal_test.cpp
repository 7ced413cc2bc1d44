// Journals as systemd writes them, made with systemd-journal-remote.
#include "agent/source/system_journal.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/unit/agent/source/journal_world.h"
#include "tests/unit/agent/temp_folder.h"

namespace meldevakt::agent {
namespace {

using meldevakt::testing::TempFolder;
using testing::JournalPlay;

constexpr const char* kRemote = "/usr/lib/systemd/systemd-journal-remote";

// In the Journal Export Format; the third of each four is no UTF-8.
std::string exported(int from, int to) {
  std::string out;
  for (int i = from; i < to; ++i) {
    out += "__REALTIME_TIMESTAMP=" + std::to_string(1'675'217'662'000'000 + i * 1000) + "\n";
    out += "__MONOTONIC_TIMESTAMP=" + std::to_string(5'000'000 + i * 1000) + "\n";
    out += "_BOOT_ID=" + testing::id_of(i < 25 ? 31 : 32) + "\n";
    out += "_SYSTEMD_UNIT=app.service\nPRIORITY=4\n";
    const std::string message = "entry " + std::to_string(i);
    if (i % 4 == 2) {
      const std::string binary = message + "\xe6";
      std::string size(8, '\0');
      size[0] = static_cast<char>(binary.size());
      out += "MESSAGE\n" + size + binary + "\n\n";
    } else {
      out += "MESSAGE=" + message + "\n\n";
    }
  }
  return out;
}

// Whether it could be done: where there is no systemd-journal-remote there is nothing to test with.
bool write_journal(const TempFolder& folder, int from, int to) {
  if (::access(kRemote, X_OK) != 0) {
    MESSAGE("skipped: no " << kRemote);
    return false;
  }
  folder.write("in.export", exported(from, to));
  std::filesystem::create_directories(folder / "journal");
  const std::string command = std::string{kRemote} + " -o '" + (folder / "journal/remote.journal") +
                              "' '" + (folder / "in.export") + "' >/dev/null 2>&1";
  REQUIRE(std::system(command.c_str()) == 0);
  return true;
}

std::size_t entries_told(const JournalPlay& play) {
  const std::vector<std::string> lines = play.lines();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(lines[i]);
    const std::string text = "entry " + std::to_string(i);
    const bool as_bytes = lines[i].find("\"MESSAGE\":[101,110,116") != std::string::npos;
    CHECK((as_bytes || lines[i].find(text + "\"") != std::string::npos));
    CHECK(as_bytes == (i % 4 == 2));
  }
  return lines.size();
}

JournalPlay play_of(const TempFolder& folder) {
  return JournalPlay{open_system_journal(folder / "journal"),
                     parse_journal_filter({"app"}, {}).value()};
}

TEST_CASE("system journal: several boots, killed at every commit, rotated in between") {
  const TempFolder folder;
  if (!write_journal(folder, 0, 40)) return;
  JournalPlay play = play_of(folder);
  for (int polls = 0; polls < 12; ++polls) {
    static_cast<void>(play.poll(1000));
    if (polls % 2 == 0) play.commit(static_cast<std::size_t>(polls % 3));
    play.kill();
  }
  play.poll_all();
  CHECK(entries_told(play) == 40);
  play.commit();

  folder.rename("journal/remote.journal", "journal/remote@1.journal");
  REQUIRE(write_journal(folder, 40, 50));
  play.poll_all();  // running
  CHECK(entries_told(play) == 50);
  play.kill();
  REQUIRE(write_journal(folder, 50, 60));
  play.poll_all();  // stopped
  CHECK(entries_told(play) == 60);
  CHECK(play.told.cuts == 0);
  CHECK(play.told.order.size() == 1);
}

TEST_CASE("system journal: what was vacuumed is a gap when it was not read, and none when it was") {
  for (const bool was_read : {true, false}) {
    CAPTURE(was_read);
    const TempFolder folder;
    if (!write_journal(folder, 0, 20)) return;
    JournalPlay play = play_of(folder);
    if (was_read) {
      play.poll_all();
    } else {
      static_cast<void>(play.poll(1000));
    }
    play.commit();
    const std::size_t before = play.lines().size();
    CHECK((before == 20) == was_read);
    folder.rename("journal/remote.journal", "journal/remote@1.journal");
    REQUIRE(write_journal(folder, 20, 30));
    if (was_read) play.poll_all();
    if (was_read) play.commit();
    folder.remove("journal/remote@1.journal");
    play.kill();
    play.poll_all();
    CHECK(play.lines().size() == before + 10);
    CHECK(play.told.cuts == (was_read ? 0 : 1));
  }
}

TEST_CASE("system journal: a damaged file costs no other file anything") {
  const TempFolder folder;
  if (!write_journal(folder, 0, 20)) return;
  folder.rename("journal/remote.journal", "journal/remote@1.journal");
  REQUIRE(write_journal(folder, 20, 30));
  std::string bytes = folder.read("journal/remote@1.journal");
  for (std::size_t at = 300; at < bytes.size(); at += 7) bytes[at] = '\x5a';
  folder.write("journal/remote@1.journal", bytes);
  JournalPlay play = play_of(folder);
  play.poll_all();
  CHECK(play.lines().size() >= 10);
}

TEST_CASE("system journal: where there is none, or no libsystemd, it says so") {
  const TempFolder folder;
  JournalPlay play = play_of(folder);
  const SourceTurn turn = play.poll(1000);
  CHECK(turn.state == ReadState::kAbsent);
  CHECK(turn.reason == "no_journal");
  const auto opened = open_system_journal("", "libsystemd-of-nobody.so.0")();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code() == Errc::kNotFound);
  CHECK(opened.error().message().find("install the package libsystemd0") != std::string::npos);
}

}  // namespace
}  // namespace meldevakt::agent
