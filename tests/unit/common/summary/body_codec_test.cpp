#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/base/limits.h"
#include "common/summary/fact.h"
#include "tests/unit/common/property.h"
#include "tests/unit/common/summary/random_values.h"

namespace meldevakt {
namespace {

constexpr std::string_view kPortalId = "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";

// A body with one fact, whose members are given.
std::string body_with(std::string_view what) {
  return R"({"version":1,"salt":")" + std::string(64, 'a') + R"(","facts":[{"id":")" +
         std::string(32, 'b') + R"(","revision":0,"source":"trace","rule":"received",)" +
         std::string{what} + "}]}";
}

std::string step_with(std::string_view signal, std::string_view attribution,
                      std::string_view references, std::string_view candidates,
                      std::string_view rest) {
  std::string out = R"("step":{"signal":")";
  out.append(signal).append(R"(","time":1676452462101,"attribution":")").append(attribution);
  out.append(R"(","references":[)").append(references).append(R"(],"candidates":[)");
  return out.append(candidates).append("]").append(rest).append("}");
}

std::string reference(std::string_view type, std::string_view value) {
  return R"({"type":")" + std::string{type} + R"(","value":")" + std::string{value} + R"("})";
}

void check_refused(std::string_view json, Errc code = Errc::kCorrupt) {
  const auto body = decode_body(json);
  REQUIRE_FALSE(body.has_value());
  CHECK(body.error().code() == code);
}

TEST_CASE("body: what is encoded decodes to itself, and encodes to the same bytes again") {
  testing::RandomValues random{testing::property_seed()};
  for (int round = 0; round < 300; ++round) {
    const Body body = random.body(random.below(20));
    const std::string json = encode_body(body);
    CAPTURE(json);
    const auto decoded = decode_body(json);
    if (!decoded) FAIL(decoded.error().message());
    REQUIRE(decoded.value() == body);
    REQUIRE(encode_body(decoded.value()) == json);
  }
}

TEST_CASE("body: cut anywhere it is refused") {
  testing::RandomValues random{testing::property_seed()};
  const std::string json = encode_body(random.body(3));
  for (std::size_t length = 0; length < json.size(); ++length) {
    REQUIRE_FALSE(decode_body(std::string_view{json}.substr(0, length)).has_value());
  }
}

