#include "agent/recognise/file_time.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace meldevakt::agent {

std::string_view to_string(TimeDoubt doubt) {
  switch (doubt) {
    case TimeDoubt::kNone: return "";
    case TimeDoubt::kTwoReadings: return "two_readings";
    case TimeDoubt::kSkipped: return "skipped";
    case TimeDoubt::kDayDeduced: return "day_deduced";
    case TimeDoubt::kArrival: return "arrival";
  }
  return "";
}

Duration time_error_of(TimeDoubt doubt) {
  switch (doubt) {
    case TimeDoubt::kNone: return Duration{0};
    case TimeDoubt::kTwoReadings:
    case TimeDoubt::kSkipped: return hours(1);
    case TimeDoubt::kDayDeduced:
    case TimeDoubt::kArrival: return hours(24);
  }
  return hours(24);
}

// "in force,doubt,offset,agrees": numbers, or nothing between the commas.
std::string to_text(const FileTime& time) {
  if (time == FileTime{}) return "";
  return (time.in_force ? std::to_string(time.in_force->ms) : "") + "," +
         std::to_string(static_cast<int>(time.doubt)) + "," +
         (time.utc_offset ? std::to_string(time.utc_offset->ms) : "") + "," +
         (time.zone_agrees ? "1" : "0");
}

FileTime file_time_from_text(std::string_view text) {
  std::array<std::optional<std::int64_t>, 4> numbers;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::string_view part = text.substr(0, text.find(','));
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (!part.empty()) {
      if (error != std::errc{} || end != part.data() + part.size()) return {};
      numbers.at(i) = value;
    }
    const bool last = part.size() == text.size();
    if (last != (i + 1 == numbers.size())) return {};
    if (!last) text.remove_prefix(part.size() + 1);
  }
  if (!numbers[1] || *numbers[1] < 0 || *numbers[1] > static_cast<int>(TimeDoubt::kArrival)) {
    return {};
  }
  FileTime out;
  if (numbers[0]) out.in_force = Instant{*numbers[0]};
  out.doubt = static_cast<TimeDoubt>(*numbers[1]);
  if (numbers[2]) out.utc_offset = Duration{*numbers[2]};
  out.zone_agrees = numbers[3] == 1;
  return out;
}

}  // namespace meldevakt::agent
