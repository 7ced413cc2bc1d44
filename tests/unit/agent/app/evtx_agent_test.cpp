// Copies of a Windows event log in the whole agent.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "tests/support/evtx_writer.h"
#include "tests/unit/agent/app/agent_world.h"

namespace meldevakt::agent {
namespace {

using meldevakt::testing::EvtxWriter;
using meldevakt::testing::TempFolder;
using testing::AgentWorld;

constexpr std::size_t kEvents = 12;
constexpr Instant kFirst{1'675'242'800'000};

std::string source_of(const std::string& files) {
  return "[[tenant]]\nname = \"A\"\n[[source]]\nname = \"system\"\nfiles = [\"" + files +
         "\"]\npack = \"windows-events\"\n";
}

std::string copy_of(std::size_t from, std::size_t to) {
  EvtxWriter log;
  log.events_a_chunk = 5;
  log.next_record = from + 1;
  log.time_ms = kFirst.ms + static_cast<std::int64_t>(from) * 1000;
  log.add(to - from, {});
  return log.file();
}

// As Windows renders a live event: on one line, with the digits that it has.
std::string rendered(std::size_t number) {
  std::string time = to_rfc3339(kFirst + seconds(static_cast<std::int64_t>(number)));
  time.insert(time.size() - 1, "0000");
  return "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider "
         "Name='disk'/><EventID Qualifiers='32772'>153</EventID><Level>3</Level><TimeCreated "
         "SystemTime='" +
         time + "'/><EventRecordID>" + std::to_string(number + 1) +
         "</EventRecordID><Channel>System</Channel><Computer>app01</Computer></System>"
         "<EventData></EventData></Event>\n";
}

// The ids of the windows told; how many records they tell of.
struct Told {
  std::set<std::string> ids;
  std::uint64_t records = 0;
};
Told told_by(AgentWorld& w) {
  Told out;
  for (const auto& [id, fact] : w.collector.tenants.at("t1").facts) {
    const auto* window = std::get_if<WindowFact>(&fact.what);
    if (window == nullptr) continue;
    out.ids.insert(id);
    for (const WindowFact::Count& count : window->signals) out.records += count.count;
  }
  return out;
}

TEST_CASE("Agent: copies of an event log, killed in between: 0 lost, 0 doubled, no claim beyond") {
  const TempFolder folder;
  AgentWorld w{source_of(folder / "System*.evtx")};
  w.enrol("t1", "A");
  for (std::size_t to = 3; to <= kEvents; to += 3) {
    folder.write("System-" + std::to_string(to % 2) + ".evtx", copy_of(to < 6 ? 0 : to - 6, to));
    w.start();
    w.run(milliseconds(to % 2 == 0 ? 2500 : 6000));
    w.start();
    w.run(seconds(7));
  }
  w.run(seconds(80));
  CHECK(told_by(w).records == kEvents);
  CHECK(w.logged("ERROR") == 0);
  Instant claimed;
  for (const Statement& statement : w.collector.tenants.at("t1").statements) {
    for (const SourceCoverage& source : statement.sources) {
      if (source.id != "system") continue;
      CHECK(source.kind == "events");
      if (source.complete) claimed = std::max(claimed, source.complete->to);
    }
  }
  CHECK(claimed > kFirst);
  CHECK(claimed <= kFirst + seconds(kEvents));
}

TEST_CASE("Agent: an event has the same fact in a copy of the log and as Windows renders it") {
  const TempFolder folder;
  folder.write("System.evtx", copy_of(0, kEvents));
  std::string xml;
  for (std::size_t i = 0; i < kEvents; ++i) xml += rendered(i);
  folder.write("System.xml", xml);
  const auto told = [&](const std::string& file) {
    AgentWorld w{source_of(folder / file)};
    w.enrol("t1", "A");
    w.start();
    w.run(seconds(90));
    return told_by(w);
  };
  const Told copy = told("System.evtx");
  CHECK(copy.records == kEvents);
  CHECK_FALSE(copy.ids.empty());
  CHECK(copy.ids == told("System.xml").ids);
}

}  // namespace
}  // namespace meldevakt::agent
