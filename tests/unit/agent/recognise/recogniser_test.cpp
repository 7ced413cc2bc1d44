#include "agent/recognise/recogniser.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

constexpr std::string_view kId = "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";
constexpr std::string_view kOther = "0d9e3f53-8f6b-4c86-a4a6-1f8f39d5b0a2";

constexpr std::string_view kHead = R"(
pack = "prove"
version = "1.0.0"
observes = ["message.received", "message.committed", "message.save_failed"]
[record]
starts = '\d{4}-'
time = "%Y-%m-%d %H:%M:%S,%f"
scope = { process = 'pid=(\d+)', thread = '\[(\d+)\]' }
)";

std::shared_ptr<const Pack> load(std::string_view rules, std::string_view head = kHead) {
  const auto pack = load_pack(std::string{head}.append(rules), "prove.rules.toml");
  if (!pack) FAIL(pack.error().message());
  return pack.value();
}

Record record_of(std::string_view text) {
  Record record;
  record.text = text;
  record.offset = 100;
  record.bytes = text.size() + 1;
  return record;
}

Recogniser make(std::string_view rules, std::string_view head = kHead, std::string key = "") {
  return Recogniser{load(rules, head), nullptr, PrivacyStep{std::move(key)}};
}

TEST_CASE("Recogniser: a record becomes an event with time, reference, scopes and place") {
  Recogniser recogniser = make(R"(
[[rule]]
id = "committed"
signal = "message.committed"
literal = " er lagret"
pattern = 'Melding (?<ref:portal_message_id>{uuid}) er lagret'
ends_scope = true
)");
  CHECK(recogniser.starts_record("2023-02-01 09:14:22,101 x"));
  CHECK_FALSE(recogniser.starts_record("   at 2023-"));
  const Recognised got =
      recogniser.recognise(record_of("2023-02-01 09:14:22,101 pid=7 [17] INFO Melding "
                                     "5B0C8F0E-6f0e-4a44-9a39-1d6f0c1b7a10 er lagret"));
  CHECK(got.known);
  CHECK(got.has_own_time);
  REQUIRE(got.events.size() == 1);
  const SignalEvent& event = got.events.front();
  CHECK(event.signal == Signal::kMessageCommitted);
  CHECK(to_rfc3339(event.time) == "2023-02-01T09:14:22.101Z");
  CHECK_FALSE(event.time_inherited);
  CHECK(event.rule == "committed");
  CHECK(event.references ==
        std::vector<Reference>{{ReferenceType::kPortalMessageId, std::string{kId}}});
  CHECK(event.scopes == std::vector<std::string>{"process=7", "thread=17"});
  CHECK(event.ends_scope);
  CHECK(event.offset == 100);
  CHECK(event.bytes == 95);
  CHECK(event.references_dropped == 0);

  const Recognised other =
      recogniser.recognise(record_of("2023-02-01 09:14:22,102 [17] INFO Noe annet"));
  CHECK_FALSE(other.known);
  CHECK(other.events.empty());
  CHECK(to_rfc3339(other.time.value()) == "2023-02-01T09:14:22.102Z");
}

TEST_CASE("Recogniser: a process instance is part of every scope's key") {
  Recogniser recogniser = make(
      "[[rule]]\nid = \"a\"\nliteral = \"lagret\"\n",
      "pack = \"p\"\nversion = \"1\"\nobserves = [\"db.slow\"]\n[record]\nstarts = '\\d'\n"
      "time = \"%Y-%m-%d %H:%M\"\nprocess = 'pid=(\\d+)'\nscope = { thread = '\\[(\\d+)\\]' }\n");
  const auto with = recogniser.recognise(record_of("2023-02-01 09:14 pid=7 [17] lagret"));
  CHECK(with.events.front().scopes == std::vector<std::string>{"process=7/thread=17"});
  const auto without = recogniser.recognise(record_of("2023-02-01 09:14 [17] lagret"));
  CHECK(without.events.front().scopes == std::vector<std::string>{"thread=17"});
  // A scope stands in the header, not somewhere in what continues it.
  const auto below = recogniser.recognise(record_of("2023-02-01 09:14 lagret\n[17]"));
  CHECK(below.events.front().scopes.empty());
}

