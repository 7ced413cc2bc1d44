#include "agent/summarise/source_pipeline.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/ports/sha256.h"
#include "tests/unit/agent/summarise/watched.h"

namespace meldevakt::agent {
namespace {

using testing::at;
using testing::check_account;
using testing::kTen;
using testing::line;
using testing::trace_settings;
using testing::Watched;

using Lines = std::vector<std::string>;

std::string show(const std::vector<ReadingInterval>& reading, Instant zero) {
  std::string out;
  for (const ReadingInterval& r : reading) {
    out += (out.empty() ? "" : " ") + std::to_string((r.span.from - zero).ms / 1000) + "-" +
           std::to_string((r.span.to - zero).ms / 1000) + ":" + std::string{to_string(r.state)} +
           (r.reason.empty() ? "" : "(" + r.reason + ")");
  }
  return out;
}

TEST_CASE("SourcePipeline: from bytes to facts") {
  Watched w{at(100)};
  w.pipeline.begin_file("a", 0);
  w.pipeline.feed("a",
                  line(1, 17, "received P1 transport=abc") + line(2, 18, "working on P2") +
                      line(3, 17, "error\n   at Somewhere\n   Timeout expired") +
                      line(4, 18, "told the sender") + line(5, 18, "stored P2"),
                  at(100));
  w.pipeline.idle(at(103));
  w.pipeline.idle(at(106));
  const SourceYield yield = w.take(at(106));
  CHECK(testing::show_steps(w.facts) ==
        Lines{"00:01.000 received named P1", "00:03.000 failed scope P1",
              "00:04.000 acknowledged scope P2", "00:05.000 committed named P2"});
  CHECK(yield.coverage.id == "trace");
  CHECK(yield.coverage.kind == "file");
  CHECK(yield.coverage.pack == testing::trace_pack()->identity);
  CHECK(yield.coverage.records == 5);
  CHECK(yield.coverage.bytes.unrecognised == 0);
  CHECK(yield.coverage.bytes.pending == 0);
  REQUIRE(yield.coverage.observes.size() == 4);
  CHECK(yield.coverage.observes[0].signal == Signal::kMessageReceived);
  CHECK(yield.coverage.observes[0].last_seen == at(1));
  CHECK(yield.coverage.observes[1].last_seen == at(3));
}

TEST_CASE("SourcePipeline: the account of bytes balances after every call") {
  Watched w{at(0)};
  const std::string text = line(1, 17, "received P1") + line(2, 17, "noise") + "half a line";
  w.pipeline.begin_file("a", 0);
  check_account(w.take(at(0)).coverage.bytes);
  for (const char c : text) {
    w.pipeline.feed("a", std::string_view{&c, 1}, at(3));
    check_account(w.take(at(3)).coverage.bytes);
  }
  ByteCounts bytes = w.take(at(3)).coverage.bytes;
  CHECK(bytes.read == text.size());
  CHECK(bytes.recognised == line(1, 17, "received P1").size());
  CHECK(bytes.unrecognised == 0);  // the noise waits: what follows may belong to it
  w.pipeline.idle(at(6));
  bytes = w.take(at(6)).coverage.bytes;
  CHECK(bytes.unrecognised == line(2, 17, "noise").size());
  CHECK(bytes.pending == std::string_view{"half a line"}.size());
  w.pipeline.end_file("a", FileEnd::kComplete, at(7));
  bytes = w.take(at(7)).coverage.bytes;
  CHECK(bytes.pending == 0);
  CHECK(bytes.unrecognised == bytes.read - bytes.recognised);

  // Over the bound of lines: dropped, and counted as such.
  std::string long_record = line(8, 17, "stack");
  for (int i = 0; i < 10; ++i) long_record += "   at Frame\n";
  w.pipeline.begin_file("b", 0);
  w.pipeline.feed("b", long_record + line(9, 17, "x"), at(9));
  bytes = w.take(at(9)).coverage.bytes;
  CHECK(bytes.dropped == 7 * std::string_view{"   at Frame\n"}.size());
}

TEST_CASE("SourcePipeline: event coverage") {
  SUBCASE("begins with the first event and follows the events, less the flush lag") {
    Watched w{at(1000)};
    w.pipeline.begin_file("a", 0);
    w.pipeline.feed("a", line(10, 1, "x") + line(20, 1, "x") + line(30, 1, "x") + line(40, 1, "x"),
                    at(1000));
    // The last record may go on; of the others, the smaller of the last two counts.
    const SourceYield yield = w.take(at(1000));
    CHECK(yield.coverage.complete == Interval{at(10), at(19)});
    CHECK(yield.watermark == at(19));
  }
  SUBCASE("one time far ahead claims nothing") {
    Watched w{at(1000)};
    w.pipeline.begin_file("a", 0);
    w.pipeline.feed("a", line(10, 1, "x") + line(900, 1, "x") + line(20, 1, "x") + line(21, 1, "x"),
                    at(1000));
    CHECK(w.take(at(1000)).coverage.complete == Interval{at(10), at(19)});
  }
  SUBCASE("when all is read, to now less flush lag and clock error") {
    SourcePipeline::Settings settings = trace_settings();
    settings.clock_error = milliseconds(500);
    Watched w{at(1000), settings};
    w.pipeline.begin_file("a", 0);
    w.pipeline.feed("a", line(10, 1, "x"), at(1000));
    w.pipeline.caught_up(at(1000));
    CHECK_FALSE(w.take(at(1000)).coverage.complete);  // the record is not finished
    w.pipeline.idle(at(1002));
    w.pipeline.caught_up(at(1003));
    CHECK(w.take(at(1003)).coverage.complete == Interval{at(10), at(1001.5)});
    w.pipeline.caught_up(at(1004));
    CHECK(w.take(at(1004)).coverage.complete == Interval{at(1001.5), at(1002.5)});
  }
  SUBCASE("of a source without content, from when that was seen") {
    Watched w{at(1000)};
    w.pipeline.caught_up(at(1000));
    CHECK_FALSE(w.take(at(1000)).coverage.complete);
    w.pipeline.caught_up(at(1060));
    CHECK(w.take(at(1060)).coverage.complete == Interval{at(1000), at(1059)});
  }
  SUBCASE("never goes back with the log's clock or the wall clock") {
    Watched w{at(1000)};
    w.pipeline.begin_file("a", 0);
    w.pipeline.feed(
        "a", line(100, 1, "x") + line(101, 1, "x") + line(50, 1, "x") + line(51, 1, "x"), at(1000));
    CHECK_FALSE(w.take(at(1000)).coverage.complete);
    w.pipeline.idle(at(1003));
    w.pipeline.caught_up(at(1003));
    CHECK(w.take(at(1003)).coverage.complete->to == at(1002));
    w.pipeline.caught_up(at(900));
    CHECK_FALSE(w.take(at(900)).coverage.complete);
  }
  SUBCASE("not beyond a step of which not all is told") {
    Watched w{at(10)};
    w.pipeline.begin_file("a", 0);
    w.pipeline.feed("a", line(5, 17, "error\n Timeout expired") + line(6, 17, "x"), at(10));
    w.pipeline.idle(at(12));
    w.pipeline.caught_up(at(12));
    // The failure was told as it stands by now; before that nothing from it on is claimed.
    Watched early{at(10)};
    early.pipeline.begin_file("a", 0);
    early.pipeline.feed("a", line(5, 17, "error\n Timeout expired") + line(6.5, 17, "x"), at(7));
    const SourceYield yield = early.take(at(7));
    CHECK(yield.facts.empty());
    CHECK_FALSE(yield.coverage.complete);
    CHECK(yield.watermark <= at(5));
    CHECK(w.take(at(12)).coverage.complete == Interval{at(5), at(11)});
  }
  SUBCASE("configuration may raise the flush lag, not lower it") {
    SourcePipeline::Settings settings = trace_settings();
    settings.flush_lag = seconds(10);
    Watched raised{at(1000), settings};
    raised.pipeline.caught_up(at(1000));
    raised.pipeline.caught_up(at(1060));
    CHECK(raised.take(at(1060)).coverage.complete == Interval{at(1000), at(1050)});
    settings.flush_lag = milliseconds(0);
    Watched lowered{at(1000), settings};
    lowered.pipeline.caught_up(at(1000));
    lowered.pipeline.caught_up(at(1060));
    CHECK(lowered.take(at(1060)).coverage.complete == Interval{at(1000), at(1059)});
  }
}

TEST_CASE("SourcePipeline: lost content is a gap until the next event, or until all is read") {
  Watched w{at(0)};
  w.pipeline.begin_file("a", 0);
  w.pipeline.feed("a", line(10, 1, "x"), at(10));
  w.pipeline.idle(at(12));
  w.pipeline.caught_up(at(12));
  CHECK(w.take(at(12)).coverage.complete == Interval{at(10), at(11)});
  w.pipeline.end_file("a", FileEnd::kLost, at(20));
  CHECK(w.pipeline.low_water("a") == 0);

  SUBCASE("the next event") {
    w.pipeline.begin_file("b", 0);
    w.pipeline.feed("b", line(21, 1, "x"), at(21));
    w.pipeline.caught_up(at(21));
    CHECK_FALSE(w.take(at(21)).coverage.complete);
    w.pipeline.idle(at(23));
    w.pipeline.caught_up(at(23));
    const SourceYield yield = w.take(at(23));
    CHECK(yield.coverage.complete == Interval{at(11), at(22)});
    REQUIRE(yield.coverage.event_gaps.size() == 1);
    CHECK(yield.coverage.event_gaps[0].span == Interval{at(11), at(21)});
  }
  SUBCASE("nothing more is written") {
    w.pipeline.caught_up(at(20.5));  // what was lost may be as young as 20.0
    CHECK_FALSE(w.take(at(20.5)).coverage.complete);
    w.pipeline.caught_up(at(30));
    const SourceYield yield = w.take(at(30));
    CHECK(yield.coverage.complete == Interval{at(11), at(29)});
    REQUIRE(yield.coverage.event_gaps.size() == 1);
    CHECK(yield.coverage.event_gaps[0].span == Interval{at(11), at(29)});
  }
  SUBCASE("over a restart of the agent") {
    w.restart(at(25), at(22));
    w.pipeline.begin_file("b", 0);
    w.pipeline.feed("b", line(21, 1, "x") + line(24, 1, "x"), at(26));
    const SourceYield yield = w.take(at(26));
    REQUIRE(yield.coverage.event_gaps.size() == 1);
    CHECK(yield.coverage.event_gaps[0].span == Interval{at(11), at(21)});
    CHECK(yield.coverage.complete == Interval{at(11), at(21)});
  }
}

TEST_CASE("SourcePipeline: reading on the wall clock has no hole") {
  Watched w{at(0)};
  CHECK(show(w.take(at(5)).coverage.reading, kTen) == "0-5:unknown(starting)");
  w.pipeline.set_read_state(ReadState::kRead, "", at(6));
  w.pipeline.set_read_state(ReadState::kRead, "ignored", at(7));
  w.pipeline.set_read_state(ReadState::kGap, "permission", at(8));
  CHECK(show(w.take(at(10)).coverage.reading, kTen) ==
        "5-6:unknown(starting) 6-8:read 8-10:gap(permission)");
  w.pipeline.set_read_state(ReadState::kRead, "", at(9));  // the clock was set back
  CHECK(show(w.take(at(9)).coverage.reading, kTen) == "");
  CHECK(show(w.take(at(12)).coverage.reading, kTen) == "10-12:read");
  w.pipeline.set_read_state(ReadState::kAbsent, "not a code", at(13));
  w.restart(at(20), at(15));
  w.pipeline.set_read_state(ReadState::kRead, "", at(21));
  CHECK(show(w.take(at(22)).coverage.reading, kTen) ==
        "12-13:read 13-15:absent(unknown) 15-20:gap(agent_stopped) 20-21:unknown(starting) "
        "21-22:read");
  // Restarted while the clock was set back behind the last statement.
  w.restart(at(19), at(18));
  CHECK(show(w.take(at(25)).coverage.reading, kTen) == "22-25:unknown(starting)");
  for (int i = 0; i < 500; ++i) {
    w.pipeline.set_read_state(i % 2 == 0 ? ReadState::kRead : ReadState::kGap, "flaps", at(26 + i));
  }
  const SourceYield many = w.take(at(600));
  CHECK(many.coverage.reading.size() <= 64);
  CHECK(many.coverage.reading.back().state == ReadState::kGap);
}

TEST_CASE("SourcePipeline: no coverage is claimed while reading has a gap") {
  Watched w{at(0)};
  w.pipeline.set_read_state(ReadState::kRead, "", at(0));
  w.pipeline.caught_up(at(0));
  w.pipeline.set_read_state(ReadState::kGap, "permission", at(10));
  w.pipeline.caught_up(at(20));
  CHECK_FALSE(w.take(at(20)).coverage.complete);
}

TEST_CASE("SourcePipeline: files that begin with the same line have facts of their own") {
  Watched w{at(0)};
  std::set<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    const std::string key = "f" + std::to_string(i);
    w.pipeline.begin_file(key, 0);
    w.pipeline.feed(key, line(1, 1, "started") + line(10 + i, 1, "stored P1"), at(60 + i));
    w.pipeline.end_file(key, FileEnd::kComplete, at(60 + i));
    for (const Fact& fact : w.take(at(61 + i)).facts) ids.insert(fact.id);
  }
  CHECK(ids.size() == 3);
}

TEST_CASE("SourcePipeline: ranges and digest say which bytes were read") {
  Watched w{at(0)};
  const std::string first = line(1, 1, "x") + line(2, 1, "x");
  const std::string second = line(3, 1, "x");
  w.pipeline.begin_file("a", 0);
  w.pipeline.feed("a", first, at(3));
  SourceYield yield = w.take(at(3));
  const std::string name = sha256(first.substr(0, first.find('\n'))).hex().substr(0, 32);
  CHECK(yield.coverage.ranges == std::vector<ContentRange>{{name, 0, first.size()}});
  CHECK(yield.coverage.digest == sha256(first).hex());
  yield = w.take(at(4));
  CHECK(yield.coverage.ranges.empty());
  CHECK(yield.coverage.digest.empty());
  w.pipeline.feed("a", second.substr(0, 7), at(5));
  w.pipeline.feed("a", second.substr(7), at(5));
  w.pipeline.end_file("a", FileEnd::kComplete, at(6));
  yield = w.take(at(6));
  CHECK(yield.coverage.ranges ==
        std::vector<ContentRange>{{name, first.size(), first.size() + second.size()}});
  CHECK(yield.coverage.digest == sha256(second).hex());

  SUBCASE("the name does not depend on chunks, key or growth") {
    Watched other{at(0)};
    other.pipeline.begin_file("elsewhere", 0);
    for (const char c : first) other.pipeline.feed("elsewhere", std::string_view{&c, 1}, at(3));
    CHECK(other.take(at(3)).coverage.ranges.at(0).file == name);
  }
  SUBCASE("many files: what does not fit waits for the next statement, and none is told twice") {
    for (int i = 0; i < 40; ++i) {
      const std::string key = "f" + std::to_string(i);
      w.pipeline.begin_file(key, 0);
      w.pipeline.feed(key, line(10 + i, 1, "x"), at(60));
      w.pipeline.end_file(key, FileEnd::kComplete, at(60));
    }
    std::vector<std::string> told;
    for (int i = 0; i < 3; ++i) {
      yield = w.take(at(61 + i));
      CHECK(yield.coverage.ranges.size() == (i < 2 ? SourceCoverage::kRangesMax : 8));
      for (const ContentRange& range : yield.coverage.ranges) told.push_back(range.file);
      if (i == 0) w.restart(at(61), at(61));
    }
    std::vector<std::string> wanted;
    for (int i = 0; i < 40; ++i) {
      const std::string text = line(10 + i, 1, "x");
      wanted.push_back(sha256(text.substr(0, text.size() - 1)).hex().substr(0, 32));
    }
    CHECK(told == wanted);
    CHECK(w.take(at(70)).coverage.ranges.empty());
  }
  SUBCASE("a file that ended may grow again") {
    w.restart(at(8), at(7));
    CHECK(w.pipeline.low_water("a") == first.size() + second.size());
    w.pipeline.begin_file("a", first.size() + second.size());
    w.pipeline.feed("a", line(9, 1, "stored P1") + line(10, 1, "x"), at(10));
    yield = w.take(at(10));
    CHECK(yield.coverage.ranges.at(0).file == name);
    CHECK(testing::show_steps(w.facts) == Lines{"00:09.000 committed named P1"});
  }
  SUBCASE("no digest when a part was hashed by a process that is gone") {
    w.pipeline.begin_file("b", 0);
    w.pipeline.feed("b", line(9, 1, "x") + line(10, 1, "x"), at(10));
    w.restart(at(12), at(11));
    const std::uint64_t low = w.pipeline.low_water("b");
    w.pipeline.begin_file("b", low);
    w.pipeline.feed("b", line(10, 1, "x"), at(12));
    CHECK(w.take(at(12)).coverage.digest.empty());
    w.pipeline.feed("b", line(12, 1, "x"), at(13));
    CHECK(w.take(at(13)).coverage.digest == sha256(line(12, 1, "x")).hex());
  }
}

TEST_CASE("SourcePipeline: a snapshot of another version or form is refused") {
  SourcePipeline pipeline{trace_settings(), at(0)};
  pipeline.begin_file("a", 0);
  pipeline.feed("a", line(1, 17, "received P1") + line(2, 17, "error\n Timeout expired"), at(3));
  std::string good = pipeline.snapshot(at(3));
  REQUIRE(SourcePipeline::restore(trace_settings(), good, at(4)));
  for (std::size_t length = 0; length < good.size(); ++length) {
    CAPTURE(length);
    const auto restored =
        SourcePipeline::restore(trace_settings(), std::string_view{good}.substr(0, length), at(4));
    REQUIRE_FALSE(restored);
    CHECK(restored.error().code() == Errc::kCorrupt);
  }
  good[1] = 1;  // after the array's head: the version
  CHECK_FALSE(SourcePipeline::restore(trace_settings(), good, at(4)));
}

}  // namespace
}  // namespace meldevakt::agent
