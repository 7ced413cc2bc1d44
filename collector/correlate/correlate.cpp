#include "collector/correlate/correlate.h"

#include <algorithm>
#include <array>
#include <utility>

#include "collector/correlate/coverage_map.h"
#include "collector/correlate/decide.h"
#include "collector/correlate/explain.h"
#include "collector/correlate/lives.h"
#include "collector/correlate/signs.h"
#include "collector/correlate/windows.h"

namespace meldevakt::collector {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Verdict::kUnreceipted) + 1>
    kVerdicts{"pending",     "stored",   "stored_after_receipt", "lost",
              "in_doubt",    "missing",  "no_failure_seen",      "unverifiable",
              "undelivered", "fallback", "fallback_stalled",     "recovered",
              "unreceipted"};

// Where the message is now, by the Bufdir report's table; only where it is not in the case system.
Category category_of(const MessageVerdict& message, Instant now) {
  const bool absent = message.verdict == Verdict::kLost || message.verdict == Verdict::kMissing ||
                      message.verdict == Verdict::kInDoubt;
  if (!absent) return Category::kNone;
  if (message.channel == kSvarUtChannel) return Category::kC;
  const bool purged = message.purge_deadline && *message.purge_deadline <= now;
  return purged ? Category::kA : Category::kB;
}

class Correlator {
 public:
  Correlator(const TenantInput& input, Instant now)
      : input_{input},
        now_{now},
        lives_{build_lives(input)},
        coverage_{input.coverage},
        windows_{lives_.windows} {}

  Correlation run() {
    Correlation out;
    out.tenant = input_.tenant;
    out.now = now_;
    for (const Life& life : lives_.all) {
      // A name that only aliases and candidates mention is no message yet.
      if (life.own.empty() && life.receipts.empty()) continue;
      out.messages.push_back(message_of(life));
    }
    out.windows = lives_.windows;
    return out;
  }

 private:
  MessageVerdict message_of(const Life& life) const {
    const Signs signs = gather_signs(lives_, life, coverage_, input_.policy);
    const bool has_portal_id = life.references.front().type == ReferenceType::kPortalMessageId;
    const Decision decision = decide_verdict(signs, has_portal_id, input_.receipt_coverage,
                                             coverage_, input_.policy, now_);
    MessageVerdict out;
    out.message = life.message;
    out.references = life.references;
    out.verdict = decision.verdict;
    tell_times(signs, out);
    const Candidates candidates = candidates_of(decision);
    out.candidates = candidates.messages;
    out.explanation = explain(decision, signs, candidates);
    out.cause = cause_of(decision, signs);
    out.category = category_of(out, now_);
    out.windows = windows_.overlapping(span_of(life, signs), kWindowsPerMessageMax);
    out.evidence = evidence_of(life, decision);
    return out;
  }

  void tell_times(const Signs& signs, MessageVerdict& out) const {
    out.form = signs.form.value_or(FormType::kUnknown);
    if (signs.row != nullptr) {
      out.channel = signs.row->channel;
      if (signs.row->form != FormType::kUnknown) out.form = signs.row->form;
    }
    out.sent = signs.sent;
    out.receipted = signs.receipted;
    if (signs.commit != nullptr) out.committed = signs.commit->what->time;
    if (signs.last_failure != nullptr) out.failed = signs.last_failure->what->time;
    out.purge_deadline =
        purge_deadline(input_.policy.retention, out.channel, signs.sent, signs.kept_from);
  }

  Candidates candidates_of(const Decision& decision) const {
    Candidates out;
    if (decision.unclear == nullptr) return out;
    const auto index = static_cast<std::size_t>(decision.unclear - lives_.steps.data());
    for (const std::size_t message : lives_.could_be[index]) {
      if (out.messages.size() < kListedCandidatesMax) {
        out.messages.push_back(lives_.all[message].message);
      } else {
        ++out.more;
      }
    }
    return out;
  }

  // From the first to the last that is known of it, a little wider than the clocks may err.
  Interval span_of(const Life& life, const Signs& signs) const {
    std::vector<Instant> times;
    if (signs.receipted) times.push_back(*signs.receipted);
    if (signs.sent) times.push_back(*signs.sent);
    for (const std::size_t step : life.own) times.push_back(lives_.steps[step].what->time);
    if (times.empty()) return {now_, now_};
    const auto [first, last] = std::minmax_element(times.begin(), times.end());
    return {*first - input_.policy.clock_error, *last + input_.policy.clock_error};
  }

  std::vector<std::string> evidence_of(const Life& life, const Decision& decision) const {
    std::vector<std::string> ids = life.aliases;
    for (const std::size_t step : life.own) ids.push_back(lives_.steps[step].id());
    if (decision.unclear != nullptr) ids.push_back(decision.unclear->id());
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
  }

  const TenantInput& input_;
  Instant now_;
  Lives lives_;
  CoverageMap coverage_;
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

void add_fact(TenantInput& input, const std::string& agent, Fact fact) {
  if (auto* const receipt = std::get_if<Receipt>(&fact.what)) {
    input.receipts.push_back(std::move(*receipt));
  } else if (auto* const complete = std::get_if<ReceiptCoverage>(&fact.what)) {
    input.receipt_coverage.push_back(std::move(*complete));
  } else {
    input.facts.push_back({agent, std::move(fact)});
  }
}

Correlation correlate(const TenantInput& input, Instant now) {
  return Correlator{input, now}.run();
}

}  // namespace meldevakt::collector
