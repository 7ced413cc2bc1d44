#include "collector/http/rate_limit.h"

namespace meldevakt::collector {

bool FailureLimit::allows(const std::string& key, std::int64_t boot_ns) {
  const auto found = windows_.find(key);
  if (found == windows_.end()) {
    if (windows_.size() < kKeysMax) return true;
    std::erase_if(windows_, [&](const auto& entry) { return is_over(entry.second, boot_ns); });
    return windows_.size() < kKeysMax;
  }
  return is_over(found->second, boot_ns) || found->second.failures < failures_max_;
}

void FailureLimit::failed(const std::string& key, std::int64_t boot_ns) {
  if (windows_.size() >= kKeysMax && windows_.find(key) == windows_.end()) return;
  Window& window = windows_[key];
  if (window.failures == 0 || is_over(window, boot_ns)) window = {boot_ns, 0};
  ++window.failures;
}

}  // namespace meldevakt::collector
