// Where a Windows event log was read to, as Windows, a disk or an event says it: what is read is
// written back and read as the same.
#include <string>

#include "agent/source/event_bookmark.h"
#include "agent/source/told_records.h"
#include "common/base/check.h"
#include "tests/fuzz/input.h"

int fuzz_places(const std::uint8_t* data, std::size_t size) {
  using meldevakt::agent::EventPlace;
  using meldevakt::agent::ToldRecords;
  const std::string_view input = meldevakt::fuzz::text_of(data, size);
  if (const auto place = meldevakt::agent::place_of_event(input)) {
    const auto again =
        meldevakt::agent::parse_event_place(meldevakt::agent::to_string(place.value()));
    MELDEVAKT_CHECK(again && again.value() == place.value());
    ToldRecords told;
    MELDEVAKT_CHECK(told.missing_before(place.value()) == 0);
    told.add(place.value());
    MELDEVAKT_CHECK(told.holds(place.value()));
    const auto stored = ToldRecords::parse(told.text());
    MELDEVAKT_CHECK(stored && stored.value().holds(place.value()));
  }
  if (const auto place = meldevakt::agent::parse_event_place(input)) {
    const auto again =
        meldevakt::agent::parse_event_place(meldevakt::agent::to_string(place.value()));
    MELDEVAKT_CHECK(again && again.value() == place.value());
  }
  if (const auto bookmark = meldevakt::agent::parse_bookmark(input)) {
    const auto again =
        meldevakt::agent::parse_bookmark(meldevakt::agent::to_bookmark(bookmark.value()));
    MELDEVAKT_CHECK(again && again.value() == bookmark.value());
  }
  if (const auto told = ToldRecords::parse(input)) {
    const auto again = ToldRecords::parse(told.value().text());
    MELDEVAKT_CHECK(again && again.value().text() == told.value().text());
  }
  return 0;
}
