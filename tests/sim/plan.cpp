#include "tests/sim/plan.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/base/bytes.h"
#include "common/testing/doubles.h"
#include "tests/sim/oracle.h"

namespace meldevakt::sim {
namespace {

using testing::SeededRandom;

constexpr unsigned kRetriedPercent = 2;
constexpr Duration kBetweenOverloads = days(90);
constexpr Duration kBetweenRestarts = days(30);
constexpr Duration kBetweenOutages = days(60);
constexpr Duration kOutageShortest = hours(1);
constexpr Duration kOutageLongest = days(5);
constexpr Duration kOutagesApart = hours(8);
// One loss lies in an outage that ends while the portal still has it, one in an outage that does
// not.
constexpr Duration kLateOutage = days(6);
constexpr Duration kTooLateOutage = days(20);
// One service in so many has two nodes, and as many a database on a host of its own.
constexpr std::uint64_t kOddOneIn = 6;
constexpr std::uint64_t kShapeSeed = 0x5107;
// One unaffected service in so many never had the fault, and as many get the patch half way: early
// enough for it to be seen, by the order of what is stored, that it is gone.
constexpr std::uint64_t kEarlyOneIn = 8;
constexpr std::uint64_t kPatchSeed = 0x9a7c;
constexpr std::uint64_t kAgainSeed = 0xa6a1;
// Then no message is under way any more that the old program receipts.
constexpr Duration kToldAfter = minutes(1);
constexpr Duration kBurstFrom = days(3);  // a message that comes so soon may join the one before

double fraction(SeededRandom& random) {
  return static_cast<double>(random.below(1'000'000)) / 1'000'000.0;
}

Instant within(SeededRandom& random, const Interval& span) {
  const auto length = static_cast<std::uint64_t>((span.to - span.from).ms);
  return span.from + milliseconds(static_cast<std::int64_t>(random.below(length)));
}

std::string uuid(SeededRandom& random) {
  std::string bytes = random.bytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  std::string out = to_hex(bytes);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) out.insert(at, 1, '-');
  return out;
}

// 1970-01-01 was a Thursday.
bool is_weekend(Instant time) {
  const std::int64_t weekday = (time.ms / days(1).ms + 4) % 7;
  return weekday == 0 || weekday == 6;
}

// Most are sent on weekdays, in working hours (UTC), none at night.
Instant time_of_sending(SeededRandom& random, const Interval& span) {
  for (;;) {
    Instant time = within(random, span);
    if (is_weekend(time) && random.below(4) != 0) continue;
    const std::int64_t into_day = time.ms % days(1).ms;
    const std::int64_t hour = into_day / hours(1).ms;
    if (hour < 5 || hour >= 21) continue;
    if ((hour < 7 || hour >= 15) && random.below(4) != 0) continue;
    return time;
  }
}

// What is still to be sent, by quarter and form.
class Volume {
 public:
  explicit Volume(const std::vector<Quarter>& quarters) : quarters_{quarters} {}

  // One message of any quarter, as often as the quarters' sizes say.
  PlannedMessage take_any(SeededRandom& random, const Interval& inside) {
    for (;;) {
      Quarter& quarter = quarters_[random.below(quarters_.size())];
      const auto largest =
          std::max_element(quarters_.begin(), quarters_.end(),
                           [](const Quarter& a, const Quarter& b) { return size(a) < size(b); });
      if (random.below(size(*largest)) >= size(quarter)) continue;
      const Instant time = time_of_sending(random, quarter.span);
      if (!inside.empty() && !inside.contains(time)) continue;
      return take(random, quarter, time);
    }
  }
  // One message of the quarter that the time lies in.
  PlannedMessage take_at(SeededRandom& random, Instant time) {
    for (Quarter& quarter : quarters_) {
      if (quarter.span.contains(time)) return take(random, quarter, time);
    }
    return take(random, quarters_.back(), time);
  }
  // The next of what is left, or nothing.
  std::optional<PlannedMessage> take_next(SeededRandom& random) {
    for (Quarter& quarter : quarters_) {
      if (size(quarter) > 0) return take(random, quarter, time_of_sending(random, quarter.span));
    }
    return std::nullopt;
  }

 private:
  static std::uint64_t size(const Quarter& quarter) {
    return quarter.public_forms + quarter.private_forms;
  }
  static PlannedMessage take(SeededRandom& random, Quarter& quarter, Instant time) {
    const bool is_public = random.below(size(quarter)) < quarter.public_forms;
    --(is_public ? quarter.public_forms : quarter.private_forms);
    return {
        uuid(random), time, is_public ? FormType::kPublic : FormType::kPrivate, Fate::kStored, {}};
  }
  std::vector<Quarter> quarters_;
};

class Planner {
 public:
  Planner(const CountryShape& shape, const PlanOptions& options)
      : shape_{shape}, options_{options}, random_{options.seed}, volume_{shape.quarters} {}

