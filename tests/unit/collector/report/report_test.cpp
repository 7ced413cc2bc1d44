#include "collector/report/report.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

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
  CHECK(message_json(lost_message(), "t1") ==
        R"({"tenant":"t1","message":"5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10","references":)"
        R"([{"type":"portal_message_id","value":"5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"}],)"
        R"("verdict":"lost","category":"B","explanation":"It is lost.","cause":"pg/55P03",)"
        R"("form":"PRIVAT","channel":"case_system","sent":"2026-03-02T10:00:00.000Z",)"
        R"("receipted":"2026-03-02T10:00:01.000Z","committed":null,)"
        R"("failed":"2026-03-02T10:00:02.000Z","purge_deadline":"2026-04-01T10:00:01.000Z",)"
        R"("windows":[{"from":"2026-03-02T10:00:00.000Z","to":"2026-03-02T10:00:41.000Z",)"
        R"("source":"sql","driver":"lock_wait","signals":[{"signal":"db.lock_wait","count":4}],)"
        R"("fact_id":"f1"}],"candidates":["x"],"evidence":["f2"]})");
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
        R"("messages":["a","b"],"earliest_deadline":null,"reason":"Why.","open":true})");
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
  CHECK(fleet_table({row}, *oslo()) ==
        "TENANT  NAME              AGENTS  LAST HEARD           MESSAGES  STORED  PENDING  "
        "NEED ACTION  OPEN INCIDENTS  ALARMS  MUNICIPALITIES  LOST  LATENT FAULT  ANSWER\n"
        "t1      Eksempel kommune  2       02.03.2026 11:00:00  2         0       0        "
        "2            1               0       0               0     -             unanswered\n"
        "all     1 tenant          2                            2         0       0        "
        "2            1               0       0               0\n"
        "\n"
        "MUNICIPALITIES  WITH MESSAGES LOST  CONFIRMED WITHOUT  NOT ANSWERED  MESSAGES LOST\n"
        "0               0                   0                  0             0\n");
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
  CHECK(squeezed(messages_table({kept, gone, held, plain}, *oslo())) ==
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
  CHECK(incidents_table({incident}, *oslo()) ==
        "INCIDENT          STATE   WORST                 MESSAGES  FIRST                LAST       "
        "          FIRST PURGE  CAUSE\n"
        "0123456789abcdef  closed  stored after receipt  1         02.03.2026 11:00:00  02.03.2026 "
        "11:00:00  -            receipted before it was stored\n");
}

TEST_CASE("Table: widths are characters, and nothing steers the terminal") {
  Table table{{"A", "B"}};
  table.add({"\xC3\xA6\xC3\xB8\xC3\xA5", "x"});
  table.add({"\x1B[31m", "y"});
  CHECK(table.text() == "A      B\n\xC3\xA6\xC3\xB8\xC3\xA5    x\n?[31m  y\n");
}

}  // namespace
}  // namespace meldevakt::collector
