// Text as files hold it, for tests of framing.
#pragma once

#include <string>
#include <string_view>

#include "agent/decode/encoding.h"

namespace meldevakt::agent::testing_stored {

// ASCII in an encoding, without mark.
inline std::string stored(std::string_view ascii, Encoding encoding) {
  if (unit_bytes(encoding) == 1) return std::string{ascii};
  std::string out;
  for (const char c : ascii) {
    if (encoding == Encoding::kUtf16Be) out.push_back('\0');
    out.push_back(c);
    if (encoding == Encoding::kUtf16Le) out.push_back('\0');
  }
  return out;
}

}  // namespace meldevakt::agent::testing_stored
