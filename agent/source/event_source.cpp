#include "agent/source/event_source.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "agent/summarise/content_name.h"

namespace meldevakt::agent {
namespace {

struct Pending {
  std::uint64_t end = 0;  // of the bytes up to and including this event
  EventPlace place;
};

struct Channel {
  std::string name;
  bool subscribed = false;
  bool resuming = true;
  std::optional<Instant> tried;
  std::string trouble;
  ReadState state = ReadState::kUnknown;

  std::optional<EventPlace> read;
  std::optional<EventPlace> settled;  // in records that are finished
  std::deque<Pending> pending;

  std::string key;  // of the stream; "" before the first event
  bool begun = false;
  std::uint64_t offset = 0;
  std::uint64_t settled_offset = 0;
  KnownFile stored;

  void settle(std::uint64_t until) {
    while (!pending.empty() && pending.front().end <= until) {
      settled = pending.front().place;
      settled_offset = pending.front().end;
      pending.pop_front();
    }
  }
};

}  // namespace

struct EventSource::State {
  Settings settings;
  EventFeed& feed;
  std::vector<Channel> channels;
  std::vector<std::string> forgotten;
  std::vector<SourceNote> notes;

  void restore(const std::vector<KnownFile>& known);
  bool subscribe(Channel& channel, Instant now);
  void refuse(Channel& channel, const Error& error);
  bool read(Channel& channel, FileSink& sink, std::size_t bytes_max, SourceTurn& turn);
  void take(Channel& channel, FileSink& sink, const std::string& xml);
  void lose(Channel& channel, FileSink& sink, std::string_view why);
  void tell_unread(FileSink& sink, Instant now) const;
  static void begin(Channel& channel, FileSink& sink);
};

void EventSource::State::restore(const std::vector<KnownFile>& known) {
  for (const std::string& name : settings.channels) {
    channels.emplace_back().name = name;
  }
  for (const KnownFile& row : known) {
    const Result<EventPlace> place = parse_event_place(row.cursor);
    const auto of = std::find_if(channels.begin(), channels.end(), [&](const Channel& channel) {
      return place && channel.name == place.value().channel && channel.key.empty();
    });
    if (of == channels.end()) {
      forgotten.push_back(row.key);
      continue;
    }
    of->key = row.key;
    of->offset = row.offset;
    of->settled_offset = row.offset;
    of->read = place.value();
    of->settled = of->read;
    of->stored = row;
  }
}

void EventSource::State::refuse(Channel& channel, const Error& error) {
  channel.subscribed = false;
  channel.state = error.code() == Errc::kNotFound ? ReadState::kAbsent : ReadState::kGap;
  if (channel.trouble == error.message()) return;
  channel.trouble = error.message();
  notes.push_back({true, "the event channel " + channel.name + ": " + error.message()});
}

bool EventSource::State::subscribe(Channel& channel, Instant now) {
  if (channel.subscribed) return true;
  const bool is_due =
      !channel.tried || now < *channel.tried || now - *channel.tried >= kSubscribeEvery;
  if (!is_due) return false;
  channel.tried = now;
  if (const Status done = feed.subscribe(channel.name, channel.read); !done) {
    refuse(channel, done.error());
    return false;
  }
  channel.subscribed = true;
  channel.resuming = true;
  channel.trouble.clear();
  channel.state = ReadState::kRead;
  return true;
}

void EventSource::State::begin(Channel& channel, FileSink& sink) {
  if (std::exchange(channel.begun, true)) return;
  sink.name_file(channel.key, channel.name, channel.name);
  sink.begin_file(channel.key, channel.offset);
}

// Nobody knows whether a channel holds more before it is asked.
void EventSource::State::tell_unread(FileSink& sink, Instant now) const {
  UnreadFiles unread;
  unread.several_logs = channels.size() > 1;
  unread.looked = now;
  for (const Channel& channel : channels) {
    unread.files.push_back({channel.key, channel.name});
    unread.refused = unread.refused || channel.state == ReadState::kGap;
  }
  sink.unread(unread);
}

void EventSource::State::lose(Channel& channel, FileSink& sink, std::string_view why) {
  notes.push_back({true, "of the event channel " + channel.name + " " + std::string{why}});
  begin(channel, sink);
  sink.end_file(channel.key, FileEnd::kCut);
  channel.settle(channel.offset);
  forgotten.push_back(channel.key);
  // Made of the key before: where this is concluded again after a kill, it is another one.
  channel.key = content_name("events|" + channel.key + "|" + to_string(*channel.read));
  channel.begun = false;
  channel.offset = 0;
  channel.settled_offset = 0;
}

void EventSource::State::take(Channel& channel, FileSink& sink, const std::string& xml) {
  Result<EventPlace> place = place_of_event(xml);
  if (place) {
    // Forwarded events name the channel they come from; numbers are those of this one.
    place.value().channel = channel.name;
    const EventStep step = step_to(channel.read, place.value(), channel.resuming);
    if (step == EventStep::kAgain) return;
    if (step == EventStep::kJump) {
      lose(channel, sink,
           std::to_string(place.value().record - channel.read->record - 1) +
               " events were overwritten before they were read: make the log larger");
    } else if (step == EventStep::kRestart) {
      lose(channel, sink, "the log was cleared; what was not read yet is gone");
    }
    channel.resuming = false;
    channel.read = place.value();
  } else if (!channel.read) {
    return;  // no place yet, and none in it
  }
  if (channel.key.empty()) {
    channel.key = content_name("events|" + settings.name + "|" + to_string(*channel.read));
  }
  begin(channel, sink);
  sink.feed(channel.key, xml);
  sink.feed(channel.key, "\n");
  channel.offset += xml.size() + 1;
  channel.pending.push_back({channel.offset, *channel.read});
}

// False: there may be more.
bool EventSource::State::read(Channel& channel, FileSink& sink, std::size_t bytes_max,
                              SourceTurn& turn) {
  while (turn.bytes < bytes_max) {
    const Result<std::optional<std::string>> event = feed.next(channel.name);
    if (!event) {
      refuse(channel, event.error());
      return true;
    }
    if (!event.value()) return true;
    turn.bytes += event.value()->size() + 1;
    take(channel, sink, *event.value());
  }
  return false;
}

EventSource::EventSource(Settings settings, EventFeed& feed, const std::vector<KnownFile>& known)
    : state_{new State{std::move(settings), feed, {}, {}, {}}} {
  state_->restore(known);
}

EventSource::~EventSource() = default;

SourceTurn EventSource::poll(FileSink& sink, Instant now, std::size_t bytes_max) {
  State& s = *state_;
  SourceTurn turn;
  turn.caught_up = true;
  turn.state = ReadState::kRead;
  s.tell_unread(sink, now);
  for (Channel& channel : s.channels) {
    if (s.subscribe(channel, now) && !s.read(channel, sink, bytes_max, turn)) {
      turn.caught_up = false;
    }
    if (channel.subscribed || turn.state == ReadState::kGap) continue;
    // Of all channels the one that refuses says what may be claimed.
    turn.state = channel.state;
    turn.reason = channel.state == ReadState::kAbsent ? "no_channel" : "refused";
  }
  return turn;
}

FileChanges EventSource::changes(
    const std::function<std::uint64_t(const std::string& key)>& low_water) {
  State& s = *state_;
  FileChanges out;
  out.forgotten = std::exchange(s.forgotten, {});
  for (Channel& channel : s.channels) {
    if (channel.key.empty()) continue;
    channel.settle(channel.begun ? low_water(channel.key) : channel.offset);
    if (!channel.settled) continue;
    KnownFile row;
    row.key = channel.key;
    row.path = channel.name;
    row.offset = channel.settled_offset;
    row.cursor = to_string(*channel.settled);
    if (row == channel.stored) continue;
    channel.stored = row;
    out.changed.push_back(std::move(row));
  }
  return out;
}

std::vector<SourceNote> EventSource::take_notes() {
  return std::exchange(state_->notes, {});
}

}  // namespace meldevakt::agent