  CountryPlan run() {
    add_services();
    add_losses();
    add_other_messages();
    for (std::size_t i = 0; i < plan_.services.size(); ++i) {
      disturb(i);
      if (patch_is_told_[i]) plan_.services[i].patch_told = plan_.services[i].patched + kToldAfter;
    }
    add_troubles();
    if (shape_.sends_again) {
      for (ServicePlan& service : plan_.services) send_again(service);
    }
    plan_.span = shape_.span;
    plan_.asked_until = shape_.asked_until;
    return std::move(plan_);
  }

 private:
  void add_services() {
    for (const AffectedService& affected : shape_.affected) {
      add_service(affected.name, affected.municipalities, affected.weight,
                  affected.patched.value_or(within(random_, shape_.patches)));
    }
    for (unsigned i = 1; i <= shape_.unaffected; ++i) {
      const std::string digits = std::to_string(i);
      const double u = fraction(random_);
      add_service(
          "Kommune " + std::string(3 - std::min<std::size_t>(3, digits.size()), '0') + digits, 1,
          0.2 + 3.0 * u * u * u, within(random_, shape_.patches));
      patch_early(plan_.services.back());
    }
  }

  void patch_early(ServicePlan& service) const {
    SeededRandom early{service.seed ^ kPatchSeed};
    const std::uint64_t drawn = early.below(kEarlyOneIn);
    if (drawn == 0) service.patched = shape_.span.from;
    if (drawn == 1) {
      service.patched = shape_.span.from + Duration{(shape_.span.to - shape_.span.from).ms / 2};
    }
  }

  void add_service(const std::string& name, unsigned municipalities, double weight,
                   Instant patched) {
    ServicePlan service;
    service.name = name;
    service.tenant = to_hex(random_.bytes(8));
    for (unsigned i = 0; i < municipalities; ++i) {
      service.municipalities.push_back(std::to_string(next_number_++));
    }
    service.seed = random_.next();
    SeededRandom odd{service.seed ^ kShapeSeed};
    service.nodes = odd.below(kOddOneIn) == 0 || shape_.all_apart ? 2 : 1;
    service.database_apart = odd.below(kOddOneIn) == 0 || shape_.all_apart;
    service.backup_apart = odd.below(kOddOneIn) == 0 || shape_.all_apart;
    service.patched = patched;
    patch_is_told_.push_back(odd.below(2) == 0);
    plan_.services.push_back(std::move(service));
    weight_sum_ += weight;
    weights_.push_back(weight_sum_);
  }

  void add_losses() {
    for (std::size_t i = 0; i < shape_.affected.size(); ++i) {
      const AffectedService& affected = shape_.affected[i];
      for (unsigned loss = 0; loss < affected.losses; ++loss) {
        PlannedMessage message = loss < affected.losses_at.size()
                                     ? volume_.take_at(random_, affected.losses_at[loss])
                                     : volume_.take_any(random_, affected.losses_within);
        // The fault that loses messages ends with the patch.
        if (plan_.services[i].patched <= message.sent)
          message.sent = plan_.services[i].patched - hours(30);
        if (options_.losses) {
          message.fate = random_.below(8) == 0 ? Fate::kLostSilently : Fate::kLost;
        }
        plan_.services[i].messages.push_back(std::move(message));
      }
    }
  }

  void add_other_messages() {
    while (std::optional<PlannedMessage> message = volume_.take_next(random_)) {
      const double at = fraction(random_) * weight_sum_;
      const auto service = std::upper_bound(weights_.begin(), weights_.end(), at);
      const auto index = std::min<std::size_t>(static_cast<std::size_t>(service - weights_.begin()),
                                               weights_.size() - 1);
      if (random_.below(100) < kRetriedPercent) message->fate = Fate::kStoredByRetry;
      plan_.services[index].messages.push_back(*std::move(message));
    }
    for (ServicePlan& service : plan_.services) {
      sort_by_time(service.messages);
      if (service.nodes > 1) gather_in_bursts(service.messages);
    }
  }

  static void sort_by_time(std::vector<PlannedMessage>& messages) {
    std::stable_sort(messages.begin(), messages.end(),
                     [](const auto& a, const auto& b) { return a.sent < b.sent; });
  }

