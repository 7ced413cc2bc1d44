#include "collector/report/report.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "collector/report/systemic.h"
#include "collector/report/table.h"
#include "common/testing/doubles.h"

namespace meldevakt::collector {
namespace {

constexpr Instant kTime{1'772'445'600'000};  // 2026-03-02T10:00:00Z

std::shared_ptr<const TimeZone> oslo() {
  meldevakt::testing::RuleTimeZones zones;
  return zones.find("Europe/Oslo").value();
}

MessageVerdict lost_message() {
  MessageVerdict m;
  m.message = "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";
  m.references = {{ReferenceType::kPortalMessageId, m.message}};
  m.verdict = Verdict::kLost;
  m.category = Category::kB;
  m.explanation = "It is lost.";
  m.cause = "pg/55P03";
  m.form = FormType::kPrivate;
  m.channel = kCaseSystemChannel;
  m.sent = kTime;
  m.receipted = kTime + seconds(1);
  m.failed = kTime + seconds(2);
  m.purge_deadline = kTime + seconds(1) + days(30);
  m.windows = {
      {{kTime, kTime + seconds(41)}, "sql", "lock_wait", {{Signal::kDbLockWait, 4}}, "f1"}};
  m.candidates = {"x"};
  m.evidence = {"f2"};
  return m;
}

// Two blanks or more, as one bar: what stands in the cells, not how wide they are.
std::string squeezed(const std::string& table) {
  std::string out;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table.compare(i, 2, "  ") != 0) {
      out.push_back(table[i]);
      continue;
    }
    out.push_back('|');
    i = table.find_first_not_of(' ', i) - 1;
  }
  return out;
}

TEST_CASE("report: JSON, members in their order") {
  CHECK(
      message_json(lost_message(), "t1") ==
      R"({"tenant":"t1","message":"5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10","references":)"
      R"([{"type":"portal_message_id","value":"5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"}],)"
      R"("verdict":"lost","category":"B","explanation":"It is lost.","cause":"pg/55P03",)"
      R"("form":"PRIVAT","channel":"case_system","district":"","first_seen":null,"sent":"2026-03-02T10:00:00.000Z",)"
      R"("receipted":"2026-03-02T10:00:01.000Z","committed":null,)"
      R"("failed":"2026-03-02T10:00:02.000Z","purge_deadline":"2026-04-01T10:00:01.000Z",)"
      R"("windows":[{"from":"2026-03-02T10:00:00.000Z","to":"2026-03-02T10:00:41.000Z",)"
      R"("source":"sql","driver":"lock_wait","signals":[{"signal":"db.lock_wait","count":4}],)"
      R"("fact_id":"f1"}],"candidates":["x"],"evidence":["f2"],"sender_mistaken":false,)"
      R"("clocks":[],"relaxed":[],"overloads":[],"contradictions":[]})");
  Incident incident;
  incident.id = "0123456789abcdef";
  incident.tenant = "t1";
  incident.cause = "pg/55P03";
  incident.worst = Verdict::kLost;
  incident.first = kTime;
  incident.last = kTime + seconds(5);
  incident.messages = {"a", "b"};
  incident.reason = "Why.";
  CHECK(incident_json(incident) ==
        R"({"id":"0123456789abcdef","tenant":"t1","cause":"pg/55P03","worst":"lost",)"
        R"("first":"2026-03-02T10:00:00.000Z","last":"2026-03-02T10:00:05.000Z",)"
        R"("messages":["a","b"],"earliest_deadline":null,"reason":"Why.","open":true,)"
        R"("closed_by_person":false,"decided":[],"aware":null,"notified":null,"level":null,)"
        R"("clocks":[],)"
        R"("overloads":[]})");
}

TEST_CASE("report: one line, whatever the texts hold") {
  MessageVerdict m = lost_message();
  m.explanation = "a\nb\x01 \xFF \"";
  const std::string text = message_json(m, "t\xC3");
  CHECK(text.find('\n') == std::string::npos);
  CHECK(!nlohmann::json::parse(text, nullptr, false).is_discarded());
}

