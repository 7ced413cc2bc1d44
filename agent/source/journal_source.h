// One source of a systemd journal: its entries as lines of JSON (journal_entry.h), from the oldest
// on, followed as they are written.
//
//   JournalSource source{{.name = "os", .filter = filter, .open = open_system_journal("")}, known};
//   SourceTurn turn = source.poll(sink, now, 1 << 20);
//
// Nothing is lost and nothing doubled, over kills, rotation and several boots: every entry is read,
// also those that the filter does not take, and the numbers of each sequence must have no hole. A
// hole is looked at once more from before it, because a reader of several files that grow may pass
// an entry by; entries of it that were read already are known by their numbers. A hole that stays
// is content that is gone (vacuumed before it was read, or a damaged file): the stream is ended
// kCut and another begun behind it, so that coverage confesses the time between. So is a place to
// go on from that is gone with all of its sequence.
//
// A stream is what was read without a hole; its key is made of the first entry's cursor, and its
// offsets count the bytes of the lines, so that a run of entries is one range. The row of the state
// holds the last cursor of each of the last kJournalSequencesMax sequences, newest last.
//
// While a file of the journal may not be read nothing is read: what lies in it could not be told
// from what is gone. The journal is the buffer meanwhile.
//
// Thread-safety: none. Memory: one entry, and a cursor for each entry between low water and the
// last one read. Bounds: `bytes_max` and kJournalEntriesMax entries a poll. Errors: none; what
// refuses becomes state, reason and one note.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "agent/source/journal.h"
#include "agent/source/source_reader.h"

namespace meldevakt::agent {

inline constexpr std::size_t kJournalEntriesMax = 4096;
inline constexpr std::size_t kJournalSequencesMax = 16;
// A journal that refused is opened again no sooner; its files are looked at as often.
inline constexpr Duration kJournalOpenEvery = seconds(1);

class JournalSource final : public SourceReader {
 public:
  struct Settings {
    std::string name;
    JournalFilter filter;
    OpenJournal open;
  };

  JournalSource(Settings settings, const std::vector<KnownFile>& known);
  ~JournalSource() override;

  [[nodiscard]] SourceTurn poll(FileSink& sink, Instant now, std::size_t bytes_max) override;
  [[nodiscard]] FileChanges changes(
      const std::function<std::uint64_t(const std::string& key)>& low_water) override;
  [[nodiscard]] std::vector<SourceNote> take_notes() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::agent