TEST_CASE("body: rules of a step") {
  const std::string portal = reference("portal_message_id", kPortalId);
  const std::string keyed = reference("client_id", std::string(32, 'c'));
  const std::string end = R"(,"code":"","records":1)";
  struct Case {
    std::string_view name;
    std::string step;
    bool want;
  };
  const std::vector<Case> cases{
      {"named", step_with("message.received", "named", portal, "", end), true},
      {"two references", step_with("message.received", "named", portal + "," + keyed, "", end),
       true},
      {"not sorted", step_with("message.received", "named", keyed + "," + portal, "", end), false},
      {"one twice", step_with("message.received", "named", portal + "," + portal, "", end), false},
      {"named, but no name", step_with("message.received", "named", "", "", end), false},
      {"by scope", step_with("message.received", "scope", portal, "", end), true},
      {"looking back", step_with("message.received", "look_back", portal, "", end), true},
      {"none", step_with("message.received", "none", "", "", end), true},
      {"none, but a name", step_with("message.received", "none", portal, "", end), false},
      {"ambiguous", step_with("message.received", "ambiguous", "", portal, end), true},
      {"ambiguous, but certain", step_with("message.received", "ambiguous", portal, portal, end),
       false},
      {"ambiguous among none", step_with("message.received", "ambiguous", "", "", end), false},
      {"certain, but candidates", step_with("message.received", "named", portal, keyed, end),
       false},
      {"an outcome where none belongs",
       step_with("message.received", "named", portal, "",
                 R"(,"outcome":"failed","code":"","records":1)"),
       false},
      {"a failure with its outcome",
       step_with("message.save_failed", "named", portal, "",
                 R"(,"outcome":"unknown","code":"mssql/-2","records":3)"),
       true},
      {"a failure without", step_with("message.save_failed", "named", portal, "", end), false},
      {"not a message's signal", step_with("db.timeout", "none", "", "", end), false},
      {"an unknown signal", step_with("message.lost", "none", "", "", end), false},
      {"an unknown attribution", step_with("message.received", "guessed", portal, "", end), false},
      {"a form",
       step_with("message.received", "none", "", "", R"(,"code":"","form":"PRIVAT","records":1)"),
       true},
      {"an unknown form",
       step_with("message.received", "none", "", "", R"(,"code":"","form":"privat","records":1)"),
       false},
      {"free text for a code",
       step_with("message.received", "none", "", "", R"(,"code":"Kari ble slått","records":1)"),
       false},
      {"no records", step_with("message.received", "none", "", "", R"(,"code":"","records":0)"),
       false},
      {"too many records",
       step_with("message.received", "none", "", "", R"(,"code":"","records":4294967296)"), false},
      {"a portal id that is none",
       step_with("message.received", "named", reference("portal_message_id", "12345678901"), "",
                 end),
       false},
      {"a keyed reference in the clear",
       step_with("message.received", "named", reference("case_id", "2023/1234"), "", end), false},
      {"a member too many", step_with("message.received", "none", "", "", end + R"(,"text":"")"),
       false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const auto body = decode_body(body_with(c.step));
    CHECK(body.has_value() == c.want);
    if (!body) CHECK(body.error().code() == Errc::kCorrupt);
  }
}

TEST_CASE("body: rules of receipts") {
  const auto second = [](std::string_view what) {
    std::string body = body_with(what);
    body.replace(body.find(":1,"), 3, ":2,");
    return body;
  };
  const auto receipt = [&](std::string_view members) {
    return second(R"("receipt":{"portal":"npb","message":)" + std::string{members} + "}");
  };
  const std::string id = "\"" + std::string{kPortalId} + "\"";
  const std::string rest = R"(,"form":"PRIVAT","channel":"case_system","district":"")";
  CHECK(decode_body(receipt(id + R"(,"sent":1,"confirmed":2)" + rest)).has_value());
  CHECK(decode_body(receipt(id + R"(,"sent":1)" + rest)).has_value());
  CHECK(decode_body(receipt(id + R"(,"confirmed":1)" + rest)).has_value());
  check_refused(receipt(id + rest));  // no time at all
  check_refused(receipt("\"" + std::string(32, 'a') + "\"" + R"(,"sent":1)" + rest));
  check_refused(receipt(id + R"(,"sent":-1)" + rest));
  check_refused(receipt(id + R"(,"sent":1,"form":"PRIVAT","channel":"Ola","district":"")"));
  check_refused(receipt(id + R"(,"sent":1,"form":"PRIVAT","channel":"","district":"a b")"));
  check_refused(receipt(id + R"(,"sent":1,"form":"","channel":"","district":"")"));
  check_refused(receipt(id + R"(,"sent":1,"name":"Ola")" + rest));

  const auto complete = [&](std::string_view span) {
    return second(R"("receipts_complete":{"portal":"npb","span":)" + std::string{span} + "}");
  };
  CHECK(decode_body(complete(R"({"from":1,"to":2})")).has_value());
  check_refused(complete(R"({"from":2,"to":1})"));
  check_refused(complete("1"));
}

TEST_CASE("body: rules of aliases and windows") {
  const std::string portal = reference("portal_message_id", kPortalId);
  const std::string keyed = reference("client_id", std::string(32, 'c'));
  const auto window = [](std::string_view span, std::string_view signals) {
    return body_with(R"("window":{"span":)" + std::string{span} + R"(,"open":false,"signals":[)" +
                     std::string{signals} + R"(],"driver":""})");
  };
  constexpr std::string_view span = R"({"from":1,"to":1})";
  constexpr std::string_view timeout = R"({"signal":"db.timeout","count":2})";
  constexpr std::string_view deadlock = R"({"signal":"db.deadlock","count":1})";
  CHECK(decode_body(body_with(R"("alias":{"time":0,"references":[)" + portal + "," + keyed + "]}"))
            .has_value());
  check_refused(body_with(R"("alias":{"time":0,"references":[)" + portal + "]}"));
  check_refused(body_with(R"("alias":{"time":-1,"references":[)" + portal + "," + keyed + "]}"));
  CHECK(decode_body(window(span, std::string{timeout} + "," + std::string{deadlock})).has_value());
  check_refused(window(span, std::string{deadlock} + "," + std::string{timeout}));
  check_refused(window(span, std::string{timeout} + "," + std::string{timeout}));
  check_refused(window(span, ""));
  check_refused(window(span, R"({"signal":"db.timeout","count":0})"));
  check_refused(window(R"({"from":2,"to":1})", timeout));
  // Exactly one of the three.
  check_refused(body_with(R"("note":{})"));
  check_refused(
      body_with(step_with("message.received", "none", "", "", R"(,"code":"","records":1)") +
                R"(,"alias":{"time":0,"references":[]})"));
}

TEST_CASE(
    "body: the second version says how sure a time is, which bydel, and what metrics saw; no other "
    "does") {
  Body body{std::string(32, 's'), {}};
  StepFact step;
  step.signal = Signal::kMessageReceived;
  Fact fact{std::string(32, 'b'), 0, "trace", "received", step};
  body.facts = {fact};
  CHECK(encode_body(body).rfind(R"({"version":1,)", 0) == 0);
  step.time_error = hours(1);
  body.facts[0].what = step;
  const std::string doubtful = encode_body(body);
  CHECK(doubtful.rfind(R"({"version":2,)", 0) == 0);
  CHECK(doubtful.find(R"("records":1,"time_error":3600000})") != std::string::npos);
  REQUIRE(decode_body(doubtful).has_value());
  CHECK(decode_body(doubtful).value() == body);
  step.time_error = {};
  step.district = "03";
  body.facts[0].what = step;
  const std::string placed = encode_body(body);
  CHECK(placed.rfind(R"({"version":2,)", 0) == 0);
  CHECK(decode_body(placed).value() == body);
  for (const std::string_view wrong : {"3", "031", "0a", "", "\u0660\u0661"}) {
    CAPTURE(wrong);
    std::string changed = placed;
    const std::string_view right = R"("district":"03")";
    changed.replace(changed.find(right), right.size(),
                    "\"district\":\"" + std::string{wrong} + "\"");
    CHECK_FALSE(decode_body(changed).has_value());
  }
  WindowFact window;
  window.signals = {{Signal::kInfraCpu, 3}};
  window.metrics = 2;
  body.facts[0].what = window;
  const std::string measured = encode_body(body);
  CHECK(measured.rfind(R"({"version":2,)", 0) == 0);
  CHECK(measured.find(R"("driver":"","metrics":2})") != std::string::npos);
  CHECK(decode_body(measured).value() == body);
  // One form for each body.
  for (std::string json : {doubtful, measured}) {
    json.replace(json.find(":2,"), 3, ":1,");
    check_refused(json);
  }
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {":3600000}", ":0}"}, {":3600000}", ":-1}"}, {":3600000}", ":99999999999}"}}) {
    std::string json = doubtful;
    json.replace(json.find(from), from.size(), to);
    check_refused(json);
  }
}

