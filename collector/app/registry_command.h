// registry import, set and list; control run and list, as the command line calls them.
//
// Each prints to stdout and returns its exit status; what went wrong comes back as an Error.
#pragma once

#include <optional>
#include <string>

#include "collector/app/config.h"
#include "collector/app/inspect.h"
#include "common/base/result.h"
#include "common/ports/clock.h"

namespace meldevakt::collector {

struct RegistrySetOptions {
  std::string tenant;
  std::string kind;
  std::string value;
  std::string label;
  std::string from;  // a date or RFC 3339; "" = always
  std::string until;
  bool json = false;
};
[[nodiscard]] Result<int> run_registry_set(const Config& config, Clock& clock,
                                           const RegistrySetOptions& options);
[[nodiscard]] Result<int> run_registry_import(const Config& config, Clock& clock,
                                              const std::string& file, bool json);
// What holds at `options.now`, or, with `everything`, whatever was ever entered and counts.
[[nodiscard]] Result<Inspected> list_registry(const Config& config, const TimeZone& zone,
                                              const InspectOptions& options, bool everything);

// Runs the standing control of each chosen tenant now and keeps its signed record. `agree`: all do.
struct ControlsRun {
  std::string text;
  bool agree = true;
};
[[nodiscard]] Result<ControlsRun> run_controls(const Config& config, Clock& clock,
                                               const TimeZone& zone, const InspectOptions& options);
// The newest records kept, each verified; `open`: one does not verify.
[[nodiscard]] Result<Inspected> list_controls(const Config& config, const TimeZone& zone,
                                              const InspectOptions& options);

}  // namespace meldevakt::collector
