// The program as a whole: its commands, exit statuses and files, with and without a server.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/crypto/crypto.h"
#include "common/platform/clock.h"
#include "common/ports/sha256.h"
#include "tests/unit/collector/app/program.h"
#include "tests/unit/collector/fake_agent.h"
#include "tests/unit/collector/http/tls_client.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::json;
using testing::Folder;
using testing::Program;
using testing::Ran;
using testing::TlsClient;

constexpr std::string_view kCsv =
    "bekymringsmeldingId;innsendt;bekreftet;skjemaType;kanal\n"
    "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10;2023-02-01T10:00:00Z;2023-02-01T10:00:05Z;PRIVAT;"
    "Fagsystem\n";

unsigned mode_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0;
}

struct World {
  World() {
    folder.write("collector.toml", testing::kLoopbackConfig);
    folder.write("fixed.toml", "data = \"data\"\nnames = [\"k.example\"]\n");
    folder.write("rows.csv", std::string{kCsv});
    folder.write("bad.csv", std::string{kCsv} + "hemmelig;i går;;PRIVAT;Fagsystem\n");
  }
  ~World() {
    if (server > 0) (void)stop();
  }
  Ran run(std::vector<std::string> arguments, const std::string& config = "collector.toml") {
    arguments.insert(arguments.end(), {"--config", folder / config});
    return program.run(std::move(arguments));
  }
  void serve() {
    // What an earlier server said and left must not be taken for this one's.
    (void)::unlink((folder / "serve.err").c_str());
    (void)::unlink((folder / "data/listening.json").c_str());
    server = program.start({"serve", "--config", folder / "collector.toml"}, "serve");
    for (int i = 0; i < 3000 && folder.read("serve.err").find(" ready ") == std::string::npos;
         ++i) {
      ::poll(nullptr, 0, 20);
    }
    REQUIRE(folder.has("data/listening.json"));
  }
  Ran stop() {
    ::kill(server, SIGTERM);
    Ran ran = program.wait(server, "serve");
    server = 0;
    return ran;
  }
  std::uint16_t port(const char* listener) {
    return Json::parse(folder.read("data/listening.json"))[listener].get<std::uint16_t>();
  }

  Folder folder;
  Program program{folder};
  pid_t server = 0;
};

std::string host_of(std::uint16_t port) {
  return "Host: 127.0.0.1:" + std::to_string(port) + "\r\n";
}

