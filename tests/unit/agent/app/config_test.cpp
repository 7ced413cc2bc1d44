#include "agent/app/config.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "agent/app/packs.h"
#include "agent/app/source_readers.h"
#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

// Twelve lines that are right; a case changes one thing.
constexpr std::string_view kGood = R"(collector = "https://127.0.0.1:8443"
state = "/var/lib/x"
[[tenant]]
name = "Eksempel kommune"
organisation = "123456785"
[[source]]
name = "trace"
files = ["/var/log/app*.log"]
pack = "familia-like"
zone = "Europe/Oslo"
[ship]
every = "30s"
)";

std::string changed(std::string_view from, std::string_view to) {
  std::string text{kGood};
  if (from.empty()) return text + std::string{to};
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("config: what is right is read") {
  const auto config = parse_config(changed("", R"(facts_within = "1500 ms"
mode = "carry"
carry_to = "/out"
[budget]
outbox = "10 MB"
cpu = "5 %"
[metrics]
file = "/m/agent.prom"
[clock]
error_max = "1s"
)"),
                                   "/etc/meldevakt/agent.toml");
  REQUIRE_MESSAGE(config, (config ? "" : config.error().message()));
  const Config& c = config.value();
  CHECK(c.collector == "https://127.0.0.1:8443");
  CHECK(c.state == "/var/lib/x");
  CHECK(c.poll == milliseconds(100));
  CHECK(c.tenants.at(0).name == "Eksempel kommune");
  CHECK(c.sources.at(0).files == std::vector<std::string>{"/var/log/app*.log"});
  CHECK(c.sources.at(0).zone == "Europe/Oslo");
  CHECK(c.ship.every == seconds(30));
  CHECK(c.ship.facts_within == milliseconds(1500));
  CHECK(c.ship.mode == ShipMode::kCarry);
  CHECK(c.ship.carry_to == "/out");
  CHECK(c.metrics_file == "/m/agent.prom");
  CHECK(c.budget.outbox_bytes == 10'000'000);
  CHECK(c.budget.cpu_percent == 5);
  CHECK(c.clock_error_max == seconds(1));
  CHECK(c.file_name == "agent.toml");
}

TEST_CASE("config: a portal's list is one tenant's") {
  const auto parsed = [](std::string_view tenant) {
    return parse_config(
        "[[tenant]]\nname = \"A\"\n[[tenant]]\nname = \"B\"\n[[source]]\nname = \"portal\"\n"
        "receipts = [\"/a/*.csv\"]\nportal = \"npb\"\n" +
            std::string{tenant},
        "agent.toml");
  };
  CHECK(parsed("tenant = \"B\"\n"));
  const auto refused = parsed("");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message().find(
            "agent.toml:5: [[source]] 'portal' reads a portal's list, which is one tenant's") !=
        std::string::npos);
}

