// Whole logs to facts with the packs we ship, by `explain`'s own code, against approved output:
// tests/golden/agent/facts/NAME.{log,jsonl}. MELDEVAKT_APPROVE=1 writes what is got.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/summarise/explain.h"
#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  REQUIRE_MESSAGE(file.good(), path);
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::string explained(const std::string& log, const std::string& pack_file, std::size_t chunk) {
  const std::string path = std::string{MELDEVAKT_SOURCE_DIR} + "/agent/rules/" + pack_file;
  auto pack = load_pack(read_file(path), pack_file);
  REQUIRE_MESSAGE(pack, (pack ? "" : pack.error().message()));
  Explainer::Settings settings;
  settings.pack = pack.value();
  settings.zone = meldevakt::testing::RuleTimeZones{}.find("Europe/Oslo").value();
  settings.tenant_key = std::string(32, 'g');
  settings.fact_key = std::string(32, 'g');
  settings.only_events = true;
  Explainer explainer{settings};
  std::string out;
  for (std::size_t from = 0; from < log.size(); from += chunk) {
    explainer.feed(std::string_view{log}.substr(from, chunk));
  }
  explainer.finish();
  for (const std::string& line : explainer.take()) out += line + "\n";
  return out;
}

TEST_CASE("golden: logs to facts") {
  for (const auto& [name, pack_file] :
       std::vector<std::pair<std::string, std::string>>{{"one-day", "familia-like.rules.toml"}}) {
    CAPTURE(name);
    const std::string base = std::string{MELDEVAKT_TESTS_DIR} + "/golden/agent/facts/" + name;
    const std::string log = read_file(base + ".log");
    const std::string got = explained(log, pack_file, log.size());
    CHECK(explained(log, pack_file, 11) == got);
    if (std::getenv("MELDEVAKT_APPROVE") != nullptr) {
      std::ofstream{base + ".jsonl", std::ios::binary} << got;
      continue;
    }
    CHECK(got == read_file(base + ".jsonl"));
  }
}

}  // namespace
}  // namespace meldevakt::agent
