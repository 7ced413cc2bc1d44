#include "collector/report/fleet.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "collector/correlate/words.h"
#include "collector/report/control_record.h"
#include "common/testing/doubles.h"

namespace meldevakt::collector {
namespace {

constexpr Instant kFrom{1'675'000'000'000};
constexpr Interval kAsked{kFrom, kFrom + days(10)};

LedgerCoverage read(const Interval& complete, std::vector<EventGap> gaps = {}) {
  LedgerCoverage out;
  out.agent = "agent";
  out.source.id = "trace";
  out.source.observes = {{Signal::kMessageSaveFailed, std::nullopt},
                         {Signal::kMessageCommitted, std::nullopt},
                         {Signal::kMessageAcknowledged, std::nullopt}};
  out.source.complete = complete;
  out.source.event_gaps = std::move(gaps);
  return out;
}

MessageVerdict message(Verdict verdict, Instant at = kFrom + days(1)) {
  MessageVerdict out;
  out.verdict = verdict;
  out.receipted = at;
  return out;
}

MessageVerdict recovered(Category category) {
  MessageVerdict out = message(Verdict::kRecovered);
  out.category = category;
  return out;
}

TEST_CASE("fleet: a product that logs failures only is clean by a count, never by silence") {
  const Interval whole{kFrom - days(1), kFrom + days(11)};
  LedgerCoverage failures = read(whole);
  failures.source.observes.resize(1);
  MessageVerdict counted = message(Verdict::kNoFailureSeen);
  counted.counted = true;
  const ReceiptCoverage complete{"npb", kAsked};
  struct Case {
    std::string_view name;
    std::vector<MessageVerdict> messages;
    std::vector<ReceiptCoverage> portals;
    bool known;
    std::string_view reason;
  };
  const std::vector<Case> cases{
      {"not seen to fail", {message(Verdict::kNoFailureSeen)}, {}, false, "1 message undecided"},
      {"though the portal tells of all",
       {message(Verdict::kNoFailureSeen)},
       {complete},
       false,
       "1 message undecided"},
      {"counted, and the portal tells of all", {counted}, {complete}, true, ""},
      {"counted, of those that are known",
       {counted},
       {},
       false,
       "no list of the portal's is complete for that time"},
      {"counted, and the portal tells of a day",
       {counted},
       {{"npb", {kFrom + days(1), kFrom + days(2)}}},
       false,
       "no list of the portal's is complete for that time"},
      {"one of two counted",
       {counted, message(Verdict::kNoFailureSeen)},
       {complete},
       false,
       "1 message undecided"},
      {"nothing is known", {}, {}, false, "no list of the portal's"},
      {"nothing was sent", {}, {complete}, true, ""},
      {"nothing was sent as far as is known",
       {},
       {{"npb", {kAsked.from, kAsked.to - milliseconds(1)}}},
       false,
       "no list of the portal's"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    TenantInput input;
    input.coverage = {failures};
    input.receipt_coverage = c.portals;
    Correlation correlation;
    correlation.now = kFrom + days(30);
    correlation.messages = c.messages;
    const TenantAnswer answer = answer_of(input, correlation, kAsked);
    CHECK((answer.answer == Answer::kClean) == c.known);
    CHECK(answer.reason.find(c.reason) == 0);
    // The standing control says the same.
    CHECK(control_of(input, correlation, kAsked).agrees == c.known);
    // Where commits are logged nothing has to be counted, and nothing was sent.
    if (c.messages.empty()) {
      input.coverage = {read(whole)};
      CHECK(answer_of(input, correlation, kAsked).answer == Answer::kClean);
    }
  }
}

TEST_CASE("fleet: where nobody knows what was receipted, nothing agrees") {
  const Interval whole{kFrom - days(1), kFrom + days(11)};
  LedgerCoverage commits = read(whole);
  commits.source.observes = {{Signal::kMessageCommitted, std::nullopt}};
  LedgerCoverage receipts = read({kFrom - days(1), kFrom + days(4)});
  receipts.source.id = "receipts";
  receipts.source.observes = {{Signal::kMessageAcknowledged, std::nullopt}};
  struct Case {
    std::string_view name;
    std::vector<LedgerCoverage> coverage;
    std::vector<ReceiptCoverage> portals;
    std::string_view reason;  // "": it is known
  };
  const std::vector<Case> cases{
      {"neither", {commits}, {}, "no list of the portal's is complete for that time, and no log"},
      {"a log that was not read further",
       {commits, receipts},
       {},
       "receipts are not known: no list of the portal's is complete, and nothing has been read of "
       "'receipts' since"},
      {"the portal's list", {commits}, {{"npb", kAsked}}, ""},
      {"the same log", {read(whole)}, {}, ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    TenantInput input;
    input.coverage = c.coverage;
    input.receipt_coverage = c.portals;
    Correlation correlation;
    correlation.now = kFrom + days(30);
    correlation.messages = {message(Verdict::kStored)};
    const TenantAnswer answer = answer_of(input, correlation, kAsked);
    CHECK((answer.answer == Answer::kClean) == c.reason.empty());
    CHECK(answer.reason.find(c.reason) == 0);
    CHECK(control_of(input, correlation, kAsked).agrees == c.reason.empty());
  }
}

TEST_CASE("fleet: a question that begins where the log does is answered, whatever the clock errs") {
  LedgerCoverage claim = read(kAsked);
  claim.clock_error = milliseconds(3);
  claim.span = kAsked;
  LedgerCoverage wrong = claim;
  wrong.clock_error = hours(1);
  wrong.source.complete = Interval{kAsked.from + days(2), kAsked.from + days(2) + hours(1)};
  wrong.span = *wrong.source.complete;
  TenantInput input;
  input.coverage = {claim, wrong};
  Correlation correlation;
  correlation.now = kFrom + days(30);
  correlation.messages = {message(Verdict::kStored)};
  CHECK(answer_of(input, correlation, kAsked).answer == Answer::kClean);
  CHECK(control_of(input, correlation, kAsked).agrees);
}

TEST_CASE("fleet: receipts are known until the newest list where nothing else tells of them") {
  LedgerCoverage failures = read({kFrom - days(1), kFrom + days(11)});
  failures.source.observes.resize(1);
  TenantInput input;
  input.coverage = {failures};
  const Instant until = kFrom + days(5);
  CHECK(receipts_known_until(input, until) == until);
  input.receipt_coverage = {{"npb", {kFrom, until - hours(30)}}, {"npb", {kFrom, kFrom + days(1)}}};
  CHECK(receipts_known_until(input, until) == until - hours(30));
  CHECK(receipts_known_until(input, until + hours(18)) == until - hours(30));
  // Of two portals both must have told; one that is not used any more tells nothing new.
  TenantInput two = input;
  two.receipt_coverage.push_back({"other", {kFrom, until - hours(40)}});
  CHECK(receipts_known_until(two, until) == until - hours(40));
  two.portal_uses = {{"other", {kFrom, until - hours(40)}}};
  CHECK(receipts_known_until(two, until) == until - hours(30));
  // A list that is overdue excuses nothing.
  CHECK(receipts_known_until(input, until + hours(18) + milliseconds(1)) ==
        until + hours(18) + milliseconds(1));
  input.coverage = {read({kFrom - days(1), kFrom + days(11)})};
  CHECK(receipts_known_until(input, until) == until);
}

TEST_CASE("fleet: a loss of which nobody knows whose it is, is counted for none") {
  TenantInput input;
  input.coverage = {read({kFrom - days(1), kFrom + days(11)})};
  Correlation correlation;
  correlation.now = kFrom + days(30);
  correlation.messages = {message(Verdict::kLost)};
  correlation.messages[0].cause = kCauseWhoseUnknown;
  const auto answer = [&] { return answer_of(input, correlation, kAsked).answer; };
  CHECK(answer() == Answer::kUnanswered);
  CHECK(losses_in(correlation, kAsked) == 0);
  // Who sent it again knows that it was theirs.
  correlation.messages[0].verdict = Verdict::kRecovered;
  CHECK(balance_of(correlation.messages[0]) == Balance::kRecovered);
  correlation.messages[0].verdict = Verdict::kLost;
  correlation.messages[0].cause = "pg/55P03";
  CHECK(answer() == Answer::kAffected);
}

TEST_CASE("fleet: a portal that the register names and nobody imports is named") {
  LedgerCoverage failures = read({kFrom - days(1), kFrom + days(11)});
  failures.source.observes.resize(1);
  TenantInput input;
  input.coverage = {failures};
  input.receipt_coverage = {{"npb", {kFrom - days(1), kFrom + days(11)}}};
  CHECK(why_not_known(input, kAsked).empty());
  input.portal_uses = {{"annan", {kAsked.from, kAsked.to}}};
  CHECK(why_not_known(input, kAsked).find("imported of 'annan'") != std::string::npos);
}

TEST_CASE("fleet: a municipality is affected, clean or unanswered, and it is said why") {
  const Interval whole{kFrom - days(1), kFrom + days(11)};
  struct Case {
    std::string_view name;
    std::vector<LedgerCoverage> coverage;
    std::vector<MessageVerdict> messages;
    Answer want;
    std::uint64_t lost;
    std::string_view reason;  // a part of it
  };
  const std::vector<Case> cases{
      {"all read, nothing lost", {read(whole)}, {message(Verdict::kStored)}, Answer::kClean, 0, ""},
      {"stored after the receipt is no loss",
       {read(whole)},
       {message(Verdict::kStoredAfterReceipt)},
       Answer::kClean,
       0,
       ""},
      {"lost", {read(whole)}, {message(Verdict::kLost)}, Answer::kAffected, 1, "1 message"},
      {"missing, and recovered after that, are losses too",
       {read(whole)},
       {message(Verdict::kMissing), recovered(Category::kB)},
       Answer::kAffected,
       2,
       "2 messages"},
      {"found where nobody could tell is no loss",
       {read(whole)},
       {recovered(Category::kNone)},
       Answer::kClean,
       0,
       ""},
      {"lost before the time asked",
       {read(whole)},
       {message(Verdict::kLost, kFrom - hours(1))},
       Answer::kClean,
       0,
       ""},
      {"undecided",
       {read(whole)},
       {message(Verdict::kInDoubt)},
       Answer::kUnanswered,
       0,
       "1 message undecided"},
      {"unverifiable",
       {read(whole)},
       {message(Verdict::kUnverifiable)},
       Answer::kUnanswered,
       0,
       "undecided"},
      {"nobody reads", {}, {}, Answer::kUnanswered, 0, "no agent"},
      {"silent since",
       {read({kFrom, kFrom + days(4)})},
       {},
       Answer::kUnanswered,
       0,
       "since 2023-02-02T13:46:40.000Z"},
      {"begins too late",
       {read({kFrom + days(1), kAsked.to})},
       {},
       Answer::kUnanswered,
       0,
       "was not read"},
      {"a gap that was never filled",
       {read(whole, {{{kFrom + days(2), kFrom + days(3)}, "content_lost"}})},
       {message(Verdict::kStored)},
       Answer::kUnanswered,
       0,
       "'trace' was not read from 2023-01-31"},
      {"lost, and a gap where more may hide",
       {read({kFrom, kFrom + days(4)})},
       {message(Verdict::kLost)},
       Answer::kAffected,
       1,
       "there may be more"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    TenantInput input;
    input.coverage = c.coverage;
    Correlation correlation;
    correlation.now = kFrom + days(30);
    correlation.messages = c.messages;
    const TenantAnswer answer = answer_of(input, correlation, kAsked);
    CHECK(answer.answer == c.want);
    CHECK(answer.lost == c.lost);
    CHECK(answer.reason.empty() == (c.want == Answer::kClean));
    CAPTURE(answer.reason);
    CHECK(answer.reason.find(c.reason) != std::string::npos);
  }
}

TEST_CASE("fleet: a receipt still to come hides nothing that lies in the time asked about") {
  MessageVerdict waits = message(Verdict::kPending, kFrom + days(365));
  waits.sent = kFrom - days(40);
  waits.failed = kFrom + days(1);
  const Instant now = kFrom + days(30);
  CHECK(is_asked(waits, kAsked, now));
  CHECK(is_asked(waits, {kFrom - days(41), kFrom - days(39)}, now));
  CHECK(!is_asked(waits, {kFrom + days(2), kFrom + days(3)}, now));
  waits.sent.reset();
  waits.failed = kFrom + days(365);
  CHECK(is_asked(waits, {kFrom + days(2), kFrom + days(3)}, now));  // of any time, for all we know
}

TEST_CASE("fleet: the sum is exact whoever serves whom") {
  const std::uint64_t seed = 20230605;
  meldevakt::testing::SeededRandom random{seed};
  CAPTURE(seed);
  for (int round = 0; round < 500; ++round) {
    std::vector<FleetMember> members(random.below(12));
    std::uint64_t lost = 0;
    for (FleetMember& member : members) {
      const std::uint64_t serves = random.below(5);
      for (std::uint64_t i = 0; i < serves; ++i) {
        member.municipalities.push_back(std::to_string(random.below(15)));
      }
      member.answer.answer = static_cast<Answer>(random.below(4));
      member.answer.lost = member.answer.answer == Answer::kAffected ? 1 + random.below(9) : 0;
      lost += member.answer.lost;
    }
    const FleetTotals all = total(members);
    REQUIRE(all.uses == all.affected + all.clean + all.unanswered);
    REQUIRE(all.lost == lost);
    // A municipality is as bad off as the worst of those that serve it say.
    for (const FleetMember& member : members) {
      if (member.answer.answer == Answer::kAffected && !member.municipalities.empty()) {
        REQUIRE(all.affected > 0);
      }
    }
  }
}

TEST_CASE("fleet: the region's municipalities count one by one, its losses once") {
  FleetMember region{{"4204", "4215", "4216"}, {}};
  region.answer.answer = Answer::kAffected;
  region.answer.lost = 12;
  FleetMember other{{"4216", "4601"}, {}};
  other.answer.answer = Answer::kClean;
  CHECK(total({region, other}) == FleetTotals{4, 3, 1, 0, 12});
}

TEST_CASE(
    "fleet: what is known from a log alone, or has a time still to come, is of some time too") {
  TenantInput input;
  input.coverage = {read({kFrom - days(1), kFrom + days(11)})};
  input.receipt_coverage = {{"npb", kAsked}};
  Correlation correlation;
  correlation.now = kFrom + days(30);
  MessageVerdict seen;
  seen.verdict = Verdict::kUndelivered;
  seen.first_seen = kFrom + days(1);
  correlation.messages = {seen};
  CHECK(answer_of(input, correlation, kAsked).answer == Answer::kUnanswered);
  CHECK(!control_of(input, correlation, kAsked).agrees);
  CHECK(answer_of(input, correlation, {kFrom + days(2), kAsked.to}).answer == Answer::kClean);
  // A row of next year, of which nothing else is known; and one that a log knows.
  MessageVerdict ahead = message(Verdict::kPending, correlation.now + days(365));
  correlation.messages = {ahead};
  CHECK(answer_of(input, correlation, kAsked).answer == Answer::kUnanswered);
  ahead.failed = kFrom + days(1);
  correlation.messages = {ahead};
  CHECK(answer_of(input, correlation, kAsked).answer == Answer::kUnanswered);
  CHECK(answer_of(input, correlation, {kFrom + days(2), kAsked.to}).answer == Answer::kClean);
}

}  // namespace
}  // namespace meldevakt::collector
