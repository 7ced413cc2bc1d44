// Makes and keeps holds: what the agent's loop calls.
//
//   HoldKeeper keeper{std::move(parts), stored_holds, stored_parts, sources};
//   keeper.found(tenant, finding, now);        // in the transaction that stores the finding
//   bool more = keeper.work(now);              // at most one part: read, compress, seal, write
//   keeper.take_changes(change.hold);  commit;  keeper.committed();
//
// Order, and what a crash means there:
//   1 found(): the hold's row is committed with the finding. Before: neither is there, the log is
//     read again and the finding made again. After: the hold goes on from its row.
//   2 a part is written durably. A crash: no row names it; it is written over, or removed.
//   3 its row is committed. From here on it belongs to the hold, and is never read again.
//   4 every source is read past the window: the manifest is written, then the row says closed. A
//     crash between: the manifest is written again.
//   5 erasing: the row says so first, then the files go. A crash between: they go at the next
//   start.
// There is no second path: at each step what is missing is what the tape's plan says less what is
// stored. What cannot be read any more becomes a gap with its reason.
//
// Bounds: HoldSettings; kHoldsMax; kHoldSpanMax of event time a hold; kHoldWaitMax until a source
// that stands still is given up; kDiskReserve stays free. Over `bytes` or kHoldsMax holds of
// overload windows alone go first, then the oldest; the newest closed hold never goes for room.
// What an erased hold shared with others is read again for those that still collect, and is a gap
// called `erased` of those that are closed.
// Trouble with the disk is said once and tried again; it never reaches the caller, whose findings
// do not depend on it.
//
// Thread-safety: none.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/hold/hold.h"
#include "agent/hold/hold_disk.h"
#include "common/ports/random.h"
#include "common/ports/signer.h"

namespace meldevakt::agent {

inline constexpr Duration kHoldSpanMax = hours(2);
inline constexpr Duration kHoldPartEvery = seconds(30);
inline constexpr Duration kHoldLookEvery = milliseconds(500);
inline constexpr Duration kHoldWaitMax = minutes(10);   // beyond the window, when it is not read
inline constexpr Duration kHoldBacklogMax = hours(24);  // ... when it is read, but not yet so far
inline constexpr Duration kHoldRetryEvery = seconds(10);
inline constexpr Duration kHoldRetainEvery = seconds(60);
inline constexpr int kHoldReadTriesMax = 5;
inline constexpr std::uint64_t kDiskReserve = 256'000'000;

// A source at work, as a hold sees it.
class HeldSource {
 public:
  struct Progress {
    Instant watermark;      // event time up to which it is read
    bool read_all = false;  // that is there just now
    bool readable = false;
  };
  virtual ~HeldSource() = default;
  [[nodiscard]] virtual std::string held_name() const = 0;
  [[nodiscard]] virtual std::string held_pack() const = 0;
  [[nodiscard]] virtual bool concerns(const std::string& tenant) const = 0;
  [[nodiscard]] virtual const Tape& tape() const = 0;
  [[nodiscard]] virtual Progress progress() const = 0;
  // Bytes that were handed on before, at most `size`. kNotFound: they are gone.
  [[nodiscard]] virtual Result<std::string> read_again(const std::string& key, std::uint64_t from,
                                                       std::size_t size) = 0;
  [[nodiscard]] virtual std::string path_of(const std::string& key) const = 0;
};

class HoldKeeper {
 public:
  struct Tenant {
    std::string agent;
    Signer* signer = nullptr;
  };
  struct Parts {
    HoldSettings settings;
    HoldDisk& disk;
    Random& random;
    std::function<Result<std::string>(const std::string& tenant)> public_key;
    std::map<std::string, Tenant> tenants;
    std::string software;
    std::function<void(bool error, const std::string& text)> say;
  };
  HoldKeeper(Parts parts, std::vector<Hold> holds, std::vector<HoldPart> stored,
             std::vector<HeldSource*> sources);

  void found(const std::string& tenant, const HoldFinding& finding, Instant now);
  // True when there is more to do at once.
  [[nodiscard]] bool work(Instant now);
  [[nodiscard]] bool changed() const { return !dirty_.empty() || !new_parts_.empty(); }
  struct Counts {
    std::uint64_t holds = 0;  // that are not erased
    std::uint64_t stored_bytes = 0;
    std::uint64_t erased_for_room = 0;  // since the start
  };
  [[nodiscard]] Counts counts() const;
  [[nodiscard]] std::size_t parts_at_hand() const;
  void take_changes(HoldChange& change);
  void committed();

 private:
  using Ranges = std::vector<TapeRange>;
  struct Trouble {
    std::string said;
    Instant again;
  };

  [[nodiscard]] Hold* joinable(const std::string& tenant, Interval window);
  void make(const std::string& tenant, const HoldFinding& finding, Interval window, Instant now);
  [[nodiscard]] Ranges missing(const Hold& hold, const HoldSource& source,
                               const Ranges& planned) const;
  [[nodiscard]] bool collect(Hold& hold, HoldSource& source, HeldSource& from, Instant now);
  [[nodiscard]] bool write_part(Hold& hold, HoldSource& source, HeldSource& from,
                                const TapeRange& range, Instant now);
  [[nodiscard]] std::optional<std::string> fetch(Hold& hold, HoldSource& source, HeldSource& from,
                                                 const TapeRange& range, std::size_t size);
  void finish(Hold& hold, HoldSource& source, const Tape::Plan& plan, const Ranges& left,
              const std::string& reason);
  [[nodiscard]] Status store(Hold& hold, const HoldPart& range, std::string_view bytes);
  [[nodiscard]] std::vector<std::string> shares_of(const Hold& hold, const HoldSource& source,
                                                   const Ranges& planned) const;
  [[nodiscard]] bool close(Hold& hold, Instant now);
  void forget_collecting(const std::string& id);
  void forget_parts();
  void retain(Instant now);
  [[nodiscard]] Hold* next_to_go();
  void make_room(Instant now);
  void erase(Hold& hold, const std::string& why, Instant now);
  void let_go_of(const Hold& gone);
  void look_for_tombstone(Hold& hold, Instant now);
  void remove_files();
  void remove_orphans();
  void gap(Hold& hold, HoldSource& source, HoldGap gap);
  void trouble(const std::string& text, Instant now);
  [[nodiscard]] HeldSource* source_named(const std::string& name) const;

  Parts parts_;
  std::vector<HeldSource*> sources_;
  std::map<std::string, Hold> holds_;                    // by id
  std::map<std::string, std::vector<HoldPart>> stored_;  // by hold, of those at hand
  std::set<std::string> known_;                          // tenant and finding
  std::uint64_t next_number_ = 1;
  std::uint64_t erased_for_room_ = 0;
  std::set<std::string> dirty_;
  std::vector<HoldPart> new_parts_;
  std::vector<std::string> to_remove_;        // holds whose erasing is in the change under way
  std::vector<std::string> removable_;        // ... is committed
  std::map<std::string, Instant> look_at_;    // by hold
  std::map<std::string, Instant> last_part_;  // by hold, source and key
  std::map<std::string, int> tries_;
  Trouble trouble_;
  Instant retained_;
};

}  // namespace meldevakt::agent
