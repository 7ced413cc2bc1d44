#include "agent/recognise/metric_watch.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/metric_readings.h"
#include "agent/recognise/pack.h"
#include "agent/recognise/program.h"

namespace meldevakt::agent {
namespace {

constexpr Instant kStart{1'675'220'400'000};

std::string pack_text(std::string_view metric) {
  std::string text = R"(
pack = "numbers"
version = "1.0.0"
observes = ["infra.cpu"]
[record]
kind = "json-lines"
time_field = "time"
time = "%s"
every_record = true
[[metric]]
name = "load"
field = "load"
signal = "infra.cpu"
opens = "overload"
)";
  return text.append(metric).append("\n");
}

std::shared_ptr<const Pack> pack_of(std::string_view metric) {
  auto pack = load_pack(pack_text(metric), "numbers.rules.toml");
  REQUIRE_MESSAGE(pack, (pack ? "" : pack.error().message()));
  return pack.value();
}

// What a watch says of values at so many seconds: "20: 0-20 30: 20-30".
class Play {
 public:
  explicit Play(const std::shared_ptr<const Pack>& pack, const MetricLimits& limits = {})
      : pack_{pack}, limits_{limits}, watch_{pack, limits} {}

  std::string at(double second, double value) {
    Recognised made;
    made.time = kStart + milliseconds(std::llround(second * 1000));
    made.readings.push_back({0, value});
    watch_.judge(Record{}, made);
    if (made.events.empty()) return "";
    CHECK(made.events.size() == 1);
    const SignalEvent& event = made.events.front();
    CHECK(event.signal == Signal::kInfraCpu);
    CHECK(event.rule == "load");
    CHECK(event.opens_window);
    CHECK(event.time == *made.time);
    REQUIRE(event.over_since.has_value());
    return std::to_string((*event.over_since - kStart).ms / 1000) + "-" +
           std::to_string((event.time - kStart).ms / 1000);
  }
  std::string all(const std::vector<std::pair<double, double>>& samples) {
    std::string out;
    for (const auto& [second, value] : samples) {
      const std::string one = at(second, value);
      if (!one.empty()) out += (out.empty() ? "" : " ") + one;
    }
    return out;
  }
  void restart() {
    const std::string saved = watch_.snapshot();
    MetricWatch again{pack_, limits_};
    REQUIRE(again.restore(saved));
    CHECK(again.snapshot() == saved);
    watch_ = std::move(again);
  }

