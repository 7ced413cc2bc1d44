// The agent's own log: "2026-11-26T10:00:00.000Z INFO agent: text key=value", one line a call.
// WARN means that nothing is lost, ERROR that something is or that a person is needed. Never given:
// text of a log that is read, references other than portal message ids, secrets.
//
// Control characters and broken UTF-8 are written as \xNN, so that a line stays a line.
// Thread-safety: safe for concurrent use when the sink is; stderr_log's is.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/ports/clock.h"

namespace meldevakt::agent {

enum class LogLevel : std::uint8_t { kInfo, kWarn, kError };

class Log {
 public:
  using Sink = std::function<void(std::string_view line)>;  // without line end
  Log(Clock& clock, Sink sink) : clock_{clock}, sink_{std::move(sink)} {}

  void info(std::string_view text) { write(LogLevel::kInfo, text); }
  void warn(std::string_view text) { write(LogLevel::kWarn, text); }
  void error(std::string_view text) { write(LogLevel::kError, text); }
  void write(LogLevel level, std::string_view text);

 private:
  Clock& clock_;
  Sink sink_;
};

[[nodiscard]] Log stderr_log(Clock& clock);

}  // namespace meldevakt::agent
