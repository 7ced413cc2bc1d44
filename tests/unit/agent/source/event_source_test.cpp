#include "agent/source/event_source.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <deque>
#include <set>

#include "common/testing/doubles.h"
#include "tests/unit/agent/source/journal_world.h"

namespace meldevakt::agent {
namespace {

using meldevakt::testing::SeededRandom;
using testing::JournalPlay;

struct Event {
  std::uint64_t record = 0;
  std::uint64_t made = 0;
};

std::string time_of(std::uint64_t made) {
  return "2023-02-01T02:" + std::to_string(10 + made / 60 % 50) + ":" +
         std::to_string(10 + made % 50) + "." + std::to_string(1'000'000 + made);
}

std::string xml_of(const Event& event) {
  return "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
         "<Provider Name='disk'/><EventID>153</EventID><TimeCreated SystemTime='" +
         time_of(event.made) + "Z'/><EventRecordID>" + std::to_string(event.record) +
         "</EventRecordID><Channel>System</Channel></System><EventData><Data>" +
         std::to_string(event.made) + "</Data></EventData></Event>";
}

// One channel; times only grow. As Windows does, a subscription whose place is gone begins with the
// oldest event there is.
class MemoryFeed final : public EventFeed {
 public:
  Status subscribe(const std::string&, const std::optional<EventPlace>& after) override {
    if (refuses) return *refuses;
    at_ = 0;
    for (std::size_t i = 0; after && i < events.size(); ++i) {
      const bool is_it = events[i].record == after->record &&
                         xml_of(events[i]).find(after->time) != std::string::npos;
      if (is_it) at_ = i + 1;
    }
    at_ -= std::min(at_, again);
    return {};
  }
  Result<std::optional<std::string>> next(const std::string&) override {
    if (at_ >= events.size()) return std::optional<std::string>{};
    return std::optional{xml_of(events[at_++])};
  }
  void add() { events.push_back({++record, ++made}); }
  void overwrite() {
    if (events.size() < 2) return;  // only newer events overwrite
    events.pop_front();
    at_ -= std::min<std::size_t>(at_, 1);
  }
  void clear() {
    events.clear();
    at_ = 0;
    record = 0;
  }

  std::deque<Event> events;
  std::uint64_t record = 0;
  std::uint64_t made = 0;
  std::size_t again = 0;  // so many events are delivered once more
  std::optional<Error> refuses;