TEST_CASE("config: a source of receipts") {
  const auto parsed = [](std::string_view source) {
    return parse_config(
        "[[tenant]]\nname = \"A\"\n[[source]]\nname = \"portal\"\n" + std::string{source},
        "agent.toml");
  };
  const auto config = parsed(R"(receipts = ["/innlevert/*.csv"]
portal = "npb"
columns = { message_id = ["Melding"], sent = ["Sendt", "Sendt inn"] }
organisations = ["0a0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"]
)");
  REQUIRE_MESSAGE(config, (config ? "" : config.error().message()));
  const SourceConfig& source = config.value().sources.at(0);
  CHECK(source.kind == SourceKind::kReceipts);
  CHECK(source.pack == "portal-receipts");
  CHECK(source.portal == "npb");
  CHECK(source.organisations == std::vector<std::string>{"0a0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"});
  CHECK(source.columns.at("sent") == std::vector<std::string>{"Sendt", "Sendt inn"});

  struct Case {
    std::string_view source;
    std::string_view want;
  };
  const std::vector<Case> cases{
      {"receipts = [\"/a/*.csv\"]\n", "agent.toml:3: 'portal' is missing in [[source]]"},
      {"receipts = [\"/a/\"]\nportal = \"npb\"\n", "agent.toml:5: '/a/' is a folder"},
      {"receipts = []\nportal = \"npb\"\n", "agent.toml:5: 'receipts' in [[source]] names no file"},
      {"receipts = [\"/a\"]\nportal = \"n p\"\n", "agent.toml:6: 'n p' is no name for a portal"},
      {"receipts = [\"/a\"]\nfiles = [\"/b\"]\nportal = \"npb\"\n",
       "agent.toml:6: a [[source]] has 'files' or 'receipts', not both"},
      {"receipts = [\"/a\"]\nportal = \"npb\"\ncolumns = { sendt = [\"X\"] }\n",
       "agent.toml:7: unknown key 'sendt' in columns of [[source]]; did you mean 'sent'?"},
      {"receipts = [\"/a\"]\nportal = \"npb\"\npack = \"x\"\n",
       "agent.toml:7: unknown key 'pack' in [[source]]"},
  };
  for (const Case& c : cases) {
    const auto refused = parsed(c.source);
    REQUIRE_FALSE(refused);
    CHECK_MESSAGE(refused.error().message().find(c.want) == 0, refused.error().message());
  }
}

TEST_CASE("config: a source of the journal has the pack for it unless it names another") {
  const auto config = parse_config(
      "state = \"/x\"\n[[tenant]]\nname = \"A\"\n[[source]]\nname = \"os\"\n"
      "journal = [\"kernel\", \"mssql-server\"]\nidentifiers = [\"smartd\"]\n",
      "/etc/x/agent.toml");
  REQUIRE_MESSAGE(config, (config ? "" : config.error().message()));
  const SourceConfig& source = config.value().sources.front();
  CHECK(source.kind == SourceKind::kJournal);
  CHECK(source.pack == "linux-journal-json");
  CHECK(source.journal == std::vector<std::string>{"kernel", "mssql-server"});
  CHECK(source.identifiers == std::vector<std::string>{"smartd"});
}

TEST_CASE("config: files that are event logs are a source of events") {
  const auto read = [](std::string_view files) {
    const auto config = parse_config(
        "[[tenant]]\nname = \"A\"\n[[source]]\nname = \"system\"\nfiles = " + std::string{files} +
            "\npack = \"windows-events\"\n",
        "agent.toml");
    return config ? agent::kind_of(config.value().sources[0].kind) : config.error().message();
  };
  CHECK(read("[\"/srv/System*.evtx\", \"/srv/alt/System.evtx\"]") == "events");
  CHECK(read("[\"/srv/System*.xml\"]") == "file");
  CHECK(read("[\"/srv/System.evtx\", \"/srv/a.log\"]") ==
        "agent.toml:5: event logs (.evtx) and other files are two sources: make two");
}

TEST_CASE("config: each mistake with its line and what to write instead") {
  struct Case {
    std::string_view from;
    std::string_view to;
    std::string_view want;
  };
  const std::vector<Case> cases{
      {"zone =", "zome =", "agent.toml:10: unknown key 'zome' in [[source]]; did you mean 'zone'?"},
      {"", "[budgett]\n",
       "agent.toml:13: unknown key 'budgett' in the file; did you mean 'budget'?"},
      {"every = \"30s\"", "quite_other = 1", "agent.toml:12: unknown key 'quite_other' in [ship]"},
      {"name = \"trace\"\n", "", "agent.toml:6: 'name' is missing in [[source]]"},
      {"files = [\"/var/log/app*.log\"]\n", "", "agent.toml:6: 'files' is missing in [[source]]"},
      {"files =", "file =",
       "agent.toml:8: unknown key 'file' in [[source]]; did you mean 'files'?"},
      {"[\"/var/log/app*.log\"]", "[]", "agent.toml:8: 'files' in [[source]] names no file"},
      {"[\"/var/log/app*.log\"]", "\"/var/log/app*.log\"",
       "agent.toml:8: 'files' in [[source]] must be a list of texts: [\"...\"]"},
      {"app*.log", "**/app.log",
       "agent.toml:8: '/var/log/**/app.log': '**' is not understood; write one '*' for each "
       "folder"},
      {"app*.log", "app/",
       "agent.toml:8: '/var/log/app/' is a folder; add the files' names, e.g. "
       "'/var/log/app/*.log'"},
      {"files = [\"/var/log/app*.log\"]", "journal = []",
       "agent.toml:8: 'journal' names no unit; write e.g. [\"kernel\", \"postgresql@*.service\"], "
       "or "
       "[\"*\"] for everything"},
      {"files = [\"/var/log/app*.log\"]", "journal = [\"a b\"]",
       "agent.toml:8: 'a b' in 'journal' is no name; write e.g. \"postgresql.service\""},
      {"pack =", "journal = [\"*\"]\npack =",
       "agent.toml:8: a source has 'files' or 'journal', not both: make two"},
      {"pack =", "journal_folder = \"/x\"\npack =",
       "agent.toml:9: 'journal_folder' needs 'journal' beside it"},
      {"files = [\"/var/log/app*.log\"]", "journal = [\"*\"]\njournal_folder = \"x\"",
       "agent.toml:9: 'x' is no folder's full name; write e.g. \"/var/log/journal/remote\""},
      {"files = [\"/var/log/app*.log\"]", "events = [\"System\"]",
       "agent.toml:8: 'events' subscribes to the event log of Windows, which this host has not; "
       "copies of its logs (.evtx) are read with 'files'"},
      {"pack = \"familia-like\"\n", "", "agent.toml:6: 'pack' is missing in [[source]]"},
      {"\"trace\"", "\"trace æ\"",
       "agent.toml:7: 'trace æ' is no name for a source: letters without accents, digits, '-', '_' "
       "and '.', at most 64"},
      {"https://", "http://",
       "agent.toml:1: 'collector': 'http://127.0.0.1:8443' is not of the form https://host:port"},
      {"123456785", "123456784",
       "agent.toml:5: '123456784' is no organisation number: nine digits of which the last is a "
       "check digit"},
      {"state = \"/var/lib/x\"", "poll = 5",
       "agent.toml:2: 'poll' in the file must be a duration like \"10s\""},
      {"state = \"/var/lib/x\"", "poll = \"1ms\"",
       "agent.toml:2: 'poll' in the file must be between 10ms and 10s"},
      {"state = \"/var/lib/x\"", "state = \"\"", "agent.toml:2: 'state' in the file is empty"},
      {"state = \"/var/lib/x\"", "state = 1",
       "agent.toml:2: 'state' in the file must be a text in quotation marks"},
      {"state = \"/var/lib/x\"", "on_finding = \"alarm\"",
       "agent.toml:2: 'on_finding' must be the full path of a program; it is run directly, not by "
       "a "
       "shell"},
      {"", "mode = \"pigeon\"\n",
       "agent.toml:13: 'mode' in [ship] is \"https\" or \"carry\", not \"pigeon\""},
      {"", "mode = \"carry\"\n",
       "agent.toml:13: mode \"carry\" needs 'carry_to' in [ship]: the folder for the files"},
      {"", "[budget]\noutbox = \"-1 MB\"\n",
       "agent.toml:14: 'outbox' in [budget]: '-1 MB' is not understood; write a number and kB, MB "
       "or GB, e.g. \"256 MB\""},
      {"", "[budget]\noutbox = \"10 kB\"\n",
       "agent.toml:14: 'outbox' in [budget] must be at least 1 MB"},
      {"", "[metrics]\nfile = \"agent.prom\"\n",
       "agent.toml:14: 'file' in [metrics] must be the full path of a file, e.g. "
       "\"/var/lib/prometheus/node-exporter/meldevakt-agent.prom\""},
      {"", "[budget]\ncpu = \"200 %\"\n",
       "agent.toml:14: 'cpu' in [budget] must be \"1 %\" to \"100 %\" of one core, not \"200 %\""},
      {"", "[[source]]\nname = \"trace\"\nfiles = [\"x\"]\npack = \"familia-like\"\n",
       "agent.toml:13: a second [[source]] named 'trace'"},
      {"", "[[tenant]]\nname = \"Eksempel kommune\"\n",
       "agent.toml:13: a second [[tenant]] named 'Eksempel kommune'"},
      {"zone = \"Europe/Oslo\"", "tenant = \"Eksempel komune\"",
       "agent.toml:6: [[source]] 'trace' names the tenant 'Eksempel komune', and there is no such "
       "[[tenant]]; did you mean 'Eksempel kommune'?"},
      {"[[tenant]]", "[tenant]", "agent.toml:3: write [[tenant]], with double brackets"},
      {"[ship]", "[[ship]]", "agent.toml:11: 'ship' must be a table: [ship]"},
      {kGood, "[[source]]\nname=\"a\"\nfiles=[\"x\"]\npack=\"p\"\n",
       "agent.toml: a [[tenant]] with a name is needed"},
      {kGood, "[[tenant]]\nname=\"a\"\n",
       "agent.toml: a [[source]] is needed; there is nothing to read"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.to);
    const auto config = parse_config(changed(c.from, c.to), "/etc/agent.toml");
    REQUIRE_FALSE(config);
    CHECK(config.error().code() == Errc::kInvalid);
    CHECK(config.error().message() == c.want);
  }
}

