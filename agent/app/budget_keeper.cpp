#include "agent/app/budget_keeper.h"

#include <algorithm>
#include <string>

namespace meldevakt::agent {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
// Asking the system takes a few microseconds: not every turn.
constexpr Duration kMeasureEvery = seconds(1);

std::string megabytes(std::uint64_t bytes) {
  return std::to_string((bytes + 999'999) / 1'000'000) + " MB";
}

bool is_due(const std::optional<std::int64_t>& last, std::int64_t now_ns, Duration every) {
  return !last || now_ns - *last >= every.ms * kNsPerMs;
}

}  // namespace

void BudgetKeeper::watch_memory(std::int64_t steady_ns) {
  const MemoryStage before = ceiling_.stage();
  // While reading pauses nobody waits for the answer but reading itself.
  if (!is_due(measured_at_, steady_ns, kMeasureEvery)) return;
  measured_at_ = steady_ns;
  MemoryStage now = ceiling_.observe(meter_.resident_bytes());
  if (now != MemoryStage::kEasy && is_due(trimmed_at_, steady_ns, MemoryCeiling::kTrimEvery)) {
    trimmed_at_ = steady_ns;
    meter_.trim();
    now = ceiling_.observe(meter_.resident_bytes());
  }
  if (now == MemoryStage::kFull && before != MemoryStage::kFull) {
    const std::string use = megabytes(ceiling_.resident()) + " of " + megabytes(ceiling_.allowed());
    log_.warn("memory is at its ceiling (budget.memory): " + use +
              "; reading pauses until there is less, the log files keep what is unread" +
              (has_read_ever_ ? "" : "; nothing has been read yet, so the ceiling is too low"));
  } else if (now != MemoryStage::kFull && before == MemoryStage::kFull) {
    log_.info("memory is below its ceiling again: reading goes on");
  }
}

std::size_t BudgetKeeper::begin(std::int64_t steady_ns) {
  watch_memory(steady_ns);
  if (!quiet_since_) quiet_since_ = steady_ns;
  const std::size_t bytes = pace_.allowance(moment(steady_ns));
  switch (ceiling_.stage()) {
    case MemoryStage::kFull: return 0;
    case MemoryStage::kTight: return std::min(bytes, MemoryCeiling::kTightBytes);
    case MemoryStage::kEasy: break;
  }
  return bytes;
}

void BudgetKeeper::has_read(std::int64_t steady_ns, std::size_t bytes, bool more) {
  pace_.has_read(moment(steady_ns), bytes, more);
  more_ = more;
  if (bytes == 0) return;
  quiet_since_ = steady_ns;
  has_read_ever_ = true;
}

Duration BudgetKeeper::rest(std::int64_t steady_ns, Duration poll, bool eager) const {
  const Duration paced = pace_.rest(steady_ns);
  if (is_memory_full()) return std::max(poll, kMeasureEvery);
  if (more_) return paced;
  if (eager) return std::max(poll, paced);
  const Duration quiet{(steady_ns - quiet_since_.value_or(steady_ns)) / kNsPerMs};
  return std::max(idle_wait(quiet, poll), paced);
}

BudgetUse BudgetKeeper::use(std::int64_t steady_ns) const {
  BudgetUse out;
  out.cpu_permille = pace_.used_permille(steady_ns);
  out.cpu_percent_allowed = percent_;
  out.memory_bytes = ceiling_.resident();
  out.memory_bytes_allowed = ceiling_.allowed();
  out.memory = ceiling_.stage();
  out.cost_ns_per_byte = pace_.cost_ns_per_byte();
  if (const auto since = pace_.paced_since_ns()) {
    out.paced_for = Duration{std::max<std::int64_t>(0, steady_ns - *since) / kNsPerMs};
  }
  return out;
}

}  // namespace meldevakt::agent
