// Random values within the bounds of the wire: everything the encoders may be given.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/summary/fact.h"
#include "common/summary/forms.h"
#include "common/summary/statement.h"
#include "common/testing/doubles.h"

namespace meldevakt::testing {

class RandomValues {
 public:
  explicit RandomValues(std::uint64_t seed) : random_{seed} {}

  bool coin() { return random_.below(2) == 0; }
  std::size_t below(std::size_t bound) { return random_.below(bound); }
  std::string hex(std::size_t digits) { return to_hex(random_.bytes(digits / 2)); }
  // Small, large and boundary values about equally often.
  std::uint64_t count(std::uint64_t max = INT64_MAX) {
    switch (below(4)) {
      case 0: return below(10) % (max + 1);
      case 1: return max;
      default: return random_.next() % (max + 1);
    }
  }
  Sha256 hash() { return Sha256::from_bytes(random_.bytes(32)).value(); }
  Instant instant() {
    return {static_cast<std::int64_t>(count(static_cast<std::uint64_t>(kWireTimeMax.ms)))};
  }
  Interval interval() {
    const Instant a = instant();
    const Instant b = instant();
    return {std::min(a, b), std::max(a, b)};
  }
  template <typename Enum>
  Enum one_of(std::size_t count) {
    return static_cast<Enum>(below(count));
  }
  Signal signal() { return one_of<Signal>(kSignalCount); }

  std::string code() {
    constexpr std::string_view letters = "abcXYZ019/_.-:\"\\'<>&";
    return repeat(letters, 1 + below(64));
  }
  std::string name() {
    // Norwegian letters, quotation marks, a character of four bytes.
    const std::vector<std::string> pieces{"a", "Z", " ", "æ", "Ø", "å", "\"", "\\", "😀", "7"};
    std::string out;
    for (std::size_t n = 1 + below(12); n > 0; --n) out += pieces[below(pieces.size())];
    return out;
  }

  Reference reference() {
    Reference out;
    out.type = one_of<ReferenceType>(5);
    out.value = hex(32);
    if (out.type == ReferenceType::kPortalMessageId) {
      out.value.replace(12, 1, "4").replace(16, 1, 1, "89ab"[below(4)]);
      for (const std::size_t at : {8U, 13U, 18U, 23U}) out.value.insert(at, "-");
    }
    return out;
  }
  std::vector<Reference> references(std::size_t count) {
    std::vector<Reference> out;
    for (; count > 0; --count) out.push_back(reference());
    std::sort(out.begin(), out.end());
    return out;
  }

  StepFact step() {
    StepFact out;
    out.signal = one_of<Signal>(static_cast<std::size_t>(Signal::kMessageRetried) + 1);
    out.time = instant();
    out.attribution = one_of<Attribution>(5);
    if (out.attribution == Attribution::kAmbiguous) {
      out.candidates = references(1 + below(16));
    } else if (out.attribution != Attribution::kNone) {
      out.references = references(1 + below(8));
    }
    if (out.signal == Signal::kMessageSaveFailed) out.outcome = one_of<Outcome>(3);
    if (coin()) out.code = code();
    if (coin()) out.form = one_of<FormType>(3);
    if (below(4) == 0) out.district = std::to_string(10 + below(90));
    out.records = 1 + static_cast<std::uint32_t>(count(UINT32_MAX - 1));
    if (below(4) == 0) out.time_error = hours(1 + static_cast<std::int64_t>(below(700)));
    return out;
  }
  WindowFact window() {
    WindowFact out;
    out.span = interval();
    out.open = coin();
    for (std::size_t i = 0; i < kSignalCount; ++i) {
      if (below(4) == 0) out.signals.push_back({static_cast<Signal>(i), 1 + count(1000)});
    }
    if (out.signals.empty()) out.signals.push_back({signal(), 1});
    if (coin()) out.driver = code();
    if (below(4) == 0) out.metrics = 1 + count(1000);
    return out;
  }
  Receipt receipt() {
    Receipt out;
    out.portal = name();
    Reference id;
    while (id.type != ReferenceType::kPortalMessageId || id.value.empty()) id = reference();
    out.message_id = id.value;
    if (coin()) out.sent = instant();
    if (coin() || !out.sent) out.confirmed = instant();
    out.form = one_of<FormType>(3);
    out.channel = coin() ? std::string{kSvarUtChannel} : "";
    if (coin()) out.district = code();
    return out;
  }
  Fact fact() {
    Fact out;
    out.id = hex(32);
    out.revision = static_cast<std::uint32_t>(count(UINT32_MAX));
    out.source = name();
    out.rule = name();
    switch (below(5)) {
      case 0: out.what = step(); break;
      case 1: out.what = receipt(); break;
      case 2: out.what = ReceiptCoverage{name(), interval()}; break;
      case 3: out.what = AliasFact{instant(), references(2 + below(7))}; break;
      default: out.what = window(); break;
    }
    return out;
  }
  Body body(std::size_t facts) {
    Body out;
    out.salt = random_.bytes(32);
    for (; facts > 0; --facts) out.facts.push_back(fact());
    return out;
  }

