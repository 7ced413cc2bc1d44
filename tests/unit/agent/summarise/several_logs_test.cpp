// A source with several logs that are written at a time: what is claimed of it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/agent/summarise/watched.h"

namespace meldevakt::agent {
namespace {

using meldevakt::testing::SeededRandom;
using testing::at;
using testing::line;
using testing::show_steps;
using testing::Watched;

// One node's log: what it will write, and what of it was read.
struct Node {
  std::string key;
  std::vector<std::pair<double, std::string>> lines;
  std::size_t read = 0;

  [[nodiscard]] std::size_t written(double now) const {
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(), [now](const auto& one) { return one.first <= now; }));
  }
  [[nodiscard]] std::string log() const { return "/l/" + key + ".log"; }
};

struct Reader {
  explicit Reader(std::vector<Node> from) : nodes{std::move(from)} {
    for (const Node& node : nodes) begin(node, 0);
  }
  void begin(const Node& node, std::uint64_t offset) {
    watched.pipeline.name_file(node.key, node.key + ".log", node.log());
    watched.pipeline.begin_file(node.key, offset);
  }
  void look() {
    UnreadFiles unread;
    unread.several_logs = true;
    unread.refused = refused;
    unread.looked = at(now);
    looked_at.clear();
    for (const Node& node : nodes) {
      looked_at.push_back(node.written(now));
      if (node.read < looked_at.back()) unread.files.push_back({node.key, node.log()});
    }
    watched.pipeline.unread(unread);
  }
  void read(std::size_t n, std::size_t lines) {
    Node& node = nodes[n];
    const std::size_t to = std::min(node.read + lines, node.written(now));
    for (; node.read < to; ++node.read) {
      watched.pipeline.feed(node.key, node.lines[node.read].second, at(now));
    }
  }
  void end_turn() {
    watched.pipeline.idle(at(now));
    bool all = true;
    for (std::size_t n = 0; n < nodes.size(); ++n) all = all && nodes[n].read >= looked_at[n];
    if (all && !refused) watched.pipeline.caught_up(at(now));
  }
  // Facts that are told now must not lie in what was claimed before.
  void take() {
    const std::vector<Interval> before = claimed;
    const SourceYield yield = watched.take(at(now));
    for (const Fact& fact : yield.facts) {
      const auto* const step = std::get_if<StepFact>(&fact.what);
      if (step == nullptr || fact.revision > 0) continue;
      ++steps;
      for (const Interval& span : before) {
        const bool is_late = span.from <= step->time && step->time < span.to;
        CHECK_MESSAGE(!is_late, to_rfc3339(step->time)
                                    << " was claimed to " << to_rfc3339(span.to));
      }
    }
    if (yield.coverage.complete) claimed.push_back(*yield.coverage.complete);
  }
  void kill() {
    std::vector<std::uint64_t> low;
    for (const Node& node : nodes) low.push_back(watched.pipeline.low_water(node.key));
    watched.restart(at(now), at(now));
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      begin(nodes[n], low[n]);
      std::uint64_t bytes = 0;
      nodes[n].read = 0;
      while (bytes < low[n]) bytes += nodes[n].lines[nodes[n].read++].second.size();
      REQUIRE(bytes == low[n]);
    }
  }

  std::vector<Node> nodes;
  Watched watched{at(0)};
  double now = 0;
  bool refused = false;
  std::vector<std::size_t> looked_at;
  std::vector<Interval> claimed;
  std::size_t steps = 0;
};

Node node_with(std::string key, double from, double to, double every) {
  Node out{std::move(key), {}, 0};
  int message = 0;
  for (double time = from; time < to; time += every) {
    out.lines.emplace_back(time, line(time, 17, "stored P" + std::to_string(++message)));
  }
  return out;
}

TEST_CASE("several logs: nothing is claimed beyond what is read of each") {
  Reader reader{{node_with("node1", 10, 500, 1), node_with("node2", 20, 500, 1)}};
  reader.now = 600;
  reader.look();
  reader.read(0, 400);
  reader.take();
  CHECK(reader.claimed.empty());  // nobody knows where the second begins
  reader.read(1, 100);
  reader.take();
  // The second's times are sure to 118, less a second; before 20 it had nothing.
  REQUIRE(reader.claimed.size() == 1);
  CHECK(reader.claimed[0].from == at(20));
  CHECK(reader.claimed[0].to <= at(118));
  CHECK(reader.claimed[0].to >= at(115));
  reader.read(0, 400);
  reader.look();
  reader.read(1, 200);
  reader.take();
  CHECK(reader.claimed.back().to <= at(318));
  CHECK(reader.claimed.back().to >= at(315));
  reader.read(1, 400);
  reader.end_turn();
  reader.now = 605;
  reader.look();
  reader.end_turn();
  reader.take();
  CHECK(reader.claimed.back().to == at(604));
}

TEST_CASE("several logs: a log that says no times holds claims up until all is read") {
  Reader reader{{node_with("node1", 10, 500, 1), Node{"silent", {{20, "no time\n"}}, 0}}};
  reader.now = 600;
  reader.look();
  reader.read(0, 1000);
  reader.take();
  CHECK(reader.claimed.empty());
  reader.read(1, 1);
  reader.end_turn();
  reader.now = 605;
  reader.look();
  reader.end_turn();
  reader.take();
  REQUIRE(reader.claimed.size() == 1);
  CHECK(reader.claimed[0] == Interval{at(10), at(604)});
}

