// W3C extended log files (IIS, HTTP.sys): directives that say what the lines under them hold, in
// mid-file anew after each restart. Private to agent/frame.
//
//   W3cLog log;
//   if (is_directive(line)) log.direct(line); else FieldView view = log.view(line);
//
// The view begins with "datetime=2024-01-15 10:30:00Z", of the fields `date` and `time`; without a
// field `date` the day is that of "#Date:", and one more after each midnight passed.
// Thread-safety: none. Errors: none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/frame/field_view.h"

namespace meldevakt::agent {

class W3cLog {
 public:
  [[nodiscard]] static bool is_directive(std::string_view line) {
    return !line.empty() && line.front() == '#';
  }
  void direct(std::string_view line);
  [[nodiscard]] FieldView view(std::string_view line);

  // What must survive a restart in mid-file.
  [[nodiscard]] std::vector<std::string> saved() const;
  void restore(const std::vector<std::string>& saved);

 private:
  [[nodiscard]] std::string day_of(std::string_view time);

  std::vector<std::string> names_;
  std::string date_;       // of "#Date:", or of the midnights passed since
  std::string last_time_;  // of day, since date_
};

}  // namespace meldevakt::agent
