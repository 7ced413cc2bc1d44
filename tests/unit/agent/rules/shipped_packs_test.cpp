#include "agent/rules/shipped_packs.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/frame/record_framer.h"
#include "agent/recognise/pack.h"
#include "agent/recognise/program.h"
#include "agent/recognise/recogniser.h"

namespace meldevakt::agent {
namespace {

std::string text_of(std::string_view file_name) {
  for (const ShippedPack& shipped : shipped_packs()) {
    if (shipped.file_name == file_name) return std::string{shipped.text};
  }
  FAIL("no such pack: " << file_name);
  return "";
}

std::vector<std::shared_ptr<const Pack>> load_all() {
  std::vector<std::shared_ptr<const Pack>> packs;
  for (const ShippedPack& shipped : shipped_packs()) {
    const auto pack = load_pack(shipped.text, shipped.file_name, find_shipped_shared_rules);
    if (!pack) FAIL(pack.error().message());
    packs.push_back(pack.value());
  }
  return packs;
}

TEST_CASE("shipped packs: the embedded bytes are the files'") {
  REQUIRE(shipped_packs().size() >= 38);
  REQUIRE(shipped_shared_rules().size() >= 10);
  std::vector<ShippedPack> all = shipped_packs();
  all.insert(all.end(), shipped_shared_rules().begin(), shipped_shared_rules().end());
  for (const ShippedPack& shipped : all) {
    std::ifstream file{
        std::string{MELDEVAKT_SOURCE_DIR} + "/agent/rules/" + std::string{shipped.file_name},
        std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    CHECK(shipped.text == bytes);
  }
}

TEST_CASE("shipped packs: a pack is called as its file is") {
  for (const ShippedPack& shipped : shipped_packs()) {
    const auto pack = load_pack(shipped.text, shipped.file_name, find_shipped_shared_rules);
    REQUIRE(pack);
    CHECK(pack.value()->identity.id + ".rules.toml" == shipped.file_name);
  }
}

TEST_CASE("shipped packs: every sample holds, each pack by itself and against the others") {
  const auto packs = load_all();
  for (const auto& pack : packs) {
    for (const SampleFailure& failure : check_samples(*pack)) FAIL_CHECK(failure.message);
  }
  for (const SampleFailure& failure : check_samples_across(packs)) FAIL_CHECK(failure.message);
}

TEST_CASE("shipped packs: every rule shows what it matches and what it does not") {
  for (const auto& pack : load_all()) {
    for (const Rule& rule : pack->program->rules) {
      CAPTURE(pack->identity.id);
      CAPTURE(rule.id);
      CHECK_FALSE(rule.match.empty());
      CHECK_FALSE(rule.no_match.empty());
    }
  }
}

TEST_CASE(
    "shipped packs: a pack whose file is broken in any one pattern does not pass its samples") {
  const std::string text = text_of("familia-like.rules.toml");
  std::size_t broken = 0;
  for (std::size_t at = text.find("\npattern  = '"); at != std::string::npos;
       at = text.find("\npattern  = '", at + 1)) {
    std::string bad = text;
    bad.insert(at + std::string_view{"\npattern  = '"}.size(), "aldri");
    const auto pack = load_pack(bad, "bad.rules.toml");
    REQUIRE(pack.has_value());
    CHECK_FALSE(check_samples(*pack.value()).empty());
    ++broken;
  }
  CHECK(broken >= 20);
}

// The text of each rule by its id.
std::map<std::string, std::string> rules_of(const std::string& text) {
  std::map<std::string, std::string> rules;
  for (std::size_t at = text.find("\n[[rule]]\n"); at != std::string::npos;) {
    const std::size_t next = text.find("\n[[rule]]\n", at + 1);
    std::string rule = text.substr(at, next - at);
    rule = rule.substr(0, rule.find("\n# ---"));
    while (!rule.empty() && rule.back() == '\n') rule.pop_back();
    const std::size_t id = rule.find('"') + 1;
    rules[rule.substr(id, rule.find('"', id) - id)] = rule;
    at = next;
  }
  return rules;
}

TEST_CASE("shipped packs: familia-like-failures reads failures exactly as familia-like does") {
  const auto all = rules_of(text_of("familia-like.rules.toml"));
  const auto failures = rules_of(text_of("familia-like-failures.rules.toml"));
  CHECK(failures.size() >= 15);
  for (const auto& [id, rule] : failures) {
    CAPTURE(id);
    REQUIRE(all.count(id) == 1);
    CHECK(rule == all.at(id));
  }
  for (const auto& [id, rule] : all) {
    const bool fails = rule.find("signal   = \"message.save_failed\"") != std::string::npos;
    if (fails) CHECK_MESSAGE(failures.count(id) == 1, id);
  }
}

TEST_CASE("shipped packs: the pack in the guide works, beside all of them") {
  std::ifstream file{std::string{MELDEVAKT_SOURCE_DIR} + "/agent/rules/README.md"};
  const std::string guide{std::istreambuf_iterator<char>{file}, {}};
  const std::string_view open = "```toml\n";
  const std::size_t from = guide.find(open);
  REQUIRE(from != std::string::npos);
  const std::size_t to = guide.find("```", from + open.size());
  const auto pack =
      load_pack(std::string_view{guide}.substr(from + open.size(), to - from - open.size()),
                "arkivaren.rules.toml", find_shipped_shared_rules);
  REQUIRE_MESSAGE(pack, (pack ? "" : pack.error().message()));
  for (const SampleFailure& failure : check_samples(*pack.value())) FAIL_CHECK(failure.message);
  auto all = load_all();
  all.push_back(pack.value());
  for (const SampleFailure& failure : check_samples_across(all)) FAIL_CHECK(failure.message);
}

// Which packs claim that silence about commits, or about failed saves, tells something.
TEST_CASE("shipped packs: what they observe decides what silence proves") {
  const std::set<std::string> commits{"familia-like", "svarut-sak-mottak", "svarut-forsendelser",
                                      "fiks-konsument-tktip"};
  for (const auto& pack : load_all()) {
    const auto observes = [&pack](Signal signal) {
      return std::find(pack->observes.begin(), pack->observes.end(), signal) !=
             pack->observes.end();
    };
    const std::string& id = pack->identity.id;
    CAPTURE(id);
    CHECK(observes(Signal::kMessageCommitted) == (commits.count(id) > 0));
    const bool tells_failures = commits.count(id) > 0 || id == "familia-like-failures" ||
                                id == "fiks-konsument-poc" || id.substr(0, 7) == "dotnet-" ||
                                id.substr(0, 11) == "eformidling";
    CHECK(observes(Signal::kMessageSaveFailed) == tells_failures);
  }
}

// The data's own fault, a login and a restart are never overload, however many there are.
TEST_CASE("shipped packs: no window of overload is opened by what is none") {
  for (const auto& pack : load_all()) {
    for (const Rule& rule : pack->program->rules) {
      if (!rule.opens_window) continue;
      CAPTURE(pack->identity.id);
      CAPTURE(rule.id);
      REQUIRE(rule.signal.has_value());
      CHECK(rule.driver != "restart");
      for (const Signal never :
           {Signal::kDbDataError, Signal::kDbLoginFailed, Signal::kDbTransactionFailed,
            Signal::kDbRestarted, Signal::kDbCommitted, Signal::kProcessStarted,
            Signal::kProcessStopped, Signal::kMessageCommitted, Signal::kMessageReceived,
            Signal::kMessageAcknowledged, Signal::kPortalPolled, Signal::kLogBlind}) {
        CHECK(*rule.signal != never);
      }
    }
  }
}

// A rule that looks at an exception's or error's number must not open a window for those of data.
TEST_CASE("shipped packs: a data error opens no window in any layout") {
  const std::vector<std::pair<std::string, std::string>> errors{
      {"dotnet-log4net",
       "2023-02-01 09:14:22,101 [17] ERROR Fag - "
       "Microsoft.EntityFrameworkCore.DbUpdateException: An error occurred\n"
       " ---> Microsoft.Data.SqlClient.SqlException (0x80131904): Feil\n"
       "Error Number:2627,State:1,Class:14"},
      {"dotnet-serilog",
       "2023-02-01 09:14:22.101 +01:00 [ERR] "
       "Microsoft.EntityFrameworkCore.DbUpdateException: An error occurred\n"
       " ---> Npgsql.PostgresException (0x80004005): 23503: Feil"},
      {"postgresql-stderr",
       "2023-02-01 03:14:22.101 CET [4711] fag@fag ERROR:  duplicate key value "
       "violates unique constraint \"pk\""},
      {"oracle-alert", "2023-02-01T03:14:22.101234+01:00\nORA-00001: unique constraint violated"},
      {"mysql-error",
       "2023-02-01T02:14:22.101234Z 7 [ERROR] [MY-010000] [Server] Duplicate entry "
       "'811' for key 'PRIMARY'"},
      {"mssql-errorlog",
       "2023-02-01 03:00:00.10 Server      UTC adjustment: 1:00\n"
       "2023-02-01 03:14:22.10 Logon       Error: 18456, Severity: 14, State: 8.\n"
       "2023-02-01 03:14:22.10 Logon       Login failed for user 'fag'."}};
  const auto packs = load_all();
  for (const auto& [id, text] : errors) {
    CAPTURE(id);
    const auto pack = std::find_if(packs.begin(), packs.end(),
                                   [&](const auto& p) { return p->identity.id == id; });
    REQUIRE(pack != packs.end());
    Recogniser recogniser{*pack, nullptr, PrivacyStep{std::string(32, 'k')}};
    RecordFramer framer{framer_settings(**pack), recogniser.line_tests(), 0};
    framer.feed(text, Instant{0});
    framer.finish();
    std::size_t events = 0;
    while (const auto record = framer.next()) {
      for (const SignalEvent& event : recogniser.recognise(*record).events) {
        CAPTURE(event.rule);
        CHECK_FALSE(event.opens_window);
        ++events;
      }
    }
    CHECK(events > 0);
  }
}

}  // namespace
}  // namespace meldevakt::agent
