// The register at a terminal: who is who, what the fleet's answer makes of it, and the controls.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "tests/unit/collector/app/program.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::json;
using testing::Ran;

struct World {
  World() {
    folder.write("collector.toml", testing::kLoopbackConfig);
    folder.write("fixed.toml", "data = \"data\"\nnames = [\"k.example\"]\n");
    folder.write("rows.csv",
                 "bekymringsmeldingId;innsendt;bekreftet;skjemaType;kanal\n"
                 "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10;2023-02-01T10:00:00Z;2023-02-01T10:00:05Z;"
                 "PRIVAT;Fagsystem\n");
  }
  Ran run(std::vector<std::string> arguments, const std::string& config = "collector.toml") {
    arguments.insert(arguments.end(), {"--config", folder / config});
    return program.run(std::move(arguments));
  }

  testing::Folder folder;
  testing::Program program{folder};
};

unsigned mode_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}
std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of('\n');
  const std::size_t before = text.rfind('\n', end);
  return text.substr(before == std::string::npos ? 0 : before + 1);
}

TEST_CASE("the register, the fleet's answer, and controls that are kept") {
  World world;
  REQUIRE(world.run({"init"}).status == 0);
  REQUIRE(
      world.run({"invite", "--tenant", "Bø", "--out", world.folder / "1"}, "fixed.toml").status ==
      0);
  CHECK(
      world.run({"registry", "set", "--tenant", "Bø", "--kind", "municipality", "--value", "4021"})
          .status == 0);
  CHECK(world.run({"registry", "set", "--tenant", "Bø", "--kind", "municipality", "--value", "x"})
            .status == 2);
  CHECK(world.run({"registry", "set", "--tenant", "Bo", "--kind", "name", "--value", "x"}).status ==
        2);
  const Ran misspelt =
      world.run({"registry", "set", "--tenant", "Bø", "--kind", "prduct", "--value", "x"});
  CHECK(misspelt.err.find("did you mean 'product'?") != std::string::npos);
  world.folder.write("register.csv",
                     "tenant;kind;value;label;from;until\n"
                     "Bø;municipality;4022;;2020-01-01;\n"
                     "Bø;patch;fixed;;2023-05-22;\n"
                     "Nowhere;name;x;;;\n"
                     "Bø;organisation;1;;;\n");
  const Ran imported =
      world.run({"registry", "import", "--format", "json", world.folder / "register.csv"});
  CHECK(imported.status == 1);
  CHECK(Json::parse(imported.out)["added"] == 2);
  CHECK(Json::parse(imported.out)["problems"].size() == 2);
  CHECK(world.run({"registry", "list", "--now", "2019-01-01T00:00:00Z"}).out.find("4022") ==
        std::string::npos);
  CHECK(world.run({"registry", "list", "--all"}).out.find("4022") != std::string::npos);
  // A new name counts from its day on, and it is found by both.
  REQUIRE(world
              .run({"registry", "set", "--tenant", "Bø", "--kind", "name", "--value",
                    "Midt-Telemark", "--from", "2020-01-01"})
              .status == 0);
  const auto reported = [&](const char* now) {
    return world.run({"fleet", "report", "--now", now}).out;
  };
  CHECK(reported("2023-02-01T00:00:00Z").find("Midt-Telemark") != std::string::npos);
  CHECK(reported("2019-02-01T00:00:00Z").find("Midt-Telemark") == std::string::npos);
  CHECK(world.run({"incidents", "list", "--tenant", "Midt-Telemark"}).status == 0);
  CHECK(world.run({"incidents", "list", "--tenant", "Bø"}).status == 0);
  CHECK(world.run({"incidents", "list", "--tenant", "Midt-Telmark"}).err.find("did you mean") !=
        std::string::npos);

  const Ran fleet = world.run({"fleet", "report", "--format", "json"});
  const Json row = Json::parse(first_line(fleet.out));
  CHECK(row["municipalities"] == Json::array({"4021", "4022"}));
  CHECK(row["answer"] == "unanswered");
  CHECK(row["reason"] == "no agent has told of anything it read");
  CHECK(row["patch"] == "fixed");
  const Json all = Json::parse(last_line(fleet.out))["fleet"];
  CHECK(all["using"] == 2);
  CHECK(all["unanswered"] == 2);
  CHECK(world.run({"fleet", "report", "--from", "2023-01-01", "--until", "2023-02-01"})
            .out.find("NOT ANSWERED") != std::string::npos);

  // Another tenant's municipality went into one of whose end only this one's register knows.
  const auto merge = [&](const char* tenant, const char* from, const char* into, const char* when) {
    return world.run({"registry", "set", "--tenant", tenant, "--kind", "municipality", "--value",
                      from, "--label", into, "--until", when});
  };
  const std::string second = world.folder / "2";
  REQUIRE(world.run({"invite", "--tenant", "Nome", "--out", second}, "fixed.toml").status == 0);
  REQUIRE(merge("Nome", "4020", "4021", "2020-01-01").status == 0);
  REQUIRE(merge("Bø", "4021", "4022", "2022-01-01").status == 0);
  const std::string merged = world.run({"fleet", "report", "--format", "json"}).out;
  CHECK(Json::parse(last_line(merged))["fleet"]["using"] == 1);
  CHECK(merged.find(R"("municipalities":["4022"])") !=
        merged.rfind(R"("municipalities":["4022"])"));

  // Nothing is known: nothing is controlled. With a receipt there is.
  CHECK(world.run({"control", "run"}).out.find("nothing to control") != std::string::npos);
  CHECK(world.run({"control", "list"}).out.find("verified") == std::string::npos);
  REQUIRE(world
              .run({"receipts", "import", "--tenant", "Bø", "--portal", "npb",
                    world.folder / "rows.csv"})
              .status == 0);
  const Ran run = world.run(
      {"control", "run", "--from", "2023-02-01", "--until", "2023-02-02", "--format", "json"});
  CHECK(run.status == 1);
  const Json record = Json::parse(last_line(run.out))["control"];
  CHECK(record["agrees"] == false);
  CHECK(record["receipted"] == 1);
  CHECK(record["on_demand"] == true);
  CHECK(mode_of(world.folder / "data/control.key") == 0600);
  CHECK(world.run({"control", "run"}).out.find("(record 1)") != std::string::npos);
  const Ran list = world.run({"control", "list", "--format", "json"});
  CHECK(list.status == 0);
  CHECK(Json::parse(first_line(list.out))["number"] == 1);
  CHECK(Json::parse(last_line(list.out))["record"] == record);
  CHECK(Json::parse(last_line(list.out))["problem"] == "");
}

}  // namespace
}  // namespace meldevakt::collector
