// Whole logs through framing and recognition with the packs we ship, against approved output:
// tests/golden/NAME/{input.log,expected.jsonl}. MELDEVAKT_APPROVE=1 writes what is got.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "agent/frame/record_framer.h"
#include "agent/recognise/recogniser.h"
#include "agent/rules/shipped_packs.h"
#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

using Json = nlohmann::ordered_json;

std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  REQUIRE_MESSAGE(file.good(), path);
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::shared_ptr<const Pack> shipped(std::string_view id) {
  for (const ShippedPack& file : shipped_packs()) {
    const auto pack = load_pack(file.text, file.file_name, find_shipped_shared_rules);
    if (!pack) FAIL(pack.error().message());
    if (pack.value()->identity.id == id) return pack.value();
  }
  FAIL("no such pack: " << id);
  return nullptr;
}

Json json_of(const SignalEvent& event) {
  Json out;
  out["rule"] = event.rule;
  if (event.signal) out["signal"] = to_string(*event.signal);
  if (event.time_inherited) out["time_inherited"] = true;
  if (!event.code.empty()) out["code"] = event.code;
  if (event.outcome) out["outcome"] = to_string(*event.outcome);
  if (event.form) out["form"] = to_string(*event.form);
  for (const Reference& reference : event.references) {
    out["references"].push_back({{"type", to_string(reference.type)}, {"value", reference.value}});
  }
  if (!event.scopes.empty()) out["scopes"] = event.scopes;
  if (event.ends_scope) out["ends_scope"] = true;
  if (event.restarts_process) out["restarts_process"] = true;
  if (event.opens_window) out["opens_window"] = true;
  if (!event.driver.empty()) out["driver"] = event.driver;
  if (event.references_dropped > 0) out["references_dropped"] = event.references_dropped;
  return out;
}

Json json_of(const Record& record, const Recognised& recognised) {
  Json out;
  out["offset"] = record.offset;
  out["bytes"] = record.bytes;
  out["lines"] = record.lines;
  if (record.orphan) out["orphan"] = true;
  if (recognised.time) out["time"] = to_rfc3339(*recognised.time);
  out["known"] = recognised.known;
  for (const SignalEvent& event : recognised.events) out["events"].push_back(json_of(event));
  return out;
}

std::string recognised_lines(const std::string& input, const std::shared_ptr<const Pack>& pack,
                             std::size_t chunk_bytes) {
  auto zone = testing::RuleTimeZones{}.find("Europe/Oslo");
  REQUIRE(zone.has_value());
  Recogniser recogniser{pack, zone.value(), PrivacyStep{std::string(32, 'g')}};
  RecordFramer framer{framer_settings(*pack), recogniser.line_tests(), 0};
  std::string out;
  const auto drain = [&] {
    while (const auto record = framer.next()) {
      out += json_of(*record, recogniser.recognise(*record)).dump() + "\n";
    }
  };
  for (std::size_t at = 0; at < input.size(); at += chunk_bytes) {
    framer.feed(std::string_view{input}.substr(at, chunk_bytes), Instant{0});
    drain();
  }
  framer.finish();
  drain();
  return out;
}

TEST_CASE("golden: logs through framing and recognition") {
  for (const auto& [name, pack_id] : std::vector<std::pair<std::string, std::string>>{
           {"familia-like", "familia-like"},
           {"familia-like-failures", "familia-like-failures"},
           {"familia-like-utf16", "familia-like"},
           {"postgresql-stderr", "postgresql-stderr"}}) {
    CAPTURE(name);
    const std::string folder = std::string{MELDEVAKT_TESTS_DIR} + "/golden/" + name;
    const std::string input = read_file(folder + "/input.log");
    const auto pack = shipped(pack_id);
    const std::string got = recognised_lines(input, pack, input.size());
    CHECK(recognised_lines(input, pack, 7) == got);
    const std::string expected_path = folder + "/expected.jsonl";
    if (std::getenv("MELDEVAKT_APPROVE") != nullptr) {
      std::ofstream{expected_path, std::ios::binary} << got;
      continue;
    }
    CHECK(got == read_file(expected_path));
  }
}

}  // namespace
}  // namespace meldevakt::agent
