#include "collector/correlate/testimony.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "collector/correlate/decide.h"
#include "collector/correlate/told_names.h"
#include "common/summary/forms.h"

namespace meldevakt::collector {
namespace {

constexpr std::array<std::string_view, 4> kHow{"sent_again", "downloaded", "found",
                                               "stored_by_hand"};
constexpr std::array<std::string_view, 4> kHowWords{"sent again", "downloaded by hand",
                                                    "found in the case system", "stored by hand"};

struct Check {
  Instant told;
  Status operator()(const MessageRecovered& what) const {
    if (!is_name(what.message)) return Error{Errc::kInvalid, "which message is recovered?"};
    if (told < what.when) {
      return Error{Errc::kInvalid, "a message cannot be recovered in the future"};
    }
    return {};
  }
  Status operator()(const SenderMistaken& what) const {
    if (!is_name(what.message)) return Error{Errc::kInvalid, "which message is meant?"};
    return {};
  }
  Status operator()(const StoredCount& what) const {
    if (what.span.empty()) return Error{Errc::kInvalid, "a count needs a time from - to"};
    if (told < what.span.to) {
      return Error{Errc::kInvalid, "a count cannot be known before its time is over"};
    }
    return {};
  }
  Status operator()(const TakenBack&) const { return {}; }
};

// The entries that count, by number.
std::map<std::uint64_t, const Testimony*> standing(const std::vector<Testimony>& entries) {
  std::map<std::uint64_t, const Testimony*> out;
  for (const Testimony& entry : entries) {
    const auto [at, added] = out.try_emplace(entry.number, &entry);
    if (!added && *at->second < entry) at->second = &entry;  // one number, two contents: a fault
  }
  std::set<std::uint64_t> gone;
  // From the newest on, so that who took back is itself taken back first.
  for (auto at = out.rbegin(); at != out.rend(); ++at) {
    const auto* const back = std::get_if<TakenBack>(&at->second->what);
    if (back == nullptr || gone.count(at->first) != 0 || back->entry >= at->first) continue;
    gone.insert(back->entry);
  }
  for (const std::uint64_t number : gone) out.erase(number);
  return out;
}

std::string without_stop(std::string text) {
  if (!text.empty() && text.back() == '.') text.pop_back();
  return text;
}

std::string in_words(const MessageRecovered& told, const std::string& person) {
  return std::string{kHowWords[static_cast<std::size_t>(told.how)]} +
         (person.empty() ? "" : ", says " + person);
}

// Its commit is known by now: the one of the recovery, where it came long after the receipt and
// about that time or later; else it was stored all along, and what was done was done in vain.
bool is_commit_of(const MessageVerdict& message, const MessageRecovered& told) {
  return message.committed && message.receipted && told.how != RecoveredHow::kFound &&
         *message.committed >= *message.receipted + kAgainAfter &&
         *message.committed >= told.when - kRecoveryAbout;
}

// `others`: what else is told of it that is not the same.
void recover(MessageVerdict& message, const MessageRecovered& told, const std::string& person,
             const std::string& others) {
  const std::string words = "at " + to_rfc3339(told.when) + ": " + in_words(told, person) + others;
  const std::string concluded = without_stop(message.explanation);
  if (message.verdict == Verdict::kRecovered) {  // as the logs say, too
    message.explanation = concluded + "; recovered " + words + ".";
    return;
  }
  if (!is_recovery_of(told, message)) return;
  const bool stored_since = message.verdict == Verdict::kStoredAfterReceipt;
  const bool absent = message.category != Category::kNone || stored_since;
  const bool found = told.how == RecoveredHow::kFound;  // it was there: never lost
  message.category = absent && !found ? category_of(Verdict::kLost, message.channel,
                                                    message.purge_deadline, told.when)
                                      : Category::kNone;
  message.explanation = "Recovered " + words + "; before that it was " +
                        std::string{to_string(message.verdict)} + ": " + concluded + ".";
  message.verdict = Verdict::kRecovered;
}

// Whether it was to be counted by somebody who told his count at that time.
bool was_stored(const MessageVerdict& message, const WordsOfPeople& words, Instant told) {
  switch (message.verdict) {
    case Verdict::kStored:
    case Verdict::kStoredAfterReceipt: return !message.committed || *message.committed <= told;
    case Verdict::kNoFailureSeen: return true;
    case Verdict::kRecovered: {
      if (message.committed && *message.committed <= told) return true;
      const MessageRecovered* const how = words.recovery_of(message);
      return how != nullptr && (how->how == RecoveredHow::kFound || how->when <= told);
    }
    default: return false;
  }
}

bool lies_in(const MessageVerdict& message, const StoredCount& told) {
  return message.receipted && told.span.contains(*message.receipted) &&
         (!told.form || *told.form == message.form);
}

// It may be among those that were counted, and may not.
bool is_undecided(Verdict verdict) {
  return verdict == Verdict::kPending || verdict == Verdict::kUnverifiable ||
         verdict == Verdict::kInDoubt;
}

Reconciliation reconcile(const Correlation& all, const WordsOfPeople& words, const Testimony& entry,
                         const StoredCount& told) {
  Reconciliation out;
  out.entry = entry.number;
  out.told = told;
  out.expected = static_cast<std::uint64_t>(
      std::count_if(all.messages.begin(), all.messages.end(), [&](const MessageVerdict& message) {
        return lies_in(message, told) && was_stored(message, words, entry.told);
      }));
  out.undecided = static_cast<std::uint64_t>(
      std::count_if(all.messages.begin(), all.messages.end(), [&](const MessageVerdict& message) {
        return lies_in(message, told) && is_undecided(message.verdict);
      }));
  if (told.count < out.expected) {
    out.state = Reconciliation::State::kShort;
  } else if (told.count > out.expected + out.undecided) {
    out.state = Reconciliation::State::kOver;
  } else if (out.undecided > 0) {
    // One that is stored must not stand in for one that is not.
    out.state = Reconciliation::State::kUnclear;
  }
  return out;
}

void tell_count(MessageVerdict& message, const Testimony& entry, const Reconciliation& found) {
  if (message.verdict != Verdict::kNoFailureSeen || !lies_in(message, found.told)) return;
  const std::string counted = std::to_string(found.told.count) + " stored of " +
                              std::to_string(found.expected) + " expected from " +
                              to_rfc3339(found.told.span.from) + " to " +
                              to_rfc3339(found.told.span.to) + ", counted by " + entry.person;
  if (found.state == Reconciliation::State::kShort) {
    message.verdict = Verdict::kUnverifiable;
    message.cause = "count_short";
    message.explanation = without_stop(message.explanation) +
                          ", but fewer messages are stored: " + counted +
                          "; which are missing only the database can tell.";
  } else if (found.state == Reconciliation::State::kAgrees) {
    message.counted = true;
    message.explanation =
        without_stop(message.explanation) + "; the count agrees: " + counted + ".";
  }
}

}  // namespace

std::string_view to_string(RecoveredHow how) {
  return kHow.at(static_cast<std::size_t>(how));
}

bool is_recovery_of(const MessageRecovered& told, const MessageVerdict& message) {
  if (message.verdict == Verdict::kStoredAfterReceipt) return is_commit_of(message, told);
  return needs_action(message.verdict) || message.verdict == Verdict::kRecovered;
}

std::optional<RecoveredHow> recovered_how_from_string(std::string_view text) {
  const auto at = std::find(kHow.begin(), kHow.end(), text);
  if (at == kHow.end()) return std::nullopt;
  return static_cast<RecoveredHow>(at - kHow.begin());
}

std::uint64_t counts_short_in(const std::vector<Reconciliation>& counts, const Interval& period) {
  const auto sets_right = [](const Reconciliation& later, const Reconciliation& one) {
    const bool well = later.state == Reconciliation::State::kAgrees ||
                      later.state == Reconciliation::State::kOver;
    const bool holds = later.told.span.from <= one.told.span.from &&
                       one.told.span.to <= later.told.span.to &&
                       (!later.told.form || later.told.form == one.told.form);
    return well && holds && one.entry < later.entry;
  };
  return static_cast<std::uint64_t>(
      std::count_if(counts.begin(), counts.end(), [&](const Reconciliation& one) {
        if (one.state != Reconciliation::State::kShort) return false;
        return one.told.span.overlaps(period) &&
               std::none_of(counts.begin(), counts.end(),
                            [&](const Reconciliation& later) { return sets_right(later, one); });
      }));
}

std::string_view to_string(Reconciliation::State state) {
  switch (state) {
    case Reconciliation::State::kAgrees: return "agrees";
    case Reconciliation::State::kShort: return "short";
    case Reconciliation::State::kOver: return "over";
    case Reconciliation::State::kUnclear: return "unclear";
  }
  return "agrees";
}

Status check_testimony(const Testimony& entry) {
  if (!is_name(entry.person)) return Error{Errc::kInvalid, "who says so? a name is needed"};
  if (entry.note.size() > kNoteBytesMax) {
    return Error{Errc::kInvalid, "a note has at most " + std::to_string(kNoteBytesMax) + " bytes"};
  }
  return std::visit(Check{entry.told}, entry.what);
}

WordsOfPeople::WordsOfPeople(const std::vector<Testimony>& entries, Persons persons) {
  for (const auto& [number, entry] : standing(entries)) {
    const std::string person = persons == Persons::kNamed ? entry->person : "";
    if (const auto* recovered = std::get_if<MessageRecovered>(&entry->what)) {
      words_[recovered->message].push_back({number, person, *recovered});
    } else if (const auto* mistaken = std::get_if<SenderMistaken>(&entry->what)) {
      words_[mistaken->message].push_back({number, person, std::nullopt});
    }
  }
}

std::vector<const WordsOfPeople::Word*> WordsOfPeople::words_of(
    const MessageVerdict& message) const {
  std::vector<const Word*> out;
  if (words_.empty()) return out;
  for (const std::string& name : names_of(message)) {
    const auto at = words_.find(name);
    if (at == words_.end()) continue;
    for (const Word& word : at->second) out.push_back(&word);
  }
  std::sort(out.begin(), out.end(), [](auto* a, auto* b) { return a->number < b->number; });
  return out;
}

const MessageRecovered* WordsOfPeople::recovery_of(const MessageVerdict& message) const {
  const MessageRecovered* out = nullptr;
  for (const Word* word : words_of(message)) {
    if (word->recovered) out = &*word->recovered;
  }
  return out;
}

void WordsOfPeople::apply(MessageVerdict& message) const {
  std::vector<const Word*> recovered;
  for (const Word* word : words_of(message)) {
    if (word->recovered) recovered.push_back(word);
    message.sender_mistaken = message.sender_mistaken || !word->recovered;
  }
  if (recovered.empty()) return;
  const MessageRecovered& told = *recovered.back()->recovered;
  const auto other = std::find_if(recovered.rbegin(), recovered.rend(), [&](const Word* word) {
    return word->recovered->when != told.when || word->recovered->how != told.how;
  });
  std::string others;
  if (other != recovered.rend()) {
    others = " (entry " + std::to_string((*other)->number) +
             " says otherwise: " + in_words(*(*other)->recovered, (*other)->person) + " at " +
             to_rfc3339((*other)->recovered->when) + ")";
  }
  recover(message, told, recovered.back()->person, others);
}

std::vector<Reconciliation> apply_testimony(Correlation& all,
                                            const std::vector<Testimony>& entries) {
  const auto counting = standing(entries);
  const WordsOfPeople words{entries};
  if (!words.empty()) {
    for (MessageVerdict& message : all.messages) words.apply(message);
  }
  std::vector<Reconciliation> out;
  for (const auto& [number, entry] : counting) {
    const auto* const told = std::get_if<StoredCount>(&entry->what);
    if (told != nullptr) out.push_back(reconcile(all, words, *entry, *told));
  }
  // All are compared before any verdict changes: a count never answers for another's message. One
  // that is short comes first, so that no other count can talk its messages well.
  for (const auto state : {Reconciliation::State::kShort, Reconciliation::State::kAgrees}) {
    for (const Reconciliation& found : out) {
      if (found.state != state) continue;
      for (MessageVerdict& message : all.messages) {
        tell_count(message, *counting.at(found.entry), found);
      }
    }
  }
  return out;
}

}  // namespace meldevakt::collector
