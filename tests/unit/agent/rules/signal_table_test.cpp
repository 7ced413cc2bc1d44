// agent/rules/signals.csv: each signal of the format survey has a rule that gives it, and each rule
// of a shipped pack a row.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "agent/recognise/pack.h"
#include "agent/recognise/program.h"
#include "agent/rules/shipped_packs.h"

namespace meldevakt::agent {
namespace {

constexpr int kSignalsSurveyed = 168;

struct Row {
  std::string number, kind, signal, file, rule;
};

std::vector<Row> rows() {
  std::ifstream file{std::string{MELDEVAKT_SOURCE_DIR} + "/agent/rules/signals.csv"};
  REQUIRE(file.good());
  std::vector<Row> out;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#' || line.substr(0, 7) == "number;") continue;
    std::istringstream fields{line};
    Row row;
    for (std::string* field : {&row.number, &row.kind, &row.signal, &row.file, &row.rule}) {
      REQUIRE_MESSAGE(std::getline(fields, *field, ';'), line);
    }
    out.push_back(row);
  }
  return out;
}

// The rules we ship, each once, in the file that it is written in: "mssql-client.shared" -> id.
std::map<std::pair<std::string, std::string>, std::string> shipped_rules() {
  std::map<std::pair<std::string, std::string>, std::string> out;
  for (const ShippedPack& shipped : shipped_packs()) {
    if (shipped.file_name.substr(0, 8) == "familia-") continue;
    const auto pack = load_pack(shipped.text, shipped.file_name, find_shipped_shared_rules);
    REQUIRE(pack);
    for (const Rule& rule : pack.value()->program->rules) {
      std::string file = rule.file.empty() ? std::string{shipped.file_name} : rule.file;
      file.resize(file.size() - std::string{".toml"}.size());
      out[{file, rule.id}] = rule.signal ? std::string{to_string(*rule.signal)} : "-";
    }
    for (const MetricRule& metric : pack.value()->program->metrics) {
      std::string file{shipped.file_name};
      file.resize(file.size() - std::string{".toml"}.size());
      out[{file, metric.name}] = to_string(*metric.signal);
    }
  }
  return out;
}

TEST_CASE("signal table: every row names a rule and what it gives; every rule has a row") {
  const auto rules = shipped_rules();
  std::set<std::pair<std::string, std::string>> named;
  for (const Row& row : rows()) {
    CAPTURE(row.file);
    CAPTURE(row.rule);
    const auto found = rules.find({row.file, row.rule});
    REQUIRE(found != rules.end());
    CHECK(found->second == row.signal);
    named.insert({row.file, row.rule});
  }
  for (const auto& [key, signal] : rules) {
    CHECK_MESSAGE(named.count(key) == 1, key.first << ", rule " << key.second << " has no row");
  }
}

TEST_CASE("signal table: no signal of the survey is without a rule") {
  std::set<std::string> numbers;
  for (const Row& row : rows()) numbers.insert(row.number);
  for (int n = 1; n <= kSignalsSurveyed; ++n) {
    CHECK_MESSAGE(numbers.count(std::to_string(n)) == 1, "signal " << n << " has no rule");
  }
}

// The survey's class decides which of our signals may answer it.
TEST_CASE("signal table: a signal's class and ours agree") {
  const std::map<std::string, std::vector<std::string>> allowed{
      {"received", {"message.received", "portal.polled", "-"}},
      {"committed", {"message.committed", "db.committed"}},
      {"acknowledged", {"message.acknowledged"}},
      {"(heartbeat)", {"portal.polled"}},
      {"blind", {"log.blind"}},
      {"backup", {"backup.started", "backup.finished", "backup.failed", "-"}}};
  for (const Row& row : rows()) {
    for (const auto& [kind, signals] : allowed) {
      if (row.kind != kind) continue;
      CAPTURE(row.number);
      CAPTURE(row.rule);
      CHECK(std::find(signals.begin(), signals.end(), row.signal) != signals.end());
    }
  }
}

}  // namespace
}  // namespace meldevakt::agent
