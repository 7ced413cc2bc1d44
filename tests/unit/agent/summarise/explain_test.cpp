#include "agent/summarise/explain.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/unit/agent/summarise/trace.h"

namespace meldevakt::agent {
namespace {

using nlohmann::json;
using testing::line;

Explainer::Settings settings() {
  Explainer::Settings out;
  out.pack = testing::trace_pack();
  out.zone = testing::trace_settings().zone;
  out.tenant_key = std::string(32, 't');
  out.fact_key = std::string(32, 'f');
  return out;
}

std::vector<json> explain(const std::string& log, const Explainer::Settings& with = settings(),
                          std::size_t chunk = 1'000'000) {
  Explainer explainer{with};
  std::vector<std::string> lines;
  const auto take = [&] {
    for (std::string& one : explainer.take()) lines.push_back(std::move(one));
  };
  for (std::size_t from = 0; from < log.size(); from += chunk) {
    explainer.feed(std::string_view{log}.substr(from, chunk));
    take();
  }
  explainer.finish();
  take();
  std::vector<json> out;
  for (const std::string& one : lines) out.push_back(json::parse(one));
  return out;
}

const std::string kLog = line(1, 17, "received P1 transport=abc123 from Prøvine Eksempel") +
                         line(2, 17, "noise about Prøvine") +
                         line(3, 17, "error\n   Timeout expired\n") + line(4, 18, "stored P2");

TEST_CASE("Explainer: one line a record, then the facts, then the sum") {
  const std::vector<json> lines = explain(kLog);
  REQUIRE(lines.size() == 4 + 5 + 1);
  const json& received = lines[0].at("record");
  CHECK(received.at("offset") == 0);
  CHECK(received.at("time") == "2024-05-01T10:00:01.000Z");
  CHECK(received.at("own_time") == true);
  CHECK(received.at("known") == true);
  CHECK(received.at("events").at(0).at("rule") == "received");
  CHECK(received.at("events").at(0).at("signal") == "message.received");
  CHECK(received.at("events").at(0).at("scopes") == json::array({"thread"}));
  CHECK(received.at("events").at(0).at("references").size() == 2);
  CHECK(received.at("events").at(0).at("step").at("step").at("attribution") == "named");
  CHECK(lines[1].at("record").at("known") == false);
  CHECK(lines[1].at("record").at("events").empty());
  const json& failed = lines[2].at("record");
  CHECK(failed.at("lines") == 3);
  CHECK(failed.at("events").at(0).at("outcome") == "unknown");
  CHECK(failed.at("events").at(0).at("code") == "db/42");
  CHECK(failed.at("events").at(0).at("step").at("step").at("attribution") == "scope");
  int facts = 0;
  for (const json& one : lines) facts += one.contains("fact") ? 1 : 0;
  CHECK(facts == 5);  // alias, received, failed, window, committed
  const json& summary = lines.back().at("summary");
  CHECK(summary.at("records") == 4);
  CHECK(summary.at("bytes").at("read") == kLog.size());
  CHECK(summary.at("bytes").at("pending") == 0);
  CHECK(summary.at("facts") == 5);
  CHECK(summary.at("first_time") == "2024-05-01T10:00:01.000Z");
  CHECK(summary.at("last_time") == "2024-05-01T10:00:04.000Z");
}

TEST_CASE("Explainer: text of the log only when asked for") {
  const auto all = [](const std::vector<json>& lines) {
    std::string out;
    for (const json& one : lines) out += one.dump() + "\n";
    return out;
  };
  const std::string plain = all(explain(kLog));
  CHECK(plain.find("Prøvine") == std::string::npos);
  CHECK(plain.find("abc123") == std::string::npos);
  CHECK(plain.find("thread=17") == std::string::npos);
  Explainer::Settings with = settings();
  with.show_text = true;
  const std::string shown = all(explain(kLog, with));
  CHECK(shown.find("from Prøvine Eksempel") != std::string::npos);
  CHECK(shown.find("thread=17") != std::string::npos);
}

TEST_CASE("Explainer: only what rules know, when asked for; chunks do not matter") {
  Explainer::Settings with = settings();
  with.only_events = true;
  CHECK(explain(kLog, with).size() == 3 + 5 + 1);
  CHECK(explain(kLog, settings(), 7) == explain(kLog));
}

TEST_CASE("Explainer: keyed references need the tenant's key") {
  Explainer::Settings with = settings();
  with.tenant_key = "";
  const json event = explain(kLog, with)[0].at("record").at("events").at(0);
  CHECK(event.at("references").size() == 1);
  CHECK(event.at("references_dropped") == 1);
}

TEST_CASE("Explainer: an empty file") {
  const std::vector<json> lines = explain("");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].at("summary").at("records") == 0);
  CHECK_FALSE(lines[0].at("summary").contains("first_time"));
}

}  // namespace
}  // namespace meldevakt::agent