 private:
  std::shared_ptr<const Pack> pack_;
  MetricLimits limits_;
  MetricWatch watch_;
};

using Samples = std::vector<std::pair<double, double>>;

TEST_CASE("metric watch: a limit, how long, and back again") {
  struct Case {
    const char* metric;
    Samples samples;
    const char* said;
  };
  const std::vector<Case> cases{
      {"limit = 90", {{0, 91}, {10, 90}, {20, 95}, {30, 96}}, "0-0 10-20 20-30"},
      {"limit = 90", {{0, 10}, {10, 90}}, ""},
      {"limit = 90\nback = 80", {{0, 10}, {10, 95}, {20, 85}, {30, 80}, {40, 85}}, "0-10 10-20"},
      {"limit = 90\nfor = '20s'", {{0, 10}, {10, 95}, {20, 95}, {30, 95}, {40, 2}}, "0-20 20-30"},
      {"limit = 90\nfor = '20s'", {{0, 95}, {10, 95}, {19, 95}, {20, 10}, {30, 95}}, ""},
      {"limit = 90\nfor = '20s'", {{0, 95}, {10, 95}, {20, 95}}, "0-20"},
      // Samples that are minutes apart reach from one to the next.
      {"limit = 90", {{0, 1}, {300, 95}, {600, 95}, {900, 1}}, "0-300 300-600"},
      {"limit = 5\nworse = 'low'\nback = 8",
       {{0, 50}, {10, 4}, {20, 7}, {30, 8}, {40, 7}},
       "0-10 10-20"},
      {"limit = 0", {{0, 0}, {10, 1}, {20, 0}}, "0-10"}};
  for (const Case& c : cases) {
    CAPTURE(c.metric);
    CHECK(Play{pack_of(c.metric)}.all(c.samples) == c.said);
  }
}

TEST_CASE("metric watch: samples too far apart, or with times that go back, begin anew") {
  const auto pack = pack_of("limit = 90\nfor = '20s'\ngap = '1m'");
  // A machine that was suspended: nothing is known of the hour between.
  CHECK(Play{pack}.all({{0, 95}, {10, 95}, {3610, 95}, {3620, 95}, {3630, 95}}) == "3610-3630");
  CHECK(Play{pack}.all({{0, 95}, {20, 95}, {3620, 95}}) == "0-20");
  // A clock set back by an hour; a few seconds are disorder.
  CHECK(Play{pack}.all({{4000, 95}, {4010, 95}, {400, 95}, {410, 95}, {420, 95}}) == "400-420");
  CHECK(Play{pack}.all({{0, 95}, {20, 95}, {15, 95}, {30, 95}}) == "0-20 15-15 15-30");
}

TEST_CASE("metric watch: the operator's limit comes first") {
  const auto pack = pack_of("limit = 90\nback = 80");
  CHECK(Play{pack, {{"load", 50.0}}}.all({{0, 10}, {10, 51}, {20, 49}, {30, 51}}) == "0-10 20-30");
  CHECK(Play{pack, {{"load", 99.0}}}.all({{0, 10}, {10, 95}, {20, 99.5}, {30, 85}}) ==
        "10-20 20-30");
  const auto usual = pack_of("deviations = 6\nfloor = 20");
  CHECK(Play{usual, {{"load", 50.0}}}.all({{0, 10}, {10, 60}}) == "0-10");
}

TEST_CASE("metric watch: what is unusual for this source") {
  const auto pack = pack_of("deviations = 6\nfloor = 20\nhistory = '24h'\nhistory_min = '1h'");
  SUBCASE("nothing is said before there is a past") {
    CHECK(Play{pack}.all({{0, 900}, {10, 900}, {3000, 900}}) == "");
  }
  // Two hours around 10, give or take 2.
  const auto quiet = [](Play& play, double level, double reach) {
    for (int i = 0; i < 720; ++i) {
      CHECK(play.at(10.0 * i, level + reach * ((i * 7) % 5 - 2) / 2.0) == "");
    }
  };
  SUBCASE("the floor: what is small is no trouble, however unusual") {
    Play play{pack};
    quiet(play, 1, 0.1);
    CHECK(play.at(7200, 19) == "");
    CHECK(play.at(7210, 21) == "7200-7210");
  }
  SUBCASE("what is ordinary here is no trouble, however high") {
    Play play{pack};
    quiet(play, 60, 10);
    CHECK(play.at(7200, 80) == "");
    CHECK(play.at(7210, 200) == "7200-7210");
  }
  SUBCASE("an operator's own limit is its own way back") {
    Play play{pack_of("deviations = 6\nfloor = 20\nback = 12"), {{"load", 100.0}}};
    CHECK(play.at(0, 30) == "");
    CHECK(play.at(10, 101) == "0-10");
    CHECK(play.at(20, 30) == "");
  }
  SUBCASE("it stays bad until it is back, where that is nearer than what is usual allows") {
    const auto with_back =
        pack_of("deviations = 6\nfloor = 20\nback = 12\nhistory = '24h'\nhistory_min = '1h'");
    Play play{with_back};
    quiet(play, 1, 0.1);
    CHECK(play.at(7200, 15) == "");  // under the floor: never was bad
    CHECK(play.at(7210, 21) == "7200-7210");
    CHECK(play.at(7220, 15) == "7210-7220");
    CHECK(play.at(7230, 12) == "");
    CHECK(play.at(7240, 15) == "");
    Play other{with_back};  // used to 60: it is back as soon as that is usual again
    quiet(other, 60, 10);
    CHECK(other.at(7200, 200) != "");
    CHECK(other.at(7210, 75) == "");
  }
  SUBCASE("an hour of trouble does not become the ordinary") {
    Play play{pack};
    quiet(play, 1, 0.1);
    for (int i = 0; i < 360; ++i) CHECK(play.at(7200 + 10.0 * i, 300) != "");
  }
  SUBCASE("a clock that was set back: what lies ahead is no past") {
    Play play{pack};
    quiet(play, 1, 0.1);
    CHECK(play.at(-360000, 300) == "");
    CHECK(play.at(-359990, 300) == "");
  }
}

// After any prefix, a snapshot and another watch says what the first would have said.
TEST_CASE("metric watch: a restart anywhere changes nothing") {
  const auto pack =
      pack_of("deviations = 4\nfloor = 10\nhistory = '1h'\nhistory_min = '10m'\nfor = '30s'");
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    Samples samples;
    double second = 0;
    for (int i = 0; i < 400; ++i) {
      second += static_cast<double>(random() % 30) + (random() % 50 == 0 ? 4000 : 0);
      if (random() % 60 == 0) second -= 2000;
      samples.emplace_back(
          second, static_cast<double>(random() % 1000) / 7.0 * (random() % 5 == 0 ? 3.0 : 0.1));
    }
    Play whole{pack};
    Play broken{pack};
    std::string one;
    std::string other;
    for (const auto& [at, value] : samples) {
      one += whole.at(at, value) + ";";
      if (random() % 9 == 0) broken.restart();
      other += broken.at(at, value) + ";";
    }
    CHECK(one == other);
  }
}

