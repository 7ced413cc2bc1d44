#include "agent/scan/pack_fit.h"

#include "agent/recognise/log_scanner.h"

namespace meldevakt::agent {
namespace {

// Most packs are ruled out by a beginning this short.
constexpr std::size_t kFirstLookBytes = 4 * 1024;
// A byte that a rule knows counts as this many that only have a time.
constexpr std::uint64_t kKnownWeight = 8;

std::uint64_t fit(const FitCandidate& candidate, std::string_view text) {
  LogScanner::Settings settings;
  settings.pack = candidate.pack;
  settings.zone = candidate.zone;
  settings.order = ScanOrder::kEverything;
  LogScanner scanner{std::move(settings)};
  scanner.feed(text);
  scanner.finish();
  return scanner.stats().timed_bytes + kKnownWeight * scanner.stats().recognised_bytes;
}

}  // namespace

const FitCandidate* best_fit(const std::vector<FitCandidate>& candidates,
                             std::string_view first_bytes) {
  const FitCandidate* best = nullptr;
  std::uint64_t most = 0;
  for (const FitCandidate& candidate : candidates) {
    if (first_bytes.size() > kFirstLookBytes &&
        fit(candidate, first_bytes.substr(0, kFirstLookBytes)) == 0) {
      continue;
    }
    const std::uint64_t now = fit(candidate, first_bytes.substr(0, kFitBytes));
    if (now <= most) continue;
    most = now;
    best = &candidate;
  }
  return best;
}

}  // namespace meldevakt::agent
