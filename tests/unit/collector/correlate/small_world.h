// A small world to correlate: facts, coverage and receipts in seconds around one evening.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "collector/correlate/correlate.h"
#include "collector/report/report.h"

namespace meldevakt::collector::testing {

inline constexpr Instant kEvening{1'772'445'600'000};  // 2026-03-02T10:00:00Z

inline Instant at(double seconds_after) {
  return kEvening + milliseconds(std::llround(seconds_after * 1000));
}

inline std::string digits(std::uint64_t n, std::size_t width) {
  std::string text = std::to_string(n);
  return std::string(width - text.size(), '0') + text;
}

inline std::string portal_id(std::uint64_t n) {
  return "00000000-0000-4000-8000-" + digits(n, 12);
}
inline Reference portal(std::uint64_t n) {
  return {ReferenceType::kPortalMessageId, portal_id(n)};
}
inline Reference transport(std::uint64_t n) {
  return {ReferenceType::kTransportId, digits(n, 32)};
}
inline Reference case_number(std::uint64_t n) {
  return {ReferenceType::kCaseId, digits(n, 32)};
}

struct SmallWorld {
  TenantInput input;
  std::string agent = "a1";  // of what is added next
  std::uint64_t facts = 0;

  SmallWorld() { input.tenant = "t1"; }

  Fact& add(decltype(Fact::what) what) {
    Fact fact;
    fact.id = digits(++facts, 32);
    fact.source = "trace";
    fact.rule = "rule";
    fact.what = std::move(what);
    input.facts.push_back({agent, std::move(fact)});
    return input.facts.back().fact;
  }

  Fact& step(Signal signal, double seconds_after, std::vector<Reference> references,
             std::vector<Reference> candidates = {}) {
    StepFact what;
    what.signal = signal;
    what.time = at(seconds_after);
    what.attribution = !references.empty()   ? Attribution::kNamed
                       : !candidates.empty() ? Attribution::kAmbiguous
                                             : Attribution::kNone;
    what.references = std::move(references);
    what.candidates = std::move(candidates);
    if (signal == Signal::kMessageSaveFailed) {
      what.outcome = Outcome::kFailed;
      what.code = "pg/55P03";
    }
    return add(std::move(what));
  }
  Fact& received(double t, std::uint64_t m = 1) {
    return step(Signal::kMessageReceived, t, {portal(m)});
  }
  Fact& acknowledged(double t, std::uint64_t m = 1) {
    return step(Signal::kMessageAcknowledged, t, {portal(m)});
  }
  Fact& committed(double t, std::uint64_t m = 1) {
    return step(Signal::kMessageCommitted, t, {portal(m)});
  }
  Fact& failed(double t, Outcome outcome = Outcome::kFailed, std::uint64_t m = 1) {
    Fact& fact = step(Signal::kMessageSaveFailed, t, {portal(m)});
    std::get<StepFact>(fact.what).outcome = outcome;
    return fact;
  }
  Fact& retried(double t, std::uint64_t m = 1) {
    return step(Signal::kMessageRetried, t, {portal(m)});
  }
  Fact& rejected(double t, std::uint64_t m = 1) {
    return step(Signal::kMessageRejected, t, {portal(m)});
  }
  Fact& alias(std::vector<Reference> references) {
    return add(AliasFact{at(0), std::move(references)});
  }

  LedgerCoverage& covered(const std::string& source, std::vector<Signal> observes, double from,
                          double to) {
    LedgerCoverage claim;
    claim.agent = agent;
    claim.sequence = input.coverage.size();
    claim.source.id = source;
    claim.source.kind = "file";
    for (const Signal signal : observes) claim.source.observes.push_back({signal, std::nullopt});
    claim.source.complete = Interval{at(from), at(to)};
    input.coverage.push_back(std::move(claim));
    return input.coverage.back();
  }
  // The trace tells of everything, over an hour on each side.
  LedgerCoverage& trace_covered(double from = -3600, double to = 3600) {
    return covered("trace",
                   {Signal::kMessageReceived, Signal::kMessageSaveFailed, Signal::kMessageCommitted,
                    Signal::kMessageAcknowledged},
                   from, to);
  }
  LedgerCoverage& failures_covered(double from = -3600, double to = 3600) {
    return covered("trace", {Signal::kMessageSaveFailed}, from, to);
  }

  Receipt& row(std::uint64_t m, std::optional<Instant> sent, std::optional<Instant> confirmed,
               std::string_view channel = kCaseSystemChannel) {
    Receipt receipt;
    receipt.portal = "npb";
    receipt.message_id = portal_id(m);
    receipt.sent = sent;
    receipt.confirmed = confirmed;
    receipt.channel = channel;
    input.receipts.push_back(receipt);
    return input.receipts.back();
  }

  [[nodiscard]] MessageVerdict verdict(double now = 3000, std::uint64_t m = 1) const {
    for (MessageVerdict& message : correlate(input, at(now)).messages) {
      if (message.message == portal_id(m)) return std::move(message);
    }
    MessageVerdict none;
    none.message = "(no such message)";
    return none;
  }
};

// Everything a person or a program is told, as text: equal texts, equal conclusions.
inline std::string dumped(const Correlation& all) {
  std::string out;
  for (const MessageVerdict& message : all.messages)
    out += message_json(message, all.tenant) + "\n";
  for (const OverloadWindow& window : all.windows) {
    out += window.fact_id + " " + to_rfc3339(window.span.from) + "\n";
  }
  for (const Incident& incident : group_incidents(all)) out += incident_json(incident) + "\n";
  return out;
}

}  // namespace meldevakt::collector::testing
