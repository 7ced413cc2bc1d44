// Times of overload in scanned logs: what the agent would have told of them, had it followed them.
//
//   ScanWindows windows;
//   windows.observe("mssql-errorlog", finding.event);   // every finding, in any order of the logs
//   for (const ScanWindows::Window& window : windows.all()) ...
//
// The logs that one pack reads are one source. Windows of a source that are no further apart than
// an agent takes for one are one. Pure. Thread-safety: none. Bounds: kWindowsMax, of a source; what
// comes beyond is counted in left_out().
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/detect/overload_windows.h"

namespace meldevakt::agent {

class ScanWindows {
 public:
  static constexpr std::size_t kWindowsMax = 10'000;

  struct Window {
    std::string pack;
    WindowFact fact;
  };

  void observe(const std::string& pack, const SignalEvent& event);
  // All is read: windows that are open end.
  void finish();
  // By pack and start; after finish().
  [[nodiscard]] std::vector<Window> all() const;
  // Windows that were not kept.
  [[nodiscard]] std::uint64_t left_out() const { return left_out_.size(); }

 private:
  struct Source {
    Source();
    OverloadWindows open;
    std::map<std::string, WindowFact> told;  // by id, as told last
    std::uint64_t made = 0;
  };
  void keep(const std::string& pack, Source& source,
            const std::vector<OverloadWindows::Told>& told);

  std::map<std::string, Source> sources_;
  std::set<std::pair<std::string, std::string>> left_out_;  // pack and id
};

}  // namespace meldevakt::agent
