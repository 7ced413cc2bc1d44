#include "agent/hold/hold_keeper.h"

#include <algorithm>
#include <utility>

#include "agent/hold/hold_part.h"
#include "common/base/text.h"
#include "common/ports/sha256.h"
#include "common/seal/dsse.h"

namespace meldevakt::agent {
namespace {

std::string id_of(Instant now, Random& random) {
  std::string stamp;
  for (const char c : to_rfc3339(now).substr(0, 19)) {
    if (c != '-' && c != ':') stamp.push_back(c);
  }
  return stamp + "Z-" + to_hex(random.bytes(3));
}

// A name that is no UTF-8 cannot stand in a part's head, which is JSON and must say what its row
// says; nor does one of control characters have room there.
std::string shown(std::string path) {
  const bool good = is_utf8(path);
  for (char& c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || (byte >= 0x80 && !good)) c = '?';
  }
  return path;
}

Interval joined(Interval a, Interval b) {
  return {std::min(a.from, b.from), std::max(a.to, b.to)};
}

// `range` without [from, to), onto the end of `out`.
void cut_out(const TapeRange& range, std::uint64_t from, std::uint64_t to,
             std::vector<TapeRange>& out) {
  if (to <= range.from || range.to <= from) {
    out.push_back(range);
    return;
  }
  if (range.from < from) out.push_back({range.key, range.from, from});
  if (to < range.to) out.push_back({range.key, to, range.to});
}

void cut_out(std::vector<TapeRange>& ranges, const std::string& key, std::uint64_t from,
             std::uint64_t to) {
  std::vector<TapeRange> out;
  for (const TapeRange& range : ranges) {
    if (range.key == key) {
      cut_out(range, from, to, out);
    } else {
      out.push_back(range);
    }
  }
  ranges = std::move(out);
}

}  // namespace

HoldKeeper::HoldKeeper(Parts parts, std::vector<Hold> holds, std::vector<HoldPart> stored,
                       std::vector<HeldSource*> sources)
    : parts_{std::move(parts)}, sources_{std::move(sources)} {
  for (Hold& hold : holds) {
    next_number_ = std::max(next_number_, hold.number + 1);
    for (const HoldFinding& finding : hold.findings) known_.insert(hold.tenant + " " + finding.id);
    if (hold.state == HoldState::kErased) removable_.push_back(hold.id);
    holds_[hold.id] = std::move(hold);
  }
  for (HoldPart& part : stored) stored_[part.hold].push_back(std::move(part));
  remove_orphans();
}

// --- findings

void HoldKeeper::found(const std::string& tenant, const HoldFinding& finding, Instant now) {
  if (!parts_.settings.enabled || !known_.insert(tenant + " " + finding.id).second) return;
  // A log whose clock is ahead is read now, whatever it says.
  const Instant time = std::min(finding.time, now);
  const Interval window{time - parts_.settings.before, time + parts_.settings.after};
  Hold* hold = joinable(tenant, window);
  if (hold == nullptr) {
    make(tenant, finding, window, now);
    return;
  }
  const Interval wider = joined(hold->window, window);
  if (wider != hold->window) {
    for (HoldSource& source : hold->sources) source.done = false;
  }
  hold->window = wider;
  if (hold->findings.size() < kHoldFindingsMax) {
    hold->findings.push_back(finding);
  } else {
    ++hold->more_findings;
  }
  look_at_.erase(hold->id);
  dirty_.insert(hold->id);
}

Hold* HoldKeeper::joinable(const std::string& tenant, Interval window) {
  for (auto& [id, hold] : holds_) {
    if (hold.tenant != tenant || hold.state != HoldState::kCollecting) continue;
    const Interval wider = joined(hold.window, window);
    const bool full = std::any_of(
        hold.sources.begin(), hold.sources.end(),
        [&](const HoldSource& one) { return one.bytes >= parts_.settings.source_bytes; });
    if (hold.window.overlaps(window) && wider.to - wider.from <= kHoldSpanMax && !full)
      return &hold;
  }
  return nullptr;
}

