// `enroll` against a collector that is a function: the whole way, and what goes wrong.
#include "agent/app/enrol.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/app/commands.h"
#include "common/seal/dsse.h"
#include "tests/unit/agent/app/agent_world.h"
#include "tests/unit/agent/app/program.h"
#include "tests/unit/agent/ship/tls_server.h"

namespace meldevakt::agent {
namespace {

using Json = nlohmann::json;
using testing::AgentWorld;
using testing::Authority;
using testing::Ran;
using testing::run_program;
using testing::Server;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Json invitation_for(std::uint16_t port, const Authority& authority) {
  return {{"v", 1},
          {"collector", "https://127.0.0.1:" + std::to_string(port)},
          {"tenant", "t1"},
          {"token", to_base64url(std::string(32, 'k'))},
          {"expires", 4'000'000'000'000},
          {"authority", authority.keys.certificate_pem}};
}

// Answers as the collector would, for whoever asks.
std::string enrolled(const std::string& body) {
  const Json question = Json::parse(body);
  const auto envelope = parse_envelope(question["envelope"].get<std::string>());
  REQUIRE(envelope);
  const Json enrolment = Json::parse(envelope.value().payload);
  const Json answer{{"agent", enrolment["agent"]},
                    {"tenant", enrolment["tenant"]},
                    {"certificate", "C"},
                    {"authority", "another"},
                    {"first_agent", true}};
  return testing::ok(answer.dump());
}

// What the server's thread was asked.
class Asked {
 public:
  // Returns how often it was asked by now.
  std::size_t note(const std::string& body) {
    const std::lock_guard lock{mutex_};
    bodies_.push_back(body);
    return bodies_.size();
  }
  [[nodiscard]] std::vector<std::string> all() const {
    const std::lock_guard lock{mutex_};
    return bodies_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> bodies_;
};

struct Enrolling {
  explicit Enrolling(Server::Answer answer)
      : server{w.folder, authority, "127.0.0.1", std::move(answer)} {
    w.folder.write("agent.toml", w.config_text());
    invite(invitation_for(server.port, authority).dump());
  }
  void invite(const std::string& text) {
    w.folder.write("invitation.json", text);
    ::chmod((w.folder / "invitation.json").c_str(), 0600);
  }
  Ran enroll(const std::string& format = "text") const {
    return run_program(w.folder, {"enroll", "--config", w.folder / "agent.toml", "--invitation",
                                  w.folder / "invitation.json", "--format", format});
  }
  AgentWorld w;
  Authority authority{"ours"};
  Server server;
};

TEST_CASE("enroll: makes the keys, proves possession, and is done once") {
  Enrolling e{enrolled};
  const Ran ran = e.enroll("json");
  CHECK_MESSAGE(ran.status == kExitDone, ran.err);
  const Json json = Json::parse(ran.out, nullptr, false);
  CHECK(json["tenant"] == "t1");
  CHECK(json["first_agent"] == true);
  CHECK(json["agent"].get<std::string>().size() == 32);
  // The invitation's authority is kept, not the answer's.
  CHECK(has(e.w.folder.read("state/authority.crt"), e.authority.keys.certificate_pem));
  const Ran again = e.enroll();
  CHECK(again.status == kExitEnvironment);
  CHECK(has(again.err, "is enrolled already"));
  const Ran status = run_program(e.w.folder, {"status", "--config", e.w.folder / "agent.toml"});
  CHECK(has(status.out, json["agent"].get<std::string>()));
}

TEST_CASE("enroll: an answer that got lost is asked for again, with the same keys and words") {
  Asked log;
  const auto lost_twice = [&log](const std::string& body) {
    // The collector has enrolled the agent; the answer breaks off.
    return log.note(body) <= 2 ? std::string{"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"}
                               : enrolled(body);
  };
  Enrolling e{lost_twice};
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Ran ran = e.enroll();
    CHECK(ran.status == kExitEnvironment);
    CHECK_MESSAGE(has(ran.err, "with the same invitation"), ran.err);
  }
  const Ran ran = e.enroll();
  CHECK_MESSAGE(ran.status == kExitDone, ran.err);
  const std::vector<std::string> asked = log.all();
  REQUIRE(asked.size() == 3);
  CHECK(asked[0] == asked[1]);
  CHECK(asked[0] == asked[2]);
  CHECK(has(ran.out, "it made the tenant's key"));
  const Ran sent = run_program(e.w.folder, {"sent", "--config", e.w.folder / "agent.toml"});
  CHECK(has(sent.out, "enrolment, "));
  CHECK(has(sent.out, "BEGIN CERTIFICATE REQUEST"));
}

TEST_CASE("enroll: who waits for an answer is not made to lose its keys by another tenant") {
  Asked log;
  const auto first_lost = [&log](const std::string& body) {
    return log.note(body) == 1 ? std::string{"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"}
                               : enrolled(body);
  };
  Enrolling e{first_lost};
  CHECK(e.enroll().status == kExitEnvironment);
  const Json mine = invitation_for(e.server.port, e.authority);
  Json other = mine;
  other["tenant"] = "t2";
  other["token"] = to_base64url(std::string(32, 'l'));
  e.invite(other.dump());
  const Ran refused = e.enroll();
  CHECK(refused.status == kExitEnvironment);
  CHECK_MESSAGE(has(refused.err, "tenant t1 was asked for on this host"), refused.err);
  CHECK(has(refused.err, "enrolment.json"));
  CHECK(log.all().size() == 1);
  e.invite(mine.dump());
  CHECK(e.enroll().status == kExitDone);
  const std::vector<std::string> asked = log.all();
  REQUIRE(asked.size() == 2);
  CHECK(asked[0] == asked[1]);
}

TEST_CASE("enroll: another invitation is asked with other keys") {
  Asked log;
  const auto refused = [&log](const std::string& body) {
    log.note(body);
    return std::string{"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"};
  };
  Enrolling e{refused};
  CHECK(e.enroll().status == kExitEnvironment);
  Json other = invitation_for(e.server.port, e.authority);
  other["token"] = to_base64url(std::string(32, 'l'));
  e.invite(other.dump());
  CHECK(e.enroll().status == kExitEnvironment);
  e.w.folder.write("state/enrolment.json", "damaged");
  CHECK(e.enroll().status == kExitEnvironment);
  const std::vector<std::string> asked = log.all();
  REQUIRE(asked.size() == 3);
  CHECK(Json::parse(asked[0])["request"] != Json::parse(asked[1])["request"]);
  CHECK(Json::parse(asked[1])["request"] != Json::parse(asked[2])["request"]);
}

TEST_CASE("enroll: tells people what to keep") {
  Enrolling e{enrolled};
  const Ran ran = e.enroll();
  CHECK(ran.status == kExitDone);
  CHECK(has(ran.out, "Enrolled as agent "));
  CHECK(has(ran.out, "it made the tenant's key"));
  CHECK(has(ran.out, "tenant-t1.key"));
}

TEST_CASE("enroll: what goes wrong, with its exit status; nothing is enrolled by halves") {
  const auto refuse = [](const std::string&) {
    const std::string body = R"({"error":"rejected","detail":"the invitation expired"})";
    return "HTTP/1.1 403 Forbidden\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  };
  const auto somebody = [](const std::string&) {
    return testing::ok(R"({"agent":"x","tenant":"t1","certificate":"C","authority":"A",)"
                       R"("first_agent":true})");
  };
  const auto strange = [](const std::string&) { return testing::ok("{}"); };
  struct Case {
    std::string_view name;
    Server::Answer answer;
    std::function<void(Json&)> change;
    int status;
    std::string_view says;
  };
  const std::vector<Case> cases{
      {"refused", refuse, {}, kExitEnvironment, "the invitation expired"},
      {"somebody else", somebody, {}, kExitEnvironment, "enrolled somebody else"},
      {"not understood", strange, {}, kExitEnvironment, "answer.agent: missing"},
      {"expired", strange, [](Json& j) { j["expires"] = 1000; }, kExitUsage, "expired at 1970"},
      {"no version", strange, [](Json& j) { j["v"] = "1"; }, kExitUsage, "invitation.v"},
      {"a member more", strange, [](Json& j) { j["x"] = 1; }, kExitUsage, "unknown member"},
      {"a tenant with a path", strange, [](Json& j) { j["tenant"] = "../t"; }, kExitUsage,
       "invitation.tenant"},
      {"a short token", strange, [](Json& j) { j["token"] = "c2hvcnQ"; }, kExitUsage,
       "invitation.token"},
      {"nobody there", strange, [](Json& j) { j["collector"] = "https://127.0.0.1:1"; },
       kExitEnvironment, "127.0.0.1"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Enrolling e{c.answer};
    if (c.change) {
      Json invitation = invitation_for(e.server.port, e.authority);
      c.change(invitation);
      e.invite(invitation.dump());
    }
    const Ran ran = e.enroll();
    CHECK(ran.status == c.status);
    CHECK_MESSAGE(has(ran.err, c.says), ran.err);
    CHECK(ran.out.empty());
    const Ran status = run_program(e.w.folder, {"status", "--config", e.w.folder / "agent.toml"});
    CHECK_FALSE(has(status.out, "tenant A: agent "));
  }
}

TEST_CASE("parse_invitation: strict, and never repeats the token") {
  const Authority authority{"ours"};
  const std::string good = invitation_for(1, authority).dump();
  REQUIRE(parse_invitation(good));
  const std::string twice = R"({"tenant":"t2",)" + good.substr(1);
  for (const std::string& bad :
       {std::string{}, std::string{"[]"}, twice, good + std::string(1, '\0'), "\xef\xbb\xbf" + good,
        good.substr(0, good.size() - 1), std::string(60'000, '[')}) {
    const auto parsed = parse_invitation(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code() == Errc::kInvalid);
    CHECK(has(parsed.error().message(), "is no invitation; ask for a new one"));
    CHECK_FALSE(has(parsed.error().message(), "a2tra2"));
  }
}

}  // namespace
}  // namespace meldevakt::agent
