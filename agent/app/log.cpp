#include "agent/app/log.h"

#include <unistd.h>

#include "common/base/text.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kLineBytesMax = 4000;

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo: return "INFO";
    case LogLevel::kWarn: return "WARN";
    case LogLevel::kError: return "ERROR";
  }
  return "";
}

}  // namespace

void Log::write(LogLevel level, std::string_view text) {
  std::string line = to_rfc3339(clock_.now());
  line.append(" ").append(name_of(level)).append(" agent: ");
  line += quoted(text, kLineBytesMax);
  sink_(line);
}

Log stderr_log(Clock& clock) {
  return Log{clock, [](std::string_view line) {
               std::string bytes{line};
               bytes += '\n';
               // One write, so that lines of several processes on one pipe do not mix. A log that
               // nobody takes must not stop the agent.
               const ssize_t ignored = ::write(STDERR_FILENO, bytes.data(), bytes.size());
               static_cast<void>(ignored);
             }};
}

}  // namespace meldevakt::agent
