// The messages that the benchmarks of verdicts are given: each with a portal row and three facts,
// one every 8.5 s since September 2020, every thousandth lost. Thread-safety: pure functions.
#pragma once

#include <time.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

#include "collector/correlate/correlate.h"

namespace meldevakt::collector::bench {

inline constexpr Instant kBegin{1'601'000'000'000};  // September 2020
inline constexpr std::int64_t kApartMs = 8500;
inline constexpr std::uint64_t kLostEvery = 1000;

inline double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

inline double peak_mb() {
  std::ifstream file{"/proc/self/status"};
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::atof(line.c_str() + 6) * 1024 / 1e6;
  }
  return 0;
}

// As spread as a keyed hash is: splitmix64.
inline std::uint64_t mixed(std::uint64_t n) {
  n += 0x9e37'79b9'7f4a'7c15;
  n = (n ^ (n >> 30)) * 0xbf58'476d'1ce4'e5b9;
  n = (n ^ (n >> 27)) * 0x94d0'49bb'1331'11eb;
  return n ^ (n >> 31);
}

inline std::string hex32(std::uint64_t kind, std::uint64_t n) {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx",
                static_cast<unsigned long long>(mixed(4 * n + kind)),
                static_cast<unsigned long long>(mixed(~(4 * n + kind))));
  return text;
}

// As portals make them: random, version 4.
inline std::string uuid(std::uint64_t n) {
  std::string text = hex32(3, n);
  text[12] = '4';
  text[16] = "89ab"[mixed(n) % 4];
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

inline LedgerFact step(Signal signal, Instant time, std::string id, std::string message) {
  StepFact what;
  what.signal = signal;
  what.time = time;
  what.attribution = Attribution::kNamed;
  what.references = {{ReferenceType::kPortalMessageId, std::move(message)}};
  if (signal == Signal::kMessageSaveFailed) {
    what.outcome = Outcome::kFailed;
    what.code = "pg/55P03";
  }
  LedgerFact out;
  out.agent = "4f1d";
  out.fact.id = std::move(id);
  out.fact.source = "trace";
  out.fact.rule = "rule";
  out.fact.what = std::move(what);
  return out;
}

inline LedgerCoverage claim(Instant from, Instant to) {
  LedgerCoverage out;
  out.agent = "4f1d";
  out.span = {from, to};
  out.source.id = "trace";
  for (const Signal signal : {Signal::kMessageReceived, Signal::kMessageSaveFailed,
                              Signal::kMessageCommitted, Signal::kMessageAcknowledged}) {
    out.source.observes.push_back({signal, std::nullopt});
  }
  out.source.complete = Interval{from, to};
  return out;
}

inline Instant time_of(std::uint64_t message) {
  return kBegin + milliseconds(static_cast<std::int64_t>(message) * kApartMs);
}

inline std::array<LedgerFact, 3> facts_of(std::uint64_t n) {
  const Instant time = time_of(n);
  const std::string message = uuid(n);
  const bool lost = n % kLostEvery == 0;
  return {step(Signal::kMessageReceived, time, hex32(0, n), message),
          step(lost ? Signal::kMessageSaveFailed : Signal::kMessageCommitted,
               time + milliseconds(200), hex32(1, n), message),
          step(Signal::kMessageAcknowledged, time + milliseconds(400), hex32(2, n), message)};
}

inline Receipt row_of(std::uint64_t n) {
  Receipt row;
  row.portal = "npb";
  row.message_id = uuid(n);
  row.sent = time_of(n) - seconds(20);
  row.confirmed = time_of(n) + seconds(1);
  row.form = n % 3 == 0 ? FormType::kPrivate : FormType::kPublic;
  row.channel = kCaseSystemChannel;
  return row;
}

}  // namespace meldevakt::collector::bench
