// Which bytes tell of which moments: against a log whose every line is known.
#include "agent/hold/tape.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

constexpr Instant kStart{1'675'242'000'000};
constexpr std::uint64_t kMuch = 1'000'000'000;

bool covers(const std::vector<TapeRange>& ranges, const std::string& key, std::uint64_t from,
            std::uint64_t to) {
  for (const TapeRange& range : ranges) {
    if (range.key == key && range.from <= from && to <= range.to) return true;
  }
  return false;
}

TEST_CASE("Tape: a plan covers every line of its window, through rotations, pauses and restarts") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    meldevakt::testing::SeededRandom random{seed};
    Tape tape{64 * 1024};
    std::map<std::string, std::map<std::uint64_t, TapeMark>> stored;
    const auto keep = [&] {
      const TapeChanges changes = tape.take_changes();
      for (const TapeMark& mark : changes.dropped) stored[mark.key].erase(mark.offset);
      for (const TapeMark& mark : changes.added) stored[mark.key][mark.offset] = mark;
    };
    struct Line {
      std::string key;
      std::uint64_t from, to;
      Instant time;
    };
    std::vector<Line> lines;
    Instant time = kStart;
    std::uint64_t offset = 0;
    int file = 0;
    std::string key = "f0";
    Instant newest;
    tape.begin(key, 0);
    for (int i = 0; i < 400; ++i) {
      if (random.below(60) == 0) {
        key = "f" + std::to_string(++file);
        offset = 0;
        newest = {};
        tape.begin(key, 0);
      }
      if (random.below(80) == 0) {  // killed: what is stored is all there is
        keep();
        std::vector<TapeMark> marks;
        for (const auto& [name, by_offset] : stored) {
          for (const auto& [at, mark] : by_offset) marks.push_back(mark);
        }
        tape = Tape{64 * 1024};
        tape.restore(marks);
        tape.begin(key, offset);
      }
      time = time + milliseconds(static_cast<std::int64_t>(
                        random.below(50) == 0 ? random.below(1'800'000) : random.below(4000)));
      const std::size_t size = 1 + random.below(random.below(9) == 0 ? 100'000 : 300);
      tape.feed(key, std::string(size, 'x'), newest);
      newest = time;
      tape.seen(key, newest);
      lines.push_back({key, offset, offset + size, time});
      offset += size;
    }
    for (int question = 0; question < 20; ++question) {
      const Instant at = lines[random.below(lines.size())].time;
      const Interval window{at - minutes(10), at + minutes(5)};
      const Tape::Plan plan = tape.plan(window, at, kMuch);
      std::uint64_t planned = 0;
      for (const TapeRange& range : plan.ranges) planned += range.to - range.from;
      std::uint64_t wanted = 0;
      for (const Line& line : lines) {
        if (!window.contains(line.time)) continue;
        wanted += line.to - line.from;
        CHECK(covers(plan.ranges, line.key, line.from, line.to));
      }
      CHECK(planned >= wanted);
      CHECK_FALSE(plan.cut);
      const Tape::Plan less = tape.plan(window, at, 1000);
      std::uint64_t before = 0;
      for (const TapeRange& range : less.ranges) before += range.to - range.from;
      CHECK(before <= planned);
    }
  }
}