TEST_CASE("Recogniser: the first matching rule of each signal speaks, and `stop` ends the search") {
  constexpr std::string_view kRules = R"(
[[rule]]
id = "one"
signal = "message.save_failed"
outcome = "unknown"
literal = ["feil", "Commit("]
[[rule]]
id = "two"
signal = "message.save_failed"
outcome = "failed"
literal = "feil"
ends_scope = true
[[rule]]
id = "names"
literal = "melding "
pattern = 'melding (?<ref:portal_message_id>{uuid})'
[[rule]]
id = "names-too"
literal = "melding "
[[rule]]
id = "last"
signal = "message.received"
literal = "STOPP"
stop = true
[[rule]]
id = "never"
signal = "db.slow"
literal = "STOPP"
)";
  Recogniser recogniser = make(kRules);
  const auto rules_of = [&](std::string_view text) {
    std::string out;
    for (const SignalEvent& event : recogniser.recognise(record_of(text)).events)
      out += event.rule + " ";
    return out;
  };
  CHECK(rules_of("2023-02-01 09:14:22,1 feil\n at Commit(x)") == "one ");
  CHECK(rules_of("2023-02-01 09:14:22,1 feil\n at Insert(x)") == "two ");
  CHECK(rules_of("2023-02-01 09:14:22,1 melding uten") == "names-too ");
  CHECK(rules_of("2023-02-01 09:14:22,1 STOPP") == "last ");

  // What belongs to the record is shared: the reference with all, the scope's end with the last.
  const auto got =
      recogniser.recognise(record_of("2023-02-01 09:14:22,1 feil for melding " + std::string{kId}));
  REQUIRE(got.events.size() == 2);
  CHECK(got.events[0].rule == "two");
  CHECK(got.events[0].references.size() == 1);
  CHECK_FALSE(got.events[0].ends_scope);
  CHECK(got.events[1].rule == "names");
  CHECK_FALSE(got.events[1].signal.has_value());
  CHECK(got.events[1].references.size() == 1);
  CHECK(got.events[1].ends_scope);
}

TEST_CASE("Recogniser: references are keyed, sorted, bounded, and dropped without a key") {
  constexpr std::string_view kRules = R"(
[[rule]]
id = "received"
signal = "message.received"
literal = "Mottatt"
pattern = 'Mottatt (?<ref:portal_message_id>{uuid})(?: transport=(?<ref:transport_id>{uuid}))?'
)";
  const std::string text = "2023-02-01 09:14:22,1 Mottatt " + std::string{kId} +
                           " transport=" + std::string{kOther} + " klient=" + std::string{kId};
  Recogniser with_key = make(kRules, kHead, std::string(32, 'k'));
  const SignalEvent event = with_key.recognise(record_of(text)).events.front();
  REQUIRE(event.references.size() == 2);
  CHECK(event.references[0] == Reference{ReferenceType::kPortalMessageId, std::string{kId}});
  CHECK(event.references[1].type == ReferenceType::kTransportId);
  CHECK(event.references[1].value.find("0d9e3f53") == std::string::npos);
  CHECK(with_key.stats().references_dropped == 0);

  Recogniser without = make(kRules);
  const SignalEvent poor = without.recognise(record_of(text)).events.front();
  CHECK(poor.references.size() == 1);
  CHECK(poor.references_dropped == 1);
  CHECK(without.stats().references_dropped == 1);

  // A UUID that is not the portal's (version 1) passes nowhere.
  const auto other = without.recognise(
      record_of("2023-02-01 09:14:22,1 Mottatt 5b0c8f0e-6f0e-1a44-9a39-1d6f0c1b7a10"));
  CHECK(other.events.front().references.empty());
  CHECK(other.events.front().references_dropped == 1);
}

TEST_CASE("Recogniser: codes, forms, thresholds, windows") {
  Recogniser recogniser = make(R"(
[[rule]]
id = "state"
signal = "message.save_failed"
outcome = "failed"
literal = "Exception"
pattern = 'Exception: (?<sqlstate>[0-9A-Za-z]{5}) (?<form>\w{1,12})?'
code_prefix = "pg/"
opens = "overload"
driver = "lock_wait"
restarts_process = true
[[rule]]
id = "slow"
signal = "db.slow"
literal = "duration: "
pattern = 'duration: (?<ms>{ms}) ms'
ms_min = 1000
code = "pg/slow"
form = "OFFENTLIG"
)");
  const auto first = [&](std::string_view text) {
    const auto got = recogniser.recognise(record_of("2023-02-01 09:14:22,1 " + std::string{text}));
    return got.events.empty() ? SignalEvent{} : got.events.front();
  };
  const SignalEvent failed = first("Exception: 55P03 PRIVAT");
  CHECK(failed.code == "pg/55P03");
  CHECK(failed.outcome == Outcome::kFailed);
  CHECK(failed.form == FormType::kPrivate);
  CHECK(failed.opens_window);
  CHECK(failed.driver == "lock_wait");
  CHECK(failed.restarts_process);
  CHECK(first("Exception: 55P03 HEMMELIG").form == FormType::kUnknown);
  CHECK(first("Exception: 55p03 ").rule.empty());  // not of the field's type: no match
  CHECK(first("duration: 999.9 ms").rule.empty());
  CHECK(first("duration: 1000.0 ms").code == "pg/slow");
  CHECK(first("duration: 1000.0 ms").form == FormType::kPublic);
  CHECK_FALSE(first("duration: 1000.0 ms").opens_window);
}

