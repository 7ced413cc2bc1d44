#include "collector/http/routes.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "collector/app/authority.h"
#include "collector/http/enrol_request.h"
#include "collector/store/sqlite_store.h"
#include "common/base/limits.h"
#include "common/seal/checkpoint.h"
#include "common/summary/frame.h"
#include "common/testing/doubles.h"
#include "common/testing/fault_vfs.h"
#include "tests/unit/collector/fake_agent.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::json;
using testing::admit;
using testing::FakeAgent;
using testing::kStart;

const KeyAndCertificate& authority() {
  static const KeyAndCertificate made =
      make_certificate_authority("Test", kStart, days(10)).value();
  return made;
}

struct World {
  World() { REQUIRE(admit(*store, agent)); }

  HttpRequest request(std::string method, std::string target, std::string body = "") {
    HttpRequest made;
    made.method = std::move(method);
    made.target = std::move(target);
    made.body = std::move(body);
    made.content_type = std::string(kFrameMediaType);
    made.address = "192.0.2.1";
    made.peer = Peer{agent.id(), agent.record().tls_key};
    return made;
  }
  HttpResponse post(const std::string& frame) {
    return routes.handle(request("POST", "/v1/frames", frame));
  }
  bool logged(std::string_view text) const {
    for (const std::string& line : lines) {
      if (line.find(text) != std::string::npos) return true;
    }
    return false;
  }

  meldevakt::testing::FaultVfs disk{"routes-test"};
  meldevakt::testing::ManualClock clock{kStart};
  static std::shared_ptr<const LogKey> log_key() {
    auto key = std::make_shared<LogKey>();
    key->origin = "kollektor.example";
    key->signer = signer_from_seed(std::string(32, 'L')).value();
    key->public_key = key->signer->public_key();
    return key;
  }
  std::unique_ptr<SqliteStore> store =
      SqliteStore::open({"collector.db", "routes-test", false, log_key()}).value();
  FakeAgent agent{'a', "t1"};
  OpenSslVerifier verifier;
  AuthorityDesk desk{authority()};
  std::vector<std::string> lines;
  AgentRoutes routes{{*store, verifier, desk, clock,
                      [this](LogLevel, const std::string& line) { lines.push_back(line); }}};
};

// A new agent with a certificate request, and what it posts to enrol.
struct Newcomer {
  explicit Newcomer(char seed) : agent{seed, "t1"}, tls{make_tls_key_and_request("x").value()} {
    agent.set_tls_key(tls.public_key_hash);
  }
  [[nodiscard]] Json body() const {
    return {{"token", to_base64url(agent.token())},
            {"envelope", agent.enrolment()},
            {"request", tls.request_pem}};
  }
  FakeAgent agent;
  KeyAndRequest tls;
};

TEST_CASE("frames: stored, repeated, forked, ahead, and the head after each") {
  World world;
  const std::string first = world.agent.next_bytes("one");
  const ChainHead backup = world.agent.head();
  const std::string second = world.agent.next_bytes("two");
  const auto next_of = [&] {
    const HttpResponse head = world.routes.handle(world.request("GET", "/v1/head"));
    CHECK(head.status == 200);
    return Json::parse(head.body)["next_sequence"].get<int>();
  };
  CHECK(next_of() == 0);
  const HttpResponse ahead = world.post(second);
  CHECK(ahead.status == 409);
  CHECK(Json::parse(ahead.body) == Json{{"error", "ahead"}, {"next_sequence", 0}});
  for (int again = 0; again < 2; ++again) {
    const HttpResponse stored = world.post(first);
    CHECK(stored.status == 200);
    CHECK(stored.body ==
          R"({"epoch":0,"sequence":0,"index":0,"time":)" + std::to_string(kStart.ms) + "}");
  }
  CHECK(world.post(second).status == 200);
  CHECK(next_of() == 2);
  world.agent.set_head(backup);
  const HttpResponse fork = world.post(world.agent.next_bytes("other"));
  CHECK(fork.status == 409);
  CHECK(Json::parse(fork.body) == Json{{"error", "fork"}, {"next_sequence", 2}});
  CHECK(world.logged("alarm: other bytes"));
  const HttpResponse head = world.routes.handle(world.request("GET", "/v1/head"));
  CHECK(Json::parse(head.body)["link"] ==
        world.store->agent(world.agent.id()).value().head.link.hex());
}

