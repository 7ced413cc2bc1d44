// Signal events and facts as short texts, so that a test's whole case fits on a few lines.
//
//   events({"10.0 17 save_failed unknown code=pg/55P03"})
//
//   <seconds> <scopes: 17 or 17/r1, - for none> <signal, "." for none> <words>
//
// Signals without a dot are message.*. Words: P1 P2 ... portal ids, T1 ... transport ids, C1 ...
// client ids; failed, rolled_back and unknown; code=, driver=, lasted=; window, ends, restarts,
// dropped; same = another event of the record before.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/detect/detector.h"
#include "agent/recognise/signal_event.h"

namespace meldevakt::agent::testing {

inline constexpr std::string_view kContent = "00112233445566778899aabbccddeeff";
inline constexpr Instant kNow{1'700'000'000'000};

inline Reference reference(std::string_view name) {
  const std::string number{name.substr(1)};
  const std::string digits = std::string(12 - number.size(), '0') + number;
  if (name[0] == 'P') return {ReferenceType::kPortalMessageId, "0b5e7a11-0000-4000-8000-" + digits};
  const ReferenceType type =
      name[0] == 'T' ? ReferenceType::kTransportId : ReferenceType::kClientId;
  return {type, std::string(20, 'f') + digits};
}

inline std::string name_of(const Reference& reference) {
  const std::string digits = reference.value.substr(reference.value.size() - 12);
  const char letter = reference.type == ReferenceType::kPortalMessageId ? 'P'
                      : reference.type == ReferenceType::kTransportId   ? 'T'
                                                                        : 'C';
  return letter + digits.substr(std::min(digits.find_first_not_of('0'), digits.size() - 1));
}

inline bool is_reference(const std::string& word) {
  return word.size() > 1 && std::string_view{"PTC"}.find(word[0]) != std::string_view::npos &&
         std::all_of(word.begin() + 1, word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

inline void apply_word(SignalEvent& event, const std::string& word) {
  if (is_reference(word)) {
    event.references.push_back(reference(word));
    std::sort(event.references.begin(), event.references.end());
  } else if (const auto outcome = outcome_from_string(word)) {
    event.outcome = outcome;
  } else if (word.rfind("code=", 0) == 0) {
    event.code = word.substr(5);
  } else if (word.rfind("driver=", 0) == 0) {
    event.driver = word.substr(7);
    event.opens_window = true;
  } else if (word.rfind("lasted=", 0) == 0) {  // seconds; what ended here, and its driver
    event.lasted = seconds(std::stoi(word.substr(7)));
    event.driver = "checkdb";
  } else if (word == "window") {
    event.opens_window = true;
  } else if (word == "ends") {
    event.ends_scope = true;
  } else if (word == "restarts") {
    event.restarts_process = true;
  } else if (word == "dropped") {
    event.references_dropped = 1;
  } else {
    FAIL("unknown word in a test: " << word);
  }
}

inline std::vector<SignalEvent> events(const std::vector<std::string_view>& lines) {
  std::vector<SignalEvent> out;
  std::uint64_t offset = 0;
  for (const std::string_view line : lines) {
    std::istringstream in{std::string{line}};
    double at = 0;
    std::string scopes;
    std::string signal;
    std::string word;
    in >> at >> scopes >> signal;
    SignalEvent event;
    event.time = kNow + milliseconds(static_cast<std::int64_t>(at * 1000 + 0.5));
    std::istringstream keys{scopes == "-" ? "" : scopes};
    for (std::string key; std::getline(keys, key, '/');) event.scopes.push_back(key);
    if (signal != ".") {
      const bool whole = signal.find('.') != std::string::npos;
      event.signal = signal_from_string(whole ? signal : "message." + signal);
      REQUIRE_MESSAGE(event.signal.has_value(), signal);
    }
    event.rule = signal == "." ? "" : signal;
    bool same = false;
    while (in >> word) {
      if (word == "same") {
        same = true;
      } else {
        apply_word(event, word);
      }
    }
    if (!same) offset += 100;
    if (same) event.rule += "-2";
    event.offset = offset;
    event.bytes = 100;
    out.push_back(std::move(event));
  }
  return out;
}

inline Detector::Settings settings() {
  Detector::Settings settings;
  settings.source = "trace";
  settings.fact_key = std::string(32, 'k');
  return settings;
}

// The highest revision of each fact, by time and then by text. Equal revisions must be equal.
inline std::vector<Fact> final_facts(const std::vector<Fact>& told) {
  std::map<std::string, Fact> best;
  for (const Fact& fact : told) {
    const auto [at, is_new] = best.emplace(fact.id, fact);
    if (is_new) continue;
    if (at->second.revision == fact.revision) CHECK(at->second == fact);
    if (at->second.revision < fact.revision) at->second = fact;
  }
  std::vector<Fact> out;
  for (auto& [id, fact] : best) out.push_back(std::move(fact));
  return out;
}

inline std::string names(const std::vector<Reference>& references) {
  std::string out;
  for (const Reference& reference : references) {
    out += (out.empty() ? "" : ",") + name_of(reference);
  }
  return out;
}

inline std::string show_time(Instant time) {
  const std::int64_t tenths = (time - kNow).ms / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

inline std::string show(const Fact& fact) {
  std::string out;
  if (const auto* const step = std::get_if<StepFact>(&fact.what)) {
    out = show_time(step->time) + " " + std::string{to_string(step->signal)}.substr(8) + " " +
          std::string{to_string(step->attribution)};
    if (!step->references.empty()) out += " " + names(step->references);
    if (!step->candidates.empty()) out += " " + names(step->candidates);
    if (step->outcome) out += " " + std::string{to_string(*step->outcome)};
    if (!step->code.empty()) out += " " + step->code;
    if (step->records != 1) out += " x" + std::to_string(step->records);
  } else if (const auto* const alias = std::get_if<AliasFact>(&fact.what)) {
    out = show_time(alias->time) + " alias " + names(alias->references);
  } else {
    const auto& window = std::get<WindowFact>(fact.what);
    out = show_time(window.span.from) + " window to " + show_time(window.span.to) +
          (window.open ? " open" : "") + " " + window.driver;
    for (const WindowFact::Count& count : window.signals) {
      out += " " + std::string{to_string(count.signal)} + "=" + std::to_string(count.count);
    }
  }
  return out;
}

inline std::vector<std::string> show(const std::vector<Fact>& told) {
  std::vector<Fact> facts = final_facts(told);
  const auto time = [](const Fact& fact) {
    if (const auto* const step = std::get_if<StepFact>(&fact.what)) return step->time;
    if (const auto* const alias = std::get_if<AliasFact>(&fact.what)) return alias->time;
    return std::get<WindowFact>(fact.what).span.from;
  };
  std::sort(facts.begin(), facts.end(), [&](const Fact& a, const Fact& b) {
    return time(a) != time(b) ? time(a) < time(b) : show(a) < show(b);
  });
  std::vector<std::string> out;
  for (const Fact& fact : facts) out.push_back(show(fact));
  return out;
}

inline void append(std::vector<Fact>& to, std::vector<Fact> more) {
  for (Fact& fact : more) to.push_back(std::move(fact));
}

inline constexpr Instant kEndOfTime{kNow.ms + 1'000'000'000};

// Everything that becomes known of these events, read at once.
inline std::vector<Fact> run(const std::vector<SignalEvent>& events,
                             const Detector::Settings& with = settings()) {
  Detector detector{with};
  for (const SignalEvent& event : events) detector.observe(event, kContent, kNow);
  detector.idle(kEndOfTime, kNow);
  return detector.drain();
}

}  // namespace meldevakt::agent::testing

namespace doctest {
template <>
struct StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& lines) {
    std::string out = "[";
    for (const std::string& line : lines) out += "\n    " + line;
    return (out + "]").c_str();
  }
};
}  // namespace doctest
