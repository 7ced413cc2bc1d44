// tell, as a person at a terminal has it: beside a running server and alone.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/stat.h>

#include <cstdio>

#include <nlohmann/json.hpp>

#include "tests/unit/collector/app/program.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::json;
using testing::Ran;

constexpr const char* kMessage = "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";

struct World {
  World() {
    folder.write("collector.toml",
                 "data = \"data\"\nnames = [\"127.0.0.1\"]\n"
                 "[agents]\nlisten = \"127.0.0.1:0\"\nurl = \"https://k.example:8443\"\n"
                 "[people]\nlisten = \"127.0.0.1:0\"\n");
    folder.write("rows.csv", "bekymringsmeldingId;innsendt;bekreftet;skjemaType;kanal\n" +
                                 std::string{kMessage} +
                                 ";2023-02-01T10:00:00Z;2023-02-01T10:00:05Z;PRIVAT;Fagsystem\n");
    REQUIRE(run({"init"}).status == 0);
    REQUIRE(run({"invite", "--tenant", "Bø", "--out", folder / "1"}).status == 0);
    REQUIRE(run({"receipts", "import", "--tenant", "Bø", "--portal", "npb", folder / "rows.csv"})
                .status == 0);
  }
  ~World() {
    if (server > 0) {
      ::kill(server, SIGTERM);
      (void)program.wait(server, "serve");
    }
  }
  Ran run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--config", folder / "collector.toml"});
    return program.run(std::move(arguments));
  }
  void serve() {
    server = program.start({"serve", "--config", folder / "collector.toml"}, "serve");
    for (int i = 0; i < 3000 && folder.read("serve.err").find(" ready ") == std::string::npos;
         ++i) {
      ::poll(nullptr, 0, 20);
    }
    REQUIRE(folder.has("data/listening.json"));
  }
  Ran recovered(const std::string& message, const std::string& when) {
    return run({"tell", "recovered", "--tenant", "Bø", "--message", message, "--how", "found",
                "--when", when, "--by", "Kari Prøve, leiar", "--format", "json"});
  }
  std::string verdict() {
    return Json::parse(run({"messages", "list", "--format", "json"}).out)["verdict"];
  }

  testing::Folder folder;
  testing::Program program{folder};
  pid_t server = 0;
};

TEST_CASE("tell: alone and beside a server, listed, taken back; errors say what to write instead") {
  World world;
  CHECK(world.verdict() == "unverifiable");
  CHECK(Json::parse(world.recovered(kMessage, "2023-02-03").out)["number"] == 0);
  CHECK(world.verdict() == "recovered");
  world.serve();
  const std::vector<std::string> back{"tell",    "take-back", "--tenant", "Bø",
                                      "--entry", "0",         "--by",     "Ola Prøve"};
  CHECK(world.run(back).out == "Told, as entry 1 of 'Bø'\n");
  CHECK(world.verdict() == "unverifiable");
  CHECK(world.run(back).status == 2);
  const Ran typo = world.recovered("5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a11", "2023-02-03");
  CHECK(typo.status == 2);
  CHECK(typo.err.find(std::string{"did you mean '"} + kMessage) != std::string::npos);
  const Ran future = world.recovered(kMessage, "2999-01-01");
  CHECK(future.status == 2);
  CHECK(future.err.find("lies in the future") != std::string::npos);
  CHECK(world.run({"tell", "close", "--tenant", "Bø", "--by", "Kari"}).status == 2);
  CHECK(world.run({"tell", "close", "--tenant", "Bo", "--by", "Kari", "--incident", "x"}).status ==
        2);
  const Ran notified =
      world.run({"tell", "notified", "--tenant", "Bø", "--by", "Kari", "--incident", "x", "--when",
                 "2023-02-03", "--reference", "24/01234-2"});
  CHECK(notified.status == 2);
  CHECK(notified.err.find("has no incident 'x'") != std::string::npos);
  const Ran list = world.run({"tell", "list", "--format", "json"});
  CHECK(list.status == 0);
  const Json first = Json::parse(list.out.substr(0, list.out.find('\n')));
  CHECK(first["counts"] == false);
  CHECK(first["entry"]["person"] == "Kari Prøve, leiar");
  CHECK(world.run({"tell", "list"}).out.find("taken back") != std::string::npos);
  CHECK(world.run({"audit"}).status == 0);
}

TEST_CASE("a lost log.key is never replaced in silence: refused, with what to do") {
  World world;
  const std::string key = world.folder.read("data/log.key");
  REQUIRE(std::remove((world.folder / "data/log.key").c_str()) == 0);
  const std::vector<std::string> invite{"invite", "--tenant", "Re", "--out", world.folder / "2"};
  for (const auto& command : {invite, std::vector<std::string>{"serve"}}) {
    const Ran refused = world.run(command);
    CHECK(refused.status == 2);
    CHECK(refused.err.find("log.key is missing, and logs that it signed are stored: restore it") !=
          std::string::npos);
    CHECK_FALSE(world.folder.has("data/log.key"));
  }
  world.folder.write("data/log.key", key);
  REQUIRE(::chmod((world.folder / "data/log.key").c_str(), 0600) == 0);
  CHECK(world.run(invite).status == 0);
  CHECK(world.run({"audit"}).status == 0);
}

}  // namespace
}  // namespace meldevakt::collector
