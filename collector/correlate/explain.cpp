#include "collector/correlate/explain.h"

#include <string_view>

#include "collector/correlate/words.h"

namespace meldevakt::collector {
namespace {

std::string at(Instant time) {
  return to_rfc3339(time);
}

std::string at(const Step* step) {
  return at(step->what->time);
}

std::string between(const Interval& span) {
  return "from " + at(span.from) + " to " + at(span.to);
}

std::string in_seconds(Duration duration) {
  std::string ms = std::to_string(duration.ms % 1000);
  ms.insert(0, 3 - ms.size(), '0');
  return std::to_string(duration.ms / 1000) + "." + ms + " s";
}

std::string receipted(const Signs& signs) {
  return "Receipted at " + at(*signs.receipted);
}

// "its own or that of one of 2 messages" is decided by how many are named.
std::string whose(const Candidates& candidates) {
  if (candidates.too_many) {
    return "may be that of any of more than " + std::to_string(kSharedByMax) + " messages";
  }
  const std::size_t count = candidates.messages.size() + candidates.more;
  if (count < 2) return "may be its or another message's";
  return "may be its or another's of " + std::to_string(count) + " messages";
}

std::string unclear(std::string_view what, const Step* step, const Candidates& candidates) {
  return std::string{what} + " at " + at(step) + " " + whose(candidates);
}

std::string unclear_failure(const Step* step, const Candidates& candidates) {
  return unclear("a failed save", step, candidates) + ": " + describe_code(step->what->code);
}

std::string hole(const Hole& hole) {
  const std::string source = "source " + hole.source + " of agent " + hole.agent;
  if (hole.never_read) return source + " has not been read at all";
  if (hole.not_yet_read && hole.read_until < hole.stretch.from) {
    return source + " is not read from " + at(hole.stretch.from) + " on";
  }
  if (hole.not_yet_read) return source + " is read no further than " + at(hole.stretch.from);
  return source + " was not read " + between(hole.stretch);
}

std::string explain_pending(const Decision& d, const Signs& s, const Candidates& c) {
  switch (d.reason) {
    case Reason::kWithinGrace:
      return receipted(s) + "; no commit is seen yet, and the time of grace is not over.";
    case Reason::kNotYetRead:
      return receipted(s) + "; no commit is seen yet, and " + hole(*d.hole) + ".";
    case Reason::kReceiptMayBeIts:
      return "No receipt is certainly its, but " + unclear("a receipt", d.unclear, c) +
             ", and the time of grace is not over.";
    default: break;
  }
  if (s.first_seen) return "Seen at " + at(*s.first_seen) + "; not receipted yet.";
  if (s.sent) return "Sent at " + at(*s.sent) + "; not receipted yet.";
  return "Known to the portal; not receipted yet.";
}

std::string explain_stored(const Decision& d, const Signs& s) {
  const std::string stored = "Stored at " + at(s.commit);
  switch (d.reason) {
    case Reason::kCommitted: return stored + "; receipted at " + at(*s.receipted) + ".";
    case Reason::kUnknownToPortal:
      return stored + ", but the portal, whose list is complete for that time, does not know it.";
    case Reason::kUnconfirmedByPortal:
      return stored + ", but the portal, whose list is complete for that time, has no receipt.";
    case Reason::kReceiptFirst: {
      const Duration early = s.commit->what->time - *s.receipted;
      return receipted(s) + ", " + in_seconds(early) + " before it was stored at " + at(s.commit) +
             ": the receipt did not wait for the commit.";
    }
    default: return stored + "; no receipt of it is known.";
  }
}

std::string explain_failed(const Decision& d, const Signs& s) {
  if (d.reason == Reason::kSaveFailed) {
    return receipted(s) + ", but its save failed at " + at(s.last_failure) + ": " +
           describe_code(s.last_failure->what->code) + "; no commit followed.";
  }
  return receipted(s) + ", but at " + at(s.last_unknown) +
         " its commit got no answer: " + describe_code(s.last_unknown->what->code) +
         "; whether it is stored only the database can tell.";
}

std::string explain_silent(const Decision& d, const Signs& s, const Candidates& c) {
  if (d.reason == Reason::kNoFailure) {
    return receipted(s) + "; this product does not log what it stores, and no failure is seen " +
           between(*d.read) + ".";
  }
  std::string text = receipted(s) + ", but no commit is logged " + between(*d.read) +
                     ", though every source that logs commits was read throughout";
  if (d.unclear != nullptr) return text + "; " + unclear_failure(d.unclear, c) + ".";
  return text + "; no failure of it is logged either.";
}

std::string explain_hole(const Decision& d, const Signs& s, const Candidates& c) {
  std::string text = receipted(s);
  if (s.last_failure != nullptr) {
    text += ", and its save failed at " + at(s.last_failure) + " (" +
            describe_code(s.last_failure->what->code) + ")";
  }
  text += "; no commit is seen, but " + hole(*d.hole) + ", where one may be";
  if (d.unclear != nullptr) text += "; " + unclear_failure(d.unclear, c);
  return text + ".";
}

std::string explain_unverifiable(const Decision& d, const Signs& s, const Candidates& c) {
  switch (d.reason) {
    case Reason::kHole: return explain_hole(d, s, c);
    case Reason::kNobodyLooks:
      return receipted(s) + "; no source that is read logs commits or failed saves.";
    case Reason::kUnclearCommit:
      return receipted(s) + "; no commit is certainly its, but " +
             unclear("a commit", d.unclear, c) + ".";
    case Reason::kUnclearFailure:
      return receipted(s) + "; no failure is certainly its, but " + unclear_failure(d.unclear, c) +
             ".";
    case Reason::kUnclearReceipt:
      return "No commit of it is seen, no receipt is certainly its, but " +
             unclear("a receipt", d.unclear, c) + ".";
    case Reason::kRetryWithoutEnd:
      return receipted(s) + "; its save failed and was tried again at " + at(*s.last_retry) +
             ", and this product does not log what it stores.";
    case Reason::kFetchedByHand:
      return receipted(s) +
             " by a person who fetched it from the portal; no log names what is put in by hand: "
             "look it up in the case system.";
    case Reason::kRowTooOld:
      return (s.sent ? "Sent at " + at(*s.sent) : "Seen at " + at(*s.first_seen)) +
             "; no receipt is known, but the portal's row of it is from before " + at(d.read->to) +
             ", when its time ran out: a newer list of the portal tells.";
    default: break;
  }
  std::string text = "Seen at " + at(*s.first_seen) +
                     "; no receipt is known, and the portal's rows do not hold it";
  if (d.hole) return text + "; " + hole(*d.hole) + ".";
  return text + "; no source that is read logs receipts.";
}

std::string explain_undelivered(const Decision& d, const Signs& s) {
  if (d.reason == Reason::kNeverAcknowledged) {
    return (s.first_seen ? "Seen by the case system at " + at(*s.first_seen)
                         : "Sent at " + at(*s.sent)) +
           " and never receipted, though every source that logs receipts was read " +
           between(*d.read) + ".";
  }
  if (s.sent) return "Sent at " + at(*s.sent) + "; the portal never got a receipt in time.";
  return "Seen at " + at(*s.first_seen) + "; the portal never got a receipt in time.";
}

std::string why_it_is_printed(const Signs& s) {
  if (s.rejected == nullptr) return "The portal prints it and sends it by post";
  std::string text =
      "The case system told the portal at " + at(s.rejected) + " that it could not take it";
  if (s.last_failure != nullptr) text += " (" + describe_code(s.last_failure->what->code) + ")";
  return text + "; the portal prints it and sends it by post";
}

std::string explain_fallback(const Decision& d, const Signs& s) {
  const std::string text = why_it_is_printed(s);
  switch (d.reason) {
    case Reason::kPosted: return text + ", and says that it posted it at " + at(*s.posted) + ".";
    case Reason::kNeverPosted:
      return text + ", but its list from " + at(d.read->to) +
             " or later does not say that it was posted: ask the portal, have it sent again.";
    case Reason::kUnknownToPrint:
      return text + ", but its list from " + at(d.read->to) +
             " or later does not know it: ask the portal, have it sent again.";
    default: break;
  }
  if (!d.read) return text + "; whether it was posted is not known.";
  return text + "; whether it was posted is not known: a list of the portal from " +
         at(d.read->to) + " or later tells.";
}

}  // namespace

namespace {

std::string explain_verdict(const Decision& decision, const Signs& signs,
                            const Candidates& candidates) {
  switch (decision.verdict) {
    case Verdict::kPending: return explain_pending(decision, signs, candidates);
    case Verdict::kStored:
    case Verdict::kStoredAfterReceipt:
    case Verdict::kUnreceipted: return explain_stored(decision, signs);
    case Verdict::kLost:
    case Verdict::kInDoubt: return explain_failed(decision, signs);
    case Verdict::kMissing:
    case Verdict::kNoFailureSeen: return explain_silent(decision, signs, candidates);
    case Verdict::kUnverifiable:
      return decision.reason == Reason::kPostingUnknown
                 ? explain_fallback(decision, signs)
                 : explain_unverifiable(decision, signs, candidates);
    case Verdict::kUndelivered: return explain_undelivered(decision, signs);
    case Verdict::kFallback:
    case Verdict::kFallbackStalled: return explain_fallback(decision, signs);
    case Verdict::kRecovered: break;  // not of decide.cpp: judge.cpp and people say it
  }
  return "";
}

}  // namespace

std::string explain(const Decision& decision, const Signs& signs, const Candidates& candidates) {
  std::string text = explain_verdict(decision, signs, candidates);
  if (signs.shared_only && !text.empty()) {
    text += " It stands in logs of several tenants alone, and may be another's.";
  }
  return text;
}

std::string cause_of(const Decision& decision, const Signs& signs) {
  const auto code_or = [](const Step* failure, std::string_view otherwise) {
    const bool known = failure != nullptr && !failure->what->code.empty();
    return known ? failure->what->code : std::string{otherwise};
  };
  switch (decision.reason) {
    case Reason::kReceiptFirst: return std::string{kCauseReceiptFirst};
    case Reason::kUnknownToPortal:
    case Reason::kUnconfirmedByPortal: return "unreceipted";
    case Reason::kSaveFailed: return code_or(signs.last_failure, "save_failed");
    case Reason::kNoAnswer: return code_or(signs.last_unknown, "no_answer");
    case Reason::kNothingLogged: return "nothing_logged";
    case Reason::kHole: return "coverage_gap";
    case Reason::kNobodyLooks: return "no_coverage";
    case Reason::kUnclearCommit:
    case Reason::kUnclearFailure:
    case Reason::kUnclearReceipt: return "unclear_signals";
    case Reason::kRetryWithoutEnd: return "commit_not_logged";
    case Reason::kFetchedByHand: return "fetched_by_hand";
    case Reason::kRowTooOld: return std::string{kCauseRowTooOld};
    case Reason::kReceiptUnknown: return decision.hole ? "coverage_gap" : "no_coverage";
    case Reason::kNeverConfirmed: return "not_confirmed";
    case Reason::kNeverAcknowledged: return "not_acknowledged";
    case Reason::kNeverPosted:
    case Reason::kUnknownToPrint: return "not_posted";
    case Reason::kPostingUnknown: return std::string{kCausePostingUnknown};
    case Reason::kRejected:
    case Reason::kPrinted:
    case Reason::kPosted: return code_or(signs.last_failure, "rejected");
    default: return "";  // pending, stored, no_failure_seen
  }
}

}  // namespace meldevakt::collector
