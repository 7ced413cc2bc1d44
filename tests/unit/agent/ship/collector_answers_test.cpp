#include "agent/ship/collector_answers.h"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/crypto/crypto.h"
#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

class Scripted : public HttpTransport {
 public:
  explicit Scripted(std::deque<Result<HttpAnswer>> answers) : answers_{std::move(answers)} {}
  Result<HttpAnswer> request(const std::string& method, const std::string& path,
                             const std::string& content_type, std::string_view body) override {
    asked += method + " " + path + " " + content_type + " " + std::string{body} + "\n";
    REQUIRE_FALSE(answers_.empty());
    Result<HttpAnswer> answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }
  std::string asked;

 private:
  std::deque<Result<HttpAnswer>> answers_;
};

Result<HttpAnswer> answer(int status, std::string body) {
  return HttpAnswer{status, std::move(body)};
}

TEST_CASE("HttpsSender: only the answer that names the statement lets it go") {
  struct Case {
    std::string_view name;
    std::vector<Result<HttpAnswer>> answers;
    Handover want;
    std::uint64_t next;
  };
  const std::vector<Case> cases{
      {"stored", {answer(200, R"({"epoch":0,"sequence":7,"index":3})")}, Handover::kStored, 0},
      {"stored, and what its clock says",
       {answer(200, R"({"epoch":0,"sequence":7,"index":3,"time":1675252800000})")},
       Handover::kStored,
       0},
      {"a clock that says nonsense",
       {answer(200, R"({"epoch":0,"sequence":7,"index":3,"time":"noon"})")},
       Handover::kRetry,
       0},
      {"another number",
       {answer(200, R"({"epoch":0,"sequence":6,"index":3})")},
       Handover::kRetry,
       0},
      {"no number", {answer(200, "{}")}, Handover::kRetry, 0},
      {"no JSON", {answer(200, "ok")}, Handover::kRetry, 0},
      {"a text", {answer(200, "\"7\"")}, Handover::kRetry, 0},
      {"a sign", {answer(200, R"({"epoch":0,"sequence":-7})")}, Handover::kRetry, 0},
      {"ahead", {answer(409, R"({"error":"ahead","next_sequence":4})")}, Handover::kAhead, 4},
      {"ahead, asks for the head",
       {answer(409, R"({"error":"ahead"})"),
        answer(200, R"({"epoch":0,"next_sequence":2,"link":")" + std::string(64, 'a') + "\"}")},
       Handover::kAhead,
       2},
      {"ahead, and a head that is none",
       {answer(409, R"({"error":"ahead"})"),
        answer(200, R"({"epoch":0,"next_sequence":2,"link":"aa"})")},
       Handover::kRetry,
       0},
      {"ahead, by a number below nought",
       {answer(409, R"({"error":"ahead","next_sequence":-1})")},
       Handover::kRefused,
       0},
      {"ahead, and no head",
       {answer(409, R"({"error":"ahead"})"), answer(500, "")},
       Handover::kRetry,
       0},
      {"fork", {answer(409, R"({"error":"fork","next_sequence":9})")}, Handover::kFork, 0},
      {"a conflict that is nobody's", {answer(409, "")}, Handover::kRefused, 0},
      {"another conflict", {answer(409, R"({"error":"x"})")}, Handover::kRefused, 0},
      {"fork, said strangely", {answer(409, R"({"error":"fork","x":1})")}, Handover::kRefused, 0},
      {"sequence twice",
       {answer(200, R"({"epoch":0,"sequence":6,"sequence":7,"index":3})")},
       Handover::kRetry,
       0},
      {"an unknown member",
       {answer(200, R"({"epoch":0,"sequence":7,"index":3,"x":1})")},
       Handover::kRetry,
       0},
      {"a fraction", {answer(200, R"({"epoch":0,"sequence":7.0,"index":3})")}, Handover::kRetry, 0},
      {"more behind it",
       {answer(200, R"({"epoch":0,"sequence":7,"index":3} )" + std::string(1, '\0'))},
       Handover::kRetry,
       0},
      {"nested", {answer(200, R"({"epoch":0,"sequence":7,"index":[3]})")}, Handover::kRetry, 0},
      {"corrupt", {answer(400, R"({"error":"corrupt"})")}, Handover::kRefused, 0},
      {"too large", {answer(413, "")}, Handover::kRefused, 0},
      {"not this agent", {answer(403, "")}, Handover::kRefused, 0},
      {"store", {answer(503, R"({"error":"store"})")}, Handover::kRetry, 0},
      {"slow down", {answer(429, "")}, Handover::kRetry, 0},
      {"away", {Error{Errc::kUnavailable, "Connection refused"}}, Handover::kRetry, 0},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    std::deque<Result<HttpAnswer>> answers{c.answers.begin(), c.answers.end()};
    if (c.want == Handover::kStored) answers.push_back(answer(404, ""));  // it shows no log
    const OpenSslVerifier verifier;
    HttpsSender sender{std::make_unique<Scripted>(std::move(answers)), LogProofs{{}, verifier}};
    const HandoverResult result = sender.send({"t", "a", 0, 7, "frame"});
    CHECK(result.outcome == c.want);
    CHECK(result.next_sequence == c.next);
  }
}

