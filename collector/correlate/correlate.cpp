#include "collector/correlate/correlate.h"

#include <algorithm>
#include <array>
#include <utility>

#include "collector/correlate/judge.h"
#include "collector/correlate/windows.h"
#include "common/receipts/counting_rows.h"

namespace meldevakt::collector {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Verdict::kUnreceipted) + 1>
    kVerdicts{"pending",     "stored",   "stored_after_receipt", "lost",
              "in_doubt",    "missing",  "no_failure_seen",      "unverifiable",
              "undelivered", "fallback", "fallback_stalled",     "recovered",
              "unreceipted"};

// Everything at once: the rebuild, and what incremental steps are checked against.
class Rebuild : public Surroundings {
 public:
  Rebuild(const TenantInput& input, Instant now)
      : input_{input},
        now_{now},
        lives_{build_lives(input)},
        coverage_{coverage_of(input)},
        portals_{input},
        windows_{lives_.windows} {}

  Correlation run() {
    Correlation out;
    out.tenant = input_.tenant;
    out.now = now_;
    const Bench bench{coverage_, portals_, input_.policy, now_};
    for (const Life& life : lives_.all) {
      if (!is_message(life)) continue;
      Judged judged = judge(lives_, life, bench, *this);
      if (!judged.of_another) out.messages.push_back(std::move(judged.message));
    }
    out.windows = lives_.windows;
    return out;
  }

  [[nodiscard]] Candidates candidates_of(std::size_t step) const override {
    Candidates out;
    out.too_many = lives_.could_be[step].size() > kSharedByMax;
    if (out.too_many) return out;
    for (const std::size_t message : lives_.could_be[step]) {
      if (out.messages.size() < kListedCandidatesMax) {
        out.messages.push_back(lives_.all[message].message);
      } else {
        ++out.more;
      }
    }
    return out;
  }
  [[nodiscard]] std::vector<OverloadWindow> windows_over(const Interval& span) const override {
    return windows_.overlapping(span, kWindowsPerMessageMax);
  }

 private:
  const TenantInput& input_;
  Instant now_;
  Lives lives_;
  CoverageMap coverage_;
  PortalMap portals_;
  WindowIndex windows_;
};

}  // namespace

std::string_view to_string(Verdict verdict) {
  return kVerdicts.at(static_cast<std::size_t>(verdict));
}

std::optional<Verdict> verdict_from_string(std::string_view text) {
  const auto at = std::find(kVerdicts.begin(), kVerdicts.end(), text);
  if (at == kVerdicts.end()) return std::nullopt;
  return static_cast<Verdict>(at - kVerdicts.begin());
}

bool needs_action(Verdict verdict) {
  switch (verdict) {
    case Verdict::kLost:
    case Verdict::kInDoubt:
    case Verdict::kMissing:
    case Verdict::kUnverifiable:
    case Verdict::kUndelivered:
    case Verdict::kFallbackStalled: return true;
    default: return false;
  }
}

void add_row(TenantInput& input, Receipt row, Instant told) {
  if (lies_ahead(row, told)) {
    input.rows_ahead.push_back({std::move(row), told});
  } else {
    input.receipts.push_back(std::move(row));
  }
}

void add_fact(TenantInput& input, const std::string& agent, Fact fact, Instant received,
              std::vector<ReceiptCoverage>& lists) {
  if (auto* const receipt = std::get_if<Receipt>(&fact.what)) {
    add_row(input, std::move(*receipt), received);
  } else if (auto* const complete = std::get_if<ReceiptCoverage>(&fact.what)) {
    lists.push_back(std::move(*complete));
  } else {
    input.facts.push_back({agent, std::move(fact)});
  }
}

Correlation correlate(const TenantInput& input, Instant now) {
  return Rebuild{input, now}.run();
}

}  // namespace meldevakt::collector