TEST_CASE("report: every verdict is counted, zero too") {
  Correlation all;
  all.tenant = "t1";
  all.messages = {lost_message(), lost_message()};
  Incident open;
  Incident closed;
  closed.open = false;
  FleetRow row = summarise_tenant(all, {open, closed});
  CHECK(row.tenant == "t1");
  CHECK(row.open_incidents == 1);
  CHECK(row.verdicts.size() == static_cast<std::size_t>(Verdict::kUnreceipted) + 1);
  std::uint64_t sum = 0;
  for (const auto& [verdict, count] : row.verdicts) sum += count;
  CHECK(sum == 2);
  row.name = "Eksempel kommune";
  row.agents = 2;
  row.last_statement = kTime;
  const auto json = nlohmann::json::parse(fleet_row_json(row));
  CHECK(json.at("verdicts").at("lost") == 2);
  CHECK(json.at("verdicts").at("stored") == 0);
  CHECK(json.at("last_statement") == "2026-03-02T10:00:00.000Z");
  CHECK(json.at("name") == "Eksempel kommune");
  row.answer = {Answer::kAffected, 2, 0, 0, "2 messages receipted and not stored"};
  row.members = {{{"4601"}, row.answer}};
  row.level = ClockLevel::kUrgent;
  row.overloads_confirmed = 1;
  const auto more = nlohmann::json::parse(fleet_row_json(row));
  CHECK(more.at("level") == "urgent");
  CHECK(more.at("overloads").at("confirmed") == 1);
  CHECK(squeezed(fleet_table({row}, *oslo())) ==
        "TENANT|NAME|AGENTS|LAST HEARD|MESSAGES|STORED|PENDING|NEED ACTION|OPEN INCIDENTS|LEVEL|"
        "ALARMS|MUNICIPALITIES|LOST|LATENT FAULT|ANSWER\n"
        "t1|Eksempel kommune|2|02.03.2026 11:00:00|2|0|0|2|1|urgent|0|1|2|-|"
        "affected: 2 messages receipted and not stored\n"
        "all|1 tenant|2|2|0|0|2|1|0|1|2\n"
        "\n"
        "MUNICIPALITIES|WITH MESSAGES LOST|CONFIRMED WITHOUT|NOT ANSWERED|MESSAGES LOST\n"
        "1|1|0|0|2\n");
}

TEST_CASE("report: the table that the municipality's staff read, in Norwegian time") {
  MessageVerdict kept = lost_message();
  MessageVerdict gone = lost_message();
  gone.category = Category::kA;
  gone.windows.push_back(gone.windows[0]);
  MessageVerdict held = lost_message();
  held.channel = kSvarUtChannel;
  held.windows[0].span.to = kTime + days(1);
  MessageVerdict plain;
  plain.message = "x";
  plain.verdict = Verdict::kStoredAfterReceipt;
  CHECK(squeezed(messages_text({{kept}, {gone}, {held}, {plain}}, *oslo())) ==
        "MESSAGE|SENT|RECEIPTED|VERDICT|WHY|OVERLAPPED BY|PORTAL HAS IT UNTIL\n"
        "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10|02.03.2026 11:00:00|02.03.2026 11:00:01|lost|"
        "the database gave up waiting for a lock (pg/55P03)|"
        "waiting for locks 02.03.2026 11:00:00 - 11:00:41|01.04.2026 12:00:01\n"
        "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10|02.03.2026 11:00:00|02.03.2026 11:00:01|lost|"
        "the database gave up waiting for a lock (pg/55P03)|"
        "waiting for locks 02.03.2026 11:00:00 - 11:00:41 (and 1 more)|"
        "gone since 01.04.2026 12:00:01\n"
        "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10|02.03.2026 11:00:00|02.03.2026 11:00:01|lost|"
        "the database gave up waiting for a lock (pg/55P03)|"
        "waiting for locks 02.03.2026 11:00:00 - 03.03.2026 11:00:00|kept in SvarUt\n"
        "x|-|-|stored after receipt|-|-|-\n");
}

TEST_CASE("report: incidents") {
  Incident incident;
  incident.id = "0123456789abcdef";
  incident.cause = "receipt_before_commit";
  incident.first = kTime;
  incident.last = kTime;
  incident.messages = {"a"};
  incident.open = false;
  incident.reason = "1 message, and why.";
  CHECK(
      squeezed(incidents_text({{incident}}, *oslo())) ==
      "INCIDENT|STATE|LEVEL|WORST|MESSAGES|FIRST|LAST|FIRST PURGE|CAUSE\n"
      "0123456789abcdef|closed|-|stored after receipt|1|02.03.2026 11:00:00|02.03.2026 11:00:00|-|"
      "receipted before it was stored\n"
      "0123456789abcdef: 1 message, and why.\n");
}