TEST_CASE("Tape: files that lie wholly before or behind the window are not held") {
  Tape tape{1024};
  for (int day = 0; day < 5; ++day) {
    const std::string key = "day" + std::to_string(day);
    tape.begin(key, 0);
    Instant newest;
    for (int hour = 0; hour < 24; ++hour) {
      tape.feed(key, std::string(1000, 'x'), newest);
      newest = kStart + days(day) + hours(hour);
      tape.seen(key, newest);
    }
  }
  const Instant at = kStart + days(2) + hours(12);
  const Tape::Plan plan = tape.plan({at - minutes(10), at + minutes(5)}, at, kMuch);
  REQUIRE(plan.ranges.size() == 1);
  CHECK(plan.ranges[0].key == "day2");
  CHECK(plan.ranges[0].from >= 9000);
  CHECK(plan.ranges[0].to <= 15'000);
}

TEST_CASE("Tape: of what lies before the finding only so much is planned, the nearest") {
  Tape tape{1024};
  tape.begin("a", 0);
  for (int i = 0; i < 600; ++i) {
    const Instant time = kStart + seconds(i);
    tape.feed("a", std::string(1000, 'x'), i == 0 ? Instant{} : time - seconds(1));
    tape.seen("a", time);
  }
  const Instant at = kStart + seconds(500);
  const Tape::Plan plan = tape.plan({kStart, at + seconds(30)}, at, 50'000);
  CHECK(plan.cut);
  REQUIRE(plan.ranges.size() == 1);
  CHECK(plan.ranges[0].from >= 430'000);
  CHECK(plan.ranges[0].from <= 490'000);
  CHECK(plan.ranges[0].to >= 531'000);
}

TEST_CASE("Tape: the last bytes are at hand, and no more than allowed") {
  Tape tape{10};
  tape.begin("a", 100);
  tape.feed("a", "0123456789abcdef", {});
  CHECK(tape.recent("a", 105).empty());
  CHECK(tape.recent("a", 106) == "6789abcdef");
  CHECK(tape.recent_from("a", 100, 116) == 106);
  tape.begin("b", 0);
  tape.feed("b", "xyz", {});
  CHECK(tape.recent("b", 1) == "yz");
  CHECK(tape.recent_from("a", 100, 116) == 116);
}

TEST_CASE("Tape: marks are bounded, and thinned plans only grow") {
  Tape tape{16};
  tape.begin("a", 0);
  for (int i = 0; i < 40'000; ++i) {
    const Instant time = kStart + seconds(20 * i);
    tape.feed("a", "12345678", time);
    tape.seen("a", time);
  }
  std::size_t marks = 0;
  const TapeChanges changes = tape.take_changes();
  marks = changes.added.size();
  CHECK(marks <= Tape::kMarksMax + 1);
  const Instant at = kStart + seconds(20 * 1000);
  CHECK(covers(tape.plan({at - minutes(10), at}, at, kMuch).ranges, "a", 8 * 970, 8 * 1001));
  for (int i = 0; i < 6000; ++i) {
    tape.begin("many" + std::to_string(i), 0);
    tape.feed("many" + std::to_string(i), "x", {});
  }
  CHECK(covers(tape.plan({{}, kStart + days(9999)}, kStart, kMuch).ranges, "many5999", 0, 1));
}

TEST_CASE("Tape: a file that is still read keeps its place when its marks are thinned away") {
  Tape tape{16};
  tape.begin("quiet", 0);
  tape.feed("quiet", std::string(1000, 'x'), {});
  tape.begin("over", 0);
  tape.feed("over", "x", {});
  for (std::size_t i = 0; i < Tape::kMarksMax + 10; ++i) {
    const std::string key = "many" + std::to_string(i);
    tape.begin(key, 0);
    tape.feed(key, "x", {});
    tape.end(key);
  }
  CHECK(tape.take_changes().added.size() <= Tape::kMarksMax * 2);  // a mark and an end each
  CHECK(tape.fed_to("quiet") == 1000);
  const Instant at = kStart + seconds(10);
  tape.feed("quiet", "0123456789", at);
  tape.seen("quiet", at);
  CHECK(tape.recent("quiet", 1003) == "3456789");
  const Tape::Plan plan = tape.plan({kStart, at}, at, kMuch);
  CHECK(covers(plan.ranges, "quiet", 1000, 1010));
  CHECK(plan.from_middle);
  CHECK(tape.fed_to("over") == 1);
  tape.end("over");
  CHECK(tape.fed_to("over") == 0);
}

}  // namespace
}  // namespace meldevakt::agent
