// A log that an agent tells to several tenants names messages of them all.
#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "collector/correlate/words.h"
#include "tests/unit/collector/correlate/small_world.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using W = testing::SmallWorld&;

TEST_CASE("correlate: a log of several tenants names messages that are another's") {
  const auto shared = [](W w) -> LedgerCoverage& {
    LedgerCoverage& claim = w.trace_covered();
    claim.span = *claim.source.complete;
    claim.source.shared = true;
    return claim;
  };
  const auto list = [](W w, double from, double to) {
    w.input.receipt_coverage.push_back({"npb", {at(from), at(to)}});
  };
  struct Case {
    std::string_view name;
    std::function<void(W)> make;
    std::optional<Verdict> verdict;  // nullopt: it is not said to be a message of the tenant
  };
  const Policy policy;
  const auto length = [](Duration d) { return static_cast<double>(d.ms) / 1000; };
  const double from = -1 - length(policy.post_within) - length(policy.clock_error);
  const double until = -1 + length(policy.confirm_within) + length(policy.clock_error) + 1;
  const auto lost = [](W w) { w.received(-1), w.acknowledged(0), w.failed(1); };
  const std::vector<Case> cases{
      {"no list tells", [&](W w) { lost(w), shared(w); }, Verdict::kLost},
      {"the list does not know it", [&](W w) { lost(w), shared(w), list(w, from, until); }, {}},
      {"a list that begins too late", [&](W w) { lost(w), shared(w), list(w, from + 1, until); },
       Verdict::kLost},
      {"a list that ends too early", [&](W w) { lost(w), shared(w), list(w, from, until - 2); },
       Verdict::kLost},
      {"the list knows it",
       [&](W w) { lost(w), shared(w), list(w, from, until), w.row(1, at(-2), at(0)); },
       Verdict::kLost},
      {"the tenant's own log", [&](W w) { lost(w), w.trace_covered(), list(w, from, until); },
       Verdict::kLost},
      {"one of its steps stands in the tenant's own log",
       [&](W w) {
         lost(w), shared(w), list(w, from, until);
         w.input.facts.back().fact.source = "own";
       },
       Verdict::kLost},
      {"it is not shared since before",
       [&](W w) {
         lost(w), list(w, from, until), shared(w).span.from = at(0);
         w.input.coverage.back().source.complete->from = at(0);
         w.trace_covered();
       },
       Verdict::kLost},
      {"stored and receipted",
       [&](W w) { w.committed(-1), w.acknowledged(0), shared(w), list(w, from, until); },
       {}},
      {"it has no portal id",
       [&](W w) {
         w.step(Signal::kMessageCommitted, 0, {testing::case_number(1)});
         shared(w), list(w, from, until);
       },
       Verdict::kStored}};
  for (const Case& c : cases) {
    CAPTURE(c.name);
    testing::SmallWorld world;
    c.make(world);
    const auto messages = correlate(world.input, at(3000)).messages;
    CHECK(messages.size() == (c.verdict ? 1 : 0));
    if (!c.verdict || messages.empty()) continue;
    CHECK(messages[0].verdict == *c.verdict);
    const bool says = messages[0].explanation.find("may be another's") != std::string::npos;
    CHECK((messages[0].cause == kCauseWhoseUnknown) ==
          (c.name == "no list tells" || c.name.substr(0, 6) == "a list"));
    const bool all_shared = c.name == "no list tells" || c.name.substr(0, 6) == "a list" ||
                            c.name == "it has no portal id";
    CHECK(says == all_shared);
  }
}

}  // namespace
}  // namespace meldevakt::collector
