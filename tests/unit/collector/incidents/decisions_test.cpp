#include "collector/incidents/decisions.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "collector/correlate/names.h"
#include "collector/correlate/words.h"
#include "collector/incidents/ledger_entry.h"
#include "collector/incidents/running_clocks.h"
#include "tests/unit/collector/incidents/judged_message.h"

namespace meldevakt::collector {
namespace {

using testing::judged_message;
using testing::kStart;

Correlation night() {
  Correlation all;
  all.tenant = "t1";
  all.now = kStart + days(1);
  all.messages = {judged_message("a", Verdict::kLost, "pg/55P03", 0),
                  judged_message("b", Verdict::kInDoubt, "pg/55P03", 60),
                  judged_message("c", Verdict::kMissing, "nothing_logged", 90)};
  return all;
}

IncidentDecision decision(std::uint64_t number, DecisionKind kind,
                          std::vector<std::string> messages, std::string note = "") {
  IncidentDecision out;
  out.number = number;
  out.told = kStart + hours(20);
  out.person = "Ola";
  out.note = std::move(note);
  out.kind = kind;
  out.messages = std::move(messages);
  if (kind == DecisionKind::kAware) out.aware = kStart + hours(19);
  if (kind == DecisionKind::kNotified) out.notified = kStart + hours(20);
  // Nothing is worse than what was known to be lost.
  if (kind == DecisionKind::kClose) out.verdicts.assign(out.messages.size(), Verdict::kLost);
  return out;
}

IncidentDecision closing(std::uint64_t number, std::vector<std::string> messages,
                         std::vector<Verdict> verdicts) {
  IncidentDecision out = decision(number, DecisionKind::kClose, std::move(messages));
  out.verdicts = std::move(verdicts);
  return out;
}

IncidentDecision back(std::uint64_t number, std::uint64_t entry) {
  IncidentDecision out = decision(number, DecisionKind::kTakenBack, {});
  out.entry = entry;
  return out;
}

std::string after(const Correlation& all, std::vector<IncidentDecision> entries) {
  std::string out;
  for (const auto& incident : apply_decisions(all, group_incidents(all), entries)) {
    for (const std::string& name : incident.messages) out += name;
    out += incident.open               ? " open;"
           : incident.closed_by_person ? " closed by a person;"
                                       : " closed;";
  }
  std::reverse(entries.begin(), entries.end());  // order of arrival does not matter
  std::string again;
  for (const auto& incident : apply_decisions(all, group_incidents(all), entries)) {
    for (const std::string& name : incident.messages) again += name;
    again += incident.open               ? " open;"
             : incident.closed_by_person ? " closed by a person;"
                                         : " closed;";
  }
  CHECK(again == out);
  return out;
}

TEST_CASE("decisions: merge, split, close and reopen, and taking each back") {
  using Kind = DecisionKind;
  const Correlation all = night();
  const auto merge = decision(1, Kind::kMerge, {"a", "c"});
  const auto split = decision(2, Kind::kSplit, {"b"});
  const auto close = decision(3, Kind::kClose, {"a", "c"});
  CHECK(after(all, {}) == "ab open;c open;");
  CHECK(after(all, {merge}) == "abc open;");
  CHECK(after(all, {merge, split}) == "ac open;b open;");
  CHECK(after(all, {merge, split, close}) == "ac closed by a person;b open;");
  CHECK(after(all, {merge, split, close, decision(4, Kind::kReopen, {"c"})}) == "ac open;b open;");
  CHECK(after(all, {merge, split, close, back(4, 3)}) == "ac open;b open;");
  CHECK(after(all, {merge, split, close, back(4, 3), back(5, 4)}) ==
        "ac closed by a person;b open;");
  CHECK(after(all, {merge, back(2, 1)}) == "ab open;c open;");
  CHECK(after(all, {decision(1, Kind::kClose, {"a", "b"})}) == "ab closed by a person;c open;");
  CHECK(after(all, {decision(1, Kind::kClose, {"a"})}) ==
        "ab open;c open;");  // b is not dealt with
  CHECK(after(all, {decision(1, Kind::kMerge, {"a", "x"}), decision(2, Kind::kClose, {"x"})}) ==
        "ab open;c open;");
}

TEST_CASE("decisions: one that joins later opens a closed incident; a better verdict does not") {
  Correlation all = night();
  const auto close = decision(1, DecisionKind::kClose, {"a", "b"});
  CHECK(after(all, {close}) == "ab closed by a person;c open;");
  all.messages.push_back(judged_message("d", Verdict::kLost, "pg/55P03", 120));
  CHECK(after(all, {close}) == "abd open;c open;");
  all.messages.back().verdict = Verdict::kRecovered;
  CHECK(after(all, {close}) == "abd closed by a person;c open;");
  // An earlier message changes the id of the group, and nothing of what was decided.
  all.messages.push_back(judged_message("e", Verdict::kStoredAfterReceipt, "pg/55P03", -5));
  CHECK(after(all, {close}) == "abde closed by a person;c open;");
}

// Two messages of which nothing but a gap in the log was known when somebody closed them.
Correlation gap() {
  Correlation all = night();
  all.messages = {judged_message("a", Verdict::kUnverifiable, "coverage_gap", 0),
                  judged_message("b", Verdict::kUnverifiable, "coverage_gap", 60)};
  return all;
}

std::string reason_after(const Correlation& all, const std::vector<IncidentDecision>& entries) {
  std::string out;
  for (const auto& incident : apply_decisions(all, group_incidents(all), entries)) {
    out += incident.reason;
  }
  return out;
}

TEST_CASE("decisions: a message that gets worse opens a closed incident again, and it says why") {
  Correlation all = gap();
  const auto close = closing(1, {"a", "b"}, {Verdict::kUnverifiable, Verdict::kUnverifiable});
  CHECK(after(all, {close}) == "ab closed by a person;");
  for (const Verdict worse : {Verdict::kInDoubt, Verdict::kMissing, Verdict::kLost}) {
    CAPTURE(to_string(worse));
    all.messages[0].verdict = worse;
    CHECK(after(all, {close}) == "ab open;");
  }
  CHECK(reason_after(all, {close})
            .find("closed, says Ola at 2026-03-03T06:00:00.000Z; open again: "
                  "a is lost now, and was unverifiable when it was closed.") != std::string::npos);
  // With another cause it is an incident of its own, which nobody closed; the other stays closed.
  all.messages[0].cause = "pg/55P03";
  CHECK(after(all, {close}) == "a open;b closed by a person;");
  // Whoever knows of the loss may close it; less than that is nothing new.
  const auto known = closing(2, {"a"}, {Verdict::kLost});
  CHECK(after(all, {close, known}) == "a closed by a person;b closed by a person;");
  all.messages[0].verdict = Verdict::kMissing;
  CHECK(after(all, {close, known}) == "a closed by a person;b closed by a person;");
  // What was brought back and is not there after all is worse than it was.
  const auto brought = closing(1, {"a", "b"}, {Verdict::kRecovered, Verdict::kUnverifiable});
  CHECK(after(gap(), {brought}) == "ab open;");
}

TEST_CASE("decisions: a closing that does not say what was known closes no loss") {
  Correlation all = gap();
  const auto old = closing(1, {"a", "b"}, {});
  REQUIRE(check_decision(old).has_value());
  CHECK(after(all, {old}) == "ab closed by a person;");
  for (const Verdict worse : {Verdict::kInDoubt, Verdict::kMissing, Verdict::kLost}) {
    CAPTURE(to_string(worse));
    all.messages[0].verdict = all.messages[1].verdict = worse;
    CHECK(after(all, {old}) == "ab open;");
  }
  CHECK(reason_after(all, {old})
            .find("open again: a is lost, and it is not said that it was that "
                  "when it was closed (and 1 more).") != std::string::npos);
}

TEST_CASE("decisions: of two messages that turned out to be one, the worse that was known counts") {
  Correlation all = gap();
  all.messages[1].references = {{ReferenceType::kTransportId, "77"}};
  all.messages[1].verdict = Verdict::kLost;
  const std::string b = message_name_of(all.messages[1].references[0]);
  CHECK(after(all, {closing(1, {"a", "b", b},
                            {Verdict::kUnverifiable, Verdict::kUnverifiable, Verdict::kLost})}) ==
        "ab closed by a person;");
  CHECK(after(all, {closing(1, {"a", "b", b},
                            {Verdict::kUnverifiable, Verdict::kUnverifiable,
                             Verdict::kMissing})}) == "ab open;");
}

TEST_CASE("decisions: a message that is called something else now is still meant") {
  using Kind = DecisionKind;
  Correlation all = night();
  // What was told as "transport_id:..." belongs to b, and what was told as "client_id:..." to c.
  all.messages[1].references = {{ReferenceType::kTransportId, "77"}};
  all.messages[2].references = {{ReferenceType::kClientId, "4711"}};
  const std::string b = message_name_of(all.messages[1].references[0]);
  const std::string c = message_name_of(all.messages[2].references[0]);
  CHECK(after(all, {decision(1, Kind::kMerge, {"a", c})}) == "abc open;");
  CHECK(after(all, {decision(1, Kind::kSplit, {b})}) == "a open;b open;c open;");
  CHECK(after(all, {decision(1, Kind::kClose, {"a", b})}) == "ab closed by a person;c open;");
  // Split off and merged again by its two names; both are one word.
  CHECK(after(all, {decision(1, Kind::kSplit, {"b"}), decision(2, Kind::kMerge, {"a", b}),
                    decision(3, Kind::kClose, {"a", "b", b})}) == "ab closed by a person;c open;");
  const auto entries = std::vector<LedgerEntry>{decision(1, Kind::kMerge, {"a", "x"}),
                                                decision(2, Kind::kClose, {"b", b, "y"}),
                                                decision(3, Kind::kReopen, {"y"}), back(4, 2)};
  CHECK(tells_of_nobody(all, entries) == std::vector<TellsOfNobody>{{1, "x"}, {3, "y"}});
}

TEST_CASE("decisions: the reason says in words who decided what") {
  const Correlation all = night();
  const auto incidents = apply_decisions(
      all, group_incidents(all), {decision(7, DecisionKind::kMerge, {"a", "c"}, "samme natt")});
  REQUIRE(incidents.size() == 1);
  CHECK(incidents[0].reason.find("merged, says Ola at ") != std::string::npos);
  CHECK(incidents[0].reason.find("(samme natt).") != std::string::npos);
  // Not "with the same cause": each is named.
  CHECK(incidents[0].reason.find("same cause") == std::string::npos);
  CHECK(incidents[0].reason.find(describe_cause("pg/55P03")) != std::string::npos);
  CHECK(incidents[0].reason.find(describe_cause("nothing_logged")) != std::string::npos);
  CHECK(incidents[0].decided == std::vector<std::uint64_t>{7});
  CHECK(incidents[0].worst == Verdict::kLost);
  CHECK(incidents[0].cause == "pg/55P03");
  REQUIRE(incidents[0].causes.size() == 2);  // each is told of where causes are compared
  CHECK(incidents[0].causes[0] == CausePart{"nothing_logged", Verdict::kMissing,
                                            kStart + seconds(90), kStart + seconds(90), 1});
  CHECK(incidents[0].causes[1].messages == 2);
}

TEST_CASE("decisions: awareness starts 72 hours, the earliest counts") {
  const Correlation all = night();
  auto early = decision(1, DecisionKind::kAware, {"b"});
  early.aware = kStart + hours(2);
  const std::vector<IncidentDecision> entries{decision(2, DecisionKind::kAware, {"a"}), early};
  const auto incidents = apply_decisions(all, group_incidents(all), entries);
  REQUIRE(incidents.size() == 2);
  CHECK(aware_of(incidents[0], entries) == kStart + hours(2));
  CHECK(!aware_of(incidents[1], entries));
  const auto clocks = clocks_of(incidents[0], aware_of(incidents[0], entries), kStart + hours(50));
  REQUIRE(clocks.size() == 2);
  CHECK(clocks[0].kind == ClockKind::kNotify);
  CHECK(clocks[0].due == kStart + hours(74));
  CHECK(to_string(clocks[0].level) == "urgent");
  CHECK(clocks[1].kind == ClockKind::kPurge);
}

// Since when the 72 hours run for each incident, in hours after the first message; and when the
// authority was notified.
std::string to_notify_after(const Correlation& all, const std::vector<IncidentDecision>& entries) {
  std::string out;
  const auto hour = [](const std::optional<Instant>& time) {
    return time ? std::to_string((*time - kStart).ms / 3'600'000) : "-";
  };
  for (const auto& incident : apply_decisions(all, group_incidents(all), entries)) {
    for (const std::string& name : incident.messages) out += name;
    out += " " + hour(incident.to_notify) + " " + hour(incident.notified) + ";";
  }
  return out;
}

TEST_CASE("decisions: the 72 hours end when the authority was notified of what was known") {
  using Kind = DecisionKind;
  Correlation all = night();  // a and b are one incident, c is another
  const auto aware = decision(1, Kind::kAware, {"a", "b"});
  const auto notified = decision(2, Kind::kNotified, {"a", "b"});
  CHECK(to_notify_after(all, {}) == "ab - -;c - -;");
  CHECK(to_notify_after(all, {aware}) == "ab 19 -;c - -;");
  CHECK(to_notify_after(all, {aware, notified}) == "ab - 20;c - -;");
  CHECK(to_notify_after(all, {aware, notified, back(3, 2)}) == "ab 19 -;c - -;");
  // Closed by a person, they run on: who closes has not notified.
  const auto close = decision(3, Kind::kClose, {"a", "b"});
  CHECK(to_notify_after(all, {aware, close}) == "ab 19 -;c - -;");
  const auto incidents = apply_decisions(all, group_incidents(all), {aware, close});
  REQUIRE(clocks_of(incidents[0], incidents[0].to_notify, all.now).size() == 1);
  // Of part of them is not of all; split off, it is.
  const auto some = decision(2, Kind::kNotified, {"a"});
  CHECK(to_notify_after(all, {aware, some}) == "ab 19 20;c - -;");
  CHECK(to_notify_after(all, {aware, some, decision(3, Kind::kSplit, {"b"})}) ==
        "a - 20;b 19 20;c - -;");
  // What is merged with it has its own hours, and what joins later has when somebody knows of it.
  auto other = decision(3, Kind::kAware, {"c"});
  other.aware = kStart + hours(18);
  const auto merge = decision(4, Kind::kMerge, {"a", "c"});
  CHECK(to_notify_after(all, {aware, notified, other, merge}) == "abc 18 20;");
  all.messages.push_back(judged_message("d", Verdict::kLost, "pg/55P03", 120));
  CHECK(to_notify_after(all, {aware, notified}) == "abd - 20;c - -;");
  CHECK(to_notify_after(all, {aware, notified, decision(3, Kind::kAware, {"a", "b", "d"})}) ==
        "abd 19 20;c - -;");
  auto referred = notified;
  referred.reference = "24/01234-2";
  CHECK(reason_after(all, {aware, referred})
            .find("notified to the authority 2026-03-03T06:00:00.000Z, reference 24/01234-2, says "
                  "Ola at ") != std::string::npos);
}

TEST_CASE("decisions: what cannot be meant is refused") {
  using Kind = DecisionKind;
  CHECK(check_decision(decision(1, Kind::kClose, {"a"})).has_value());
  CHECK(!check_decision(decision(1, Kind::kClose, {})));
  CHECK(!check_decision(decision(1, Kind::kClose, {"b", "a"})));
  CHECK(check_decision(back(2, 1)).has_value());
  auto bad = decision(1, Kind::kAware, {"a"});
  CHECK(check_decision(bad).has_value());
  bad.aware = bad.told + seconds(1);
  CHECK(!check_decision(bad));
  bad.aware.reset();
  CHECK(!check_decision(bad));
  CHECK(!check_decision(closing(1, {"a", "b"}, {Verdict::kLost})));
  bad = decision(1, Kind::kReopen, {"a"});
  bad.verdicts = {Verdict::kLost};
  CHECK(!check_decision(bad));
  bad = decision(1, Kind::kClose, {"a"});
  bad.person = "";
  CHECK(!check_decision(bad));
  bad = decision(1, Kind::kClose, std::vector<std::string>(kDecisionMessagesMax + 1, "a"));
  CHECK(!check_decision(bad));
  bad = decision(1, Kind::kNotified, {"a"});
  CHECK(check_decision(bad).has_value());
  bad.reference = "24/01234-2";
  CHECK(check_decision(bad).has_value());
  bad.reference = std::string(65, 'x');
  CHECK(!check_decision(bad));
  bad.reference.clear();
  bad.notified = bad.told + seconds(1);
  CHECK(!check_decision(bad));
  bad.notified.reset();
  CHECK(!check_decision(bad));
  bad = decision(1, Kind::kClose, {"a"});
  bad.reference = "24/01234-2";
  CHECK(!check_decision(bad));
  for (std::size_t i = 0; i < 7; ++i) {
    const auto kind = static_cast<Kind>(i);
    CHECK(decision_kind_from_string(to_string(kind)) == kind);
  }
}

TEST_CASE("clocks: of a message, by what the law and the portal say") {
  MessageVerdict lost = judged_message("a", Verdict::kLost, "pg/55P03", 0);
  lost.sent = kStart - hours(1);
  auto clocks = clocks_of(lost, kStart);
  REQUIRE(clocks.size() == 3);
  CHECK(clocks[0].kind == ClockKind::kLookAt);
  CHECK(clocks[0].due == kStart - hours(1) + days(7));
  CHECK(to_string(clocks[0].level) == "running");
  CHECK(clocks[1].kind == ClockKind::kFeedback);
  CHECK(clocks[2].kind == ClockKind::kPurge);
  CHECK(to_string(clocks[2].level) == "notice");
  lost.verdict = Verdict::kRecovered;  // the portal's purge does not matter any more
  CHECK(clocks_of(lost, kStart).size() == 2);
  lost.verdict = Verdict::kFallbackStalled;  // a letter that never went: its week and three run
  lost.purge_deadline.reset();
  CHECK(clocks_of(lost, kStart).size() == 2);
  lost.verdict = Verdict::kFallback;
  CHECK(clocks_of(lost, kStart).empty());
  lost.verdict = Verdict::kStored;
  CHECK(clocks_of(lost, kStart).empty());
}

TEST_CASE("clocks: of a message that only a log knows they run from when it was first seen") {
  MessageVerdict message;
  message.verdict = Verdict::kUndelivered;
  message.first_seen = Instant{1'772'445'600'000};
  const std::vector<RunningClock> clocks = clocks_of(message, *message.first_seen + days(1));
  REQUIRE(clocks.size() == 2);
  CHECK(clocks[0].kind == ClockKind::kLookAt);
  CHECK(clocks[1].kind == ClockKind::kFeedback);
  CHECK(clocks[0].due > *message.first_seen + days(6));
}

}  // namespace
}  // namespace meldevakt::collector
