// One source of .evtx files: copies of one Windows event log that people or a job put into a
// folder, as `wevtutil epl` or copying makes them. Each event is handed on once, as XML
// (agent/unpack/evtx_events.h), with the facts it has when Windows itself is subscribed to.
//
//   EvtxSource source{{.name = "system", .globs = {"/srv/evtx/System*.evtx"}}, known};
//
// Copies overlap (the whole log every night), are written over, come late: what was told is known
// by its number and time (told_records.h), whatever file it stands in. A number that is missing
// before an event is one that was overwritten before it was copied, left out of the copy, or lost
// in a damaged part: the stream is ended kCut, so that coverage confesses the time between. A copy
// says nothing of the time after its last event, so the source never calls itself read up to now.
// What is damaged is missing by its numbers, unless another copy has it.
//
// A source is one log: that of the first event it ever read. Events of another log, or of another
// computer, are left out and told, for coverage speaks of one log. Forwarded events are therefore
// not read here. A computer that was given another name goes on counting, which is how it is known.
//
// A file is read when it has not changed for kEvtxRestFor, and again whenever it has changed; that
// it was read is stored. Of several the one with the oldest events comes first.
//
// Thread-safety: none. Memory: EvtxEvents', a place for each event not in a finished record.
// Bounds: `bytes_max`, kEvtxEventsMax events, kEvtxLooksMax files that are looked into and as many
// chunks without an event a poll; kEvtxFilesMax files; kEvtxNamesMax names. Errors: none; what
// refuses becomes state, reason and one note.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "agent/source/source_reader.h"

namespace meldevakt::agent {

inline constexpr Duration kEvtxLookEvery = seconds(2);
inline constexpr Duration kEvtxRestFor = seconds(2);
inline constexpr std::size_t kEvtxEventsMax = 512;
inline constexpr std::size_t kEvtxLooksMax = 8;
inline constexpr std::size_t kEvtxFilesMax = 10'000;
inline constexpr std::size_t kEvtxNamesMax = 8;  // that one computer had; of more the oldest goes

class EvtxSource final : public SourceReader {
 public:
  struct Settings {
    std::string name;
    std::vector<std::string> globs;
  };
  EvtxSource(Settings settings, const std::vector<KnownFile>& known);
  ~EvtxSource() override;

  [[nodiscard]] SourceTurn poll(FileSink& sink, Instant now, std::size_t bytes_max) override;
  [[nodiscard]] FileChanges changes(
      const std::function<std::uint64_t(const std::string& key)>& low_water) override;
  [[nodiscard]] std::vector<SourceNote> take_notes() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::agent
