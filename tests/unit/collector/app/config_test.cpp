#include "collector/app/config.h"

#include <doctest/doctest.h>

namespace meldevakt::collector {
namespace {

const std::string kMinimal = "data = \"/srv/k\"\nnames = [\"k.example\"]\n";

std::string refusal(const std::string& text) {
  const auto config = parse_config(text, "collector.toml");
  if (config) return "accepted";
  CHECK(config.error().code() == Errc::kInvalid);
  return config.error().message();
}

TEST_CASE("a minimal file has the defaults that are documented") {
  const Config config = parse_config(kMinimal, "collector.toml").value();
  CHECK(config.data == "/srv/k");
  CHECK(config.agents.address == "127.0.0.1");
  CHECK(config.agents.port == 8443);
  CHECK(config.people.port == 8444);
  CHECK(config.policy.grace == seconds(30));
  CHECK(config.policy.confirm_within == hours(24));
  CHECK(config.policy.post_within == days(5));
  REQUIRE(config.portals.size() == 1);
  CHECK(config.portals[0].name == "npb");
  CHECK(config.portals[0].columns == default_columns());
  CHECK(parse_config("data = \"d\"\nnames = [\"k\"]\n", "/etc/m/collector.toml").value().data ==
        "/etc/m/d");
}

TEST_CASE("how long the portal keeps messages is a dated setting per channel") {
  const auto with = [](const std::string& text) { return kMinimal + "[[retention]]\n" + text; };
  const auto config = parse_config(
      with("sent_from = \"2027-01-01T00:00:00Z\"\nkeep = \"60d\"\n[[retention]]\nchannel = "
           "\"manual\"\nsent_from = \"2027-02-01T00:00:00Z\"\nkeep = \"forever\"\n"),
      "collector.toml");
  REQUIRE(config);
  const auto& rules = config.value().policy.retention;
  const Instant sent = from_rfc3339("2027-03-01T00:00:00Z").value();
  CHECK(purge_deadline(rules, "", sent, sent) == sent + days(60) - hours(1));  // summer time began
  CHECK_FALSE(purge_deadline(rules, "manual", sent, sent));
  const Instant before = from_rfc3339("2026-12-01T00:00:00Z").value();
  CHECK(purge_deadline(rules, "", before, before) == before + days(30));
  CHECK(purge_deadline(rules, "manual", before, before) == before + days(30));

  const std::string from = "sent_from = \"2027-01-01T00:00:00Z\"\n";
  CHECK(refusal(with("keep = \"60d\"\n")).find("'sent_from' must say") != std::string::npos);
  CHECK(refusal(with(from)).find("'keep' must be how long") != std::string::npos);
  CHECK(refusal(with(from + "keep = \"0d\"\n")).find("'keep'") != std::string::npos);
  CHECK(refusal(with(from + "keep = \"60d\"\nchannel = \"post\"\n")).find("'channel' must be") !=
        std::string::npos);
  CHECK(refusal(with(from + "kept = \"60d\"\n")).find("keep") != std::string::npos);
}

TEST_CASE("everything that can be set is set") {
  const Config config = parse_config(kMinimal + R"(on_finding = "/usr/local/bin/alarm"
[agents]
listen = "[::]:0"
url = "https://kollektor.example:9443"
silent_after = "25h"
[people]
listen = "0.0.0.0:80"
[policy]
grace = "3s"
look_before = "2m"
clock_error = "500 ms"
nearby = "1m"
confirm_within = "2h"
post_within = "72h"
[[portal]]
name = "npb"
zone = "UTC"
columns = { message_id = ["id"], sent = ["a", "b"] }
[[portal]]
name = "other"
)",
                                     "collector.toml")
                            .value();
  CHECK(config.on_finding == "/usr/local/bin/alarm");
  CHECK(config.agents.address == "::");
  CHECK(config.agents.port == 0);
  CHECK(config.agents_url == "https://kollektor.example:9443");
  CHECK(config.silent_after == hours(25));
  CHECK(config.people.address == "0.0.0.0");
  CHECK(config.policy.clock_error == milliseconds(500));
  CHECK(config.policy.nearby == minutes(1));
  CHECK(config.policy.post_within == hours(72));
  REQUIRE(config.portals.size() == 2);
  CHECK(config.portals[0].columns.at("sent") == std::vector<std::string>{"a", "b"});
  CHECK(config.portals[0].columns.at("confirmed") == default_columns().at("confirmed"));
  CHECK(config.portals[1].zone == "Europe/Oslo");
}

TEST_CASE("each mistake is named with file, line and what to write") {
  struct Case {
    std::string text;
    const char* message;  // how it begins
  };
  const Case cases[] = {
      {"", "collector.toml:1: 'data' is missing"},
      {"data = \"/srv\"\n", "collector.toml:1: 'names' is missing"},
      {kMinimal + "dato = 1\n",
       "collector.toml:3: unknown key 'dato' in the file; did you mean 'data'?"},
      {kMinimal + "on_finding = \"alarm.sh\"\n", "collector.toml:3: 'on_finding' must be"},
      {kMinimal + "[policy]\ngrase = \"1s\"\n",
       "collector.toml:4: unknown key 'grase' in [policy]; did you mean 'grace'?"},
      {kMinimal + "[policy]\ngrace = 30\n",
       "collector.toml:4: 'grace' in [policy] must be a text in quotes"},
      {kMinimal + "[policy]\ngrace = \"soon\"\n", "collector.toml:4: 'grace' in [policy]: "},
      {kMinimal + "[agents]\nlisten = \"8443\"\n", "collector.toml:4: 'listen' must be"},
      {kMinimal + "[agents]\nlisten = \"::1:8443\"\n", "collector.toml:4: 'listen' must be"},
      {kMinimal + "[agents]\nlisten = \"a:99999\"\n", "collector.toml:4: 'listen' must be"},
      {kMinimal + "[agents]\nurl = \"http://k:1\"\n", "collector.toml:4: 'url' must be"},
      {kMinimal + "[agents]\nurl = \"https://k:1/x\"\n", "collector.toml:4: 'url' must be"},
      {kMinimal + "[agents]\nlisen = \"a:1\"\n",
       "collector.toml:4: unknown key 'lisen' in [agents]; did you mean 'listen'?"},
      {kMinimal + "[agents]\nsilent_after = \"1m\"\n",
       "collector.toml:4: 'silent_after' must be at least two minutes"},
      {kMinimal + "[portal]\nname = \"npb\"\n", "collector.toml:3: write [[portal]]"},
      {kMinimal + "[[portal]]\nzone = \"UTC\"\n", "collector.toml:3: [[portal]] needs a 'name'"},
      {kMinimal + "[[portal]]\nname = \"a\"\n[[portal]]\nname = \"a\"\n",
       "collector.toml:6: there are two portals named 'a'"},
      {kMinimal + "[[portal]]\nname = \"a\"\ncolumns = { sendt = [\"x\"] }\n",
       "collector.toml:5: unknown key 'sendt' in columns of [[portal]]; did you mean 'sent'?"},
      {kMinimal + "[[portal]]\nname = \"a\"\ncolumns = { sent = \"x\" }\n",
       "collector.toml:5: 'sent' in columns of [[portal]] must be a list of texts"},
      {"data = \"/srv\"\nnames = [\"a\", 5]\n", "collector.toml:2: 'names' in the file must be"},
      {"data = \"/srv\"\nnames = [\"https://a\"]\n", "collector.toml:2: 'names' must be plain"},
      {"data = \"/srv\nnames = 1\n", "collector.toml:1: "},
  };
  for (const Case& test : cases) {
    CAPTURE(test.text);
    const std::string message = refusal(test.text);
    CAPTURE(message);
    CHECK(message.rfind(test.message, 0) == 0);
  }
}

TEST_CASE("a file that is not there is named") {
  const auto config = load_config("nowhere/collector.toml");
  CHECK(config.error().message().find("nowhere/collector.toml") != std::string::npos);
}

}  // namespace
}  // namespace meldevakt::collector
