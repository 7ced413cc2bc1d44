// The systemd journal in the whole agent, on journals as systemd writes them.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "tests/unit/agent/app/agent_world.h"

namespace meldevakt::agent {
namespace {

using meldevakt::testing::TempFolder;
using testing::AgentWorld;

constexpr const char* kRemote = "/usr/lib/systemd/systemd-journal-remote";
// Of number 0; before the world's clock begins.
constexpr Instant kFirst{1'675'242'000'000};

// Numbers [from, to) of a kernel that tells of slow disks, a second apart, in the Journal Export
// Format.
std::string exported(int from, int to, Instant first) {
  std::string out;
  for (int i = from; i < to; ++i) {
    out += "__REALTIME_TIMESTAMP=" + std::to_string((first.ms + i * 1000LL) * 1000) + "\n";
    out += "__MONOTONIC_TIMESTAMP=" + std::to_string(5'000'000 + i * 1'000'000LL) + "\n";
    out += "_BOOT_ID=0123456789abcdef0123456789abcdef\n_TRANSPORT=kernel\nPRIORITY=3\n";
    out += "SYSLOG_IDENTIFIER=kernel\nMESSAGE=INFO: task worker:" + std::to_string(1000 + i) +
           " blocked for more than 120 seconds.\n\n";
  }
  return out;
}

bool can_write_journals() {
  if (::access(kRemote, X_OK) == 0) return true;
  MESSAGE("skipped: no " << kRemote);
  return false;
}

void write_journal(const TempFolder& folder, int from, int to, Instant first = kFirst) {
  folder.write("in.export", exported(from, to, first));
  std::filesystem::create_directories(folder / "journal");
  const std::string command = std::string{kRemote} + " -o '" + (folder / "journal/remote.journal") +
                              "' '" + (folder / "in.export") + "' >/dev/null 2>&1";
  REQUIRE(std::system(command.c_str()) == 0);
}

std::string journal_source(const TempFolder& folder) {
  return "[[tenant]]\nname = \"A\"\n[[source]]\nname = \"os\"\njournal = [\"kernel\"]\n"
         "journal_folder = \"" +
         (folder / "journal") + "\"\n";
}

// How many records the windows of a source tell of.
std::uint64_t signals_told(AgentWorld& w, std::string_view source) {
  std::uint64_t told = 0;
  for (const auto& [id, fact] : w.collector.tenants.at("t1").facts) {
    const auto* window = std::get_if<WindowFact>(&fact.what);
    if (window == nullptr || fact.source != source) continue;
    for (const WindowFact::Count& count : window->signals) told += count.count;
  }
  return told;
}

std::set<EventGap> gaps_of(AgentWorld& w, std::string_view source) {
  std::set<EventGap> out;
  for (const Statement& statement : w.collector.tenants.at("t1").statements) {
    for (const SourceCoverage& coverage : statement.sources) {
      if (coverage.id != source) continue;
      for (const auto& gap : coverage.event_gaps) out.insert(gap);
    }
  }
  return out;
}

TEST_CASE("Agent: the journal, killed and rotated: 0 lost, 0 doubled, no gap") {
  if (!can_write_journals()) return;
  const TempFolder folder;
  write_journal(folder, 0, 40);
  AgentWorld w{journal_source(folder)};
  w.enrol("t1", "A");
  testing::SeededRandom kills{7};
  for (int i = 40; i < 100; i += 10) {
    w.start();
    w.run(milliseconds(100 + 100 * static_cast<std::int64_t>(kills.below(12))));
    if (i == 60) folder.rename("journal/remote.journal", "journal/remote@1.journal");
    write_journal(folder, i, i + 10);  // while it runs, or while it does not
    if (kills.below(2) == 0) w.agent.reset();
  }
  w.start();
  w.run(seconds(90));
  CHECK(signals_told(w, "os") == 100);
  CHECK(gaps_of(w, "os").empty());
  CHECK(w.logged("ERROR") == 0);
}

TEST_CASE("Agent: a journal that was vacuumed while the agent was down is a gap, and is said") {
  if (!can_write_journals()) return;
  const TempFolder folder;
  write_journal(folder, 0, 20);
  AgentWorld w{journal_source(folder)};
  w.enrol("t1", "A");
  w.start();
  w.run(seconds(30));
  w.agent.reset();
  const Instant stopped = w.clock.now();
  write_journal(folder, 20, 40, stopped);  // from 20 seconds after the stop on
  folder.rename("journal/remote.journal", "journal/remote@1.journal");
  write_journal(folder, 40, 60, stopped);
  w.clock.advance(seconds(70));
  folder.remove("journal/remote@1.journal");
  w.start();
  w.run(seconds(90));
  CHECK(signals_told(w, "os") == 40);
  const std::set<EventGap> gaps = gaps_of(w, "os");
  REQUIRE(gaps.size() == 1);
  CHECK(gaps.begin()->span.from <= stopped + seconds(20));
  CHECK(gaps.begin()->span.to >= stopped + seconds(40));
  CHECK(w.logged("is gone that was not read") == 1);
}

TEST_CASE("Agent: the journal and an exported copy of it tell facts with the same ids") {
  if (!can_write_journals()) return;
  if (std::system("journalctl --version >/dev/null 2>&1") != 0) {
    MESSAGE("skipped: no journalctl");
    return;
  }
  const TempFolder folder;
  write_journal(folder, 0, 20);
  const std::string command = "journalctl -D '" + (folder / "journal") + "' -o json >'" +
                              (folder / "copy.json") + "' 2>/dev/null";
  REQUIRE(std::system(command.c_str()) == 0);
  const auto ids = [&](const std::string& source) {
    AgentWorld w{source};
    w.enrol("t1", "A");
    w.start();
    w.run(seconds(90));
    CHECK(signals_told(w, "os") == 20);
    std::set<std::string> out;
    for (const auto& [id, fact] : w.collector.tenants.at("t1").facts) out.insert(id);
    return out;
  };
  const std::set<std::string> live = ids(journal_source(folder));
  CHECK(live.size() == 1);
  CHECK(live == ids("[[tenant]]\nname = \"A\"\n[[source]]\nname = \"os\"\nfiles = [\"" +
                    (folder / "copy.json") + "\"]\npack = \"linux-journal-json\"\n"));
}

}  // namespace
}  // namespace meldevakt::agent
