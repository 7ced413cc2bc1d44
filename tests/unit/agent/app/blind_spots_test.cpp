#include "agent/app/blind_spots.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "agent/app/commands.h"
#include "agent/app/packs.h"
#include "tests/unit/agent/app/agent_world.h"
#include "tests/unit/agent/app/program.h"

namespace meldevakt::agent {
namespace {

using testing::AgentWorld;

SourceSight application() {
  SourceSight out;
  out.name = "trace";
  out.pack = "p";
  out.is_application = true;
  out.observes_commits = true;
  out.has_scopes = true;
  out.tells_restarts = true;
  out.times_carry_offset = true;
  out.zone_is_configured = true;
  out.zone = "Europe/Oslo";
  out.has_files = true;
  out.oldest_age = days(40);
  return out;
}
SourceSight other(bool database, bool host) {
  SourceSight out = application();
  out.name = database ? "sql" : "system";
  out.is_application = false;
  out.is_database = database;
  out.is_host = host;
  return out;
}
AgentSight everything() {
  return {{application(), other(true, false), other(false, true)}, {}, true, seconds(2), 1};
}
std::set<std::string> names(const AgentSight& sight) {
  std::set<std::string> out;
  for (const BlindSpot& spot : blind_spots(sight)) {
    CHECK_FALSE(spot.detail.empty());
    CHECK_FALSE(spot.remedy.empty());
    CHECK(out.insert(spot.what).second);
  }
  return out;
}

TEST_CASE(
    "blind spots: where everything is seen there is none, and each appears by its own cause") {
  CHECK(names(everything()).empty());
  struct Case {
    std::string_view name;
    std::function<void(AgentSight&)> change;
    std::set<std::string> want;
  };
  const auto of_trace = [](const std::function<void(SourceSight&)>& change) {
    return [change](AgentSight& sight) { change(sight.sources[0]); };
  };
  const std::vector<Case> cases{
      {"no database log",
       [](AgentSight& s) { s.sources.erase(s.sources.begin() + 1); },
       {"database"}},
      {"no host log", [](AgentSight& s) { s.sources.erase(s.sources.begin() + 2); }, {"host"}},
      {"only the application",
       [](AgentSight& s) { s.sources.resize(1); },
       {"only the application", "database", "host"}},
      {"no application",
       [](AgentSight& s) { s.sources.erase(s.sources.begin()); },
       {"application"}},
      {"commits are not logged",
       of_trace([](SourceSight& s) { s.observes_commits = false; }),
       {"source trace: commits"}},
      {"no scopes",
       of_trace([](SourceSight& s) { s.has_scopes = false; }),
       {"source trace: scopes"}},
      {"restarts are not told",
       of_trace([](SourceSight& s) { s.tells_restarts = false; }),
       {"source trace: restarts"}},
      {"local times, zone configured",
       of_trace([](SourceSight& s) { s.times_carry_offset = false; }),
       {"source trace: doubled hour"}},
      {"local times, no zone",
       of_trace([](SourceSight& s) {
         s.times_carry_offset = false;
         s.zone_is_configured = false;
       }),
       {"source trace: doubled hour", "source trace: zone"}},
      {"taken for UTC",
       of_trace([](SourceSight& s) {
         s.times_carry_offset = false;
         s.zone_is_configured = false;
         s.zone = "UTC";
       }),
       {"source trace: zone"}},
      {"kept for 29 days",
       of_trace([](SourceSight& s) { s.oldest_age = days(29); }),
       {"source trace: retention"}},
      {"kept for exactly 30", of_trace([](SourceSight& s) { s.oldest_age = days(30); }), {}},
      {"nothing rotated yet",
       of_trace([](SourceSight& s) { s.oldest_age.reset(); }),
       {"source trace: retention"}},
      {"a journal has no files",
       of_trace([](SourceSight& s) {
         s.is_files = false;
         s.oldest_age.reset();
       }),
       {}},
      {"no clock", [](AgentSight& s) { s.clock_is_synchronised = false; }, {"clock"}},
      {"told to each tenant, and names messages",
       [](AgentSight& s) {
         s.tenants = 2;
         s.sources[0].names_messages = true;
         s.sources[0].has_tenant = false;
         s.sources[1].has_tenant = false;
       },
       {"source trace: tenant"}},
      {"there is one tenant",
       of_trace([](SourceSight& s) {
         s.names_messages = true;
         s.has_tenant = false;
       }),
       {}},
      {"each tenant has its own",
       [](AgentSight& s) {
         s.tenants = 2;
         s.sources[0].names_messages = true;
       },
       {}},
      {"no key", [](AgentSight& s) { s.tenants_without_key = {"A"}; }, {"tenant A: key"}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    AgentSight sight = everything();
    c.change(sight);
    CHECK(names(sight) == c.want);
  }
}

TEST_CASE("blind spots: how short retention is, in words") {
  AgentSight sight = everything();
  const auto detail = [&] { return blind_spots(sight).at(0).detail; };
  sight.sources[0].oldest_age = days(20);
  CHECK(detail() ==
        "its oldest rotated file is from 20 days ago: less than the 30 days that portals keep "
        "messages; an older loss cannot be looked up");
  sight.sources[0].oldest_age = days(7);
  sight.sources[0].rotated_every = hours(24);
  CHECK(detail() ==
        "its oldest rotated file is from 7 days ago (one about every 24 h): less than the 14 days "
        "that portals once kept messages, and the 30 they keep now; an older loss cannot be "
        "looked up");
}

TEST_CASE("blind spots: which log a source is, and what its pack can tell") {
  struct Case {
    std::string pack;
    std::string want;  // of a (application) d (database) h (host) c (commits) s (scopes) o (offset)
  };
  const std::vector<Case> cases{
      {"familia-like", "acs"},  {"familia-like-failures", "as"}, {"mssql-errorlog", "do"},
      {"postgresql-csv", "d"},  {"linux-syslog", "h"},           {"windows-perfmon", "ho"},
      {"windows-events", "dh"}, {"linux-journal-json", "ho"},    {"veeam-syslog", ""},
      {"iis-w3c", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.pack);
    SourceConfig source;
    source.name = "x";
    source.pack = c.pack;
    const Pack& pack = *AgentWorld::packs().at(c.pack).pack;
    const SourceSight sight = sight_of(source, pack, "UTC");
    std::string got;
    if (sight.is_application) got += "a";
    if (sight.is_database) got += "d";
    if (sight.is_host) got += "h";
    if (sight.observes_commits) got += "c";
    if (sight.is_application && sight.has_scopes) got += "s";
    if (c.want.find('o') != std::string::npos && sight.times_carry_offset) got += "o";
    CHECK(got == c.want);
  }
}

TEST_CASE("blind spots: samples of this host are the host's, whatever the pack knows") {
  SourceConfig source;
  source.name = "x";
  source.kind = SourceKind::kMetrics;
  for (const char* pack : {"host-metrics", "familia-like", "veeam-syslog"}) {
    CAPTURE(pack);
    source.pack = pack;
    const SourceSight sight = sight_of(source, *AgentWorld::packs().at(pack).pack, "UTC");
    CHECK(sight.is_host);
    CHECK_FALSE(sight.is_application);
    CHECK_FALSE(sight.is_files);
  }
}

TEST_CASE("check: tells blind spots, and they are no failure") {
  AgentWorld w{"[ship]\nmode = \"carry\"\ncarry_to = \"/\"\n"};
  w.enrol("t1", "A");
  w.folder.write("app.log", "");
  w.folder.write("agent.toml", w.config_text());
  const auto check = [&] {
    const auto ran = testing::run_program(
        w.folder, {"check", "--format", "json", "--config", w.folder / "agent.toml"});
    CHECK(ran.status == kExitDone);
    std::set<std::string> spots;
    std::istringstream stream{ran.out};
    for (std::string line; std::getline(stream, line);) {
      const auto json = nlohmann::json::parse(line);
      if (json["kind"] == "blind_spot") spots.insert(json["what"]);
    }
    spots.erase("clock");  // as this machine is
    return spots;
  };
  CHECK(check() == std::set<std::string>{"database", "host", "only the application",
                                         "source trace: retention"});
  // An old rotated file, and a database log beside it.
  w.folder.write("app.log.1", "old\n");
  std::filesystem::last_write_time(
      w.folder / "app.log.1",
      std::filesystem::file_time_type::clock::now() - std::chrono::hours{24 * 31});
  w.folder.append("agent.toml", "[[source]]\nname = \"sql\"\nfiles = [\"" +
                                    (w.folder / "ERRORLOG") + "\"]\npack = \"mssql-errorlog\"\n");
  w.folder.write("ERRORLOG", "");
  CHECK(check() == std::set<std::string>{"host", "source sql: retention"});
  std::filesystem::remove(StateFiles{w.folder / "state"}.tenant_key("t1"));
  CHECK(check() == std::set<std::string>{"host", "source sql: retention", "tenant A: key"});
  const auto text = testing::run_program(w.folder, {"check", "--config", w.folder / "agent.toml"});
  CHECK(text.out.find("blind host ") != std::string::npos);
  CHECK(text.out.find("-> add a [[source]] for the system log") != std::string::npos);
}

}  // namespace
}  // namespace meldevakt::agent
