// init, invite and receipts import, as the command line calls them. Each returns its exit status
// and prints to stdout; what went wrong comes back as an Error for main to say.
#pragma once

#include <string>

#include "collector/app/config.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/ports/clock.h"

namespace meldevakt::collector {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFindings = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitEnvironment = 3;
[[nodiscard]] int exit_status_of(const Error& error);

// How long a command waits for a server that is just starting or stopping.
inline constexpr int kWriterAttempts = 50;  // of 100 ms each

[[nodiscard]] Result<int> run_init(const Config& config, Clock& clock, bool json);

struct InviteOptions {
  std::string tenant;
  std::string organisation;
  Duration expires = hours(1);
  std::string out;
  bool json = false;
};
[[nodiscard]] Result<int> run_invite(const Config& config, Clock& clock,
                                     const InviteOptions& options);

struct ImportOptions {
  std::string tenant;
  std::string portal;
  std::string file;
  std::string from;  // RFC 3339; both or neither
  std::string until;
  bool json = false;
};
[[nodiscard]] Result<int> run_import(const Config& config, Clock& clock,
                                     const ImportOptions& options);

}  // namespace meldevakt::collector
