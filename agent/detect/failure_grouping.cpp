#include "agent/detect/failure_grouping.h"

#include <algorithm>
#include <utility>

#include "agent/detect/scopes.h"

namespace meldevakt::agent {
namespace {

int rank(std::optional<Outcome> outcome) {
  if (!outcome) return 0;
  switch (*outcome) {
    case Outcome::kFailed: return 1;
    case Outcome::kRolledBack: return 2;
    case Outcome::kUnknown: return 3;
  }
  return 0;
}

int specificity(std::string_view code) {
  if (code.empty()) return 0;
  const std::size_t slash = code.find('/');
  if (slash == std::string_view::npos) return 1;
  const std::string_view detail = code.substr(slash + 1);
  return detail.find_first_of("0123456789") == std::string_view::npos ? 2 : 3;
}

}  // namespace

std::optional<Outcome> worse_outcome(std::optional<Outcome> a, std::optional<Outcome> b) {
  return rank(b) > rank(a) ? b : a;
}

bool more_specific(std::string_view candidate, std::string_view current) {
  return specificity(candidate) > specificity(current);
}

void Hints::add(Hint hint) {
  hints_.push_back(std::move(hint));
  if (hints_.size() > kHintsMax) hints_.pop_front();
}

std::vector<Hint> Hints::take(const std::vector<std::string>& scopes, std::string_view record,
                              Instant time, Duration join) {
  std::vector<Hint> taken;
  std::deque<Hint> left;
  for (Hint& hint : hints_) {
    const bool near = distance(hint.time, time) <= join;
    if (near && (hint.record == record || in_same_scope(hint.scopes, scopes))) {
      taken.push_back(std::move(hint));
    } else {
      left.push_back(std::move(hint));
    }
  }
  hints_ = std::move(left);
  return taken;
}

// Those without a scope are of one record alone.
void Hints::drop_all(std::string_view prefix) {
  std::erase_if(hints_, [&](const Hint& hint) {
    return hint.scopes.empty() || hint.scopes.front().starts_with(prefix);
  });
}

void Hints::drop(const std::vector<std::string>& scopes) {
  std::erase_if(hints_, [&](const Hint& hint) { return in_same_scope(hint.scopes, scopes); });
}

}  // namespace meldevakt::agent
