// Time stamps that nobody vouches for, by formats that nobody vouches for: what is read exists, and
// is placed in UTC within a day of what is written. The input is a format, a line end, and a text.
#include <memory>
#include <string>

#include "agent/decode/encoding.h"
#include "agent/recognise/event_time.h"
#include "agent/recognise/time_format.h"
#include "common/base/check.h"
#include "common/testing/doubles.h"
#include "tests/fuzz/input.h"

namespace {

using meldevakt::as_utc;
using meldevakt::days;
using meldevakt::hours;
using meldevakt::Instant;
using meldevakt::agent::EventTime;
using meldevakt::agent::FileTime;
using meldevakt::agent::TimeFormat;
using meldevakt::agent::TimeStamp;

void place(const TimeStamp& stamp) {
  static const auto zone = meldevakt::testing::RuleTimeZones{}.find("Europe/Oslo").value();
  EventTime clock{zone};
  FileTime file;
  const Instant now{1'700'000'000'000};
  const auto first = clock.resolve(stamp, file, now);
  if (!first) return;
  if (stamp.has_year && stamp.has_date) {
    const std::int64_t apart = first->time.ms - as_utc(stamp.local).ms;
    MELDEVAKT_CHECK(apart >= -days(1).ms && apart <= days(1).ms);
  } else {
    MELDEVAKT_CHECK(first->time <= now + days(1) + hours(1));
  }
  MELDEVAKT_CHECK(meldevakt::agent::file_time_from_text(to_text(file)) == file);
  static_cast<void>(clock.resolve(stamp, file, std::nullopt));
}

}  // namespace

int fuzz_times(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = meldevakt::fuzz::text_of(data, size);
  const std::size_t line = std::min(input.find('\n'), input.size());
  const std::string_view text = input.substr(std::min(line + 1, input.size()));
  static_cast<void>(meldevakt::agent::offset_from_text(text));
  static_cast<void>(meldevakt::agent::file_time_from_text(text));
  const auto format = TimeFormat::parse(input.substr(0, line));
  if (!format) return 0;
  if (const auto stamp = format.value().read(text)) {
    MELDEVAKT_CHECK(meldevakt::is_valid(stamp->local));
    place(*stamp);
  }
  return 0;
}