TEST_CASE("config: of several mistakes the first in the file is named; what is no TOML, too") {
  const auto two = parse_config(changed("zone =", "zome =") + "evry = 1\n", "agent.toml");
  CHECK(two.error().message().find("agent.toml:10:") == 0);
  const auto broken = parse_config("a = 1\nb = \n", "agent.toml");
  REQUIRE_FALSE(broken);
  CHECK(broken.error().message().find("agent.toml:2: ") == 0);
}

TEST_CASE("config: packs and zones must exist") {
  testing::RuleTimeZones zones;
  const auto packs = built_in_packs();
  REQUIRE(packs);
  const auto check = [&](std::string_view from, std::string_view to) {
    const auto config = parse_config(changed(from, to), "agent.toml");
    REQUIRE(config);
    const Status status = check_sources(config.value(), packs.value(), zones);
    return status ? std::string{} : status.error().message();
  };
  CHECK(check("", "") == "");
  CHECK(check("familia-like", "familia-lik") ==
        "agent.toml:9: there is no pack 'familia-lik'; did you mean 'familia-like'?");
  CHECK(check("familia-like", "zzz").find("agent.toml:9: there is no pack 'zzz'; there are '") ==
        0);
  CHECK(check("Europe/Oslo", "Europa/Oslo").find("agent.toml:10: 'zone': ") == 0);
}

