// A time zone: from the local times that logs write to UTC. Implemented by common/platform over the
// system's zone data (IANA), and by common/testing for fixed offsets.
// Thread-safety: const and safe for concurrent use.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt {

class TimeZone {
 public:
  virtual ~TimeZone() = default;

  struct Utc {
    Instant first;                  // the only reading, or the earlier of two
    std::optional<Instant> second;  // the later reading, in the hour that autumn repeats
    bool skipped = false;           // no clock of the zone ever showed it: spring skips the hour
  };
  // Local times that spring skips are read with the offset before the change.
  [[nodiscard]] virtual Utc to_utc(const LocalTime& local) const = 0;
  [[nodiscard]] virtual Duration utc_offset(Instant at) const = 0;
  [[nodiscard]] virtual std::string name() const = 0;
};

class TimeZones {
 public:
  virtual ~TimeZones() = default;
  // kInvalid with the nearest known name when there is no such zone.
  [[nodiscard]] virtual Result<std::shared_ptr<const TimeZone>> find(std::string_view name) = 0;
};

}  // namespace meldevakt
