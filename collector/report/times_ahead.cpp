#include "collector/report/times_ahead.h"

namespace meldevakt::collector {
namespace {

bool lies_ahead(const MessageVerdict& message, Instant limit) {
  for (const auto& time : {message.sent, message.receipted, message.committed, message.failed}) {
    if (time && limit < *time) return true;
  }
  return false;
}

}  // namespace

TimesAhead times_ahead(const Correlation& correlation) {
  TimesAhead out;
  for (const MessageVerdict& message : correlation.messages) {
    if (!lies_ahead(message, correlation.now + kAheadMax)) continue;
    if (out.messages++ == 0) out.first = message.message;
  }
  return out;
}

}  // namespace meldevakt::collector