  // Two nodes are at work at a time only when several messages come together.
  void gather_in_bursts(std::vector<PlannedMessage>& messages) {
    for (std::size_t i = 1; i < messages.size(); ++i) {
      const Instant before = messages[i - 1].sent;
      const bool joins = !is_loss(messages[i].fate) && messages[i].sent < before + kBurstFrom &&
                         random_.below(3) == 0;
      if (joins)
        messages[i].sent = before + milliseconds(static_cast<std::int64_t>(random_.below(1'500)));
    }
    sort_by_time(messages);
  }

  // Overloads, restarts and outages, about as often as said above.
  void disturb(std::size_t index) {
    ServicePlan& service = plan_.services[index];
    const Interval span{shape_.span.from + days(1), shape_.span.to - days(3)};
    for (std::int64_t n = (span.to - span.from).ms / kBetweenOverloads.ms; n >= 0; --n) {
      service.overloads.push_back(within(random_, span));
    }
    std::sort(service.overloads.begin(), service.overloads.end());
    for (Instant at = span.from; at < span.to; at = at + kBetweenRestarts) {
      const Instant day{at.ms / days(1).ms * days(1).ms};
      service.restarts.push_back(within(random_, {day + hours(3), day + hours(4)}));
    }
    for (std::int64_t n = (span.to - span.from).ms / kBetweenOutages.ms; n >= 0; --n) {
      const auto kind = static_cast<Outage::Kind>(random_.below(3));
      const Duration length =
          kOutageShortest +
          milliseconds(static_cast<std::int64_t>(
              random_.below(static_cast<std::uint64_t>((kOutageLongest - kOutageShortest).ms))));
      const Instant from = within(random_, span);
      add_outage(service, {kind, {from, std::min(from + length, span.to)}});
    }
  }

  // Those that are planned later give way: an outage that touches another one is left out.
  static void add_outage(ServicePlan& service, const Outage& outage, bool replace = false) {
    const auto near = [&](const Outage& other) {
      return outage.span.from < other.span.to + kOutagesApart &&
             other.span.from < outage.span.to + kOutagesApart;
    };
    if (replace) std::erase_if(service.outages, near);
    if (std::any_of(service.outages.begin(), service.outages.end(), near)) return;
    service.outages.push_back(outage);
    std::sort(service.outages.begin(), service.outages.end(),
              [](const Outage& a, const Outage& b) { return a.span.from < b.span.from; });
  }

  // The outages that matter, and those that are asked for.
  void add_troubles() {
    if (options_.hide_commit) hide_a_commit();
    hide_a_loss(0, kLateOutage);
    hide_a_loss(1, kTooLateOutage);
    std::size_t next = shape_.affected.size();
    const auto take = [&]() -> ServicePlan& {
      return plan_.services[std::min(next++, plan_.services.size() - 1)];
    };
    const Duration length = shape_.span.to - shape_.span.from;
    for (unsigned i = 0; i < options_.silent; ++i) {
      take().silent_from = shape_.span.from + Duration{length.ms / 2} + days(i);
    }
    for (unsigned i = 0; i < options_.destroyed; ++i) {
      const Instant from = shape_.span.from + Duration{length.ms / 2};
      add_outage(take(), {Outage::Kind::kLogDestroyed, {from, from + days(3)}}, true);
    }
  }

  // Once everybody knows, in working hours, while the portal has it and everything is at work.
  void send_again(ServicePlan& service) const {
    SeededRandom random{service.seed ^ kAgainSeed};
    for (PlannedMessage& message : service.messages) {
      const Instant known = to_be_said_by(service, message.sent) + hours(1);
      const Interval span{known, std::min(message.sent + days(13), shape_.span.to - days(4))};
      if (!is_loss(message.fate) || span.to - span.from < days(5) || random.below(2) == 0) continue;
      const Instant again = time_of_sending(random, span);
      const auto disturbs = [&](const Outage& outage) {
        return outage.span.from - hours(1) < again && again < outage.span.to + hours(1);
      };
      const bool seen = sight_at(service, message.sent) == Sight::kSeen &&
                        sight_at(service, again) == Sight::kSeen;
      if (seen && std::none_of(service.outages.begin(), service.outages.end(), disturbs)) {
        message.sent_again = again;
      }
    }
  }

  void hide_a_commit() {
    for (const PlannedMessage& message : plan_.services.front().messages) {
      if (message.fate == Fate::kStored) plan_.services.front().hidden_commit = message.id;
    }
  }

  void hide_a_loss(std::size_t index, Duration length) {
    if (index >= shape_.affected.size()) return;
    ServicePlan& service = plan_.services[index];
    for (const PlannedMessage& message : service.messages) {
      if (!is_loss(message.fate)) continue;
      const Instant from = message.sent - hours(1);
      if (shape_.span.to - days(3) < from + length) continue;
      add_outage(service, {Outage::Kind::kCollectorAway, {from, from + length}}, true);
      return;
    }
  }

  const CountryShape& shape_;
  PlanOptions options_;
  SeededRandom random_;
  Volume volume_;
  CountryPlan plan_;
  std::vector<double> weights_;  // running sums
  double weight_sum_ = 0;
  std::vector<bool> patch_is_told_;  // of each service
  unsigned next_number_ = 1101;
};

}  // namespace

bool is_loss(Fate fate) {
  return fate == Fate::kLost || fate == Fate::kLostSilently;
}

CountryPlan plan_country(const CountryShape& shape, const PlanOptions& options) {
  return Planner{shape, options}.run();
}

}  // namespace meldevakt::sim
