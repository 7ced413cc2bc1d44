// A small product of our own invention and its log, for the tests of agent/summarise.
#pragma once

#include <doctest/doctest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/recognise/pack.h"
#include "agent/summarise/source_pipeline.h"
#include "common/testing/doubles.h"

namespace meldevakt::agent::testing {

inline constexpr std::string_view kTracePack = R"(
pack     = "test-trace"
version  = "1.0.0"
product  = "a product that only these tests know"
observes = ["message.received", "message.save_failed", "message.committed", "message.acknowledged"]
encoding = ["utf-8", "windows-1252"]

[record]
starts    = '\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2},\d{3} \['
time      = "%Y-%m-%d %H:%M:%S,%f"
zone      = "UTC"
scope     = { thread = '\[(\d+)\]' }
lines_max = 4
idle      = "2s"
flush_lag = "1s"

[[rule]]
id       = "received"
signal   = "message.received"
literal  = "received "
pattern  = 'received (?<ref:portal_message_id>{uuid})(?: transport=(?<ref:transport_id>\w+))?'
match    = ["2024-05-01 10:00:00,000 [17] received 5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"]
no_match = ["2024-05-01 10:00:00,000 [17] received nothing"]

[[rule]]
id       = "committed"
signal   = "message.committed"
literal  = "stored "
pattern  = 'stored (?<ref:portal_message_id>{uuid})'
match    = ["2024-05-01 10:00:00,000 [17] stored 5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"]
no_match = ["2024-05-01 10:00:00,000 [17] stored nothing"]

[[rule]]
id       = "acknowledged"
signal   = "message.acknowledged"
literal  = "told the sender"
pattern  = 'told the sender'
match    = ["2024-05-01 10:00:00,000 [17] told the sender"]
no_match = ["2024-05-01 10:00:00,000 [17] told nobody"]

[[rule]]
id       = "failed"
signal   = "message.save_failed"
outcome  = "unknown"
code     = "db/42"
literal  = "Timeout expired"
pattern  = 'Timeout expired'
opens    = "overload"
match    = ["2024-05-01 10:00:00,000 [17] error\n  Timeout expired"]
no_match = ["2024-05-01 10:00:00,000 [17] error\n  Timeout"]

[[rule]]
id       = "about"
literal  = "working on "
pattern  = 'working on (?<ref:portal_message_id>{uuid})'
match    = ["2024-05-01 10:00:00,000 [17] working on 5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"]
no_match = ["2024-05-01 10:00:00,000 [17] working on nothing"]

[[rule]]
id         = "done"
literal    = "done"
pattern    = '\bdone\b'
ends_scope = true
match      = ["2024-05-01 10:00:00,000 [17] done"]
no_match   = ["2024-05-01 10:00:00,000 [17] undone"]
)";

inline std::shared_ptr<const Pack> trace_pack() {
  static const std::shared_ptr<const Pack> pack = [] {
    auto loaded = load_pack(kTracePack, "test-trace.rules.toml");
    REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().message()));
    return loaded.value();
  }();
  return pack;
}

// 2024-05-01T10:00:00Z
inline constexpr Instant kTen{1'714'557'600'000};
inline Instant at(double seconds_after_ten) {
  return kTen + milliseconds(static_cast<std::int64_t>(seconds_after_ten * 1000));
}

// "12.5 17 stored P1" -> "2024-05-01 10:00:12,500 [17] stored <uuid>\n"
inline std::string line(double seconds_after_ten, int thread, std::string text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const bool is_name = text[i] == 'P' && text[i + 1] >= '0' && text[i + 1] <= '9' &&
                         (i == 0 || text[i - 1] == ' ');
    if (!is_name) continue;
    std::size_t end = i + 1;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    const std::string digits = text.substr(i + 1, end - i - 1);
    text.replace(i, end - i,
                 "7e57a110-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits);
  }
  std::string stamp = to_rfc3339(at(seconds_after_ten));  // 2024-05-01T10:00:12.500Z
  stamp[10] = ' ';
  stamp[19] = ',';
  stamp.pop_back();
  return stamp + " [" + std::to_string(thread) + "] " + text + "\n";
}

inline SourcePipeline::Settings trace_settings() {
  SourcePipeline::Settings settings;
  settings.name = "trace";
  settings.pack = trace_pack();
  meldevakt::testing::RuleTimeZones zones;
  settings.zone = zones.find("UTC").value();
  settings.tenant_key = std::string(32, 't');
  settings.fact_key = std::string(32, 'f');
  return settings;
}

}  // namespace meldevakt::agent::testing