  SourceCoverage source(const Interval& span, std::size_t number) {
    SourceCoverage out;
    out.id = std::to_string(number) + name();
    out.kind = coin() ? "file" : code();
    out.pack = {name(), name(), hash()};
    for (std::size_t i = 0; i < kSignalCount; ++i) {
      if (below(8) != 0) continue;
      out.observes.push_back({static_cast<Signal>(i), std::nullopt});
      if (coin()) out.observes.back().last_seen = instant();
    }
    out.shared = coin();
    out.reading = reading(span);
    if (coin()) out.complete = interval();
    if (coin()) out.event_gaps.push_back({interval(), code()});
    for (std::size_t n = below(4); n > 0; --n) {
      const std::uint64_t from = count(1000);
      out.ranges.push_back({hex(32), from, from + count(INT64_MAX - 1000)});
    }
    out.bytes = {0, count(1u << 30), count(INT32_MAX), count(1000), count(INT32_MAX)};
    out.bytes.read =
        out.bytes.recognised + out.bytes.unrecognised + out.bytes.dropped + out.bytes.pending;
    out.records = count();
    if (coin()) out.digest = hex(64);
    return out;
  }
  std::vector<ReadingInterval> reading(const Interval& span) {
    std::vector<ReadingInterval> out;
    Instant from = span.from;
    for (std::size_t n = 1 + below(3); n > 0; --n) {
      const auto left = static_cast<std::uint64_t>((span.to - from).ms);
      const Instant to =
          n == 1 ? span.to
                 : from + milliseconds(static_cast<std::int64_t>(left == 0 ? 0 : count(left)));
      const auto state = one_of<ReadState>(4);
      out.push_back({{from, to}, state, state == ReadState::kRead ? "" : code()});
      from = to;
    }
    return out;
  }
  Statement statement(std::size_t sources) {
    Statement out;
    out.tenant = name();
    out.agent = hex(32);
    out.epoch = count();
    out.sequence = count();
    out.previous = hash();
    out.span = interval();
    if (coin()) out.boot_id = code();
    out.boottime_from_ns = static_cast<std::int64_t>(count());
    out.boottime_to_ns = static_cast<std::int64_t>(count());
    out.clock = {coin() ? "synchronised" : "unsynchronised",
                 static_cast<std::int64_t>(below(2'000'001)) - 1'000'000,
                 static_cast<std::int64_t>(count()), coin()};
    for (std::size_t i = 0; i < sources; ++i) out.sources.push_back(source(out.span, i));
    for (std::size_t n = below(9); n > 0; --n) {
      out.bodies.push_back({hash(), count(limits::kBodyPackedBytesMax), hash(),
                            count(limits::kBodyPlainBytesMax), count(UINT32_MAX),
                            count(limits::kFactsPerBodyMax)});
    }
    out.configuration = hash();
    out.software_version = name();
    if (coin()) out.software_sha256 = hex(64);
    out.log_seen_size = count();
    if (coin()) out.log_seen_root = hex(64);
    return out;
  }
  Enrolment enrolment() {
    return {name(), hex(32), to_base64(random_.bytes(32)), hash(), hash(), instant(), name()};
  }

 private:
  std::string repeat(std::string_view letters, std::size_t length) {
    std::string out;
    for (; length > 0; --length) out.push_back(letters[below(letters.size())]);
    return out;
  }

  SeededRandom random_;
};

}  // namespace meldevakt::testing
