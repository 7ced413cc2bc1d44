// Time zones from the system's IANA data (Howard Hinnant's date). Thread-safety: safe for
// concurrent use.
#pragma once

#include "common/ports/time_zone.h"

namespace meldevakt {

class SystemTimeZones : public TimeZones {
 public:
  [[nodiscard]] Result<std::shared_ptr<const TimeZone>> find(std::string_view name) override;
};

}  // namespace meldevakt
