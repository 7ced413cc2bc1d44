#include "collector/incidents/incidents.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/collector/incidents/judged_message.h"

namespace meldevakt::collector {
namespace {

using testing::judged_message;
using testing::kStart;

Correlation night() {
  Correlation all;
  all.tenant = "t1";
  all.now = kStart + days(1);
  all.messages = {
      judged_message("a", Verdict::kLost, "pg/55P03", 0),
      judged_message("b", Verdict::kInDoubt, "pg/55P03", 3600),
      judged_message("c", Verdict::kStored, "", 3600),
      judged_message("d", Verdict::kStoredAfterReceipt, "receipt_before_commit", 100),
      judged_message("e", Verdict::kLost, "pg/55P03", 3600 * 8),
      judged_message("f", Verdict::kPending, "", 10),
      judged_message("g", Verdict::kNoFailureSeen, "", 10),
      judged_message("h", Verdict::kMissing, "nothing_logged", 50),
  };
  return all;
}

std::string text_of(const std::vector<Incident>& incidents) {
  std::string out;
  for (const Incident& incident : incidents) {
    out += incident.cause + ":";
    for (const std::string& name : incident.messages) out += name;
    out += incident.open ? " open " : " closed ";
    out += std::string{to_string(incident.worst)} + "\n";
  }
  return out;
}

TEST_CASE("event_time: whatever is known of a message first, where nothing else is") {
  MessageVerdict message;
  message.first_seen = kStart;
  CHECK(event_time(message) == kStart);
  message.committed = kStart + hours(1);
  CHECK(event_time(message) == kStart + hours(1));
  message.sent = kStart + hours(2);
  CHECK(event_time(message) == kStart + hours(2));
  message.receipted = kStart + hours(3);
  CHECK(event_time(message) == kStart + hours(3));
  message.failed = kStart + hours(4);
  CHECK(event_time(message) == kStart + hours(4));
}

TEST_CASE("group_incidents: by cause, and a long pause begins a new one") {
  const auto incidents = group_incidents(night());
  CHECK(text_of(incidents) ==
        "pg/55P03:ab open lost\n"
        "nothing_logged:h open missing\n"
        "receipt_before_commit:d closed stored_after_receipt\n"
        "pg/55P03:e open lost\n");
  CHECK(incidents[0].first == kStart);
  CHECK(incidents[0].last == kStart + hours(1));
  CHECK(text_of(group_incidents(night(), minutes(59))).find("pg/55P03:a ") != std::string::npos);
  CHECK(text_of(group_incidents(night(), hours(7))).find("pg/55P03:abe ") != std::string::npos);
  CHECK(group_incidents({}).empty());
}

TEST_CASE("group_incidents: order does not matter, ids stay while more of the same comes") {
  Correlation all = night();
  const auto before = group_incidents(all);
  for (const Incident& incident : before) {
    CHECK(incident.id.size() == 16);
    CHECK(incident.id.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(std::count_if(before.begin(), before.end(),
                        [&](const Incident& other) { return other.id == incident.id; }) == 1);
  }
  std::reverse(all.messages.begin(), all.messages.end());
  const auto reversed = group_incidents(all);
  CHECK(text_of(reversed) == text_of(before));
  CHECK(reversed[0].id == before[0].id);
  all.messages.push_back(judged_message("A", Verdict::kLost, "pg/55P03", 60));
  all.now = kStart + days(2);
  CHECK(group_incidents(all)[0].id == before[0].id);
  all.tenant = "t2";
  CHECK(group_incidents(all)[0].id != before[0].id);
}

TEST_CASE("group_incidents: the deadline is the next one that is not over") {
  Correlation all = night();
  all.messages[1].purge_deadline = kStart + hours(30);
  CHECK(group_incidents(all)[0].earliest_deadline == kStart + hours(30));
  all.now = kStart + hours(30);
  CHECK(group_incidents(all)[0].earliest_deadline == kStart + days(30));
  all.now = kStart + days(40);
  CHECK(!group_incidents(all)[0].earliest_deadline);
  // Stored after receipt: nobody has to fetch it.
  CHECK(!group_incidents(night())[2].earliest_deadline);
}

TEST_CASE("group_incidents: the reason in words") {
  Correlation all = night();
  OverloadWindow window;
  window.driver = "backup";
  all.messages[0].windows.push_back(window);
  all.messages[1].windows.push_back(window);
  const auto incidents = group_incidents(all);
  CHECK(incidents[0].reason ==
        "2 messages between 2026-03-02T10:00:00.000Z and 2026-03-02T11:00:00.000Z with the same "
        "cause: the database gave up waiting for a lock (pg/55P03); at the same time: a running "
        "backup.");
  CHECK(incidents[2].reason ==
        "1 message at 2026-03-02T10:01:40.000Z: receipted before it was stored.");
}

}  // namespace
}  // namespace meldevakt::collector
