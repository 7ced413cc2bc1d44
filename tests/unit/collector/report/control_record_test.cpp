#include "collector/report/control_record.h"
#include "collector/report/times_ahead.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/ports/sha256.h"
#include "common/testing/doubles.h"

namespace meldevakt::collector {
namespace {

constexpr Instant kFrom{1'675'000'000'000};
constexpr Interval kPeriod{kFrom, kFrom + days(1)};

TenantInput read_throughout() {
  LedgerCoverage claim;
  claim.agent = "agent";
  claim.source.id = "trace";
  claim.source.observes = {{Signal::kMessageCommitted, std::nullopt},
                           {Signal::kMessageAcknowledged, std::nullopt}};
  claim.source.complete = Interval{kFrom - days(1), kFrom + days(2)};
  TenantInput out;
  out.coverage = {claim};
  return out;
}

MessageVerdict message(Verdict verdict, bool receipted = true) {
  MessageVerdict out;
  out.verdict = verdict;
  if (receipted) out.receipted = kFrom + hours(1);
  if (!receipted) out.committed = kFrom + hours(1);
  return out;
}

TEST_CASE("standing control: receipts and stored messages agree, or what is between them") {
  struct Case {
    std::string_view name;
    std::vector<MessageVerdict> messages;
    bool agrees;
    std::uint64_t receipted;
    std::uint64_t stored;
  };
  const std::vector<Case> cases{
      {"nothing came", {}, true, 0, 0},
      {"one stored", {message(Verdict::kStored)}, true, 1, 1},
      {"after its receipt", {message(Verdict::kStoredAfterReceipt)}, true, 1, 1},
      // Its receipt was wrong: found again, it is counted apart from what is stored.
      {"found again", {message(Verdict::kRecovered)}, true, 1, 0},
      {"lost", {message(Verdict::kStored), message(Verdict::kLost)}, false, 2, 1},
      {"missing", {message(Verdict::kMissing)}, false, 1, 0},
      {"in doubt", {message(Verdict::kInDoubt)}, false, 1, 0},
      {"unverifiable", {message(Verdict::kUnverifiable)}, false, 1, 0},
      {"pending", {message(Verdict::kPending)}, false, 1, 0},
      {"stored without a receipt", {message(Verdict::kUnreceipted, false)}, false, 0, 0},
      {"refused: printed and posted, as far as is known",
       {message(Verdict::kFallback, false)},
       true,
       0,
       0},
      {"refused, and never posted", {message(Verdict::kFallbackStalled, false)}, false, 0, 0},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Correlation correlation;
    correlation.now = kFrom + days(30);
    correlation.tenant = "t1";
    correlation.messages = c.messages;
    const ControlRecord record = control_of(read_throughout(), correlation, kPeriod);
    CHECK(record.agrees == c.agrees);
    CHECK(record.receipted == c.receipted);
    CHECK(record.stored == c.stored);
    CHECK(control_of({}, correlation, kPeriod).agrees == false);  // nobody read anything
    CHECK(
        control_of(read_throughout(), correlation, {kFrom + days(1), kFrom + days(2)}).receipted ==
        0);
  }
}

TEST_CASE("standing control: a count by a person that falls short is no agreement") {
  Correlation correlation;
  correlation.now = kFrom + days(30);
  correlation.messages = {message(Verdict::kStored), message(Verdict::kStored)};
  const auto count = [](std::uint64_t entry, Interval span, Reconciliation::State state) {
    Reconciliation out;
    out.entry = entry;
    out.told.span = span;
    out.state = state;
    return out;
  };
  using State = Reconciliation::State;
  const Interval before{kFrom - days(2), kFrom};
  const Interval whole{kFrom - days(1), kFrom + days(1)};
  struct Case {
    std::string_view name;
    std::vector<Reconciliation> counts;
    std::uint64_t shortfalls;
  };
  const std::vector<Case> cases{
      {"none", {}, 0},
      {"as many", {count(1, kPeriod, State::kAgrees)}, 0},
      {"fewer", {count(1, kPeriod, State::kShort)}, 1},
      {"of another time", {count(1, before, State::kShort)}, 0},
      {"counted again", {count(1, kPeriod, State::kShort), count(2, whole, State::kAgrees)}, 0},
      {"counted again in part",
       {count(1, whole, State::kShort), count(2, kPeriod, State::kAgrees)},
       1},
      {"counted before", {count(2, kPeriod, State::kShort), count(1, whole, State::kAgrees)}, 1},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const ControlRecord record = control_of(read_throughout(), correlation, kPeriod, c.counts);
    CHECK(record.counts_short == c.shortfalls);
    CHECK(record.agrees == (c.shortfalls == 0));
    ControlRecord kept = record;
    kept.tenant = "t1";
    kept.software_version = "v";
    CHECK(decode_control(encode_control(kept)).value().counts_short == c.shortfalls);
  }
}

TEST_CASE("standing control: a record survives its writing down, and no other text is one") {
  ControlRecord record;
  record.tenant = "t1";
  record.number = 7;
  record.previous = sha256("before");
  record.ran = kFrom + days(2);
  record.period = kPeriod;
  record.missed = 2;
  record.receipted = 12;
  record.stored = 11;
  record.stored_after_receipt = 3;
  record.lost = 1;
  record.ahead = 2;
  record.municipalities = {"1508", "4601"};
  record.not_read = "'trace' was not read";
  record.software_version = "0.1.0";
  const std::string json = encode_control(record);
  CHECK(decode_control(json).value() == record);
  CHECK_FALSE(decode_control(json.substr(1)));
  for (const char* member : {"\"v\":1", "\"agrees\":false", "\"lost\":1"}) {
    std::string other = json;
    other.replace(other.find(member), std::string_view{member}.size(), "\"x\":1");
    CAPTURE(member);
    CHECK_FALSE(decode_control(other));
  }
  meldevakt::testing::RuleTimeZones zones;
  CHECK(control_sentence(record, *zones.find("UTC").value()) ==
        "receipts and stored messages DO NOT agree 29.01.2023 13:46:40 - 30.01.2023 13:46:40: "
        "12 receipted, 11 stored, 3 of them after their receipts, 1 LOST, "
        "2 with times still to come; 'trace' was not read");
  // One that was signed before they were counted.
  std::string old = json;
  old.erase(old.find("\"ahead\":2,"), std::string_view{"\"ahead\":2,"}.size());
  record.ahead = 0;
  CHECK(decode_control(old).value() == record);
}

TEST_CASE("standing control: what has times still to come is of any period, and is counted") {
  Correlation correlation;
  correlation.tenant = "t1";
  correlation.now = kFrom + days(2);
  MessageVerdict ahead = message(Verdict::kPending, true);
  ahead.receipted = correlation.now + kAheadMax + milliseconds(1);
  MessageVerdict late = message(Verdict::kPending, true);
  late.receipted = correlation.now + kAheadMax;
  correlation.messages = {late, ahead};
  const ControlRecord record = control_of(read_throughout(), correlation, kPeriod);
  CHECK(record.ahead == 1);
  CHECK(record.receipted == 1);  // its other times are not known
  CHECK(record.undecided == 1);
  CHECK(!record.agrees);
  // It was seen before that time: it is none of that time's.
  correlation.messages[1].first_seen = kPeriod.from - days(1);
  CHECK(control_of(read_throughout(), correlation, kPeriod).agrees);
}

TEST_CASE("standing control: once a day, also where the clock is changed") {
  meldevakt::testing::RuleTimeZones zones;
  const auto zone = zones.find("Europe/Oslo").value();
  const ControlSchedule at{6, 0};
  const auto utc = [](const char* text) { return from_rfc3339(text).value(); };
  CHECK(scheduled_before(at, utc("2023-02-01T05:00:00Z"), *zone) == utc("2023-02-01T05:00:00Z"));
  CHECK(scheduled_before(at, utc("2023-02-01T04:59:59.999Z"), *zone) ==
        utc("2023-01-31T05:00:00Z"));
  CHECK(scheduled_before(at, utc("2023-07-01T12:00:00Z"), *zone) == utc("2023-07-01T04:00:00Z"));
  // 26 March and 29 October 2023.
  CHECK(scheduled_between(at, utc("2023-03-25T05:00:00Z"), utc("2023-03-27T04:00:00Z"), *zone) ==
        2);
  CHECK(scheduled_between(at, utc("2023-10-28T04:00:00Z"), utc("2023-10-30T05:00:00Z"), *zone) ==
        2);
  CHECK(scheduled_between(at, utc("2023-10-28T04:00:00Z"), utc("2023-10-28T04:00:00Z"), *zone) ==
        0);
  // Within the hour that spring leaves out there is still one a day.
  const ControlSchedule night{2, 30};
  for (Instant now = utc("2023-01-01T12:00:00Z"); now < utc("2024-01-01T00:00:00Z");
       now = now + days(1)) {
    REQUIRE(scheduled_between(night, now - days(1), now, *zone) == 1);
  }
}

}  // namespace
}  // namespace meldevakt::collector