TEST_CASE("HttpsSender: the collector's clock is compared from the beginning on") {
  constexpr Instant kNoon{1'675'252'800'000};
  const std::string zeros(64, '0');
  const auto head = [&](Instant time) {
    return answer(200, R"({"epoch":0,"next_sequence":0,"link":")" + zeros + R"(","time":)" +
                           std::to_string(time.ms) + "}");
  };
  meldevakt::testing::ManualClock clock{kNoon};
  const auto comparison = std::make_shared<ClockComparison>();
  const OpenSslVerifier verifier;
  auto scripted = std::make_unique<Scripted>(std::deque<Result<HttpAnswer>>{
      Error{Errc::kUnavailable, "away"}, head(kNoon - seconds(90)),
      answer(200, R"({"epoch":0,"sequence":7,"index":3,"time":)" +
                      std::to_string((kNoon + seconds(5)).ms) + "}"),
      answer(404, ""), answer(200, R"({"epoch":0,"sequence":8,"index":4})"), answer(404, "")});
  HttpsSender sender{std::move(scripted), LogProofs{{}, verifier}, {comparison, &clock}};
  CHECK_FALSE(sender.begin());
  CHECK_FALSE(comparison->newest());
  CHECK(sender.begin());
  CHECK(comparison->newest() == ClockDifference{seconds(90), seconds(90)});
  CHECK(sender.send({"t", "a", 0, 7, "frame"}).outcome == Handover::kStored);
  CHECK(comparison->newest() == ClockDifference{seconds(-5), seconds(-5)});
  // One that does not say changes nothing.
  CHECK(sender.send({"t", "a", 0, 8, "frame"}).outcome == Handover::kStored);
  CHECK(comparison->newest() == ClockDifference{seconds(-5), seconds(-5)});
}

TEST_CASE("enrol: question and answers") {
  const std::string good =
      R"({"agent":"a","tenant":"t","certificate":"C","authority":"A","first_agent":true})";
  Scripted transport{{answer(200, good), answer(200, "{}"), answer(403, R"({"error":"rejected",
      "detail":"the invitation was used\nbefore"})"),
                      answer(429, "")}};
  const auto enrolled = enrol(transport, "tok", "env", "req");
  REQUIRE(enrolled);
  CHECK(enrolled.value().first_agent);
  CHECK(enrolled.value().certificate_pem == "C");
  CHECK(transport.asked ==
        "POST /v1/enrol application/json "
        "{\"token\":\"tok\",\"envelope\":\"env\",\"request\":\"req\"}\n");
  CHECK(enrol(transport, "", "", "").error().code() == Errc::kCorrupt);
  const auto refused = enrol(transport, "", "", "");
  CHECK(refused.error().code() == Errc::kRejected);
  CHECK(refused.error().message() ==
        "the collector says HTTP 403 rejected: the invitation was used\\x0abefore");
  CHECK(enrol(transport, "", "", "").error().code() == Errc::kUnavailable);
}

TEST_CASE("enrol: an answer that is not exactly one is not understood") {
  struct Case {
    std::string_view name;
    std::string body;
    std::string_view why;
  };
  const std::string tail = R"("tenant":"t","certificate":"C","authority":"A","first_agent":true})";
  const std::vector<Case> cases{
      {"nothing", "", "JSON: malformed at byte 1"},
      {"no object", "[]", "answer: not an object"},
      {"member missing", "{" + tail, "answer.agent: missing"},
      {"member twice", R"({"agent":"a","agent":"b",)" + tail, "JSON: a name twice in one object"},
      {"member more", R"({"agent":"a","x":1,)" + tail, "answer: unknown member, number 2"},
      {"another type", R"({"agent":7,)" + tail, "answer.agent: not a text"},
      {"empty", R"({"agent":"",)" + tail, "answer.agent: not of the form it must have"},
      {"nested", R"({"agent":["a"],)" + tail, "JSON: nested deeper than 1"},
      {"wide", R"({"a":1,"b":1,"c":1,"d":1,"e":1,)" + tail, "JSON: more than 8 members"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Scripted transport{{answer(200, c.body)}};
    const auto enrolled = enrol(transport, "tok", "env", "req");
    REQUIRE_FALSE(enrolled);
    CHECK(enrolled.error().code() == Errc::kCorrupt);
    CHECK(enrolled.error().message().rfind(
              "the collector's answer to the enrolment is not understood: " + std::string{c.why},
              0) == 0);
  }
}

TEST_CASE("parse_collector_url") {
  struct Case {
    std::string_view url;
    std::string_view host;
    int port;  // 0 = refused
  };
  const std::vector<Case> cases{
      {"https://127.0.0.1:8443", "127.0.0.1", 8443},
      {"https://kollektor.example:1/", "kollektor.example", 1},
      {"https://[::1]:8443", "::1", 8443},
      {"http://127.0.0.1:8443", "", 0},
      {"https://127.0.0.1", "", 0},
      {"https://:8443", "", 0},
      {"https://a:0", "", 0},
      {"https://a:65536", "", 0},
      {"https://a:8443/path", "", 0},
      {"https://user@a:8443", "", 0},
      {"kollektor.example:8443", "", 0},
      {"", "", 0},
  };
  for (const Case& c : cases) {
    CAPTURE(c.url);
    const auto address = parse_collector_url(c.url);
    REQUIRE(address.has_value() == (c.port != 0));
    if (!address) continue;
    CHECK(address.value().host == c.host);
    CHECK(address.value().port == c.port);
  }
}

}  // namespace
}  // namespace meldevakt::agent
