#include "collector/correlate/testimony.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

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

MessageVerdict* find_message(Correlation& all, const std::string& message) {
  const auto at =
      std::lower_bound(all.messages.begin(), all.messages.end(), message,
                       [](const MessageVerdict& m, const std::string& n) { return m.message < n; });
  return at == all.messages.end() || at->message != message ? nullptr : &*at;
}

std::string without_stop(std::string text) {
  if (!text.empty() && text.back() == '.') text.pop_back();
  return text;
}

void recover(MessageVerdict& message, const Testimony& entry, const MessageRecovered& told) {
  const bool needed = needs_action(message.verdict) && message.verdict != Verdict::kFallbackStalled;
  if (!needed && message.verdict != Verdict::kRecovered) return;
  const bool absent = message.category != Category::kNone && message.category != Category::kC;
  if (absent) {
    const bool purged = message.purge_deadline && *message.purge_deadline <= told.when;
    message.category = purged ? Category::kA : Category::kB;
  }
  message.explanation = "Recovered at " + to_rfc3339(told.when) + ": " +
                        std::string{kHowWords[static_cast<std::size_t>(told.how)]} + ", says " +
                        entry.person + "; before that it was " +
                        std::string{to_string(message.verdict)} + ": " +
                        without_stop(message.explanation) + ".";
  message.verdict = Verdict::kRecovered;
}

bool counts_as_stored(Verdict verdict) {
  return verdict == Verdict::kStored || verdict == Verdict::kStoredAfterReceipt ||
         verdict == Verdict::kNoFailureSeen || verdict == Verdict::kRecovered;
}

bool lies_in(const MessageVerdict& message, const StoredCount& told) {
  return message.receipted && told.span.contains(*message.receipted) &&
         (!told.form || *told.form == message.form);
}

Reconciliation reconcile(const Correlation& all, const Testimony& entry, const StoredCount& told) {
  Reconciliation out;
  out.entry = entry.number;
  out.told = told;
  out.expected = static_cast<std::uint64_t>(
      std::count_if(all.messages.begin(), all.messages.end(), [&](const MessageVerdict& message) {
        return counts_as_stored(message.verdict) && lies_in(message, told);
      }));
  if (told.count < out.expected) out.state = Reconciliation::State::kShort;
  if (told.count > out.expected) out.state = Reconciliation::State::kOver;
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
    message.explanation =
        without_stop(message.explanation) + "; the count agrees: " + counted + ".";
  }
}

}  // namespace

std::string_view to_string(RecoveredHow how) {
  return kHow.at(static_cast<std::size_t>(how));
}

std::optional<RecoveredHow> recovered_how_from_string(std::string_view text) {
  const auto at = std::find(kHow.begin(), kHow.end(), text);
  if (at == kHow.end()) return std::nullopt;
  return static_cast<RecoveredHow>(at - kHow.begin());
}

std::string_view to_string(Reconciliation::State state) {
  switch (state) {
    case Reconciliation::State::kAgrees: return "agrees";
    case Reconciliation::State::kShort: return "short";
    case Reconciliation::State::kOver: return "over";
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

std::vector<Reconciliation> apply_testimony(Correlation& all,
                                            const std::vector<Testimony>& entries) {
  const auto counting = standing(entries);
  std::map<std::string, const Testimony*> recovered;  // the highest number of each message
  for (const auto& [number, entry] : counting) {
    if (const auto* told = std::get_if<MessageRecovered>(&entry->what)) {
      recovered[told->message] = entry;
    } else if (const auto* mistaken = std::get_if<SenderMistaken>(&entry->what)) {
      MessageVerdict* const message = find_message(all, mistaken->message);
      if (message != nullptr) message->sender_mistaken = true;
    }
  }
  for (const auto& [name, entry] : recovered) {
    MessageVerdict* const message = find_message(all, name);
    if (message != nullptr) recover(*message, *entry, std::get<MessageRecovered>(entry->what));
  }
  std::vector<Reconciliation> out;
  for (const auto& [number, entry] : counting) {
    const auto* const told = std::get_if<StoredCount>(&entry->what);
    if (told != nullptr) out.push_back(reconcile(all, *entry, *told));
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