TEST_CASE("several logs: what was lost of one is a gap until that one goes on") {
  Reader reader{{node_with("node1", 10, 500, 1), node_with("node2", 10, 500, 1)}};
  reader.now = 600;
  reader.look();
  reader.read(0, 100);
  reader.read(1, 100);
  reader.take();
  REQUIRE(reader.claimed.size() == 1);
  reader.watched.pipeline.end_file("node2", FileEnd::kLost, at(600));
  reader.read(0, 100);
  reader.take();
  CHECK(reader.claimed.size() == 1);
  Node next = node_with("node2-new", 400, 500, 1);
  reader.watched.pipeline.name_file(next.key, "node2.log", "/l/node2.log");
  reader.watched.pipeline.begin_file(next.key, 0);
  reader.watched.pipeline.feed(next.key, next.lines[0].second + next.lines[1].second, at(600));
  const SourceYield yield = reader.watched.take(at(600));
  REQUIRE(yield.coverage.event_gaps.size() == 1);
  CHECK(yield.coverage.event_gaps[0].span.from == reader.claimed[0].to);
  CHECK(yield.coverage.event_gaps[0].span.to == at(400));
}

TEST_CASE("one log: nothing is claimed by events while something of it is refused") {
  Reader reader{{node_with("node1", 10, 500, 1)}};
  reader.now = 600;
  reader.refused = true;
  reader.look();
  reader.read(0, 100);
  reader.take();
  CHECK(reader.claimed.empty());
  reader.refused = false;
  reader.look();
  reader.read(0, 100);
  reader.take();
  REQUIRE(reader.claimed.size() == 1);
  CHECK(reader.claimed[0].from == at(109));  // the last record was not finished
}

TEST_CASE("several logs property: no fact comes from where all was claimed to be read") {
  const char* const given = std::getenv("MELDEVAKT_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20261127;
  MESSAGE("seed " << seed);
  std::size_t steps = 0;
  std::size_t claims = 0;
  for (std::uint64_t round = 0; round < 80; ++round) {
    CAPTURE(round);
    SeededRandom random{seed + round};
    std::vector<Node> nodes;
    for (std::uint64_t n = 0; n < 2 + random.below(2); ++n) {
      nodes.push_back(node_with("node" + std::to_string(n),
                                1 + static_cast<double>(random.below(60)), 200,
                                0.3 + static_cast<double>(random.below(40)) / 10));
    }
    Reader reader{std::move(nodes)};
    reader.now = static_cast<double>(random.below(150));
    while (reader.now < 220) {
      reader.look();
      for (std::uint64_t reads = random.below(4); reads > 0; --reads) {
        reader.now += static_cast<double>(random.below(300)) / 1000;  // others write meanwhile
        reader.read(random.below(reader.nodes.size()), 1 + random.below(30));
      }
      reader.end_turn();
      if (random.below(2) == 0) reader.take();
      if (random.below(12) == 0) {
        reader.take();
        reader.kill();
      }
      reader.now += static_cast<double>(random.below(2500)) / 1000;
    }
    steps += reader.steps;
    claims += reader.claimed.size();
  }
  CHECK(steps > 1000);
  CHECK(claims > 500);
}

// Two nodes with the same threads, each with its own log. Pieces of both as they are read.
std::vector<std::string> told_of_two(const std::vector<std::pair<std::string, std::string>>& pieces,
                                     bool restarts) {
  Watched watched{at(0)};
  std::map<std::string, std::uint64_t> fed;
  for (const auto& [key, text] : pieces) {
    if (!fed.contains(key)) {
      watched.pipeline.name_file(key, key + ".log", "/l/" + key.substr(0, 5) + ".log");
      watched.pipeline.begin_file(key, 0);
      fed[key] = 0;
    }
    watched.pipeline.feed(key, text, at(1));
    watched.pipeline.idle(at(60));
    fed[key] += text.size();
    if (!restarts) continue;
    watched.take(at(60));
    watched.restart(at(60), at(60));
    for (const auto& [one, to] : fed) {
      watched.pipeline.name_file(one, "renamed.log", "/elsewhere/renamed.log");
      watched.pipeline.begin_file(one, to);
    }
  }
  watched.pipeline.idle(at(120));
  watched.take(at(120));
  return show_steps(watched.facts);
}

TEST_CASE("SourcePipeline: threads of the same number in two logs are two") {
  const std::string one = line(10, 17, "received P1");
  const std::string one_fails = line(12, 17, "Timeout expired");
  const std::string two = line(11, 17, "received P2");
  const std::string two_fails = line(13, 17, "Timeout expired");
  const std::vector<std::string> want{"00:10.000 received named P1", "00:11.000 received named P2",
                                      "00:12.000 failed scope P1", "00:13.000 failed scope P2"};
  for (const bool restarts : {false, true}) {
    CAPTURE(restarts);
    CHECK(told_of_two({{"node1", one}, {"node2", two}, {"node1", one_fails}, {"node2", two_fails}},
                      restarts) == want);
    CHECK(told_of_two({{"node1", one + one_fails}, {"node2", two + two_fails}}, restarts) == want);
    CHECK(told_of_two({{"node2", two + two_fails}, {"node1", one + one_fails}}, restarts) == want);
    // Rotated in between: the next file of the same log goes on.
    CHECK(told_of_two(
              {{"node1", one}, {"node2", two}, {"node2-new", two_fails}, {"node1-new", one_fails}},
              restarts) == want);
  }
}

}  // namespace
}  // namespace meldevakt::agent