TEST_CASE("Recogniser: rules see the body only") {
  Recogniser recogniser = make(
      "[[rule]]\nid = \"plain\"\nsignal = \"db.slow\"\nliteral = \"treg\"\n"
      "[[rule]]\nid = \"start\"\nsignal = \"db.timeout\"\nliteral = \"frist\"\npattern = "
      "'\\Afrist'\n",
      "pack = \"p\"\nversion = \"1\"\nobserves = [\"db.slow\"]\n[record]\nstarts = '\\d'\ntime = "
      "\"%Y-%m-%d %H:%M\"\n"
      "body = '[^|]*\\|(.)'\n");
  CHECK(recogniser.recognise(record_of("2023-02-01 09:14|treg")).known);
  CHECK_FALSE(recogniser.recognise(record_of("2023-02-01 09:14 treg|x")).known);
  CHECK_FALSE(recogniser.recognise(record_of("2023-02-01 09:14 treg")).known);  // no body at all
  CHECK(recogniser.recognise(record_of("2023-02-01 09:14 x|frist")).known);
  CHECK_FALSE(recogniser.recognise(record_of("2023-02-01 09:14 x| frist")).known);
}

TEST_CASE("Recogniser: a record without a time of its own has the one in force") {
  constexpr std::string_view kRules =
      "[[rule]]\nid = \"a\"\nsignal = \"db.slow\"\nliteral = \"treg\"\n";
  Recogniser recogniser = make(kRules);
  const Recognised none = recogniser.recognise(record_of("2023-02-31 09:14:22,1 treg"));
  CHECK(none.known);
  CHECK(none.events.empty());  // nowhere to place it
  CHECK_FALSE(none.time.has_value());
  CHECK(recogniser.stats().times_unreadable == 1);

  (void)recogniser.recognise(record_of("2023-02-01 09:14:22,100 x"));
  Record orphan = record_of("2024-01-01 00:00:00,000 treg");
  orphan.orphan = true;
  const Recognised inherited = recogniser.recognise(orphan);
  REQUIRE(inherited.events.size() == 1);
  CHECK(inherited.events.front().time_inherited);
  CHECK_FALSE(inherited.has_own_time);
  CHECK(to_rfc3339(inherited.events.front().time) == "2023-02-01T09:14:22.100Z");
  CHECK(recogniser.stats().times_unreadable == 1);

  Recogniser restarted = make(kRules);
  restarted.set_time_in_force(recogniser.time_in_force());
  CHECK(restarted.recognise(orphan).events.size() == 1);
}

TEST_CASE("Recogniser: time_at tells where the time stands") {
  Recogniser recogniser =
      make("[[rule]]\nid = \"a\"\nliteral = \"xyz\"\n",
           "pack = \"p\"\nversion = \"1\"\nobserves = [\"db.slow\"]\n[record]\nstarts = '[A-Z]+ '\n"
           "time_at = '\\A[A-Z]+ (\\d)'\ntime = [\"%Y-%m-%d %H:%M:%S,%f\", \"%Y-%m-%d %H:%M\"]\n");
  CHECK(to_rfc3339(*recogniser.recognise(record_of("WARN 2023-02-01 09:14:22,5 x")).time) ==
        "2023-02-01T09:14:22.500Z");
  CHECK(to_rfc3339(*recogniser.recognise(record_of("INFO 2023-02-01 09:14 x")).time) ==
        "2023-02-01T09:14:00.000Z");
}

TEST_CASE("Recogniser: a record that reaches a match limit is dropped and counted") {
  Recogniser recogniser = make(R"(
[[rule]]
id = "costly"
signal = "db.slow"
literal = "aaa"
pattern = '[ab]*a[ab]*a[ab]*a[ab]*a\d$'
[[rule]]
id = "cheap"
signal = "db.timeout"
literal = "aaa"
)");
  const Recognised got =
      recogniser.recognise(record_of("2023-02-01 09:14:22,1 " + std::string(3000, 'a')));
  CHECK(got.limited);
  CHECK_FALSE(got.known);
  CHECK(got.events.empty());
  CHECK(recogniser.stats().limited == 1);
  CHECK(recogniser.recognise(record_of("2023-02-01 09:14:22,1 aaa")).events.size() == 1);
}

TEST_CASE("Recogniser: whatever bytes come, no field but a typed one leaves") {
  const std::uint64_t seed = 983;
  MESSAGE("seed " << seed);
  testing::SeededRandom random{seed};
  Recogniser recogniser = make(R"(
[[rule]]
id = "failed"
signal = "message.save_failed"
outcome = "failed"
literal = "feil "
pattern = 'feil (?<number>{number})?[^\n]*(?:melding (?<ref:portal_message_id>{uuid}))?'
code_prefix = "x/"
)");
  for (int round = 0; round < 2000; ++round) {
    std::string text = "2023-02-01 09:14:22,101 [17] feil ";
    for (std::size_t i = 0, n = random.below(60); i < n; ++i) {
      text.push_back("0123456789-\n\xE5 abcdef\0"[random.below(22)]);
    }
    CAPTURE(round);
    const Recognised got = recogniser.recognise(record_of(text));
    for (const SignalEvent& event : got.events) {
      REQUIRE(event.references.empty());
      REQUIRE(event.code.size() <= 12);
      REQUIRE_FALSE(holds_identity_number(event.code));
    }
  }
}

}  // namespace
}  // namespace meldevakt::agent
