// Verdicts where a signal could belong to several messages, or no receipt is known.
#include <doctest/doctest.h>

#include "tests/unit/collector/correlate/cases.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::check;
using testing::portal;
using testing::transport;
using testing::W;

TEST_CASE("correlate: what could be its or another's") {
  const auto with_receipt_and = [](auto more) {
    return [more](W w) {
      w.acknowledged(0), w.trace_covered();
      more(w);
    };
  };
  check({
      {"a commit of one of two", with_receipt_and([](W w) {
         w.step(Signal::kMessageCommitted, 2, {}, {portal(1), portal(2)});
       }),
       Verdict::kUnverifiable, "a commit at 2026-03-02T10:00:02.000Z may be its or another's of 2"},
      {"a commit of one of two others", with_receipt_and([](W w) {
         w.step(Signal::kMessageCommitted, 2, {}, {portal(2), portal(3)});
       }),
       Verdict::kMissing, ""},
      {"a commit of nobody, near",
       with_receipt_and([](W w) { w.step(Signal::kMessageCommitted, -120, {}); }),
       Verdict::kUnverifiable, "may be its or another message's"},
      {"a commit of nobody, far",
       with_receipt_and([](W w) { w.step(Signal::kMessageCommitted, -120.001, {}); }),
       Verdict::kMissing, ""},
      {"a failure of one of two: not stored, whosever it is", with_receipt_and([](W w) {
         w.step(Signal::kMessageSaveFailed, 2, {}, {portal(1), portal(2)});
       }),
       Verdict::kMissing, "a failed save at 2026-03-02T10:00:02.000Z may be its or another's of 2"},
      {"its own failure, and a commit of one of two", with_receipt_and([](W w) {
         w.failed(1);
         w.step(Signal::kMessageCommitted, 2, {}, {portal(1), portal(2)});
       }),
       Verdict::kUnverifiable, ""},
      {"its own commit, and a failure of one of two", with_receipt_and([](W w) {
         w.committed(1);
         w.step(Signal::kMessageSaveFailed, 2, {}, {portal(1), portal(2)});
       }),
       Verdict::kStoredAfterReceipt, ""},
      {"two names that turn out to be its own", with_receipt_and([](W w) {
         w.step(Signal::kMessageCommitted, 2, {}, {portal(1), transport(1)});
         w.alias({portal(1), transport(1)});
       }),
       Verdict::kStoredAfterReceipt, ""},
      {"one candidate alone is not named",
       with_receipt_and([](W w) { w.step(Signal::kMessageCommitted, 2, {}, {portal(1)}); }),
       Verdict::kUnverifiable, ""},
      {"a receipt of one of two, no commit",
       [](W w) {
         w.received(0), w.trace_covered();
         w.step(Signal::kMessageAcknowledged, 1, {}, {portal(1), portal(2)});
       },
       Verdict::kUnverifiable, "a receipt at 2026-03-02T10:00:01.000Z may be its"},
      {"as yet",
       [](W w) {
         w.received(0), w.trace_covered();
         w.step(Signal::kMessageAcknowledged, 1, {}, {portal(1), portal(2)});
       },
       Verdict::kPending, "a receipt at", 30.9},
      {"a receipt of one of two, and a commit",
       [](W w) {
         w.received(0), w.committed(2), w.trace_covered();
         w.step(Signal::kMessageAcknowledged, 1, {}, {portal(1), portal(2)});
       },
       Verdict::kStored, "no receipt of it is known"},
  });
}

