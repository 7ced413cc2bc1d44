#include "agent/app/metrics_file.h"

#include "common/platform/disk.h"

namespace meldevakt::agent {

bool MetricsFile::is_due(Duration steady) const {
  return is_wanted() && (!written_ || steady - *written_ >= kMetricsEvery);
}

void MetricsFile::write(Duration steady, std::string_view text) {
  written_ = steady;
  const Status done = replace_file_unsynced(path_, text, FileMode::kEveryoneReads);
  if (done) {
    if (!said_.empty()) log_.info("the metrics file is written again: " + path_);
    said_.clear();
    return;
  }
  const std::string& why = done.error().message();
  if (why == said_) return;
  said_ = why;
  log_.warn("the metrics file cannot be written; it is tried again every " +
            std::to_string(kMetricsEvery.ms / 1000) +
            " seconds, nothing else waits for it: " + why);
}

}  // namespace meldevakt::agent
