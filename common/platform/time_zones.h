// Time zones from the system's IANA data (Howard Hinnant's date). A zone found is a copy of its
// changes: to_utc() takes no lock and allocates nothing. Find it once, not per record.
//
// The library reads the compiled files' tables, which reach to 2037; later times get the offset
// after the last change there. Thread-safety: safe for concurrent use.
#pragma once

#include "common/ports/time_zone.h"

namespace meldevakt {

class SystemTimeZones : public TimeZones {
 public:
  [[nodiscard]] Result<std::shared_ptr<const TimeZone>> find(std::string_view name) override;
};

}  // namespace meldevakt
