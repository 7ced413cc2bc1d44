#include "collector/app/log.h"

#include <cstdio>
#include <string>

#include "common/base/text.h"

namespace meldevakt::collector {
namespace {

constexpr std::size_t kLineBytesMax = 2000;

const char* name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo: return "INFO";
    case LogLevel::kWarn: return "WARN";
    case LogLevel::kError: return "ERROR";
  }
  return "ERROR";
}

}  // namespace

LogSink stderr_log(Clock& clock) {
  return [&clock](LogLevel level, const std::string& text) {
    const std::string line = to_rfc3339(clock.now()) + " " + name_of(level) +
                             " collector: " + quoted(text, kLineBytesMax) + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
  };
}

}  // namespace meldevakt::collector