// A tenant with all that can stand beside a message and an incident.
struct World {
  World() {
    MessageVerdict lost = lost_message();
    MessageVerdict other = lost_message();
    other.message = "6b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";
    other.references = {{ReferenceType::kPortalMessageId, other.message}};
    other.sent = kTime - days(2);
    other.sender_mistaken = true;
    all.tenant = "t1";
    all.now = kTime + days(6);
    all.messages = {lost, other};
    RelaxedMatch match;
    match.fact_id = "c1";
    match.source = "trace";
    match.time = kTime;
    match.messages = {lost.message, other.message};
    match.more = 3;
    relaxed = {match};
    Overload overload;
    overload.span = {kTime, kTime + minutes(41)};
    overload.state = OverloadState::kConfirmed;
    overload.severity = OverloadSeverity::kRefusing;
    overload.driver = "backup";
    overload.witnesses = {{"a1", "host"}, {"a1", "sql"}};
    overload.metrics = 7;
    overload.evidence = {"f1", "f9"};
    overloads = {overload};
    conflicts = {{lost.message, {"npb"}, {"form", "sent"}}};
    incident = group_incidents(all).front();
    IncidentDecision aware;
    aware.number = 4;
    aware.told = all.now;
    aware.person = "Kari Prøve";
    aware.kind = DecisionKind::kAware;
    aware.messages = incident.messages;
    aware.aware = all.now - hours(60);
    decisions = {aware};
    incident = apply_decisions(all, {incident}, decisions).front();
  }
  [[nodiscard]] Beside beside() const {
    return Beside{{all, relaxed, overloads, conflicts, decisions}};
  }
  Correlation all;
  std::vector<RelaxedMatch> relaxed;
  std::vector<Overload> overloads;
  std::vector<ReceiptConflict> conflicts;
  std::vector<IncidentDecision> decisions;
  Incident incident;
};

TEST_CASE("report: what stands beside a message") {
  const World world;
  const Beside beside = world.beside();
  const auto json = nlohmann::json::parse(
      message_json(world.all.messages[0], "t1", beside.of(world.all.messages[0])));
  CHECK(json.at("clocks").size() == 3);  // in their order: look at, feedback, purge
  CHECK(json.at("clocks")[0].at("kind") == "look_at");
  CHECK(json.at("clocks")[0].at("level") == "urgent");
  CHECK(json.at("clocks")[2].at("kind") == "purge");
  CHECK(json.at("relaxed")[0].at("alternatives").size() == 2);
  CHECK(json.at("relaxed")[0].at("more") == 3);
  CHECK(json.at("relaxed")[0].at("only") == false);
  CHECK(json.at("overloads")[0].at("state") == "confirmed");
  CHECK(json.at("overloads")[0].at("severity") == "refusing");
  CHECK(json.at("overloads")[0].at("witnesses").size() == 2);
  CHECK(json.at("contradictions") == nlohmann::json::array({"form", "sent"}));
  CHECK(beside.of(world.all.messages[1]).contradictions.empty());
  const std::string text =
      messages_text({{world.all.messages[0], beside.of(world.all.messages[0])}}, *oslo());
  CHECK(text.find("could be its, or that of 4 others; it is not counted as stored\n") !=
        std::string::npos);
  CHECK(text.find("contradict each other (sent)") != std::string::npos);
}

