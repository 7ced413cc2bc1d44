// errno as an Error: our code for it, the path, the system's own words and what helps.
//
//   if (::fsync(fd) != 0) return system_error("cannot sync", path, errno);
//
// "cannot write '/var/lib/x/y': No space left on device; free some space on that file system"
#pragma once

#include <string>
#include <string_view>

#include "common/base/error.h"

namespace meldevakt::posix {

[[nodiscard]] Errc errc_of(int error_number);

// The remedy is left out where none is known.
[[nodiscard]] Error system_error(std::string_view what, const std::string& path, int error_number);

}  // namespace meldevakt::posix
