#include "common/platform/time_zones.h"

#include <date/tz.h>  // built over the system's compiled zone files (USE_OS_TZDB)

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/text.h"

namespace meldevakt {
namespace {

// One stretch of constant offset: [from, to) in UTC milliseconds.
struct Stretch {
  std::int64_t from;
  std::int64_t to;
  std::int64_t offset;
};

constexpr std::int64_t kEnd = 253'402'300'800'000;  // 10000-01-01, the end of our time values

// A copy of the zone's changes: looking up allocates nothing, takes no lock and cannot throw, which
// the library's own look-up does not promise.
class IanaTimeZone : public TimeZone {
 public:
  IanaTimeZone(std::string name, std::vector<Stretch> stretches)
      : name_{std::move(name)}, stretches_{std::move(stretches)} {}

  [[nodiscard]] Utc to_utc(const LocalTime& local) const override {
    const std::int64_t written = as_utc(local).ms;
    // No offset is a day long: the stretches that can hold this time begin a day before it.
    auto stretch = at(written - days(1).ms);
    std::int64_t before_gap = written - stretch->offset;
    for (; stretch != stretches_.end() && stretch->from <= written + days(1).ms; ++stretch) {
      const std::int64_t reading = written - stretch->offset;
      if (reading < stretch->from) break;  // spring skipped it: the offset before holds
      if (reading < stretch->to) {
        return {{reading}, second_reading(written, reading, stretch), false};
      }
      before_gap = reading;
    }
    return {{before_gap}, std::nullopt, true};
  }

  [[nodiscard]] Duration utc_offset(Instant instant) const override {
    return {at(instant.ms)->offset};
  }
  [[nodiscard]] std::string name() const override { return name_; }

 private:
  using Position = std::vector<Stretch>::const_iterator;

  [[nodiscard]] Position at(std::int64_t utc) const {
    const auto after =
        std::upper_bound(stretches_.begin(), stretches_.end(), utc,
                         [](std::int64_t t, const Stretch& stretch) { return t < stretch.from; });
    return after == stretches_.begin() ? after : std::prev(after);
  }

  [[nodiscard]] std::optional<Instant> second_reading(std::int64_t written, std::int64_t first,
                                                      Position stretch) const {
    const auto next = std::next(stretch);
    if (next == stretches_.end()) return std::nullopt;
    const std::int64_t reading = written - next->offset;
    if (reading < next->from || reading >= next->to || reading == first) return std::nullopt;
    return Instant{reading};
  }

  std::string name_;
  std::vector<Stretch> stretches_;  // never empty, without holes
};

std::int64_t to_ms(date::sys_seconds at) {
  // The library's "for ever" overflows as milliseconds.
  const std::int64_t s = at.time_since_epoch().count();
  return std::clamp<std::int64_t>(s, 0, kEnd / 1000) * 1000;
}

std::vector<Stretch> stretches_of(const date::time_zone& zone) {
  std::vector<Stretch> out;
  date::sys_seconds at{std::chrono::seconds{0}};
  while (to_ms(at) < kEnd) {
    const date::sys_info info = zone.get_info(at);
    const std::int64_t offset = std::chrono::milliseconds{info.offset}.count();
    if (!out.empty() && out.back().offset == offset) {
      out.back().to = to_ms(info.end);  // only the name changed, or whether it is called summer
    } else {
      out.push_back({to_ms(at), to_ms(info.end), offset});
    }
    at = info.end;
  }
  return out;
}

Error unknown_zone(std::string_view name) {
  std::string message = "there is no time zone " + quoted(name);
  std::vector<std::string> known;
  for (const date::time_zone& zone : date::get_tzdb().zones) known.push_back(zone.name());
  if (const auto near = nearest_name(name, known)) {
    message += "; did you mean '" + *near + "'?";
  } else {
    message += "; write it as in the IANA database, e.g. 'Europe/Oslo' or 'UTC'";
  }
  return Error{Errc::kInvalid, std::move(message)};
}

}  // namespace

Result<std::shared_ptr<const TimeZone>> SystemTimeZones::find(std::string_view name) {
  try {
    static_cast<void>(date::get_tzdb());  // throws when the machine has no zone data
    try {
      const date::time_zone* const zone = date::locate_zone(name);
      return std::shared_ptr<const TimeZone>{
          std::make_shared<IanaTimeZone>(std::string{name}, stretches_of(*zone))};
    } catch (const std::exception&) {
      return unknown_zone(name);
    }
  } catch (const std::exception& problem) {
    return Error{Errc::kIo, "cannot read the system's time zones: " + quoted(problem.what(), 200) +
                                "; install the package tzdata"};
  }
}

}  // namespace meldevakt