TEST_CASE("report: what stands beside an incident: the soonest of each clock, and how urgent") {
  World world;
  const auto json =
      nlohmann::json::parse(incident_json(world.incident, world.beside().of(world.incident)));
  CHECK(json.at("aware") == "2026-03-05T22:00:00.000Z");
  CHECK(json.at("decided") == nlohmann::json::array({4}));
  std::string kinds;
  for (const auto& clock : json.at("clocks")) {
    kinds += clock.at("kind").get<std::string>() + ":" + clock.at("level").get<std::string>() + " ";
  }
  // The message sent two days earlier has its seven days over; the 72 hours end in twelve.
  CHECK(kinds == "look_at:over notify:urgent feedback:running purge:notice ");
  CHECK(json.at("level") == "over");
  const std::string text =
      incidents_text({{world.incident, world.beside().of(world.incident)}}, *oslo());
  CHECK(text.find("72 hours to notify Datatilsynet are over (urgent)") != std::string::npos);
  CHECK(text.find("overload, confirmed, refusing: a running backup") != std::string::npos);
  world.incident.open = false;  // what somebody knows of must still be told of
  CHECK(world.beside().of(world.incident).level == ClockLevel::kUrgent);
  world.incident.closed_by_person = true;  // and a person who closes it has not notified
  CHECK(world.beside().of(world.incident).level == ClockLevel::kUrgent);
  CHECK(incidents_text({{world.incident, world.beside().of(world.incident)}}, *oslo())
            .find("72 hours to notify Datatilsynet are over (urgent)") != std::string::npos);
  IncidentDecision notified = world.decisions.front();
  notified.number = 5;
  notified.kind = DecisionKind::kNotified;
  notified.notified = notified.aware;
  notified.aware.reset();
  world.decisions.push_back(notified);
  world.incident = apply_decisions(world.all, {world.incident}, world.decisions).front();
  world.incident.open = false;
  const IncidentBeside beside = world.beside().of(world.incident);
  CHECK_FALSE(beside.level);
  const auto told = nlohmann::json::parse(incident_json(world.incident, beside));
  CHECK(told.at("notified") == "2026-03-05T22:00:00.000Z");
  CHECK(told.at("aware") == "2026-03-05T22:00:00.000Z");
  CHECK(told.at("clocks").empty());
  CHECK(incidents_text({{world.incident, beside}}, *oslo())
            .find("05.03.2026 23:00:00 Datatilsynet was notified\n") != std::string::npos);
}

TEST_CASE("report: the same fault in several municipalities") {
  std::vector<TenantStanding> tenants;
  for (const char* id : {"t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8"}) {
    TenantStanding one;
    one.tenant = id;
    one.product = "Fagsystem";
    one.version = "3.1";
    one.covered = one.tenant != "t3";
    one.messages = 10;
    tenants.push_back(one);
  }
  const World world;
  tenants[0].incidents = {world.incident};
  CHECK(systemic_incidents(tenants).empty());
  tenants[1].incidents = {world.incident};
  Incident& later = tenants[1].incidents[0];
  later.first = later.first + hours(5);
  later.last = later.last + hours(9);
  later.causes[0].first = later.first;
  later.causes[0].last = later.last;
  const auto found = systemic_incidents(tenants);
  REQUIRE(found.size() == 1);
  const auto json = nlohmann::json::parse(systemic_json(found[0]));
  CHECK(json.at("first") == to_rfc3339(world.incident.first));
  CHECK(json.at("raised") == to_rfc3339(world.incident.first + hours(5)));
  CHECK(json.at("last") == to_rfc3339(world.incident.last + hours(9)));
  CHECK(json.at("tenants") == nlohmann::json::array({"t1", "t2"}));
  CHECK(json.at("exposed").size() == 6);
  CHECK(json.at("exposed")[0].at("tenant") == "t3");
  CHECK(json.at("exposed")[0].at("why") ==
        nlohmann::json::array({"same_version", "no_coverage", "not_answered"}));
  CHECK(json.at("sample_next").size() == kSampleNext);
  const std::string text = systemic_text(found[0], {{"t3", "Aure"}}, *oslo());
  CHECK(text.find("look next at Aure: the same version, not corrected, not everything was read, "
                  "not answered; 10 messages\n") != std::string::npos);
  CHECK(text.find("and 1 more may be hit\n") != std::string::npos);
}

TEST_CASE("Table: widths are characters, and nothing steers the terminal") {
  Table table{{"A", "B"}};
  table.add({"\xC3\xA6\xC3\xB8\xC3\xA5", "x"});
  table.add({"\x1B[31m", "y"});
  CHECK(table.text() == "A      B\n\xC3\xA6\xC3\xB8\xC3\xA5    x\n?[31m  y\n");
}

}  // namespace
}  // namespace meldevakt::collector