TEST_CASE("correlate: no receipt") {
  constexpr double day = 86400;
  const auto complete = [](W w, double from = -3600, double to = 3600) {
    w.input.receipt_coverage.push_back({"npb", {at(from), at(to)}});
  };
  check({
      {"sent, not confirmed", [](W w) { w.row(1, at(0), std::nullopt); }, Verdict::kPending,
       "not receipted yet", day - 1},
      {"its time ran out", [=](W w) { w.row(1, at(0), std::nullopt), complete(w, -10, day); },
       Verdict::kUndelivered, "the portal never got a receipt", day},
      {"a failure does not change that",
       [=](W w) { w.row(1, at(0), std::nullopt), w.failed(1), complete(w, -10, day); },
       Verdict::kUndelivered, "", day},
      {"the list is from before its time ran out: it may have been confirmed since",
       [=](W w) { w.row(1, at(0), std::nullopt), complete(w, -10, day - 1); },
       Verdict::kUnverifiable, "a newer list of the portal tells", day},
      {"nobody knows how old the list is", [](W w) { w.row(1, at(0), std::nullopt); },
       Verdict::kUnverifiable, "is from before " + to_rfc3339(at(day)), day},
      {"a newer list that begins later does not hold it",
       [=](W w) { w.row(1, at(0), std::nullopt), complete(w, -9, 9), complete(w, 9, 2 * day); },
       Verdict::kUnverifiable, "a newer list", day},
      {"nor does another portal's",
       [=](W w) {
         w.row(1, at(0), std::nullopt).portal = "other";
         complete(w, -10, day);
       },
       Verdict::kUnverifiable, "a newer list", day},
      {"an old list, and the log tells of receipts",
       [=](W w) { w.row(1, at(0), std::nullopt), w.trace_covered(-10, 2 * day); },
       Verdict::kUndelivered, "never receipted", day},
      {"the case system's own receipt counts",
       [](W w) { w.row(1, at(0), std::nullopt), w.acknowledged(1), w.trace_covered(); },
       Verdict::kMissing, "", day},
      {"refused", [](W w) { w.received(0), w.failed(1), w.rejected(2); }, Verdict::kFallback,
       "could not take it (the database gave up waiting for a lock (pg/55P03))"},
      {"refused, and time ran out", [](W w) { w.row(1, at(0), std::nullopt), w.rejected(2); },
       Verdict::kFallback, "", day},
      {"refused, and confirmed as a letter",
       [](W w) { w.row(1, at(0), at(500), kPrintChannel), w.rejected(2), w.trace_covered(); },
       Verdict::kFallback, ""},
      {"a letter, no trace of a refusal",
       [](W w) { w.row(1, at(0), at(500), kPrintChannel), w.trace_covered(); }, Verdict::kFallback,
       "prints it"},
      {"refused, and a list says in time that the letter is posted",
       [=](W w) {
         w.row(1, at(0), at(3 * day), kPrintChannel), w.rejected(2), complete(w, -10, 9 * day);
       },
       Verdict::kFallback, "posted it at " + to_rfc3339(at(3 * day)), 9 * day},
      {"or later than it should",
       [=](W w) { w.row(1, at(0), at(8 * day), kPrintChannel), complete(w, -10, 9 * day); },
       Verdict::kFallback, "posted it at", 9 * day},
      {"printed, and never posted",
       [=](W w) { w.row(1, at(0), std::nullopt, kPrintChannel), complete(w, -10, 5 * day); },
       Verdict::kFallbackStalled, "does not say that it was posted", 5 * day},
      {"its time to be posted is not out",
       [=](W w) { w.row(1, at(0), std::nullopt, kPrintChannel), complete(w, -10, 5 * day); },
       Verdict::kFallback, "a list of the portal from " + to_rfc3339(at(5 * day)), 5 * day - 1},
      {"the list is from before that",
       [=](W w) { w.row(1, at(0), std::nullopt, kPrintChannel), complete(w, -10, 5 * day - 1); },
       Verdict::kUnverifiable, "whether it was posted is not known", 40 * day},
      {"a newer list does not hold it",
       [=](W w) {
         w.row(1, at(0), std::nullopt, kPrintChannel);
         complete(w, -10, 9), complete(w, 9, 9 * day);
       },
       Verdict::kUnverifiable, "", 40 * day},
      {"another portal's list",
       [=](W w) {
         w.row(1, at(0), std::nullopt, kPrintChannel).portal = "other";
         complete(w, -10, 9 * day);
       },
       Verdict::kUnverifiable, "", 40 * day},
      {"nobody says when it was sent",
       [=](W w) { w.row(1, std::nullopt, std::nullopt, kPrintChannel), complete(w, -10, 9 * day); },
       Verdict::kUnverifiable, "is not known", 40 * day},
      {"refused: its time counts from then",
       [=](W w) { w.row(1, at(0), std::nullopt), w.rejected(day), complete(w, -10, 9 * day); },
       Verdict::kFallback, "", 6 * day - 1},
      {"and runs out",
       [=](W w) { w.row(1, at(0), std::nullopt), w.rejected(day), complete(w, -10, 9 * day); },
       Verdict::kFallbackStalled, "could not take it", 6 * day},
      {"refused, and the portal's list does not know it",
       [=](W w) { w.rejected(2), complete(w, -3600, 6 * day); }, Verdict::kFallbackStalled,
       "does not know it", 6 * day},
      {"the list begins too late to hold it for certain",
       [=](W w) { w.rejected(2), complete(w, -597, 6 * day); }, Verdict::kUnverifiable, "",
       40 * day},
      {"refused, and there is no list at all", [](W w) { w.rejected(2); }, Verdict::kUnverifiable,
       "is not known", 40 * day},
      {"printed and never posted, but stored",
       [=](W w) {
         w.row(1, at(0), std::nullopt, kPrintChannel), w.committed(2), complete(w, -10, 9 * day);
       },
       Verdict::kStored, "", 9 * day},
      {"refused and receipted", [](W w) { w.rejected(2), w.acknowledged(3), w.trace_covered(); },
       Verdict::kMissing, ""},
      {"seen, not receipted", [](W w) { w.received(0); }, Verdict::kPending, "not receipted yet"},
      {"for a day, nobody could see receipts", [](W w) { w.received(0); }, Verdict::kUnverifiable,
       "no receipt is known", day},
      {"for a day, and the log tells of receipts",
       [](W w) { w.received(0), w.trace_covered(-10, 2 * day); }, Verdict::kUndelivered,
       "never receipted", day},
      {"but was not read throughout",
       [](W w) { w.received(0), w.trace_covered(-10, 100), w.trace_covered(101, 2 * day); },
       Verdict::kUnverifiable, "was not read", day},
      {"stored, and the portal's complete list does not know it",
       [=](W w) { w.committed(1), complete(w); }, Verdict::kUnreceipted, "does not know it",
       day + 1},
      {"not before a day has passed", [=](W w) { w.committed(1), complete(w); }, Verdict::kStored,
       "", day},
      {"the list is not complete long enough before",
       [=](W w) { w.committed(1), complete(w, -598); }, Verdict::kStored, "", day + 1},
      {"nor until then", [=](W w) { w.committed(1), complete(w, -3600, 1); }, Verdict::kStored, "",
       day + 1},
      {"stored, and the portal's row is not confirmed",
       [=](W w) { w.row(1, at(0), std::nullopt), w.committed(1), complete(w, -3600, day); },
       Verdict::kUnreceipted, "has no receipt", day},
      {"the same by a list from before its time ran out",
       [=](W w) { w.row(1, at(0), std::nullopt), w.committed(1), complete(w, -3600, day - 1); },
       Verdict::kStored, "", day},
      {"another portal's list",
       [=](W w) {
         w.row(1, at(0), std::nullopt).portal = "other";
         w.committed(1), complete(w, -3600, day);
       },
       Verdict::kStored, "", day},
      {"of two portals only one has told of that time, and it may be the other's",
       [=](W w) {
         w.committed(1), complete(w);
         w.input.receipt_coverage.push_back({"other", {at(-9e6), at(-8e6)}});
       },
       Verdict::kStored, "", day + 1},
      {"of two portals one has told nothing but a row",
       [=](W w) {
         w.committed(1), complete(w);
         w.row(2, at(-9e6), at(-9e6)).portal = "other";
       },
       Verdict::kStored, "", day + 1},
      {"the other portal was not used then any more",
       [=](W w) {
         w.committed(1), complete(w);
         w.input.receipt_coverage.push_back({"other", {at(-9e6), at(-8e6)}});
         w.input.portal_uses = {{"other", {at(-9e6), at(-8e6)}}};
       },
       Verdict::kUnreceipted, "does not know it", day + 1},
      {"both have told, and neither knows it",
       [=](W w) {
         w.committed(1), complete(w);
         w.input.receipt_coverage.push_back({"other", {at(-3600), at(3 * day)}});
       },
       Verdict::kUnreceipted, "does not know it", day + 1},
      {"stored and printed",
       [=](W w) { w.row(1, at(0), at(9), kPrintChannel), w.committed(1), complete(w); },
       Verdict::kStored, "", day},
  });
}

}  // namespace
}  // namespace meldevakt::collector
