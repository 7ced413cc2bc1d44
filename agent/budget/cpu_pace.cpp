#include "agent/budget/cpu_pace.h"

#include <algorithm>
#include <cmath>

#include "common/base/check.h"

namespace meldevakt::agent {
namespace {

constexpr double kNsPerMs = 1e6;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;
// What one read tells of the cost is weighed like this against what was known; more is believed at
// once than less, because a dear read has to be paid for and a cheap one is only a chance missed.
constexpr double kDearer = 0.5;
constexpr double kCheaper = 0.1;
// Of a smaller read the fixed costs of a turn would be learnt, not those of a byte.
constexpr std::size_t kLearnBytesLeast = 4096;

double nanoseconds(Duration duration) {
  return static_cast<double>(duration.ms) * kNsPerMs;
}

}  // namespace

CpuPace::CpuPace(std::uint32_t percent)
    : percent_{percent},
      fill_{percent / 100.0 * static_cast<double>((kWindow - kBurst).ms) /
            static_cast<double>(kWindow.ms)},
      capacity_{percent / 100.0 * nanoseconds(kBurst)},
      level_{capacity_} {
  MELDEVAKT_CHECK(percent >= 1 && percent <= 100);
}

double CpuPace::quantum() const {
  return fill_ * nanoseconds(kQuantum);
}

double CpuPace::level_at(std::int64_t steady_ns) const {
  const double passed =
      static_cast<double>(std::max<std::int64_t>(0, steady_ns - last_->steady_ns));
  return std::min(capacity_, level_ + passed * fill_);
}

void CpuPace::charge(CpuMoment now) {
  if (!last_) {
    last_ = now;
    read_at_ = now.steady_ns;
    return;
  }
  now.steady_ns = std::max(now.steady_ns, last_->steady_ns);
  now.cpu_ns = std::max(now.cpu_ns, last_->cpu_ns);
  const std::int64_t spent = now.cpu_ns - last_->cpu_ns;
  // A debt of more than the window's budget would be paid for longer than anybody averages.
  const double debt_max = percent_ / 100.0 * nanoseconds(kWindow);
  level_ = std::max(level_at(now.steady_ns) - static_cast<double>(spent), -debt_max);
  const std::int64_t second = now.steady_ns / kNsPerSecond;
  Slot& slot = slots_[static_cast<std::size_t>(second) % kSlots];
  if (slot.second != second) slot = {second, 0};
  slot.cpu_ns += spent;
  last_ = now;
}

std::size_t CpuPace::allowance(CpuMoment now) {
  charge(now);
  if (is_bounded() && rest(now.steady_ns).ms > 0) return 0;
  read_at_ = now.steady_ns;
  read_cpu_ns_ = last_->cpu_ns;
  if (!is_bounded()) return kBytesMost;
  if (!cost_) return kBytesLeast;
  const double bytes = std::clamp(level_ / *cost_, double{kBytesLeast}, double{kBytesMost});
  return static_cast<std::size_t>(bytes);
}

void CpuPace::has_read(CpuMoment now, std::size_t bytes, bool more) {
  charge(now);
  learn(static_cast<double>(last_->cpu_ns - read_cpu_ns_), bytes);
  if (!more) {
    paced_since_.reset();
  } else if (!paced_since_ && rest(now.steady_ns).ms > 0) {
    paced_since_ = now.steady_ns;
  }
}

void CpuPace::learn(double spent, std::size_t bytes) {
  if (bytes < kLearnBytesLeast) return;
  const double cost = std::max(spent / static_cast<double>(bytes), 0.01);
  cost_ = cost_ ? *cost_ + (cost - *cost_) * (cost > *cost_ ? kDearer : kCheaper) : cost;
}

Duration CpuPace::rest(std::int64_t steady_ns) const {
  if (!is_bounded() || !last_) return {};
  const double missing = quantum() - level_at(steady_ns);
  if (missing <= 0) return {};
  const std::int64_t waited = (steady_ns - read_at_) / 1'000'000;
  const std::int64_t longest = std::max<std::int64_t>(0, kRestMax.ms - waited);
  const auto needed = static_cast<std::int64_t>(std::ceil(missing / fill_ / kNsPerMs));
  return {std::min(needed, longest)};
}

std::uint32_t CpuPace::used_permille(std::int64_t steady_ns) const {
  const std::int64_t second = steady_ns / kNsPerSecond;
  std::int64_t used = 0;
  for (const Slot& slot : slots_) {
    if (slot.second > second - static_cast<std::int64_t>(kSlots)) used += slot.cpu_ns;
  }
  const double share = static_cast<double>(used) / nanoseconds(kWindow);
  return static_cast<std::uint32_t>(std::lround(share * 1000.0));
}

Duration idle_wait(Duration quiet, Duration poll) {
  const Duration most = std::max(poll, kIdlePollMax);
  return std::clamp(Duration{quiet.ms / 20}, poll, most);
}

}  // namespace meldevakt::agent
