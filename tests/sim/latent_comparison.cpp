#include "tests/sim/latent_comparison.h"

#include <algorithm>

#include "tests/sim/oracle.h"

namespace meldevakt::sim {
namespace {

// So many in a row that were stored before their receipts: the fault is gone. Written anew.
constexpr std::size_t kSoundInARow = 20;

// What one message shows, once it can be read.
struct Shown {
  Instant receipted;
  Instant from;          // when it showed it
  Instant by;            // when that must have been heard of
  bool certain = false;  // that it is ever read
};

// When something must have been said: neither before nor after.
struct Due {
  Instant from;
  Instant by;
};

class LatentTruth {
 public:
  LatentTruth(const ServicePlan& service, const ServiceResult& result) : service_{service} {
    for (const TrueMessage& message : result.truth) {
      const Sight sight = sight_at(service, message.sent);
      if (sight == Sight::kBlind) continue;
      if (!message.committed) {
        last_loss_ = std::max(last_loss_, message.receipted);
        if (!message.again) continue;
        // That it is stored at last, after its first receipt, shows the fault as well.
        faulty_.push_back({message.receipted, message.again->committed,
                           to_be_said_by(service, message.again->received), true});
        continue;
      }
      const Shown shown{message.receipted, std::max(message.receipted, *message.committed),
                        to_be_said_by(service, message.sent), sight == Sight::kSeen};
      (message.receipted < *message.committed ? faulty_ : sound_).push_back(shown);
    }
    const auto earlier = [](const Shown& a, const Shown& b) { return a.receipted < b.receipted; };
    std::sort(faulty_.begin(), faulty_.end(), earlier);
    std::sort(sound_.begin(), sound_.end(), earlier);
  }

  [[nodiscard]] bool ever() const { return !faulty_.empty(); }
  [[nodiscard]] Due begins() const {
    Due out{faulty_.front().from, Instant{kNever}};
    for (const Shown& one : faulty_) {
      out.from = std::min(out.from, one.from);
      if (one.certain) out.by = std::min(out.by, one.by);
    }
    return out;
  }
  [[nodiscard]] Due ends() const {
    const Due row = ends_by_row();
    const auto& told = service_.patch_told;
    if (!told || row.from < *told) return row;
    return {*told, *told + kFoundWithin};
  }
  // How many show it, where that is certain of all.
  [[nodiscard]] std::optional<std::uint64_t> count() const {
    const bool certain =
        std::all_of(faulty_.begin(), faulty_.end(), [](const Shown& one) { return one.certain; });
    return certain ? std::optional<std::uint64_t>{faulty_.size()} : std::nullopt;
  }

 private:
  static constexpr std::int64_t kNever = 253'402'300'799'999;

  // A message lost in between breaks the row.
  [[nodiscard]] Due ends_by_row() const {
    const Instant last = std::max(faulty_.back().receipted, last_loss_);
    Due out{Instant{kNever}, Instant{kNever}};
    Instant heard;
    std::size_t seen = 0;
    std::size_t certain = 0;
    for (const Shown& one : sound_) {
      if (one.receipted <= last) continue;
      if (++seen == kSoundInARow) out.from = one.from;
      if (!one.certain || certain == kSoundInARow) continue;
      heard = std::max(heard, one.by);
      if (++certain == kSoundInARow) out.by = heard;
    }
    return out;
  }

  const ServicePlan& service_;
  std::vector<Shown> faulty_;  // sorted by receipt
  std::vector<Shown> sound_;   // likewise
  Instant last_loss_{};
};

void compare_times(const ServicePlan& service, const LatentTruth& truth,
                   const ServiceResult& result, std::vector<std::string>& wrong) {
  const std::string fault = service.name + ": the latent fault ";
  const Due begins = truth.begins();
  const Due ends = truth.ends();
  const std::vector<LatentChange>& said = result.latent_changes;
  const Instant now = result.last.now;
  if (said.empty()) {
    // What is over before it can be heard of need not be said.
    if (begins.by < ends.from && begins.by <= now) {
      wrong.push_back(fault + "was never reported, to be reported by " + to_rfc3339(begins.by));
    }
    return;
  }
  if (said.front().at < begins.from || begins.by < said.front().at) {
    wrong.push_back(fault + "was reported at " + to_rfc3339(said.front().at) +
                    ", to be reported from " + to_rfc3339(begins.from) + " until " +
                    to_rfc3339(begins.by));
  }
  if (said.size() > 2) {
    wrong.push_back(fault + "was reported once more at " + to_rfc3339(said[2].at));
  }
  if (said.size() == 1 && ends.by <= now) {
    wrong.push_back(fault + "is reported still, and was over by " + to_rfc3339(ends.by));
  }
  if (said.size() > 1 && (said[1].at < ends.from || ends.by < said[1].at)) {
    wrong.push_back(fault + "was said to be over at " + to_rfc3339(said[1].at) +
                    ", and was so from " + to_rfc3339(ends.from) + ", to be said by " +
                    to_rfc3339(ends.by));
  }
}

}  // namespace

void compare_latent_fault(const ServicePlan& service, const ServiceResult& result,
                          const std::optional<collector::LatentFault>& at_end,
                          std::vector<std::string>& wrong) {
  const LatentTruth truth{service, result};
  const std::string fault = service.name + ": the latent fault ";
  if (!truth.ever()) {
    if (!result.latent_changes.empty() || at_end) wrong.push_back(fault + "never was");
    return;
  }
  compare_times(service, truth, result, wrong);
  const bool present = !result.latent_changes.empty() && result.latent_changes.back().present;
  if (present != (at_end && at_end->present)) {
    wrong.push_back(fault + "is said anew to be " + (present ? "over" : "there"));
  }
  const auto count = truth.count();
  if (count && (!at_end || at_end->messages != *count)) {
    wrong.push_back(fault + "is shown by " + std::to_string(*count) +
                    " messages, and was said by " + std::to_string(at_end ? at_end->messages : 0));
  }
}

}  // namespace meldevakt::sim
