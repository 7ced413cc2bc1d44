#include "agent/recognise/log_scanner.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "common/testing/doubles.h"
#include "scan_world.h"

namespace meldevakt::agent {
namespace {

using testing_scan::LogMaker;

constexpr std::string_view kRules = R"(
[[rule]]
id = "tap"
signal = "message.save_failed"
outcome = "failed"
literal = ["lagring mislyktes", "feil"]
code = "prove/tap"
[[rule]]
id = "lagret"
signal = "message.committed"
literal = "lagret: "
pattern = 'lagret: (?<ref:portal_message_id>{uuid})'
[[rule]]
id = "brutt"
signal = "db.timeout"
any_literal = ["tidsavbrudd", "ødelagt", "kø "]
code = "prove/brutt"
[[rule]]
id = "flere-linjer"
signal = "db.deadlock"
literal = "slått av\n   ved linje"
)";
// A structured kind's literals are ASCII, within one value.
constexpr std::string_view kAsciiRules = R"(
[[rule]]
id = "tap"
signal = "message.save_failed"
outcome = "failed"
literal = ["lagring mislyktes", "feil"]
[[rule]]
id = "brutt"
signal = "db.timeout"
any_literal = ["tidsavbrudd", "Execution"]
pattern = '(?m)^m=.*(tidsavbrudd|Execution)'
)";

constexpr std::string_view kStarts = R"(starts = '\d{4}-\d\d-\d\d '
time = "%Y-%m-%d %H:%M:%S,%f"
)";
// One header over several messages, and times that are only in it.
constexpr std::string_view kHeaderOnly = R"(header_only = '\d{4}-\d\d-\d\d '
starts = '\S'
continues = '\}'
time = "%Y-%m-%d %H:%M:%S,%f"
)";
// Neighbours of one thread are one record.
constexpr std::string_view kJoins = R"(starts = '\d{4}-\d\d-\d\d '
joins = '\S+ \S+ \[(\d)\]'
time = "%Y-%m-%d %H:%M:%S,%f"
)";
constexpr std::string_view kYearless = R"(starts = '\d{4}-\d\d-\d\d '
time = "%m-%d %H:%M:%S,%f"
time_at = '\A\d{4}-(\d)'
)";
constexpr std::string_view kJson = R"(kind = "json-lines"
time_field = "t"
time = "%Y-%m-%d %H:%M:%S,%f"
)";

struct World {
  std::string_view encodings;
  Encoding stored;
  bool mark;
  bool spoilt;
  std::string_view record = kStarts;
};

std::shared_ptr<const Pack> pack_for(const World& world) {
  const bool json = world.record == kJson;
  const std::string toml = R"(pack = "prove"
version = "1.0.0"
observes = ["message.committed", "message.save_failed", "db.timeout", "db.deadlock"]
encoding = [)" + std::string{world.encodings} +
                           "]\n[record]\nlines_max = 10\nbytes_max = 1024\n" +
                           std::string{world.record} + std::string{json ? kAsciiRules : kRules};
  const auto pack = load_pack(toml, "prove.rules.toml");
  if (!pack) FAIL(pack.error().message());
  return pack.value();
}

struct Outcome {
  std::vector<std::string> findings;
  ScanStats stats;
};

std::string told(const ScanFinding& finding) {
  const SignalEvent& event = finding.event;
  std::string out = std::to_string(finding.line) + " @" + std::to_string(event.offset) + "+" +
                    std::to_string(event.bytes) + " " + event.rule + " " + to_rfc3339(event.time) +
                    (event.time_inherited ? " inherited" : "") + " " + event.code;
  for (const Reference& reference : event.references) out += " " + reference.value;
  for (const std::string& scope : event.scopes) out += " " + scope;
  if (event.time_doubt != TimeDoubt::kNone) out += " in doubt";
  return out;
}

