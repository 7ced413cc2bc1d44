// The running program tells of a loss by itself: log and on_finding, once, also after a restart.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "common/crypto/crypto.h"
#include "tests/unit/collector/app/live_world.h"
#include "tests/unit/collector/app/program.h"
#include "tests/unit/collector/http/tls_client.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::json;
using testing::Folder;
using testing::Program;
using testing::SmallWorld;
using testing::TlsClient;

class Server {
 public:
  explicit Server(const Folder& folder) : folder_{folder}, program_{folder} {
    (void)::unlink((folder_ / "serve.err").c_str());
    pid_ = program_.start({"serve", "--config", folder_ / "collector.toml"}, "serve");
    REQUIRE(until([this] { return log().find(" ready ") != std::string::npos; }));
  }
  ~Server() { stop(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  void stop() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGTERM);
    CHECK(program_.wait(std::exchange(pid_, 0), "serve").status == 0);
  }
  [[nodiscard]] std::string log() const { return folder_.read("serve.err"); }
  static bool until(const std::function<bool()>& so) {
    for (int i = 0; i < 3000 && !so(); ++i) ::poll(nullptr, 0, 20);
    return so();
  }

 private:
  const Folder& folder_;
  Program program_;
  pid_t pid_ = 0;
};

std::string post(const std::string& path, std::uint16_t port, const std::string& type,
                 const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
         (type.empty() ? "" : "\r\nContent-Type: " + type) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
Json body_of(const std::string& response) {
  return Json::parse(response.substr(response.find("\r\n\r\n") + 4));
}

TEST_CASE("serve: a loss is told as soon as its facts are there, and never twice") {
  const Folder folder;
  const Program program{folder};
  const auto given = [&] {
    const std::string text = folder.read("given");
    return std::count(text.begin(), text.end(), '\n');
  };
  folder.write("alarm", "#!/bin/sh\ncat >>" + (folder / "given") + "\n");
  ::chmod((folder / "alarm").c_str(), 0700);
  folder.write("collector.toml", "data = \"data\"\nnames = [\"127.0.0.1\"]\non_finding = \"" +
                                     (folder / "alarm") +
                                     "\"\n[agents]\nlisten = \"127.0.0.1:0\"\n"
                                     "[people]\nlisten = \"127.0.0.1:0\"\n");
  const std::string config = folder / "collector.toml";
  REQUIRE(program.run({"init", "--config", config}).status == 0);
  {
    Server server{folder};
    REQUIRE(program.run({"invite", "--tenant", "Bø", "--out", folder / "i", "--config", config})
                .status == 0);
    const Json invitation = Json::parse(folder.read("i"));
    const auto port =
        Json::parse(folder.read("data/listening.json"))["agents"].get<std::uint16_t>();
    testing::FakeAgent agent{'a', invitation["tenant"]};
    const KeyAndRequest tls = make_tls_key_and_request(agent.id()).value();
    agent.set_invitation(from_base64url(invitation["token"].get<std::string>()).value(),
                         tls.public_key_hash);
    TlsClient newcomer{port, invitation["authority"]};
    const Json enrolment{{"token", invitation["token"]},
                         {"envelope", agent.enrolment()},
                         {"request", tls.request_pem}};
    REQUIRE(newcomer.send(post("/v1/enrol", port, "", enrolment.dump())));
    const Json enrolled = body_of(newcomer.read_response());
    TlsClient client{port, invitation["authority"], {enrolled["certificate"], tls.private_key_pem}};
    SmallWorld facts;
    facts.acknowledged(0);
    facts.failed(1);
    const std::string frame =
        encode_frame(testing::frame_of(agent, facts.input.facts, -3600, 3600).frame);
    REQUIRE(client.send(post("/v1/frames", port, "application/vnd.meldevakt.frame.v1", frame)));
    CHECK(body_of(client.read_response())["index"] == 0);
    REQUIRE(Server::until([&] { return given() == 1; }));
    CHECK(server.log().find(
              "WARN collector: finding tenant=" + invitation["tenant"].get<std::string>() +
              " message=" + testing::portal_id(1) + " verdict=lost") != std::string::npos);
    const Json finding = Json::parse(folder.read("given"));
    CHECK(finding["name"] == "Bø");
    CHECK(finding["state"] == "lost");
    // A portal's row of it changes nothing of the verdict.
    folder.write("rows.csv", "bekymringsmeldingId;innsendt;bekreftet;skjemaType;kanal\n" +
                                 testing::portal_id(1) +
                                 ";2026-03-02T09:59:00Z;2026-03-02T10:00:00Z;PRIVAT;Fagsystem\n");
    CHECK(program
              .run({"receipts", "import", "--tenant", "Bø", "--portal", "npb", "--config", config,
                    folder / "rows.csv"})
              .status == 0);
    // A person brings it back: the running server hears of it through its control socket.
    CHECK(program
              .run({"tell", "recovered", "--tenant", "Bø", "--message", testing::portal_id(1),
                    "--how", "downloaded", "--when", "2026-03-03", "--by", "Kari Prøve", "--config",
                    config})
              .status == 0);
    REQUIRE(Server::until([&] { return given() == 2; }));
    CHECK(server.log().find(" verdict=recovered before=lost") != std::string::npos);
    CHECK(folder.read("given").find("Kari") == std::string::npos);
  }
  Server again{folder};
  REQUIRE(
      Server::until([&] { return again.log().find("live: 1 tenants read") != std::string::npos; }));
  again.stop();
  CHECK(again.log().find("finding tenant=") == std::string::npos);
  CHECK(given() == 2);
}

}  // namespace
}  // namespace meldevakt::collector