TEST_CASE("body: its own members") {
  const std::string salt(64, 'a');
  CHECK(decode_body(R"({"version":1,"salt":")" + salt + R"(","facts":[]})").has_value());
  check_refused(R"({"version":2,"salt":")" + salt + R"(","facts":[]})");
  check_refused(R"({"salt":")" + salt + R"(","facts":[]})");
  check_refused(R"({"version":1,"facts":[]})");
  check_refused(R"({"version":1,"salt":"","facts":[]})");
  check_refused(R"({"version":1,"salt":")" + salt + R"("})");
  check_refused(R"({"version":1,"salt":")" + salt + R"(","facts":{}})");
  check_refused(R"({"version":1,"salt":")" + salt + R"(","facts":[1]})");
  check_refused(R"({"version":1,"salt":")" + salt + R"(","facts":[],"facts":[]})");
  check_refused(R"({"version":1,"salt":")" + salt + R"(","facts":[],"more":1})");
  check_refused("[]");
  check_refused(std::string(limits::kBodyPlainBytesMax + 1, ' '), Errc::kLimit);
}

TEST_CASE("body: the fact that is wrong is named, not quoted") {
  std::string json = body_with(
      step_with("message.received", "none", "", "", R"(,"code":"Kari Nordmann","records":1)"));
  CHECK(decode_body(json).error().message() ==
        "body: facts[0]: fact: step.code: not of the form it must have");
}

TEST_CASE("body: 20000 facts fit, one more does not, and neither does a flood of nothing") {
  testing::RandomValues random{7};
  Body body = random.body(0);
  Fact fact = random.fact();
  fact.what = AliasFact{{1}, random.references(2)};
  body.facts.assign(limits::kFactsPerBodyMax, fact);
  const std::string json = encode_body(body);
  CHECK(json.size() <= limits::kBodyPlainBytesMax);
  const auto decoded = decode_body(json);
  REQUIRE(decoded.has_value());
  CHECK(decoded.value() == body);
  body.facts.push_back(fact);
  check_refused(encode_body(body), Errc::kLimit);
  // Millions of values that are no facts: refused at the first.
  std::string zeros = R"({"version":1,"salt":")" + std::string(64, 'a') + R"(","facts":[0)";
  while (zeros.size() < limits::kBodyPlainBytesMax - 8) zeros += ",0";
  check_refused(zeros + "]}");
  // Millions of values before the facts: refused at the bound.
  std::string before = R"({"version":[0)";
  while (before.size() < limits::kBodyPlainBytesMax - 8) before += ",0";
  check_refused(before + "]}", Errc::kLimit);
}

}  // namespace
}  // namespace meldevakt