Outcome scan(LogScanner::Settings settings, std::string_view text, LogMaker& maker) {
  LogScanner scanner{std::move(settings)};
  Outcome out;
  while (!text.empty()) {
    const std::size_t bytes = std::min<std::size_t>(text.size(), 1 + maker.below(700));
    scanner.feed(text.substr(0, bytes));
    text.remove_prefix(bytes);
    for (const ScanFinding& finding : scanner.take()) out.findings.push_back(told(finding));
  }
  scanner.finish();
  for (const ScanFinding& finding : scanner.take()) out.findings.push_back(told(finding));
  out.stats = scanner.stats();
  return out;
}

TEST_CASE("LogScanner: looking closely only at candidates finds what looking at everything finds") {
  const std::uint64_t seed = 20231029;
  MESSAGE("seed " << seed);
  testing::RuleTimeZones zones;
  const auto zone = zones.find("Europe/Oslo");
  REQUIRE(zone);
  const std::vector<World> worlds{
      {R"("utf-8")", Encoding::kUtf8, false, false},
      {R"("utf-8")", Encoding::kUtf8, true, true},
      {R"("utf-8", "windows-1252")", Encoding::kUtf8, false, true},
      {R"("windows-1252")", Encoding::kWindows1252, false, false},
      {R"("utf-16le")", Encoding::kUtf16Le, false, false},
      {R"("utf-8")", Encoding::kUtf16Le, true, false},
      {R"("utf-8", "windows-1252")", Encoding::kUtf8, false, true, kHeaderOnly},
      {R"("utf-8", "windows-1252")", Encoding::kUtf8, false, false, kJoins},
      {R"("utf-16le")", Encoding::kUtf16Le, true, false, kJoins},
      {R"("utf-8")", Encoding::kUtf8, false, true, kYearless},
      {R"("utf-8")", Encoding::kUtf8, false, true, kJson},
      {R"("utf-16le")", Encoding::kUtf16Le, false, false, kJson},
      {R"("utf-16be")", Encoding::kUtf16Be, true, false},
      {R"("iso-8859-1")", Encoding::kIso8859_1, false, true},
  };
  std::uint64_t findings = 0;
  std::uint64_t bytes = 0;
  std::uint64_t framed = 0;
  for (std::uint64_t round = 0; round < 420; ++round) {
    LogMaker maker{seed + round};
    const World& world = worlds[round % worlds.size()];
    maker.spoil(world.spoilt);
    const std::string text = maker.stored(maker.text(20 + maker.below(150), world.record == kJson),
                                          world.stored, world.mark);
    LogScanner::Settings settings;
    settings.pack = pack_for(world);
    settings.zone = round % 5 == 0 ? nullptr : zone.value();
    settings.chunk_bytes = 64 + maker.below(2000);
    settings.plan_after_bytes = maker.below(600);
    LogScanner::Settings everything = settings;
    everything.order = ScanOrder::kEverything;
    const Outcome want = scan(everything, text, maker);
    const Outcome got = scan(settings, text, maker);
    CAPTURE(round);
    const auto [g, w] = std::mismatch(got.findings.begin(), got.findings.end(),
                                      want.findings.begin(), want.findings.end());
    if (g != got.findings.end()) FAIL_CHECK("found: " << *g);
    if (w != want.findings.end()) FAIL_CHECK("to be found: " << *w);
    REQUIRE(got.findings == want.findings);
    REQUIRE(got.stats.lines == want.stats.lines);
    REQUIRE(got.stats.bytes == text.size());
    REQUIRE(got.stats.recognised_bytes == want.stats.recognised_bytes);
    REQUIRE(got.stats.dropped_bytes == want.stats.dropped_bytes);
    REQUIRE(got.stats.records == want.stats.records);
    REQUIRE(got.stats.first_time == want.stats.first_time);
    REQUIRE(got.stats.last_time == want.stats.last_time);
    findings += want.findings.size();
    bytes += text.size();
    framed += got.stats.framed_bytes;
  }
  // The test means nothing where nothing is found, or nothing is skipped.
  CHECK(findings > 3000);
  MESSAGE("framed " << framed << " of " << bytes);
  CHECK(framed < bytes * 9 / 10);
}

}  // namespace
}  // namespace meldevakt::agent