void HoldKeeper::make(const std::string& tenant, const HoldFinding& finding, Interval window,
                      Instant now) {
  Hold hold;
  do {
    hold.id = id_of(now, parts_.random);
  } while (holds_.contains(hold.id));
  hold.tenant = tenant;
  hold.number = next_number_++;
  hold.made = now;
  hold.keep_until = now + parts_.settings.keep;
  hold.window = window;
  hold.pivot = std::min(finding.time, now);
  hold.findings.push_back(finding);
  for (const HeldSource* source : sources_) {
    if (!source->concerns(tenant)) continue;
    hold.sources.push_back({source->held_name(), source->held_pack(), false, 0, {}, {}});
  }
  for (const auto& [id, other] : holds_) {
    const bool has_bytes =
        other.tenant == tenant && other.state != HoldState::kErased && stored_.contains(id);
    // Holds take some more than their window.
    const Interval wide{other.window.from - minutes(10), other.window.to + minutes(10)};
    if (has_bytes && wide.overlaps(window)) hold.shares.push_back(id);
  }
  dirty_.insert(hold.id);
  holds_[hold.id] = std::move(hold);
}

// --- collecting

bool HoldKeeper::work(Instant now) {
  remove_files();
  if (now - retained_ >= kHoldRetainEvery || now < retained_) retain(now);
  if (!parts_.settings.enabled) return false;
  if (now < trouble_.again && trouble_.again - now <= kHoldRetryEvery) return false;
  for (auto& [id, hold] : holds_) {
    if (hold.state != HoldState::kCollecting) continue;
    const auto look = look_at_.find(id);
    if (look != look_at_.end() && now < look->second && look->second - now <= kHoldLookEvery) {
      continue;
    }
    bool all_done = true;
    for (HoldSource& source : hold.sources) {
      if (source.done) continue;
      HeldSource* from = source_named(source.name);
      if (from == nullptr) {
        finish(hold, source, {}, {}, "not_read");  // taken out of the configuration
        continue;
      }
      if (collect(hold, source, *from, now)) {
        if (counts().stored_bytes > parts_.settings.bytes) make_room(now);
        return true;
      }
      all_done = all_done && source.done;
    }
    if (all_done) return close(hold, now);
    look_at_[id] = now + kHoldLookEvery;
  }
  return false;
}

HoldKeeper::Ranges HoldKeeper::missing(const Hold& hold, const HoldSource& source,
                                       const Ranges& planned) const {
  Ranges out = planned;
  const auto without = [&](const std::string& id) {
    const auto found = stored_.find(id);
    if (found == stored_.end()) return;
    for (const HoldPart& part : found->second) {
      if (part.source == source.name) cut_out(out, part.key, part.from, part.to);
    }
  };
  without(hold.id);
  for (const std::string& id : hold.shares) {
    const auto other = holds_.find(id);
    if (other != holds_.end() && other->second.state != HoldState::kErased) without(id);
  }
  for (const HoldGap& gap : source.gaps) {
    if (!gap.key.empty()) cut_out(out, gap.key, gap.from, gap.to);
  }
  return out;
}

// True when a part was written, so that there may be more.
bool HoldKeeper::collect(Hold& hold, HoldSource& source, HeldSource& from, Instant now) {
  const HeldSource::Progress progress = from.progress();
  const Instant end = hold.window.to + Tape::kSlack;
  const bool reached = progress.read_all && progress.watermark >= end;
  const Tape::Plan plan =
      from.tape().plan(hold.window, hold.pivot, parts_.settings.source_bytes / 2);
  const Ranges left = missing(hold, source, plan.ranges);
  if (!left.empty() && source.bytes >= parts_.settings.source_bytes) {
    finish(hold, source, plan, left, "bound");
    return false;
  }
  for (const TapeRange& range : left) {
    const auto last = last_part_.find(hold.id + " " + source.name + " " + range.key);
    const bool waited =
        last == last_part_.end() || now - last->second >= kHoldPartEvery || now < last->second;
    if (!reached && !waited && range.to - range.from < kHoldPartBytes) continue;
    return write_part(hold, source, from, range, now);
  }
  if (left.empty() && reached) {
    finish(hold, source, plan, {}, "");
    return false;
  }
  const Duration patience = progress.readable ? kHoldBacklogMax : kHoldWaitMax;
  const Instant since = std::max(hold.made, hold.window.to);
  if (!reached && now >= since + patience) {
    finish(hold, source, plan, left, progress.readable ? "not_read" : "unreadable");
  }
  return false;
}

