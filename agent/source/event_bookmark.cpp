#include "agent/source/event_bookmark.h"

#include "agent/frame/field_view.h"
#include "common/base/text.h"

namespace meldevakt::agent {
namespace {

Error corrupt(std::string_view what) {
  return {Errc::kCorrupt, std::string{what}};
}

std::string tidy_time(std::string_view time) {
  if (time.ends_with('Z')) time.remove_suffix(1);
  if (time.find('.') != std::string_view::npos) {
    while (time.ends_with('0')) time.remove_suffix(1);
    if (time.ends_with('.')) time.remove_suffix(1);
  }
  return std::string{time};
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '\'': out += "&apos;"; break;
      default: out += c;
    }
  }
  return out;
}

bool is_time(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789-:.TZ") == std::string_view::npos;
}

bool is_channel(std::string_view name) {
  return !name.empty() && name.size() <= kChannelBytesMax &&
         name.find_first_of("\n\r\\") == std::string_view::npos && is_utf8(name);
}

}  // namespace

Result<EventPlace> place_of_event(std::string_view xml) {
  const FieldView view = xml_view(xml, "Event");
  EventPlace out;
  out.channel = field_of(view.text, "System.Channel");
  out.time = tidy_time(field_of(view.text, "System.TimeCreated.SystemTime"));
  const auto record = parse_u64(field_of(view.text, "System.EventRecordID"));
  if (!record || !is_time(out.time) || !is_channel(out.channel)) {
    return corrupt("an event without channel, record number or time");
  }
  out.record = *record;
  return out;
}

std::string to_bookmark(const EventPlace& place) {
  return "<BookmarkList><Bookmark Channel='" + escaped(place.channel) + "' RecordId='" +
         std::to_string(place.record) + "' IsCurrent='true'/></BookmarkList>";
}

Result<EventPlace> parse_bookmark(std::string_view xml) {
  if (xml.size() > kBookmarkBytesMax) return corrupt("a bookmark longer than its bound");
  // Each element on its own: a list names every channel that was ever read with it.
  std::optional<EventPlace> found;
  for (std::size_t at = xml.find("<Bookmark "); at != std::string_view::npos;
       at = xml.find("<Bookmark ", at + 1)) {
    const std::size_t end = xml.find('>', at);
    if (end == std::string_view::npos) break;
    // As one element with an end of its own, which is what the field view reads.
    std::string element{xml.substr(at, end + 1 - at)};
    if (element.size() < 2 || element[element.size() - 2] != '/') continue;
    element.erase(element.size() - 2, 1);
    const FieldView view = xml_view("<List>" + element + "</Bookmark></List>", "List");
    EventPlace place;
    place.channel = field_of(view.text, "Bookmark.Channel");
    const auto record = parse_u64(field_of(view.text, "Bookmark.RecordId"));
    if (!record || !is_channel(place.channel))
      return corrupt("a bookmark without channel or number");
    place.record = *record;
    if (!found || field_of(view.text, "Bookmark.IsCurrent") == "true") found = std::move(place);
  }
  if (!found) return corrupt("this is no bookmark of an event log");
  return *found;
}

std::string to_string(const EventPlace& place) {
  return to_bookmark(place) + "\n" + place.time;
}

Result<EventPlace> parse_event_place(std::string_view text) {
  const std::size_t line = text.rfind('\n');
  if (line == std::string_view::npos) return corrupt("a place in an event log without a time");
  MELDEVAKT_TRY_ASSIGN(EventPlace out, parse_bookmark(text.substr(0, line)));
  out.time = text.substr(line + 1);
  return out;
}

EventStep step_to(const std::optional<EventPlace>& last, const EventPlace& next, bool resuming) {
  if (!last || next.record == last->record + 1) return EventStep::kNext;
  if (next.record > last->record) return EventStep::kJump;
  if (next.record == last->record && next.time == last->time) return EventStep::kAgain;
  // Only the beginning of a subscription brings what was read before; later a smaller number is
  // that of a cleared log, even if the clock was set back with it.
  return resuming && next.time <= last->time ? EventStep::kAgain : EventStep::kRestart;
}

}  // namespace meldevakt::agent
