// One record of a log: the unit that rules match. Header line plus what continues it, or the field
// view of a structured record.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/time.h"

namespace meldevakt::agent {

struct Record {
  std::string text;  // UTF-8, lines joined by '\n', without the last terminator; or the view
  std::uint64_t offset = 0;  // of the record's first byte in its file, as stored on disk
  std::uint64_t bytes =
      0;  // on disk, terminators included; the next record starts at offset + bytes
  std::uint32_t lines = 1;
  bool truncated = false;  // over a bound: `text` is a prefix, the rest was dropped and counted
  bool orphan = false;     // continuation lines with no header in front of them
  bool malformed = false;  // structured: not of its kind; `text` is what could be read
  bool context = false;    // says nothing itself but how or when others are to be read
  Instant read_at;         // `now` of the feed that brought its first line
};

}  // namespace meldevakt::agent
