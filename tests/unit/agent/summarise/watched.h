// A pipeline whose every yield is looked at: the account balances, reading has no hole, event
// coverage goes on where it ended.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/summarise/source_pipeline.h"
#include "tests/unit/agent/detect/script.h"
#include "tests/unit/agent/summarise/trace.h"

namespace meldevakt::agent::testing {

inline void check_account(const ByteCounts& bytes) {
  CHECK(bytes.read == bytes.recognised + bytes.unrecognised + bytes.dropped + bytes.pending);
}

struct Watched {
  explicit Watched(Instant start, SourcePipeline::Settings with = trace_settings())
      : settings{with}, pipeline{with, start}, taken{start} {}

  SourceYield take(Instant now) {
    SourceYield yield = pipeline.take(now);
    check_account(yield.coverage.bytes);
    Statement statement;
    statement.span = {taken, std::max(taken, now)};
    statement.sources = {yield.coverage};
    const Status tiled = check_tiling(statement);
    CHECK_MESSAGE(tiled, (tiled ? "" : tiled.error().message()));
    taken = statement.span.to;
    if (yield.coverage.complete) {
      if (until) CHECK(yield.coverage.complete->from == *until);  // it never goes back, nor leaps
      CHECK_FALSE(yield.coverage.complete->empty());
      until = yield.coverage.complete->to;
    }
    append(facts, yield.facts);
    return yield;
  }
  void restart(Instant now, Instant then) {
    auto restored = SourcePipeline::restore(settings, pipeline.snapshot(then), now);
    REQUIRE_MESSAGE(restored, (restored ? "" : restored.error().message()));
    pipeline = std::move(restored).value();
  }

  SourcePipeline::Settings settings;
  SourcePipeline pipeline;
  Instant taken;
  std::optional<Instant> until;
  std::vector<Fact> facts;
};

inline std::string show_fact(const Fact& fact) {
  std::string out;
  if (const auto* const step = std::get_if<StepFact>(&fact.what)) {
    out = to_rfc3339(step->time).substr(14, 9) + " " + fact.rule + " " +
          std::string{to_string(step->attribution)};
    for (const Reference& name : step->references) {
      if (name.type == ReferenceType::kPortalMessageId) out += " " + name_of(name);
    }
  }
  return out;
}

inline std::vector<std::string> show_steps(const std::vector<Fact>& facts) {
  std::vector<std::string> out;
  for (const Fact& fact : final_facts(facts)) {
    if (std::holds_alternative<StepFact>(fact.what)) out.push_back(show_fact(fact));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace meldevakt::agent::testing