TEST_CASE("metric watch: a snapshot that is none is refused, one of another pack is forgotten") {
  MetricWatch watch{pack_of("limit = 90")};
  const std::string fresh = watch.snapshot();
  for (const std::string_view bad : {"", "metrics-2\nload 1 - 0", "metrics-1\nload 1 - 0 12",
                                     "metrics-1\nload - - 0 x 1", "metrics-1\nload - - 0 1 nan"}) {
    CAPTURE(bad);
    CHECK_FALSE(watch.restore(bad));
    CHECK(watch.snapshot() == fresh);
  }
  CHECK(watch.restore("metrics-1\nother 1 1 1 1 2"));
  CHECK(watch.snapshot() == fresh);
}

TEST_CASE("metric readings: what is a number") {
  struct Case {
    std::string_view text;
    std::optional<double> value;
  };
  for (const Case& c : std::vector<Case>{{"97.104", 97.104},
                                         {" 0,18 ", 0.18},
                                         {"4.6540049e-005", 4.6540049e-5},
                                         {"0", 0.0},
                                         {"12", 12.0},
                                         {"-1", std::nullopt},
                                         {"", std::nullopt},
                                         {" ", std::nullopt},
                                         {"-", std::nullopt},
                                         {"nan", std::nullopt},
                                         {"inf", std::nullopt},
                                         {"1e999", std::nullopt},
                                         {"1.2.3", std::nullopt},
                                         {"12 %", std::nullopt},
                                         {"0x10", std::nullopt}}) {
    CAPTURE(c.text);
    CHECK(metric_value(c.text) == c.value);
  }
  CHECK_FALSE(metric_value(std::string(41, '1')));
}

TEST_CASE("metric readings: the worst of the fields that fit; names as the log has them") {
  const auto loaded = load_pack(R"(
pack = "numbers"
version = "1.0.0"
observes = ["infra.cpu"]
[record]
kind = "csv"
columns = "header"
time = "%s"
every_record = true
[[metric]]
name = "high"
column = '\\(?:A|B)\\of=this$'
limit = 1
signal = "infra.cpu"
[[metric]]
name = "low"
column = '\\(?:A|B)\\of=this$'
worse = "low"
limit = 1
signal = "infra.memory"
[[metric]]
name = "none"
field = ["x", "y"]
limit = 1
signal = "infra.cpu"
)",
                                "numbers.rules.toml");
  REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().message()));
  MetricReadings readings{loaded.value()->program->metrics};
  Matcher matcher;
  const auto read = [&](std::string_view view) {
    std::string out;
    for (const MetricReading& one : readings.read(view, matcher)) {
      out += std::to_string(one.metric) + "=" + std::to_string(one.value).substr(0, 4) + " ";
    }
    return out;
  };
  CHECK(read("t=1\n\\\\\\\\H\\\\A\\\\of\\=this=3.5\n\\\\\\\\H\\\\B\\\\of\\=this=2.5") ==
        "0=3.50 1=2.50 ");
  // The header changed in the middle of the file: places mean something else.
  CHECK(read("t=1\ny=7.25\n\\\\\\\\H\\\\A\\\\of\\=this= ") == "2=7.25 ");
  CHECK(read("t=1\nother=1") == "");
  CHECK(read("") == "");
}