 private:
  std::size_t at_ = 0;
};

JournalPlay play_of(MemoryFeed& feed) {
  return JournalPlay{[&feed](const std::vector<KnownFile>& known) {
    return std::make_unique<EventSource>(EventSource::Settings{"windows", {"System"}}, feed, known);
  }};
}

std::vector<std::uint64_t> told(const JournalPlay& play) {
  std::vector<std::uint64_t> out;
  for (const std::string& line : play.lines()) {
    out.push_back(std::strtoull(line.c_str() + line.find("<Data>") + 6, nullptr, 10));
  }
  return out;
}

TEST_CASE("event bookmark: read, written, and the current one of a list") {
  const EventPlace place{"A & 'B'", 811, "2023-02-01T02:14:22.1012345"};
  const auto again = parse_event_place(to_string(place));
  REQUIRE(again);
  CHECK(again.value() == place);
  const auto current = parse_bookmark(
      "<BookmarkList Direction='backward'>\r\n  <Bookmark Channel='Application' RecordId='7'/>\r\n"
      "  <Bookmark Channel='System' RecordId='811' IsCurrent='true'/>\r\n</BookmarkList>");
  REQUIRE(current);
  CHECK(current.value().channel == "System");
  CHECK(current.value().record == 811);
  for (const std::string& bad :
       {std::string{}, std::string{"<BookmarkList/>"},
        std::string{"<Bookmark Channel='' RecordId='1'/>"},
        std::string{"<Bookmark Channel='x' RecordId='-1'/>"}, std::string{"<Bookmark Channel='x'"},
        std::string(kBookmarkBytesMax + 1, '<')}) {
    CAPTURE(bad.substr(0, 60));
    CHECK_FALSE(parse_bookmark(bad));
  }
  CHECK_FALSE(parse_event_place("<BookmarkList/>"));
}

TEST_CASE("event bookmark: whatever a channel is called, and no time that is none") {
  for (const char* channel : {"A & B", "a<b>c", "it's", "Microsoft-Windows-Ntfs/Operational"}) {
    CAPTURE(channel);
    const EventPlace place{channel, 811, "2023-02-01T02:14:22.1"};
    const auto again = parse_event_place(to_string(place));
    REQUIRE(again);
    CHECK(again.value() == place);
  }
  std::string xml = xml_of({7, 7});
  CHECK(place_of_event(xml).has_value());
  xml.replace(xml.find("T02:"), 1, " ");
  CHECK_FALSE(place_of_event(xml).has_value());
}

TEST_CASE("event bookmark: what the next event says of the place") {
  const EventPlace last{"System", 10, "2023-02-01T02:14:22.5"};
  struct Case {
    std::uint64_t record;
    std::string_view time;
    bool resuming;
    EventStep want;
  };
  const std::vector<Case> cases{{11, "2023-02-01T02:14:23", true, EventStep::kNext},
                                {11, "2023-02-01T01:14:23", false, EventStep::kNext},
                                {13, "2023-02-01T02:14:23", true, EventStep::kJump},
                                {10, "2023-02-01T02:14:22.5", false, EventStep::kAgain},
                                {9, "2023-02-01T02:14:22.4", true, EventStep::kAgain},
                                {1, "2023-02-01T02:15:00", true, EventStep::kRestart},
                                {1, "2023-02-01T02:00:00", false, EventStep::kRestart},
                                {10, "2023-02-01T02:15:00", true, EventStep::kRestart}};
  for (const Case& c : cases) {
    CAPTURE(c.record);
    CHECK(step_to(last, {"System", c.record, std::string{c.time}}, c.resuming) == c.want);
  }
  CHECK(step_to(std::nullopt, last, true) == EventStep::kNext);
}

TEST_CASE("EventSource: goes on, and confesses what was overwritten or cleared") {
  MemoryFeed feed;
  for (int i = 0; i < 4; ++i) feed.add();
  JournalPlay play = play_of(feed);
  play.poll_all();
  play.commit();
  feed.again = 3;  // delivered once more
  play.kill();
  feed.add();
  play.poll_all();
  CHECK(told(play) == std::vector<std::uint64_t>{1, 2, 3, 4, 5});
  CHECK(play.told.cuts == 0);
  play.commit();
  for (int i = 0; i < 3; ++i) feed.add();
  for (int i = 0; i < 6; ++i) feed.overwrite();  // the sixth was not read
  play.kill();
  play.poll_all();
  CHECK(told(play) == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 7, 8});
  CHECK(play.told.cuts == 1);
  feed.clear();
  feed.add();
  play.poll_all();
  CHECK(play.told.cuts == 2);
  CHECK(told(play).back() == 9);
  REQUIRE(play.notes.size() == 2);
  CHECK(play.notes[0].find("1 events were overwritten") != std::string::npos);
  CHECK(play.notes[1].find("was cleared") != std::string::npos);
}

TEST_CASE("EventSource: a channel that refuses is a state and one note, and is tried again") {
  MemoryFeed feed;
  feed.add();
  feed.refuses = Error{Errc::kNotFound, "there is no such channel"};
  JournalPlay play = play_of(feed);
  CHECK(play.poll(1000).state == ReadState::kAbsent);
  feed.refuses = Error{Errc::kIo, "may not be read"};
  for (int i = 0; i < 6; ++i) CHECK(play.poll(1000).state != ReadState::kRead);
  CHECK(play.notes.size() == 2);
  feed.refuses.reset();
  for (int i = 0; i < 4; ++i) static_cast<void>(play.poll(1000));
  CHECK(told(play) == std::vector<std::uint64_t>{1});
}

TEST_CASE("EventSource property: killed anywhere, 0 lost and 0 doubled but what was overwritten") {
  const char* const given = std::getenv("MELDEVAKT_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20250302;
  MESSAGE("seed " << seed);
  for (std::uint64_t life = seed; life < seed + 300; ++life) {
    CAPTURE(life);
    SeededRandom random{life};
    MemoryFeed feed;
    JournalPlay play = play_of(feed);
    const bool overwrites = random.below(3) == 0;
    std::uint64_t gone = 0;
    for (int step = 0; step < 50; ++step) {
      feed.again = random.below(4);
      switch (random.below(5)) {
        case 0:
          for (std::uint64_t i = random.below(5); i > 0; --i) feed.add();
          break;
        case 1: static_cast<void>(play.poll(1 + random.below(900))); break;
        case 2: play.commit(random.below(3)); break;
        case 3: play.kill(); break;
        case 4:
          for (std::uint64_t i = random.below(3); overwrites && i > 0; --i) feed.overwrite();
          gone = feed.made - feed.events.size();
          break;
      }
    }
    play.poll_all();
    const std::vector<std::uint64_t> got = told(play);
    const std::set<std::uint64_t> distinct{got.begin(), got.end()};
    CHECK(distinct.size() == got.size());
    for (std::uint64_t i = gone + 1; i <= feed.made; ++i) CHECK(distinct.contains(i));
    if (gone == 0) CHECK(play.told.cuts == 0);
    if (!got.empty() && got.size() != feed.made - got.front() + 1) CHECK(play.told.cuts > 0);
  }
}

}  // namespace
}  // namespace meldevakt::agent
