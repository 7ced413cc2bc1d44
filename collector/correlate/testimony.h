// What people tell of messages: entries of the tenant's ledger like the agents' facts, never
// edited, and inputs of a pure function like them. What somebody said in error is taken back by
// another entry, and both are kept.
//
//   apply_testimony(correlation, entries);
//
//   recovered      the message is there after all: sent again, downloaded, found, stored by hand.
//                  Of one that is lost, missing, in doubt, unverifiable or undelivered it makes
//                  `recovered`; the explanation keeps what was concluded before. Its category stays
//                  what it was when it was recovered: B while the portal had it, A after the purge.
//   mistaken       category D of the Bufdir report: the sender took it for a mistake of his own and
//                  sent again. A flag beside the verdict; it overlaps A and C.
//   stored_count   so many messages are stored that the case system received from - to (of one form
//                  where it says so): counted in its database. For products that log failures only
//                  nothing else can say more. See Reconciliation.
//   taken_back     the entry with that number says nothing any more.
//
// Order does not matter: entries are a set by number; of several that count the highest does, and
// the explanation names one that said something else. A message is meant by any of its names, now
// or when it was told (told_names.h): what was told of two messages that turn out to be one is told
// of that one.
//
// Pure. Thread-safety: plain values, pure functions. Bounds: kNoteBytesMax. Cost: O(n log n).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "collector/correlate/correlate.h"

namespace meldevakt::collector {

inline constexpr std::size_t kNoteBytesMax = 400;

enum class RecoveredHow : std::uint8_t { kSentAgain, kDownloaded, kFound, kStoredByHand };
[[nodiscard]] std::string_view to_string(RecoveredHow how);  // "sent_again", ...
[[nodiscard]] std::optional<RecoveredHow> recovered_how_from_string(std::string_view text);

// People tell the day of what they did, seldom the minute.
inline constexpr Duration kRecoveryAbout = hours(24);

struct MessageRecovered {
  std::string message;
  Instant when;
  RecoveredHow how = RecoveredHow::kSentAgain;
  auto operator<=>(const MessageRecovered&) const = default;
};
struct SenderMistaken {
  std::string message;
  auto operator<=>(const SenderMistaken&) const = default;
};
struct StoredCount {
  Interval span;  // of the messages' receipt
  std::optional<FormType> form;
  std::uint64_t count = 0;
  auto operator<=>(const StoredCount&) const = default;
};
struct TakenBack {
  std::uint64_t entry = 0;
  auto operator<=>(const TakenBack&) const = default;
};

struct Testimony {
  std::uint64_t number = 0;  // of the entry in the tenant's ledger of testimony
  Instant told;
  std::string person;  // who says so: a name, is_name()
  std::string note;    // "" or why
  std::variant<MessageRecovered, SenderMistaken, StoredCount, TakenBack> what;
  auto operator<=>(const Testimony&) const = default;
};

// kInvalid, saying what is expected: a name, a message, a span, a note that is too long, a time of
// telling before what is told.
[[nodiscard]] Status check_testimony(const Testimony& entry);

// Whether a count of stored messages agrees with the receipts of that time.
struct Reconciliation {
  enum class State : std::uint8_t {
    kAgrees,   // as many are stored as were receipted and not seen to fail
    kShort,    // fewer: some that look well are not there, and nobody knows which
    kOver,     // more: stored without a receipt, or counted twice
    kUnclear,  // it may be either: of some receipted in that time nobody can say it
  };
  std::uint64_t entry = 0;
  StoredCount told;
  // Receipted in that time and not lost, missing, refused or in doubt; of those that were stored or
  // recovered only after the count was told, none: it was of what was stored then. What somebody
  // found in the case system was there.
  std::uint64_t expected = 0;
  std::uint64_t undecided = 0;  // receipted in that time too, stored or not
  State state = State::kAgrees;
};
[[nodiscard]] std::string_view to_string(Reconciliation::State state);

// Of the counts whose time touches `period`, those that fall short and that no later count of all
// their time sets right.
[[nodiscard]] std::uint64_t counts_short_in(const std::vector<Reconciliation>& counts,
                                            const Interval& period);

// What people told of single messages, for one message at a time. Thread-safety: none needed.
class WordsOfPeople {
 public:
  // Whether explanations say who told it.
  enum class Persons : std::uint8_t { kNamed, kLeftOut };
  WordsOfPeople() = default;
  explicit WordsOfPeople(const std::vector<Testimony>& entries, Persons persons = Persons::kNamed);

  [[nodiscard]] bool empty() const { return words_.empty(); }
  // Changes verdict, category, explanation and flag as above. REQUIRES: `message` as judge() leaves
  // it.
  void apply(MessageVerdict& message) const;
  // As what it counts as recovered, when it is told to be; nullptr: by nobody.
  [[nodiscard]] const MessageRecovered* recovery_of(const MessageVerdict& message) const;

 private:
  struct Word {
    std::uint64_t number = 0;
    std::string person;
    std::optional<MessageRecovered> recovered;  // nullopt: mistaken
    auto operator<=>(const Word&) const = default;
  };
  // Of one message by any of its names, sorted by number.
  [[nodiscard]] std::vector<const Word*> words_of(const MessageVerdict& message) const;
  std::unordered_map<std::string, std::vector<Word>> words_;  // by the name that was used
};

// Whether that word is of any effect: the message needs action, or was recovered, or was stored so
// long after its receipt, and so near or after what is told, that its commit is the recovery's.
[[nodiscard]] bool is_recovery_of(const MessageRecovered& told, const MessageVerdict& message);

// Changes the verdicts as above; where a count is short, each `no_failure_seen` of its time becomes
// `unverifiable` with the cause "count_short"; where it agrees, the explanation says so. REQUIRES:
// `all` as correlate() leaves it.
std::vector<Reconciliation> apply_testimony(Correlation& all,
                                            const std::vector<Testimony>& entries);

}  // namespace meldevakt::collector