Json body_of(const std::string& response) {
  return Json::parse(response.substr(response.find("\r\n\r\n") + 4));
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

TEST_CASE("exit statuses") {
  World world;
  const std::string config = world.folder / "collector.toml";
  struct Case {
    std::vector<std::string> arguments;
    int status;
    const char* says;  // on stdout or stderr
  };
  const Case before[] = {
      {{"--version"}, 0, "meldevakt-collector 0."},
      {{"--help"}, 0, "serve"},
      {{"receipts", "import", "--help"}, 0, "--portal"},
      {{"fleet", "report", "--version"}, 0, "meldevakt-collector 0."},
      {{}, 2, ""},
      {{"nothing"}, 2, "there is no command 'nothing'"},
      {{"incidents", "lst"}, 2, "did you mean 'list'?"},
      {{"incidents", "--version"}, 0, "meldevakt-collector 0."},
      {{"init"}, 2, "--config"},
      {{"init", "--config", world.folder / "nowhere.toml"}, 2, "nowhere.toml"},
      {{"fleet", "report", "--config", config, "--format", "xml"}, 2, "--format"},
      {{"fleet", "report", "--config", config}, 3, "init"},
      {{"control", "run", "--config", config}, 3, "init"},
      {{"invite", "--config", config, "--tenant", "A", "--out", world.folder / "i"}, 3, "init"},
      {{"serve", "--config", config}, 3, ""},
      {{"init", "--config", config}, 0, "Authority SHA-256"},
      {{"init", "--config", config}, 3, "already"},
      {{"invite", "--config", config, "--tenant", "A", "--out", world.folder / "i"}, 2, "port 0"},
      {{"invite", "--config", world.folder / "fixed.toml", "--tenant", "A", "--organisation",
        "123456789", "--out", world.folder / "i"},
       2,
       "organisation number"},
      {{"invite", "--config", world.folder / "fixed.toml", "--tenant", "A", "--expires", "never",
        "--out", world.folder / "i"},
       2,
       "--expires"},
      {{"invite", "--config", world.folder / "fixed.toml", "--tenant", "A", "--organisation",
        "123456785", "--out", world.folder / "i"},
       0,
       "until"},
      {{"invite", "--config", world.folder / "fixed.toml", "--tenant", "A", "--out",
        world.folder / "i"},
       3,
       "exists"},
      {{"invite", "--config", world.folder / "fixed.toml", "--tenant", "C", "--out",
        world.folder / "nowhere/i"},
       2,
       "name a folder that is there"},
      {{"messages", "list", "--config", config, "--verdict", "losst"}, 2, "did you mean 'lost'?"},
      {{"messages", "list", "--config", config, "--verdict", "losst"}, 2, "in_doubt, missing"},
      {{"control", "run", "--config", config}, 1, "Nothing was controlled"},
      {{"control", "run", "--config", config, "--format", "json"}, 1, "nothing_controlled"},
      {{"control", "run", "--config", config, "--tenant", "B"}, 2, "no tenant"},
      {{"control", "run", "--config", config, "--now", "soon"}, 2, "--now"},
      {{"messages", "list", "--config", config, "--verdict", "gone"}, 2, "--verdict"},
      {{"receipts", "import", "--config", config, "--tenant", "A", "--portal", "npb",
        world.folder / "rows.csv"},
       0,
       "1 rows: 1 new"},
      {{"receipts", "import", "--config", config, "--tenant", "A", "--portal", "npb",
        world.folder / "bad.csv"},
       1,
       "row 3"},
      {{"receipts", "import", "--config", config, "--tenant", "A", "--portal", "npc",
        world.folder / "rows.csv"},
       2,
       "did you mean 'npb'?"},
      {{"receipts", "import", "--config", config, "--tenant", "B", "--portal", "npb",
        world.folder / "rows.csv"},
       2,
       "no tenant"},
      {{"receipts", "import", "--config", config, "--tenant", "A", "--portal", "npb", "--from",
        "2023-01-01T00:00:00Z", world.folder / "rows.csv"},
       2,
       "--until"},
      {{"receipts", "import", "--config", config, "--tenant", "A", "--portal", "npb",
        world.folder / "nowhere.csv"},
       3,
       "nowhere.csv"},
      {{"receipts", "import", "--config", config, "--tenant", "A", "--portal", "npb",
        world.folder / "collector.toml"},
       2,
       "collector.toml"},
      // Receipted, and no agent ever said a word: somebody has to look.
      {{"control", "run", "--config", config}, 1, ""},
      {{"incidents", "list", "--config", config}, 0, ""},
      {{"messages", "list", "--config", config, "--verdict", "lost"}, 0, ""},
      {{"fleet", "report", "--config", config}, 0, "A"},
      {{"coverage", "--config", config, "--tenant", "B", "--from", "2023-01-01T00:00:00Z",
        "--until", "2023-01-02T00:00:00Z"},
       2,
       "no tenant"},
      {{"coverage", "--config", config, "--tenant", "A", "--from", "2023-01-01T00:00:00Z",
        "--until", "2023-01-01T00:00:00Z"},
       2,
       "later than --from"},
      {{"coverage", "--config", config, "--tenant", "A", "--from", "yesterday", "--until",
        "2023-01-01T00:00:00Z"},
       2,
       "--from"},
      // Nothing of it was read: exit 1 says so.
      {{"coverage", "--config", config, "--tenant", "A", "--from", "2023-01-01T00:00:00Z",
        "--until", "2023-01-02T00:00:00Z", "--format", "json"},
       1,
       "overloads"},
  };
  for (std::size_t i = 0; i < std::size(before); ++i) {
    const Case& test = before[i];
    CAPTURE(i);
    const Ran ran = world.program.run(test.arguments);
    CAPTURE(ran.out);
    CAPTURE(ran.err);
    CHECK(ran.status == test.status);
    CHECK((ran.out + ran.err).find(test.says) != std::string::npos);
    CHECK(ran.err.find("hemmelig") == std::string::npos);
    CHECK(ran.out.find("hemmelig") == std::string::npos);
  }
}

TEST_CASE("init and invite: modes, and a token that is nowhere but in the file") {
  World world;
  REQUIRE(world.run({"init", "--format", "json"}).status == 0);
  for (const char* secret : {"data/authority.key", "data/server.key"}) {
    CHECK(mode_of(world.folder / secret) == 0600);
  }
  CHECK(mode_of(world.folder / "data") == 0700);
  const Ran ran = world.run(
      {"invite", "--tenant", "Bø", "--out", world.folder / "invitation", "--format", "json"},
      "fixed.toml");
  REQUIRE(ran.status == 0);
  CHECK(mode_of(world.folder / "invitation") == 0600);
  const Json invitation = Json::parse(world.folder.read("invitation"));
  CHECK(invitation["v"] == 1);
  CHECK(invitation["collector"] == "https://k.example:8443");
  CHECK(invitation["authority"] == world.folder.read("data/authority.crt"));
  CHECK(invitation["tenant"] == Json::parse(ran.out)["tenant"]);
  const std::string token = from_base64url(invitation["token"].get<std::string>()).value();
  CHECK(token.size() == 32);
  for (const char* file : {"data/collector.db", "data/collector.db-wal", "run.out", "run.err"}) {
    const std::string bytes = world.folder.read(file);
    CHECK(bytes.find(token) == std::string::npos);
    CHECK(bytes.find(invitation["token"].get<std::string>()) == std::string::npos);
  }
}

TEST_CASE("a life: serve, invite, enrol, frames, import beside it, stop, look again") {
  World world;
  REQUIRE(world.run({"init"}).status == 0);
  world.serve();
  CHECK(world.run({"serve"}).status == 3);  // one at a time
  CHECK(mode_of(world.folder / "data/control.sock") == 0600);
  const Ran invited = world.run({"invite", "--tenant", "Bø", "--out", world.folder / "invitation"});
  REQUIRE(invited.status == 0);
  const Json invitation = Json::parse(world.folder.read("invitation"));
  const std::uint16_t port = world.port("agents");
  CHECK(invitation["collector"] == "https://127.0.0.1:" + std::to_string(port));
  const std::string authority = invitation["authority"];

  TlsClient people{world.port("people"), authority};
  REQUIRE(people.send("GET /healthz HTTP/1.1\r\n" + host_of(world.port("people")) + "\r\n"));
  CHECK(body_of(people.read_response())["status"] == "ok");

  testing::FakeAgent agent{'a', invitation["tenant"]};
  const KeyAndRequest tls = make_tls_key_and_request(agent.id()).value();
  const std::string token = from_base64url(invitation["token"].get<std::string>()).value();
  agent.set_invitation(token, tls.public_key_hash);
  const std::string enrol = Json{
      {"token", invitation["token"]},
      {"envelope", agent.enrolment()},
      {"request",
       tls.request_pem}}.dump();
  TlsClient newcomer{port, authority};
  REQUIRE(newcomer.send("POST /v1/enrol HTTP/1.1\r\n" + host_of(port) +
                        "Content-Length: " + std::to_string(enrol.size()) + "\r\n\r\n" + enrol));
  const std::string enrolled = newcomer.read_response();
  REQUIRE(enrolled.rfind("HTTP/1.1 200", 0) == 0);
  CHECK(body_of(enrolled)["first_agent"] == true);

  TlsClient client{port, authority, {body_of(enrolled)["certificate"], tls.private_key_pem}};
  for (int i = 0; i < 3; ++i) {
    const std::string frame = agent.next_bytes(std::to_string(i));
    REQUIRE(client.send("POST /v1/frames HTTP/1.1\r\n" + host_of(port) +
                        "Content-Type: application/vnd.meldevakt.frame.v1\r\nContent-Length: " +
                        std::to_string(frame.size()) + "\r\n\r\n" + frame));
    CHECK(body_of(client.read_response())["index"] == i);
  }
  const Ran imported = world.run({"receipts", "import", "--tenant", "Bø", "--portal", "npb",
                                  "--format", "json", world.folder / "rows.csv"});
  CHECK(imported.status == 0);
  CHECK(Json::parse(imported.out)["added"] == 1);
  const Ran serving = world.run({"fleet", "report", "--format", "json"});
  CHECK(serving.status == 0);
  CHECK(Json::parse(first_line(serving.out))["agents"] == 1);

  const Ran stopped = world.stop();
  CHECK(stopped.status == 0);
  CHECK(stopped.err.find(" INFO collector: ready ") != std::string::npos);
  CHECK(stopped.err.find("ERROR") == std::string::npos);
  CHECK_FALSE(world.folder.has("data/listening.json"));
  CHECK_FALSE(world.folder.has("data/control.sock"));
  const std::string now = "2026-01-01T00:00:00Z";
  const Ran alone = world.run({"messages", "list", "--format", "json", "--now", now});
  CHECK(alone.status == 0);
  CHECK(Json::parse(alone.out)["message"] == "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10");
  CHECK(world.run({"control", "run", "--format", "json", "--now", now}).status == 1);
}

TEST_CASE("a killed server leaves nothing that stops the next one") {
  World world;
  REQUIRE(world.run({"init"}).status == 0);
  world.serve();
  ::kill(world.server, SIGKILL);
  CHECK(world.program.wait(world.server, "serve").status == 128 + SIGKILL);
  CHECK(world.folder.has("data/control.sock"));
  CHECK(world.run({"invite", "--tenant", "A", "--out", world.folder / "1"}, "fixed.toml").status ==
        0);  // the dead server's socket does not answer: the command does it itself
  world.serve();
  CHECK(world.run({"invite", "--tenant", "A", "--out", world.folder / "2"}).status == 0);
  CHECK(world.stop().status == 0);
}

}  // namespace
}  // namespace meldevakt::collector