TEST_CASE("config: sources that would not fit into a statement are refused at once") {
  meldevakt::testing::RuleTimeZones zones;
  const auto shipped = built_in_packs();
  REQUIRE(shipped);
  Packs packs = shipped.value();
  Pack talkative = *packs.at("familia-like").pack;
  talkative.observes.clear();
  for (std::size_t s = 0; s < kSignalCount; ++s) {
    talkative.observes.push_back(static_cast<Signal>(s));
  }
  packs["talkative"] = {std::make_shared<const Pack>(talkative), "talkative.rules.toml"};

  const auto check = [&](int sources, const std::string& pack) {
    std::string text = changed("", "");
    for (int i = 0; i < sources; ++i) {
      const std::string number = std::to_string(i);
      text += "[[source]]\nname = \"more-" + number + "\"\nfiles = [\"/var/log/" + number +
              ".log\"]\npack = \"" + pack + "\"\n";
    }
    const auto config = parse_config(text, "agent.toml");
    REQUIRE_MESSAGE(config, (config ? "" : config.error().message()));
    const Status status = check_sources(config.value(), packs, zones);
    return status ? std::string{} : status.error().message();
  };
  for (const auto& [id, loaded] : shipped.value()) {
    CAPTURE(id);
    CHECK(check(31, id) == "");  // with the one of the sample: as many as there may be
  }
  CHECK(check(20, "talkative") == "");
  const std::string refused = check(31, "talkative");
  CHECK(refused.find("agent.toml: the 32 sources of the tenant 'Eksempel kommune'") == 0);
  CHECK(refused.find("at most 47104 are allowed: let sources of one pack share one [[source]]") !=
        std::string::npos);
}

