// The shipped packs on the real logs beside the source tree: what each rule finds in each file is
// what tests/golden/real-logs/counts.csv says, and what an independent script (count.py there)
// finds by plain regular expressions, or the table says why not. Only names and counts are kept.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "agent/frame/record_framer.h"
#include "agent/recognise/metric_watch.h"
#include "agent/recognise/recogniser.h"
#include "agent/rules/shipped_packs.h"

namespace meldevakt::agent {
namespace {

using Key = std::tuple<std::string, std::string, std::string>;  // file, pack, rule

struct Expected {
  std::uint64_t count = 0;
  std::uint64_t independent = 0;
  std::string why;
};

const std::string kFolder = std::string{MELDEVAKT_SOURCE_DIR} + "/tests/golden/real-logs/";

std::map<Key, Expected> table() {
  std::ifstream file{kFolder + "counts.csv"};
  REQUIRE(file.good());
  std::map<Key, Expected> out;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#' || line.substr(0, 5) == "file;") continue;
    std::istringstream fields{line};
    std::array<std::string, 6> field;
    for (std::string& f : field) std::getline(fields, f, ';');
    out[{field[0], field[1], field[2]}] = {std::stoull(field[3]), std::stoull(field[4]), field[5]};
  }
  return out;
}

std::string output_of(const std::string& command) {
  std::FILE* const pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 65536> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    out.append(buffer.data(), n);
  }
  pclose(pipe);
  return out;
}

std::string unpacked(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  const std::string tool = extension == ".gz"    ? "gzip -dc"
                           : extension == ".bz2" ? "bzip2 -dc"
                                                 : "cat";
  return output_of(tool + " '" + path.string() + "'");
}

std::map<std::string, std::shared_ptr<const Pack>> packs() {
  std::map<std::string, std::shared_ptr<const Pack>> out;
  for (const ShippedPack& shipped : shipped_packs()) {
    auto pack = load_pack(shipped.text, shipped.file_name, find_shipped_shared_rules);
    REQUIRE_MESSAGE(pack, (pack ? "" : pack.error().message()));
    out[pack.value()->identity.id] = pack.value();
  }
  return out;
}

// Counts by rule; every byte belongs to a record.
std::map<std::string, std::uint64_t> counts(const std::string& text,
                                            const std::shared_ptr<const Pack>& pack) {
  Recogniser recogniser{pack, nullptr, PrivacyStep{std::string(32, 'k')}};
  recogniser.set_read_at(ReadAt::kIsArrival);  // for packs whose logs have no time
  RecordFramer framer{framer_settings(*pack), recogniser.line_tests(), 0};
  FileTime time;
  time.in_force = Instant{1'600'000'000'000};
  std::map<std::string, std::uint64_t> out;
  MetricWatch metrics{pack};
  const auto drain = [&] {
    while (const auto record = framer.next()) {
      Recognised got = recogniser.recognise(*record, time);
      metrics.judge(*record, got);
      CHECK_FALSE(got.limited);
      for (const SignalEvent& event : got.events) ++out[event.rule];
    }
  };
  constexpr std::size_t kChunk = 65536;
  for (std::size_t at = 0; at < text.size(); at += kChunk) {
    framer.feed(std::string_view{text}.substr(at, kChunk), Instant{1'790'000'000'000});
    drain();
  }
  framer.finish();
  drain();
  const RecordFramer::Stats& stats = framer.stats();
  CHECK(stats.bytes_fed == stats.record_bytes + stats.dropped_bytes);
  CHECK(stats.bytes_fed == text.size());
  return out;
}

std::filesystem::path logs() {
  return std::filesystem::path{MELDEVAKT_SOURCE_DIR} / "../shared/data/logs";
}

TEST_CASE("real logs: each rule of each shipped pack finds what the table says") {
  if (!std::filesystem::is_directory(logs())) {
    MESSAGE("skipped: no sample logs beside the source tree");
    return;
  }
  const auto shipped = packs();
  const auto expected = table();
  std::map<std::pair<std::string, std::string>, std::map<std::string, std::uint64_t>> files;
  for (const auto& [key, row] : expected) {
    const auto& [file, pack, rule] = key;
    auto& wanted = files[{file, pack}];
    if (rule != "*" && row.count > 0) wanted[rule] = row.count;
  }
  CHECK(files.size() > 80);
  for (const auto& [key, wanted] : files) {
    const std::filesystem::path path = logs() / key.first;
    CAPTURE(key.first);
    CAPTURE(key.second);
    if (!std::filesystem::is_regular_file(path)) continue;
    const auto pack = shipped.find(key.second);
    REQUIRE(pack != shipped.end());
    const auto got = counts(unpacked(path), pack->second);
    for (const auto& [rule, count] : wanted) {
      CAPTURE(rule);
      CHECK((got.count(rule) > 0 ? got.at(rule) : 0) == count);
    }
    for (const auto& [rule, count] : got) {
      CHECK_MESSAGE(wanted.count(rule) == 1,
                    "rule " << rule << " found " << count << ", and has no row in counts.csv");
    }
  }
}

TEST_CASE("real logs: an independent count agrees, or the table says why not") {
  const auto expected = table();
  for (const auto& [key, row] : expected) {
    const auto& [file, pack, rule] = key;
    CAPTURE(file);
    CAPTURE(rule);
    CHECK((row.count == row.independent) == row.why.empty());
  }
  if (!std::filesystem::is_directory(logs())) {
    MESSAGE("skipped: no sample logs beside the source tree");
    return;
  }
  std::istringstream lines{
      output_of("python3 '" + kFolder + "count.py' '" + logs().string() + "'")};
  std::map<Key, std::uint64_t> found;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields{line};
    std::array<std::string, 4> field;
    for (std::string& f : field) std::getline(fields, f, ';');
    if (field[2] != "*") found[{field[0], field[1], field[2]}] = std::stoull(field[3]);
  }
  CHECK(found.size() > 150);
  for (const auto& [key, count] : found) {
    const auto row = expected.find(key);
    CAPTURE(std::get<0>(key));
    CAPTURE(std::get<2>(key));
    REQUIRE(row != expected.end());
    CHECK(row->second.independent == count);
  }
}

}  // namespace
}  // namespace meldevakt::agent