TEST_CASE("log: an agent reads its own tenant's log, and has its statements proved") {
  World world;
  FakeAgent foreign{'b', "t2"};
  REQUIRE(admit(*world.store, foreign));
  const auto get = [&](const std::string& target) {
    return world.routes.handle(world.request("GET", target));
  };
  const std::string frame = world.agent.next_bytes("one");
  REQUIRE(world.post(frame).status == 200);
  const HttpResponse checkpoint = get("/v1/log/checkpoint");
  CHECK(checkpoint.status == 200);
  CHECK(checkpoint.content_type == "text/plain; charset=utf-8");
  CHECK(checkpoint.body.find("kollektor.example/t1\n2\n") == 0);
  const HttpResponse tile = get("/v1/log/tile/0/000.p/2");
  CHECK(tile.status == 200);
  CHECK(tile.content_type == "application/octet-stream");
  CHECK(tile.body.size() == 64);
  CHECK(get("/v1/log/tile/entries/000.p/1").body.substr(2) == world.agent.enrolment());

  const HttpResponse proof = get("/v1/log/proof/0/0/1");
  REQUIRE(proof.status == 200);
  const Json json = Json::parse(proof.body);
  LogPolicy policy;
  policy.log =
      make_note_key("kollektor.example/t1", NoteKeyType::kEd25519, World::log_key()->public_key);
  const auto parsed = parse_tlog_proof(json.at("proof").get<std::string>());
  REQUIRE(parsed);
  const std::string envelope = decode_frame(frame).value().envelope;
  CHECK(verify_tlog_proof(parsed.value(), envelope, policy, world.verifier));
  CHECK(json.at("consistency").size() == 1);
  CHECK(get("/v1/log/proof/0/0/0").status == 200);
  CHECK(get("/v1/log/proof/0/0/3").status == 409);
  for (const char* missing :
       {"/v1/log/", "/v1/log/tile/0/001.p/1", "/v1/log/tile/0/000.p/3", "/v1/log/tile/0/000",
        "/v1/log/tile/0/../0", "/v1/log/proof/0/1/0", "/v1/log/proof/0/0", "/v1/log/proof/0/0/0/0",
        "/v1/log/proof/0/0/", "/v1/log/proof/x/0/0", "/v1/log/proof/0/-1/0", "/v1/log/proof/",
        "/v1/log/checkpoint/", "/v1/log/../head"}) {
    CAPTURE(missing);
    CHECK(get(missing).status == 404);
  }
  CHECK(world.routes.handle(world.request("POST", "/v1/log/checkpoint")).status == 404);
  HttpRequest stranger = world.request("GET", "/v1/log/checkpoint");
  stranger.peer.reset();
  CHECK(world.routes.handle(stranger).status == 403);
}

TEST_CASE("frames: each kind of bad frame has its status, and changes nothing") {
  World world;
  FakeAgent stranger{'x', "t1"};
  const std::string good = world.agent.next_bytes("one");
  std::string altered_body = good;
  altered_body.back() = static_cast<char>(altered_body.back() ^ 1);
  std::string altered_envelope = good;
  altered_envelope[200] = static_cast<char>(altered_envelope[200] ^ 1);
  struct Case {
    std::string name;
    std::string frame;
    unsigned status;
  };
  const Case cases[] = {{"empty", "", 400},
                        {"no frame", "hello", 400},
                        {"truncated", good.substr(0, good.size() - 1), 400},
                        {"trailing", good + "x", 400},
                        {"altered body", altered_body, 400},
                        {"another agent's", stranger.next_bytes("one"), 403},
                        {"huge", std::string(limits::kFrameBytesMax + 1, 'x'), 413}};
  for (const Case& test : cases) {
    CAPTURE(test.name);
    CHECK(world.post(test.frame).status == test.status);
  }
  const unsigned altered = world.post(altered_envelope).status;
  CHECK((altered == 400 || altered == 403));
  HttpRequest untyped = world.request("POST", "/v1/frames", good);
  untyped.content_type = "application/json";
  CHECK(world.routes.handle(untyped).status == 415);
  CHECK(world.store->agent(world.agent.id()).value().head.next_sequence == 0);
  CHECK(world.post(good).status == 200);
}