bool HoldKeeper::write_part(Hold& hold, HoldSource& source, HeldSource& from,
                            const TapeRange& range, Instant now) {
  look_for_tombstone(hold, now);
  if (hold.state != HoldState::kCollecting) return true;
  const auto room = parts_.disk.free_bytes();
  if (!room || room.value() < kDiskReserve + kPartFileBytesMax) {
    trouble(room ? "the disk of the state folder is nearly full (less than " +
                       std::to_string(kDiskReserve / 1'000'000) +
                       " MB free): the log around findings is not held until there is room"
                 : "the log around findings cannot be held: " + room.error().message(),
            now);
    return false;
  }
  const std::uint64_t room_left = parts_.settings.source_bytes - source.bytes;
  const std::uint64_t size =
      std::min({range.to - range.from, std::uint64_t{kHoldPartBytes}, room_left});
  const auto bytes = fetch(hold, source, from, range, static_cast<std::size_t>(size));
  if (!bytes) return true;  // a gap, or to be tried again
  HoldPart part;
  part.source = source.name;
  part.key = range.key;
  part.path = shown(from.path_of(range.key));
  part.from = range.from;
  part.to = range.from + bytes->size();
  if (auto stored = store(hold, part, *bytes); !stored) {
    trouble("the log around findings cannot be held: " + stored.error().message(), now);
    return false;
  }
  if (!std::exchange(trouble_, {}).said.empty()) {
    parts_.say(false, "the log around findings is held again");
  }
  source.bytes += bytes->size();
  last_part_[hold.id + " " + source.name + " " + range.key] = now;
  return true;
}

std::optional<std::string> HoldKeeper::fetch(Hold& hold, HoldSource& source, HeldSource& from,
                                             const TapeRange& range, std::size_t size) {
  const std::string_view at_hand = from.tape().recent(range.key, range.from);
  if (!at_hand.empty()) return std::string{at_hand.substr(0, size)};
  const std::uint64_t until = from.tape().recent_from(range.key, range.from, range.to);
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, until - range.from));
  auto read = from.read_again(range.key, range.from, size);
  if (read && !read.value().empty()) return std::move(read).value();
  const bool may_come = !read && read.error().code() == Errc::kIo;
  const std::string what = hold.id + " " + source.name + " " + range.key;
  if (may_come && ++tries_[what] < kHoldReadTriesMax) return std::nullopt;
  tries_.erase(what);
  gap(hold, source,
      {range.key, shown(from.path_of(range.key)), range.from, until,
       may_come ? "unreadable" : "gone"});
  return std::nullopt;
}

Status HoldKeeper::store(Hold& hold, const HoldPart& range, std::string_view bytes) {
  MELDEVAKT_TRY_ASSIGN(const std::string key, parts_.public_key(hold.tenant));
  std::vector<HoldPart>& parts = stored_[hold.id];
  HoldPart part = range;
  part.hold = hold.id;
  part.number = parts.empty() ? 1 : parts.back().number + 1;
  part.plain = sha256(bytes);
  MELDEVAKT_TRY_ASSIGN(const std::string file, encode_part(part, hold.tenant, bytes, key));
  part.stored = sha256(file);
  part.stored_bytes = file.size();
  MELDEVAKT_TRY(parts_.disk.write(hold.id, part_file_name(part.number), file));
  hold.stored_bytes += file.size();
  dirty_.insert(hold.id);
  new_parts_.push_back(part);
  parts.push_back(std::move(part));
  return {};
}

