#include "agent/app/source_lane.h"

#include <algorithm>
#include <utility>

namespace meldevakt::agent {

void SourceLane::begin_file(const std::string& key, std::uint64_t offset) {
  for (Branch& branch : branches_) branch.pipeline.begin_file(key, offset);
  if (tape_) tape_->begin(key, offset);
  changed_ = true;
}

void SourceLane::name_file(const std::string& key, const std::string& path,
                           const std::string& log) {
  const std::string name = path.substr(path.rfind('/') + 1);
  for (Branch& branch : branches_) branch.pipeline.name_file(key, name, log);
}

void SourceLane::unread(const UnreadFiles& unread) {
  for (Branch& branch : branches_) branch.pipeline.unread(unread);
}

void SourceLane::feed(const std::string& key, std::string_view bytes) {
  if (tape_) tape_->feed(key, bytes, newest_event(key));
  for (Branch& branch : branches_) branch.pipeline.feed(key, bytes, now_);
  if (tape_) tape_->seen(key, newest_event(key));
  if (tape_) unfinished_.insert(key);
  changed_ = true;
}

void SourceLane::end_file(const std::string& key, FileEnd end) {
  for (Branch& branch : branches_) branch.pipeline.end_file(key, end, now_);
  if (tape_) tape_->seen(key, newest_event(key));
  if (tape_) tape_->end(key);
  changed_ = true;
}

void SourceLane::set_state(ReadState state, std::string_view reason, Instant now) {
  if (state == state_ && reason == reason_) return;
  state_ = state;
  reason_ = reason;
  for (Branch& branch : branches_) branch.pipeline.set_read_state(state, reason, now);
  changed_ = true;
}

SourceLane::Polled SourceLane::poll(Instant now, std::size_t bytes_max, bool may_claim, Log& log) {
  now_ = now;
  const SourceTurn turn = reader_->poll(*this, now, bytes_max);
  backlog_.observe(turn, now);
  if (const std::string warning = backlog_.take_warning(); !warning.empty()) {
    log.warn("source=" + name_ + " " + warning);
  }
  for (const SourceNote& note : reader_->take_notes()) {
    log.write(note.warning ? LogLevel::kWarn : LogLevel::kInfo,
              "source=" + name_ + " " + note.text);
  }
  if (turn.reason == "no_file" && state_ != ReadState::kAbsent) {
    log.warn("source=" + name_ + " no file matches; waiting for one");
  } else if (turn.state == ReadState::kRead && state_ != ReadState::kRead &&
             state_ != ReadState::kUnknown) {
    log.info("source=" + name_ + " is read");
  }
  // Every tenant's pipeline reads the same rows.
  for (const std::string& note : branches_.front().pipeline.take_notes()) {
    log.warn("source=" + name_ + " " + note);
  }
  set_state(turn.state, turn.reason, now);
  const bool complete =
      turn.caught_up && turn.looked_at_all && turn.state == ReadState::kRead && may_claim;
  // Between two looks at all files nothing is known to have come.
  if (turn.looked_at_all || !turn.caught_up) read_all_ = turn.caught_up || turn.drained;
  for (Branch& branch : branches_) {
    if (complete) branch.pipeline.caught_up(now);
    branch.pipeline.idle(now);
  }
  look_at_unfinished();
  return {turn.bytes, !turn.caught_up && !turn.put_off};
}

void SourceLane::hold(std::string_view reason, Instant now) {
  set_state(ReadState::kGap, reason, now);
  read_all_ = false;
}

void SourceLane::remember(std::size_t recent_bytes_max, const std::vector<TapeMark>& marks,
                          std::string pack) {
  tape_.emplace(recent_bytes_max);
  tape_->restore(marks);
  held_pack_ = std::move(pack);
}

bool SourceLane::concerns(const std::string& tenant) const {
  return std::any_of(branches_.begin(), branches_.end(),
                     [&](const Branch& branch) { return branch.tenant == tenant; });
}

SourceLane::Progress SourceLane::progress() const {
  return {branches_.front().pipeline.watermark(), read_all_, state_ == ReadState::kRead};
}

// Logs without times are read as they are written.
Instant SourceLane::newest_event(const std::string& key) const {
  const SourcePipeline& any = branches_.front().pipeline;
  return any.newest_event(key).value_or(any.watermark());
}

// A record may be finished by time alone, and only then has one.
void SourceLane::look_at_unfinished() {
  std::erase_if(unfinished_, [&](const std::string& key) {
    tape_->seen(key, newest_event(key));
    return branches_.front().pipeline.low_water(key) >= tape_->fed_to(key);
  });
}

bool SourceLane::has_facts() const {
  return std::any_of(branches_.begin(), branches_.end(), [](const Branch& branch) {
    return branch.pipeline.has_facts() || branch.pipeline.has_urgent();
  });
}

SourcePipeline* SourceLane::pipeline(const std::string& tenant) {
  for (Branch& branch : branches_) {
    if (branch.tenant == tenant) return &branch.pipeline;
  }
  return nullptr;
}

void SourceLane::store(StateChange& change, Instant now) {
  if (!std::exchange(changed_, false)) return;
  SourcePipeline& any = branches_.front().pipeline;
  change.files[name_] =
      reader_->changes([&](const std::string& key) { return any.low_water(key); });
  if (tape_) change.hold.tapes.emplace_back(name_, tape_->take_changes());
  for (const Branch& branch : branches_) {
    change.pipelines.push_back({branch.tenant, name_, branch.pipeline.snapshot(now), "", now});
  }
}

}  // namespace meldevakt::agent
