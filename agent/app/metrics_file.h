// Writes the metrics file ([metrics] file) every kMetricsEvery: to a temporary name, then renamed,
// mode 0644, so that whoever reads it sees it whole. Not synced: after a power cut it is written
// anew. Its folder is not made. What goes wrong is said once, and tried again; reading never waits.
//
//   MetricsFile file{config.metrics_file, log};
//   if (file.is_due(steady)) file.write(steady, metrics_text(...));
//
// Thread-safety: none.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/app/log.h"
#include "common/base/time.h"

namespace meldevakt::agent {

inline constexpr Duration kMetricsEvery = seconds(15);

class MetricsFile {
 public:
  // `path`: "" for no file.
  MetricsFile(std::string path, Log& log) : path_{std::move(path)}, log_{log} {}

  [[nodiscard]] bool is_wanted() const { return !path_.empty(); }
  [[nodiscard]] bool is_due(Duration steady) const;
  void write(Duration steady, std::string_view text);

 private:
  std::string path_;
  Log& log_;
  std::optional<Duration> written_;
  std::string said_;  // the error that was said last
};

}  // namespace meldevakt::agent