void HoldKeeper::finish(Hold& hold, HoldSource& source, const Tape::Plan& plan, const Ranges& left,
                        const std::string& reason) {
  if (plan.cut) gap(hold, source, {"", "", 0, 0, "bound"});
  if (plan.from_middle) gap(hold, source, {"", "", 0, 0, "not_read_before"});
  HeldSource* from = source_named(source.name);
  for (const TapeRange& range : left) {
    gap(hold, source,
        {range.key, from == nullptr ? "" : shown(from->path_of(range.key)), range.from, range.to,
         reason});
  }
  if (left.empty() && !reason.empty()) gap(hold, source, {"", "", 0, 0, reason});
  source.shares = shares_of(hold, source, plan.ranges);
  source.done = true;
  dirty_.insert(hold.id);
}

bool HoldKeeper::close(Hold& hold, Instant now) {
  HoldManifest manifest;
  const Hold* before = nullptr;
  for (const auto& [id, other] : holds_) {
    if (other.tenant != hold.tenant || other.manifest == Sha256{}) continue;
    if (before == nullptr ||
        std::pair{before->closed, before->number} < std::pair{other.closed, other.number}) {
      before = &other;
    }
  }
  if (before != nullptr) manifest.previous = before->manifest;
  Hold closed = hold;
  closed.state = HoldState::kClosed;
  closed.closed = before == nullptr ? now : std::max(now, before->closed);
  std::erase_if(closed.shares, [&](const std::string& id) {
    return std::none_of(closed.sources.begin(), closed.sources.end(), [&](const HoldSource& one) {
      return std::find(one.shares.begin(), one.shares.end(), id) != one.shares.end();
    });
  });
  manifest.hold = closed;
  manifest.parts = stored_[hold.id];
  const HoldKeeper::Tenant& tenant = parts_.tenants[hold.tenant];
  manifest.agent = tenant.agent;
  manifest.software = parts_.software;
  const std::string payload = encode_manifest(manifest);
  closed.manifest = sha256(payload);
  auto envelope = tenant.signer == nullptr
                      ? Result<std::string>{Error{Errc::kInvalid, "no key to sign with"}}
                      : seal(kHoldManifestType, payload, *tenant.signer);
  Status written = envelope ? parts_.disk.write(hold.id, kManifestFile, envelope.value())
                            : Status{envelope.error()};
  if (!written) {
    trouble("a hold cannot be closed: " + written.error().message(), now);
    return false;
  }
  hold = std::move(closed);
  dirty_.insert(hold.id);
  forget_collecting(hold.id);
  forget_parts();
  parts_.say(false, "hold=" + hold.id + " keeps the log around " +
                        std::to_string(hold.findings.size() + hold.more_findings) +
                        " finding(s) until " + to_rfc3339(hold.keep_until) +
                        (hold.complete() ? "" : ", with gaps: see meldevakt-agent hold list"));
  return true;
}

void HoldKeeper::gap(Hold& hold, HoldSource& source, HoldGap gap) {
  if (std::find(source.gaps.begin(), source.gaps.end(), gap) == source.gaps.end()) {
    source.gaps.push_back(std::move(gap));
  }
  dirty_.insert(hold.id);
}

void HoldKeeper::trouble(const std::string& text, Instant now) {
  trouble_.again = now + kHoldRetryEvery;
  if (std::exchange(trouble_.said, text) != text) parts_.say(true, text);
}

HeldSource* HoldKeeper::source_named(const std::string& name) const {
  for (HeldSource* source : sources_) {
    if (source->held_name() == name) return source;
  }
  return nullptr;
}

// --- the state

void HoldKeeper::take_changes(HoldChange& change) {
  for (const std::string& id : dirty_) change.holds.push_back(holds_[id]);
  dirty_.clear();
  for (HoldPart& part : new_parts_) change.parts.push_back(std::move(part));
  new_parts_.clear();
}

void HoldKeeper::committed() {
  for (std::string& id : to_remove_) removable_.push_back(std::move(id));
  to_remove_.clear();
}

}  // namespace meldevakt::agent
