#include "agent/app/backlog_watch.h"

#include <utility>

namespace meldevakt::agent {

void BacklogWatch::observe(const SourceTurn& turn, Instant now) {
  read_ += turn.bytes;
  unread_ = turn.unread;
  rotation_.add(turn.rotation.deleted - std::exchange(deleted_, turn.rotation.deleted), now);
  throughput_.observe(Duration{now.ms}, read_, unread_);
  if (now - forecast_at_ < kForecastEvery && forecast_at_ <= now) return;
  forecast_at_ = now;
  forecast_ = meldevakt::agent::forecast({.unread = turn.unread,
                                          .unread_oldest = turn.rotation.unread_oldest,
                                          .older_files = turn.rotation.older_files,
                                          .read_rate = throughput_.read_rate(),
                                          .write_rate = throughput_.write_rate(),
                                          .rotation = rotation_,
                                          .rotated_every = turn.rotation.rotated_every,
                                          .now = now});
}

std::string BacklogWatch::take_warning() {
  if (!forecast_.overtaken_in) {
    if (!forecast_.behind) said_ = false;
    return {};
  }
  return std::exchange(said_, true) ? std::string{} : forecast_.sentence;
}

}  // namespace meldevakt::agent