TEST_CASE("every path but enrolment needs the certificate of an enrolled agent") {
  World world;
  struct Case {
    std::string name;
    std::optional<Peer> peer;
    unsigned status;
  };
  const Sha256 key = world.agent.record().tls_key;
  const Case cases[] = {{"none", std::nullopt, 403},
                        {"unknown name", Peer{"0123", key}, 403},
                        {"no name", Peer{"", key}, 403},
                        {"another key", Peer{world.agent.id(), sha256("other")}, 403},
                        {"the agent", Peer{world.agent.id(), key}, 200}};
  for (const Case& test : cases) {
    CAPTURE(test.name);
    HttpRequest head = world.request("GET", "/v1/head");
    head.peer = test.peer;
    CHECK(world.routes.handle(head).status == test.status);
    HttpRequest frame = world.request("POST", "/v1/frames", "");
    frame.peer = test.peer;
    CHECK(world.routes.handle(frame).status == (test.status == 200 ? 400U : 403U));
    HttpRequest unknown = world.request("GET", "/v1/nothing");
    unknown.peer = test.peer;
    CHECK(world.routes.handle(unknown).status == (test.status == 200 ? 404U : 403U));
  }
}

TEST_CASE("enrolment: a certificate for the agent's own key, and the chain's start") {
  World world;
  Newcomer newcomer{'n'};
  REQUIRE(world.store->add_invitation({newcomer.agent.token_hash(), "t1", kStart + hours(1)}));
  HttpRequest request = world.request("POST", "/v1/enrol", newcomer.body().dump());
  request.peer.reset();
  for (int again = 0; again < 2; ++again) {
    const HttpResponse response = world.routes.handle(request);
    REQUIRE(response.status == 200);
    const Json json = Json::parse(response.body);
    CHECK(json["agent"] == newcomer.agent.id());
    CHECK(json["tenant"] == "t1");
    CHECK(json["first_agent"] == false);
    CHECK(json["authority"] == authority().certificate_pem);
    CHECK(public_key_hash_of_certificate(json["certificate"].get<std::string>()).value() ==
          newcomer.tls.public_key_hash);
  }
  HttpRequest frame = world.request("POST", "/v1/frames", newcomer.agent.next_bytes("one"));
  frame.peer = Peer{newcomer.agent.id(), newcomer.tls.public_key_hash};
  CHECK(world.routes.handle(frame).status == 200);
  CHECK(world.store->check_store(world.verifier));
}