TEST_CASE("config: sizes") {
  CHECK(parse_size("256 MB").value() == 256'000'000);
  CHECK(parse_size("64kB").value() == 64'000);
  CHECK(parse_size("1 GB").value() == 1'000'000'000);
  for (const char* bad : {"", "MB", "1", "1 TB", "1.5 MB", "-1 MB", "99999999 GB", "1 MB "}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_size(bad));
  }
}

TEST_CASE("config: this host's metrics, and limits of an operator's own") {
  const auto config = parse_config(changed("", R"([[source]]
name = "host"
metrics = ["cpu", "disk"]
every = "5s"
folders = ["/srv"]
limits = { "cpu.busy" = 95, "disk.wait" = 12.5 }
)"),
                                   "agent.toml");
  REQUIRE_MESSAGE(config, (config ? "" : config.error().message()));
  const SourceConfig& host = config.value().sources.at(1);
  CHECK(host.kind == SourceKind::kMetrics);
  CHECK(host.metrics.groups.cpu);
  CHECK(host.metrics.groups.disk);
  CHECK_FALSE(host.metrics.groups.memory);
  CHECK(host.metrics.every == seconds(5));
  CHECK(host.metrics.roots.proc == "/proc");
  CHECK(host.metrics.roots.folders == std::vector<std::string>{"/srv"});
  CHECK(host.pack == "host-metrics");
  CHECK(host.zone == "UTC");
  CHECK(host.limits == MetricLimits{{"cpu.busy", 95.0}, {"disk.wait", 12.5}});
  meldevakt::testing::RuleTimeZones zones;
  const auto packs = load_packs(config.value());
  REQUIRE(packs);
  CHECK(check_sources(config.value(), packs.value(), zones).has_value());

  const auto refused = [](const std::string& keys) {
    const auto bad =
        parse_config(changed("", "[[source]]\nname = \"host\"\n" + keys), "agent.toml");
    return bad ? std::string{"read"} : bad.error().message();
  };
  CHECK(refused("metrics = [\"disks\"]\n").find("there are no metrics 'disks'") !=
        std::string::npos);
  CHECK(refused("metrics = []\n").find("names none of") != std::string::npos);
  CHECK(refused("metrics = [\"cpu\"]\nfiles = [\"/x\"]\n").find("not both") != std::string::npos);
  CHECK(refused("metrics = [\"cpu\"]\nevery = \"10ms\"\n").find("must be between") !=
        std::string::npos);
  CHECK(refused("metrics = [\"cpu\"]\nlimits = { a = \"x\" }\n").find("names and numbers") !=
        std::string::npos);
  const auto unknown = parse_config(
      changed("", "[[source]]\nname = \"h\"\nmetrics = [\"cpu\"]\nlimits = { \"cpu.bsy\" = 9 }\n"),
      "agent.toml");
  REQUIRE(unknown);
  const auto checked = check_sources(unknown.value(), packs.value(), zones);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().message().find("has no metric 'cpu.bsy'; did you mean 'cpu.busy'?") !=
        std::string::npos);
}

}  // namespace
}  // namespace meldevakt::agent
