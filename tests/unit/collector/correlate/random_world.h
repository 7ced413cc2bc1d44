// Small worlds by the dice: a few messages, names that are sometimes shared, sources with holes.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "common/testing/doubles.h"
#include "tests/unit/collector/correlate/small_world.h"

namespace meldevakt::collector::testing {

// MELDEVAKT_SEED repeats a run; without it the runs are always the same ones.
inline std::uint64_t seed_of_this_run() {
  const char* given = std::getenv("MELDEVAKT_SEED");
  return given == nullptr ? 20'200'925 : std::strtoull(given, nullptr, 10);
}

// Lengths of a few seconds, so that small worlds reach every edge.
inline Policy short_policy() {
  Policy policy;
  policy.grace = seconds(4);
  policy.again_after = seconds(5);
  policy.look_before = seconds(3);
  policy.clock_error = seconds(1);
  policy.nearby = seconds(2);
  policy.confirm_within = seconds(20);
  policy.report_within = seconds(2);
  policy.post_within = seconds(25);
  return policy;
}

inline double second_of(meldevakt::testing::SeededRandom& random) {
  return static_cast<double>(random.below(24)) - 6;
}

inline Reference name_of_some(meldevakt::testing::SeededRandom& random, std::uint64_t messages) {
  const std::uint64_t n = 1 + random.below(messages);
  switch (random.below(6)) {
    case 0: return transport(n);
    case 1: return case_number(1 + n / 3);  // sometimes that of two messages
    default: return portal(n);
  }
}

inline std::vector<Reference> sorted(std::vector<Reference> references) {
  std::sort(references.begin(), references.end());
  references.erase(std::unique(references.begin(), references.end()), references.end());
  return references;
}

inline void add_random_step(SmallWorld& world, meldevakt::testing::SeededRandom& random,
                            std::uint64_t messages) {
  constexpr Signal signals[] = {Signal::kMessageReceived,     Signal::kMessageSaveFailed,
                                Signal::kMessageSaveFailed,   Signal::kMessageCommitted,
                                Signal::kMessageAcknowledged, Signal::kMessageAcknowledged,
                                Signal::kMessageRejected,     Signal::kMessageRetried};
  const Signal signal = signals[random.below(8)];
  const double time = second_of(random);
  std::vector<Reference> references;
  std::vector<Reference> candidates;
  const std::uint64_t how = random.below(12);
  if (how == 0) {
    candidates = sorted({name_of_some(random, messages), name_of_some(random, messages)});
  } else if (how == 1) {
    references = sorted({name_of_some(random, messages), name_of_some(random, messages)});
  } else if (how > 2) {
    references = {name_of_some(random, messages)};
  }
  Fact& fact = world.step(signal, time, references, candidates);
  if (signal == Signal::kMessageSaveFailed && random.below(3) == 0) {
    std::get<StepFact>(fact.what).outcome = Outcome::kUnknown;
  }
  if (random.below(8) == 0) {  // an older revision that said something else
    LedgerFact older = world.input.facts.back();
    world.input.facts.back().fact.revision = 1;
    std::get<StepFact>(older.fact.what).time = at(second_of(random));
    world.input.facts.push_back(std::move(older));
  }
}

inline void add_random_coverage(SmallWorld& world, meldevakt::testing::SeededRandom& random) {
  const bool commits = random.below(3) != 0;
  for (std::uint64_t source = 0; source < random.below(3); ++source) {
    world.agent = random.below(2) == 0 ? "a1" : "a2";
    std::vector<Signal> observes{Signal::kMessageSaveFailed};
    if (commits && random.below(4) != 0) observes.push_back(Signal::kMessageCommitted);
    if (random.below(2) == 0) observes.push_back(Signal::kMessageAcknowledged);
    for (std::uint64_t claim = 0; claim <= random.below(3); ++claim) {
      const double from = random.below(3) == 0 ? second_of(random) : -100;
      const double to = random.below(2) == 0 ? second_of(random) : 150;
      LedgerCoverage& added = world.covered("s" + std::to_string(source), observes, from, to);
      if (to <= from) added.source.complete.reset();
      if (random.below(3) == 0) {
        added.source.names = {random.below(2) == 0 ? ReferenceType::kPortalMessageId
                                                   : ReferenceType::kCaseId};
      }
      if (random.below(8) == 0) {
        const double gap = second_of(random);
        added.source.event_gaps.push_back({{at(gap), at(gap + 1)}, "lost"});
      }
    }
  }
  for (std::uint64_t claim = 0; claim < random.below(3); ++claim) {
    world.agent = random.below(3) == 0 ? "a2" : "a1";
    const double from = second_of(random);
    LedgerCoverage& shared =
        world.covered("trace", {}, from, from + 1 + static_cast<double>(random.below(40)));
    const Instant told = at(second_of(random));
    shared.span = {told, told + seconds(1 + static_cast<std::int64_t>(random.below(9)))};
    shared.source.shared = true;
  }
  world.agent = "a1";
}

// Some of the rows come from an agent: once or several times, some with times still to come.
inline void tell_some_rows(SmallWorld& world, meldevakt::testing::SeededRandom& random) {
  if (random.below(3) != 0) return;
  std::vector<Receipt> imported;
  for (const Receipt& row : world.input.receipts) {
    if (random.below(2) == 0) imported.push_back(row);
    const std::uint64_t tellings = random.below(3);
    for (std::uint64_t i = 0; i < tellings; ++i) {
      const Duration ahead[] = {Duration{}, Duration{}, minutes(15), hours(25)};
      world.input.rows_ahead.push_back({row, at(60) - ahead[random.below(4)]});
    }
  }
  world.input.receipts = imported;
}

inline SmallWorld random_world(meldevakt::testing::SeededRandom& random) {
  SmallWorld world;
  world.input.policy = short_policy();
  const std::uint64_t messages = 1 + random.below(3);
  const std::uint64_t steps = random.below(9);
  for (std::uint64_t i = 0; i < steps; ++i) add_random_step(world, random, messages);
  for (std::uint64_t i = 0; i < random.below(3); ++i) {
    world.alias(sorted({name_of_some(random, messages), name_of_some(random, messages)}));
  }
  add_random_coverage(world, random);
  constexpr std::string_view channels[] = {kPrintChannel,      kManualChannel,
                                           kCaseSystemChannel, kCaseSystemChannel,
                                           kCaseSystemChannel, kCaseSystemChannel};
  for (std::uint64_t i = 0; i < random.below(3); ++i) {
    const double sent = second_of(random);
    std::optional<Instant> confirmed;
    if (random.below(2) == 0) confirmed = at(sent + static_cast<double>(random.below(6)));
    world.row(1 + random.below(messages),
              random.below(8) == 0 ? std::nullopt : std::optional<Instant>{at(sent)}, confirmed,
              channels[random.below(6)]);
    if (random.below(4) == 0) world.input.receipts.back().portal = "other";
  }
  tell_some_rows(world, random);
  for (std::uint64_t i = 0; i < random.below(4); ++i) {
    const bool wide = random.below(3) == 0;  // enough to say whose a message is
    const double from = static_cast<double>(random.below(30)) - (wide ? 60 : 9);
    const double length =
        1 + static_cast<double>(wide ? 90 : random.below(random.below(2) == 0 ? 6 : 45));
    const std::string from_portal = random.below(6) == 0 ? "other" : "npb";
    world.input.receipt_coverage.push_back({from_portal, {at(from), at(from + length)}});
  }
  return world;
}

inline std::string described(const SmallWorld& world) {
  std::string out;
  const auto when = [](Instant t) { return std::to_string((t - kEvening).ms / 1000); };
  for (const LedgerFact& ledger : world.input.facts) {
    const Fact& fact = ledger.fact;
    out += "\n" + ledger.agent + " " + fact.id.substr(28) + "." + std::to_string(fact.revision);
    std::vector<Reference> references;
    std::vector<Reference> candidates;
    if (const auto* step = std::get_if<StepFact>(&fact.what)) {
      out += " " + std::string{to_string(step->signal)} + " at " + when(step->time);
      if (step->outcome) out += " " + std::string{to_string(*step->outcome)};
      references = step->references;
      candidates = step->candidates;
    } else if (const auto* alias = std::get_if<AliasFact>(&fact.what)) {
      out += " alias";
      references = alias->references;
    }
    for (const Reference& r : references) out += " " + std::string{to_string(r.type)} + r.value;
    for (const Reference& r : candidates) out += " ?" + std::string{to_string(r.type)} + r.value;
  }
  for (const LedgerCoverage& c : world.input.coverage) {
    out += "\n" + c.agent + "/" + c.source.id + " reads";
    for (const Observed& o : c.source.observes) out += " " + std::string{to_string(o.signal)};
    if (c.source.complete) {
      out += " from " + when(c.source.complete->from) + " to " + when(c.source.complete->to);
    }
    for (const EventGap& gap : c.source.event_gaps) out += " gap at " + when(gap.span.from);
    for (const ReferenceType type : c.source.names) out += " names " + std::string{to_string(type)};
  }
  const auto tell_row = [&](const Receipt& row) {
    out += "\nrow " + row.portal + " " + row.message_id + " " + row.channel;
    if (row.sent) out += " sent " + when(*row.sent);
    if (row.confirmed) out += " confirmed " + when(*row.confirmed);
  };
  for (const Receipt& row : world.input.receipts) tell_row(row);
  for (const RowAhead& ahead : world.input.rows_ahead) {
    tell_row(ahead.row);
    out += " told " + when(ahead.told);
  }
  return out;
}

}  // namespace meldevakt::collector::testing
