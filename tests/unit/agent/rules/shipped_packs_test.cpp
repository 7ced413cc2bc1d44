#include "agent/rules/shipped_packs.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/pack.h"
#include "agent/recognise/program.h"

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
    const auto pack = load_pack(shipped.text, shipped.file_name);
    if (!pack) FAIL(pack.error().message());
    packs.push_back(pack.value());
  }
  return packs;
}

TEST_CASE("shipped packs: the embedded bytes are the files'") {
  REQUIRE(shipped_packs().size() == 3);
  for (const ShippedPack& shipped : shipped_packs()) {
    std::ifstream file{
        std::string{MELDEVAKT_SOURCE_DIR} + "/agent/rules/" + std::string{shipped.file_name},
        std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    CHECK(shipped.text == bytes);
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

TEST_CASE("shipped packs: what they observe decides what silence proves") {
  for (const auto& pack : load_all()) {
    const auto observes = [&pack](Signal signal) {
      return std::find(pack->observes.begin(), pack->observes.end(), signal) !=
             pack->observes.end();
    };
    CAPTURE(pack->identity.id);
    CHECK(observes(Signal::kMessageCommitted) == (pack->identity.id == "familia-like"));
    CHECK(observes(Signal::kMessageSaveFailed) == (pack->identity.id != "postgresql-stderr"));
  }
}

}  // namespace
}  // namespace meldevakt::agent
