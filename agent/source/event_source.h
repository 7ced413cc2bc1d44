// One source of Windows event channels: every event as the XML that EvtRender writes, one after
// another, for the pack `windows-events`.
//
//   EventSource source{{.name = "windows", .channels = {"System", "Application"}}, feed, known};
//
// Each channel is a stream, and the bookmark of the last event in a finished record is committed
// with the facts (event_bookmark.h). The numbers of a channel have no hole, so a hole, or numbers
// that begin anew (the log was cleared: events 1102 and 104), are events that are gone: the stream
// is ended kCut, and another begun, so that coverage confesses the time between. Events that are
// delivered again after a crash are known by number and time.
//
// Each channel is a log of its own: what is read of one says nothing of the others.
//
// A channel must be subscribed to whole: a query that leaves events out would look like holes.
//
// Thread-safety: none. Memory: one event, and a place for each event not in a finished record.
// Bounds: `bytes_max` a poll. Errors: none; what refuses becomes state, reason and one note.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/source/event_bookmark.h"
#include "agent/source/source_reader.h"

namespace meldevakt::agent {

// The event log as the source needs it; on Windows EvtSubscribe, EvtNext, EvtRender. No call waits.
class EventFeed {
 public:
  virtual ~EventFeed() = default;
  // From behind this event on, or, when it is gone or nullopt, from the oldest. Again after an
  // error. kNotFound: no such channel. kIo: it refuses, with the remedy in the message.
  [[nodiscard]] virtual Status subscribe(const std::string& channel,
                                         const std::optional<EventPlace>& after) = 0;
  // The next event's XML; nullopt when there is none just now.
  [[nodiscard]] virtual Result<std::optional<std::string>> next(const std::string& channel) = 0;
};

// A channel that refused is subscribed to again no sooner.
inline constexpr Duration kSubscribeEvery = seconds(5);

class EventSource final : public SourceReader {
 public:
  struct Settings {
    std::string name;
    std::vector<std::string> channels;
  };
  // `feed` outlives this.
  EventSource(Settings settings, EventFeed& feed, const std::vector<KnownFile>& known);
  ~EventSource() override;

  [[nodiscard]] SourceTurn poll(FileSink& sink, Instant now, std::size_t bytes_max) override;
  [[nodiscard]] FileChanges changes(
      const std::function<std::uint64_t(const std::string& key)>& low_water) override;
  [[nodiscard]] std::vector<SourceNote> take_notes() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::agent