TEST_CASE("enrolment: what does not belong together is refused") {
  World world;
  Newcomer newcomer{'n'};
  Newcomer other{'o'};
  REQUIRE(world.store->add_invitation({newcomer.agent.token_hash(), "t1", kStart + hours(1)}));
  const auto with = [&](const char* member, Json value) {
    Json body = newcomer.body();
    body[member] = std::move(value);
    return body.dump();
  };
  Json wide = newcomer.body();
  for (const char letter : std::string{"abcdefghi"}) wide[std::string(1, letter)] = 1;
  struct Case {
    std::string name;
    std::string body;
    unsigned status;
  };
  const Case cases[] = {
      {"no JSON", "hello", 400},
      {"no object", "[1,2,3]", 400},
      {"one member more", with("x", 1), 400},
      {"nine members more", wide.dump(), 400},
      {"a member twice", R"({"token":"x",)" + newcomer.body().dump().substr(1), 400},
      {"nested", with("request", Json::array({newcomer.tls.request_pem})), 400},
      {"nested deep", std::string(60'000, '['), 400},
      {"a byte order mark", "\xef\xbb\xbf" + newcomer.body().dump(), 400},
      {"something behind it", newcomer.body().dump() + std::string(1, '\0'), 400},
      {"token long", with("token", std::string(10'000, 'A')), 400},
      {"request long", with("request", std::string(kCertificateRequestBytesMax + 1, 'A')), 400},
      {"envelope long", with("envelope", std::string(limits::kEnvelopeBytesMax + 1, 'A')), 400},
      {"token no text", with("token", 5), 400},
      {"token short", with("token", to_base64url("short")), 400},
      {"token bad", with("token", "!!!"), 400},
      {"another's token", with("token", to_base64url(other.agent.token())), 403},
      {"another's enrolment", with("envelope", other.agent.enrolment()), 403},
      {"no envelope", with("envelope", "{}"), 400},
      {"another's request", with("request", other.tls.request_pem), 403},
      {"no request", with("request", "-----BEGIN"), 400},
      {"no invitation", other.body().dump(), 403},
  };
  for (const Case& test : cases) {
    CAPTURE(test.name);
    world.clock.advance(minutes(1));  // the limit on failures is another test's
    CHECK(world.routes.handle(world.request("POST", "/v1/enrol", test.body)).status == test.status);
  }
  CHECK(world.store->agents("t1").value().size() == 1);
  world.clock.advance(hours(1));
  const auto late = world.routes.handle(world.request("POST", "/v1/enrol", newcomer.body().dump()));
  CHECK(late.status == 403);
  CHECK(late.body.find("expired") != std::string::npos);
}

TEST_CASE("enrolment: guessing is slow, for the address that guesses") {
  World world;
  HttpRequest guess = world.request("POST", "/v1/enrol", Newcomer{'g'}.body().dump());
  for (std::uint32_t i = 0; i < kEnrolFailuresMax; ++i) {
    CHECK(world.routes.handle(guess).status == 403);
  }
  CHECK(world.routes.handle(guess).status == 429);
  HttpRequest elsewhere = guess;
  elsewhere.address = "192.0.2.2";
  CHECK(world.routes.handle(elsewhere).status == 403);
  world.clock.step_wall(hours(5));  // the boot clock counts
  CHECK(world.routes.handle(guess).status == 429);
  world.clock.advance(kEnrolFailureWindow);
  CHECK(world.routes.handle(guess).status == 403);
}

TEST_CASE("a store that fails is 503 and one line; it mends itself without a restart") {
  World world;
  const std::string first = world.agent.next_bytes("one");
  const std::string second = world.agent.next_bytes("two");
  world.disk.fail_at(0, meldevakt::testing::Fault::kDiskFull);
  for (int again = 0; again < 3; ++again) {
    const HttpResponse response = world.post(first);
    CHECK(response.status == 503);
    CHECK(response.body == R"({"error":"store"})");
  }
  CHECK(world.lines.size() == 1);
  CHECK(world.logged("the disk is full"));
  world.disk.clear_fault();
  CHECK(world.post(first).status == 200);
  CHECK(world.logged("works again"));
  CHECK(world.post(second).status == 200);
  CHECK(world.store->check_store(world.verifier));
}

TEST_CASE("the people's listener knows one path") {
  HttpRequest request;
  request.method = "GET";
  request.target = "/healthz";
  CHECK(handle_people(request).status == 200);
  CHECK(handle_people(request).body == R"({"status":"ok"})");
  for (const char* target : {"/", "/healthz/", "/v1/head", "/v1/frames"}) {
    request.target = target;
    CHECK(handle_people(request).status == 404);
  }
  request.target = "/healthz";
  request.method = "POST";
  CHECK(handle_people(request).status == 404);
}

}  // namespace
}  // namespace meldevakt::collector
