#include "collector/deadlines/deadlines.h"

#include <algorithm>

#include "collector/deadlines/civil_days.h"

namespace meldevakt::collector {
namespace {

constexpr Instant kAlways{};
constexpr Instant kLongerForCaseSystems{1'685'709'000'000};  // 2023-06-02T12:30:00Z, 14:30 Oslo
constexpr Instant kLongerForManual{1'688'076'000'000};       // 2023-06-29T22:00:00Z, 30 June Oslo

}  // namespace

std::vector<RetentionRule> default_retention() {
  return {
      {"", kAlways, days(14)},
      {"", kLongerForCaseSystems, days(30)},
      {std::string{kManualChannel}, kAlways, days(14)},
      {std::string{kManualChannel}, kLongerForManual, days(30)},
      {std::string{kSvarUtChannel}, kAlways, std::nullopt},
  };
}

std::optional<Instant> purge_deadline(const std::vector<RetentionRule>& rules,
                                      std::string_view channel, std::optional<Instant> sent,
                                      std::optional<Instant> receipted) {
  if (!receipted) return std::nullopt;
  const bool has_own = std::any_of(rules.begin(), rules.end(), [channel](const RetentionRule& r) {
    return r.channel == channel;
  });
  const std::string_view wanted = has_own ? channel : std::string_view{};
  const Instant counted_from = sent.value_or(*receipted);
  const RetentionRule* in_force = nullptr;
  for (const RetentionRule& rule : rules) {
    if (rule.channel != wanted || rule.sent_from > counted_from) continue;
    if (in_force == nullptr || in_force->sent_from <= rule.sent_from) in_force = &rule;
  }
  if (in_force == nullptr || !in_force->keep) return std::nullopt;
  const Instant in_hours = *receipted + *in_force->keep;
  if (in_force->keep->ms % days(1).ms != 0) return in_hours;
  const auto count = static_cast<int>(in_force->keep->ms / days(1).ms);
  return std::min(in_hours, add_civil_days(*receipted, count));
}

std::string_view to_string(Category category) {
  switch (category) {
    case Category::kNone: return "none";
    case Category::kA: return "A";
    case Category::kB: return "B";
    case Category::kC: return "C";
  }
  return "none";
}

}  // namespace meldevakt::collector
