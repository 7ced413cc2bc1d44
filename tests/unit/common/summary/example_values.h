// One statement, one enrolment and one body, invented and always the same: the worked example of
// FORMAT.md, the golden files and the tables of refusals.
#pragma once

#include <string>

#include "common/base/bytes.h"
#include "common/summary/fact.h"
#include "common/summary/statement.h"

namespace meldevakt::testing {

inline Sha256 hash_of(char digit) {
  return Sha256::from_hex_text(std::string(64, digit)).value();
}
inline Instant at(std::string_view text) {
  return from_rfc3339(text).value();
}

inline Statement example_statement() {
  const Interval span{at("2023-02-01T08:14:00Z"), at("2023-02-01T08:15:00Z")};
  const Instant start = span.from + seconds(12);
  SourceCoverage trace;
  trace.id = "trace";
  trace.kind = "file";
  trace.pack = {"familia-like", "1.0.0", hash_of('1')};
  trace.observes = {{Signal::kMessageReceived, at("2023-02-01T08:14:22.101Z")},
                    {Signal::kMessageSaveFailed, at("2023-02-01T08:14:52.140Z")},
                    {Signal::kMessageCommitted, std::nullopt}};
  trace.reading = {{{span.from, start}, ReadState::kGap, "agent_stopped"},
                   {{start, span.to}, ReadState::kRead, ""}};
  trace.complete = Interval{at("2023-02-01T08:13:58Z"), at("2023-02-01T08:14:58Z")};
  trace.event_gaps = {{{at("2023-01-31T22:00:00Z"), at("2023-01-31T22:05:00Z")}, "rotated_away"}};
  trace.ranges = {{std::string(32, '2'), 1048576, 1052672}};
  trace.bytes = {4096, 1024, 3000, 0, 72};
  trace.records = 31;
  trace.digest = std::string(64, '3');

  Statement out;
  out.tenant = "t-8f1c";
  out.agent = std::string(32, '4');
  out.epoch = 0;
  out.sequence = 41;
  out.previous = hash_of('5');
  out.span = span;
  out.boot_id = "0f3b7c52-9d1e-4f60-8a77-2f4be3c1d908";
  out.boottime_from_ns = 86'400'000'000'000;
  out.boottime_to_ns = 86'460'000'000'000;
  out.clock = {"synchronised", -250, 1500, false};
  out.sources = {trace};
  out.bodies = {{hash_of('6'), 312, hash_of('7'), 1180, 0, 3}};
  out.configuration = hash_of('8');
  out.software_version = "0.1.0";
  out.software_sha256 = std::string(64, 'b');
  return out;
}

inline Enrolment example_enrolment() {
  return {"t-8f1c",     std::string(32, '4'), to_base64(std::string(32, 'k')),
          hash_of('9'), hash_of('a'),         at("2023-01-30T10:00:00Z"),
          "0.1.0"};
}

inline Body example_body() {
  const Reference portal{ReferenceType::kPortalMessageId, "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"};
  const Reference transport{ReferenceType::kTransportId, std::string(32, 'b')};
  StepFact failed;
  failed.signal = Signal::kMessageSaveFailed;
  failed.time = at("2023-02-01T08:14:52.140Z");
  failed.attribution = Attribution::kScope;
  failed.references = {portal};
  failed.outcome = Outcome::kUnknown;
  failed.code = "mssql/-2";
  failed.form = FormType::kPrivate;
  failed.records = 3;
  const AliasFact alias{at("2023-02-01T08:14:22.101Z"), {portal, transport}};
  WindowFact window;
  window.span = {at("2023-02-01T08:14:30Z"), at("2023-02-01T08:14:52.140Z")};
  window.open = true;
  window.signals = {{Signal::kDbTimeout, 2}, {Signal::kDbLockWait, 5}};
  window.driver = "lock_wait";
  return {std::string(32, 's'),
          {{std::string(32, 'c'), 0, "trace", "names-two", alias},
           {std::string(32, 'd'), 1, "trace", "save-timeout", failed},
           {std::string(32, 'e'), 0, "trace", "save-timeout", window}}};
}

}  // namespace meldevakt::testing