TEST_CASE("pack: what is wrong with a [[metric]] is said, with its line") {
  struct Case {
    const char* metric;
    const char* error;
  };
  for (const Case& c : std::vector<Case>{
           {"", "needs 'limit', or 'floor'"},
           {"limit = 1\nfloor = 2", "either 'limit' or a threshold of the past"},
           {"limit = 1\nhistory = '1h'", "either 'limit' or a threshold of the past"},
           {"limit = '1'", "a number is needed here"},
           {"limit = nan", "a number is needed here"},
           {"limit = 1\nworse = 'up'", "'worse' is \"high\" or \"low\""},
           {"limit = 1\nback = 2", "'back' lies on the better side"},
           {"limit = 1\nworse = 'low'\nback = 0.5", "'back' lies on the better side"},
           {"limit = 1\nfor = '25h'", "at most 86400s"},
           {"limit = 1\nlimt = 2", "did you mean 'limit'?"},
           {"limit = 1\ncolumn = 'a'", "one of the two"},
           {"floor = 1\ndeviations = 0", "above 0"},
           {"floor = 1\nhistory = '1m'", "'history' is at least 10m"},
           {"floor = 1\nhistory = '24h'\nhistory_min = '1m'", "'history' is at least 10m"},
           {"floor = 1\nhistory = '1h'\nhistory_min = '2h'", "'history' is at least 10m"},
           {"limit = 1\ncode = 'two words'", "a code has at most"},
           {"limit = 1\ndriver = 'two words'", "a driver has"},
           {"limit = 1\nunit = 'per cent'", "a unit is a short word"}}) {
    CAPTURE(c.metric);
    const auto pack = load_pack(pack_text(c.metric), "numbers.rules.toml");
    REQUIRE_FALSE(pack);
    CHECK(pack.error().message().find("numbers.rules.toml:") == 0);
    CHECK(pack.error().message().find(c.error) != std::string::npos);
    CHECK(pack.error().message() != "");
  }
  std::string lines = pack_text("limit = 1");
  lines.replace(lines.find("every_record = true"), 19, "");
  const auto refused = load_pack(lines, "numbers.rules.toml");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message().find("every_record") != std::string::npos);
  std::string message = pack_text("limit = 1");
  message.replace(message.find("signal = \"infra.cpu\""), 20, "signal = \"message.received\"");
  REQUIRE_FALSE(load_pack(message, "numbers.rules.toml"));
}

TEST_CASE("pack: samples of a metric are rows; the last one counts") {
  const auto failures = [](std::string_view samples) {
    const auto pack = load_pack(pack_text(std::string{"limit = 90\nfor = '10s'\n"}.append(samples)),
                                "numbers.rules.toml");
    REQUIRE_MESSAGE(pack, (pack ? "" : pack.error().message()));
    std::string out;
    for (const SampleFailure& f : check_samples(*pack.value())) out += f.message + "\n";
    return out;
  };
  const std::string row = R"({"time":1675220400,"load":95})";
  const std::string later = R"({"time":1675220410,"load":95})";
  CHECK(failures("match = ['''\n" + row + "\n" + later + "\n''']") == "");
  CHECK(failures("no_match = ['''\n" + row + "\n''']") == "");
  CHECK(failures("match = ['''\n" + row + "\n''']").find("not over its limit in the last row") !=
        std::string::npos);
  CHECK(failures("no_match = ['''\n" + row + "\n" + later + "\n''']").find("must not be") !=
        std::string::npos);
  CHECK(failures("match = ['''\n{\"time\":1675220410}\n''']").find("no number") !=
        std::string::npos);
  CHECK(failures("match = ['''\n{\"time\":16752\n''']").find("no whole record") !=
        std::string::npos);
  CHECK(failures("match = ['''\n{\"load\":95}\n''']").find("time cannot be read") !=
        std::string::npos);
}

}  // namespace
}  // namespace meldevakt::agent
