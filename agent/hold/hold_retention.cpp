// The end of a hold: by age, for room, by hand; and its files.
#include <algorithm>
#include <utility>

#include "agent/hold/hold_keeper.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kTombstoneBytesMax = 64 * 1024;
constexpr std::size_t kErasedFindingsMax = 3;

bool only_overload(const Hold& hold) {
  return std::all_of(hold.findings.begin(), hold.findings.end(),
                     [](const HoldFinding& one) { return one.kind == kOverloadWindow; });
}

}  // namespace

HoldKeeper::Counts HoldKeeper::counts() const {
  Counts out;
  out.erased_for_room = erased_for_room_;
  for (const auto& [id, hold] : holds_) {
    if (hold.state == HoldState::kErased) continue;
    ++out.holds;
    out.stored_bytes += hold.stored_bytes;
  }
  return out;
}

std::size_t HoldKeeper::parts_at_hand() const {
  std::size_t out = 0;
  for (const auto& [id, parts] : stored_) out += parts.size();
  return out;
}

// Years of parts would be most of the agent's memory.
void HoldKeeper::forget_parts() {
  std::vector<std::pair<std::uint64_t, std::string>> closed;
  for (const auto& [id, parts] : stored_) {
    const auto hold = holds_.find(id);
    if (hold != holds_.end() && hold->second.state == HoldState::kClosed) {
      closed.emplace_back(hold->second.number, id);
    }
  }
  if (closed.size() <= kHoldsAtHandMax) return;
  std::sort(closed.begin(), closed.end());
  closed.resize(closed.size() - kHoldsAtHandMax);
  for (const auto& [number, id] : closed) stored_.erase(id);
}

void HoldKeeper::retain(Instant now) {
  retained_ = now;
  for (auto& [id, hold] : holds_) {
    if (hold.state == HoldState::kErased) continue;
    look_for_tombstone(hold, now);
    if (hold.state == HoldState::kClosed && hold.keep_until <= now) {
      erase(hold, "its time was over", now);
    }
  }
  make_room(now);
}

Hold* HoldKeeper::next_to_go() {
  const Hold* newest = nullptr;
  for (const auto& [id, hold] : holds_) {
    if (hold.state == HoldState::kErased) continue;
    if (newest == nullptr || newest->number < hold.number) newest = &hold;
  }
  Hold* out = nullptr;
  const auto order = [](const Hold& one) { return std::pair{!only_overload(one), one.number}; };
  for (auto& [id, hold] : holds_) {
    if (hold.state != HoldState::kClosed || &hold == newest) continue;
    if (out == nullptr || order(hold) < order(*out)) out = &hold;
  }
  return out;
}

void HoldKeeper::make_room(Instant now) {
  const auto is_over = [this] {
    const Counts have = counts();
    return have.stored_bytes > parts_.settings.bytes || have.holds > kHoldsMax;
  };
  while (is_over()) {
    Hold* victim = next_to_go();
    if (victim == nullptr) break;
    ++erased_for_room_;
    erase(*victim,
          "room was needed for newer holds (hold.bytes, or more than " + std::to_string(kHoldsMax) +
              " holds)",
          now);
  }
  if (counts().stored_bytes <= parts_.settings.bytes) return;
  for (auto& [id, hold] : holds_) {
    if (hold.state != HoldState::kCollecting) continue;
    for (HoldSource& source : hold.sources) {
      if (!source.done) finish(hold, source, {}, {}, "bound");
    }
  }
}

void HoldKeeper::erase(Hold& hold, const std::string& why, Instant now) {
  hold.state = HoldState::kErased;
  hold.erased = now;
  hold.erased_why = why;
  hold.stored_bytes = 0;
  forget_collecting(hold.id);
  let_go_of(hold);
  // That it was, when and why is what remains, and what it was about.
  if (hold.findings.size() > kErasedFindingsMax) {
    hold.more_findings += hold.findings.size() - kErasedFindingsMax;
    hold.findings.resize(kErasedFindingsMax);
  }
  for (HoldSource& source : hold.sources) source.gaps.clear();
  dirty_.insert(hold.id);
  to_remove_.push_back(hold.id);
  parts_.say(false, "hold=" + hold.id + " is erased: " + why);
}

std::vector<std::string> HoldKeeper::shares_of(const Hold& hold, const HoldSource& source,
                                               const Ranges& planned) const {
  std::vector<std::string> out;
  for (const std::string& id : hold.shares) {
    const auto found = stored_.find(id);
    if (found == stored_.end()) continue;
    const bool has_some =
        std::any_of(found->second.begin(), found->second.end(), [&](const HoldPart& part) {
          return part.source == source.name &&
                 std::any_of(planned.begin(), planned.end(), [&](const TapeRange& range) {
                   return range.key == part.key && part.from < range.to && range.from < part.to;
                 });
        });
    if (has_some) out.push_back(id);
  }
  return out;
}

void HoldKeeper::let_go_of(const Hold& gone) {
  for (auto& [id, hold] : holds_) {
    if (hold.state == HoldState::kErased || std::erase(hold.shares, gone.id) == 0) continue;
    for (HoldSource& source : hold.sources) {
      const bool had = std::erase(source.shares, gone.id) > 0;
      if (hold.state == HoldState::kCollecting) {
        source.done = false;
      } else if (had) {
        gap(hold, source, {"", "", 0, 0, "erased"});
      }
    }
    look_at_.erase(id);
    dirty_.insert(id);
  }
}

// What is remembered of a hold only while it collects.
void HoldKeeper::forget_collecting(const std::string& id) {
  const auto is_its = [&](const auto& one) { return one.first.starts_with(id + " "); };
  std::erase_if(last_part_, is_its);
  std::erase_if(tries_, is_its);
  look_at_.erase(id);
}

// `hold erase` beside a running agent has removed the parts and says so in a file.
void HoldKeeper::look_for_tombstone(Hold& hold, Instant now) {
  if (!parts_.disk.has(hold.id, kTombstoneFile)) return;
  const auto text = parts_.disk.read(hold.id, kTombstoneFile, kTombstoneBytesMax);
  erase(hold, text ? text.value() : "by hand", now);
}

void HoldKeeper::remove_files() {
  for (const std::string& id : removable_) {
    for (const std::string& name : parts_.disk.names(id)) {
      static_cast<void>(parts_.disk.remove(id, name));
    }
    static_cast<void>(parts_.disk.remove(id, ""));
    stored_.erase(id);
  }
  removable_.clear();
}

void HoldKeeper::remove_orphans() {
  for (const std::string& id : parts_.disk.names("")) {
    const auto hold = holds_.find(id);
    // Not ours to judge: an older state may know it. What is closed has its row for every part.
    if (hold == holds_.end() || hold->second.state != HoldState::kCollecting) continue;
    std::set<std::string> known{kManifestFile, kTombstoneFile};
    for (const HoldPart& part : stored_[id]) known.insert(part_file_name(part.number));
    for (const std::string& name : parts_.disk.names(id)) {
      if (!known.contains(name)) static_cast<void>(parts_.disk.remove(id, name));
    }
  }
}

}  // namespace meldevakt::agent
