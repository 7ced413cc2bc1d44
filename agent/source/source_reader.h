// What every kind of source has in common: it hands bytes of named streams on to a sink, and says
// what must be remembered so that it goes on there after a crash.
//
//   class FileSource : public SourceReader     files that grow, rotate and are packed
//
// A stream is what FileSink calls a file: a file, one run of a journal, the samples of this host.
// Its key names it for ever. Its position is a KnownFile row of the state, in which a reader of
// something else than files keeps its own place (`cursor`); the row is committed with the facts
// that were concluded up to it.
//
// Thread-safety: none; one reader a source, used by one thread. A reader never blocks for longer
// than a read from a local disk takes, and never delays who writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/source/file_identity.h"
#include "agent/summarise/source_pipeline.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/summary/statement.h"

namespace meldevakt::agent {

// Where the bytes go: SourcePipeline's calls.
class FileSink {
 public:
  virtual ~FileSink() = default;
  virtual void begin_file(const std::string& key, std::uint64_t offset) = 0;
  // Where the file lies just now, and which log it is a part of (names.h, log_of_path); said before
  // it is begun, and only by readers of files.
  virtual void name_file(const std::string& key, const std::string& path, const std::string& log) {
    static_cast<void>(key), static_cast<void>(path), static_cast<void>(log);
  }
  // In each turn before bytes are fed, and again when that changes; not by readers of a single log.
  virtual void unread(const UnreadFiles& unread) { static_cast<void>(unread); }
  virtual void feed(const std::string& key, std::string_view bytes) = 0;
  virtual void end_file(const std::string& key, FileEnd end) = 0;
};

struct FileChanges {
  std::vector<KnownFile> changed;
  std::vector<std::string> forgotten;  // keys
};

// Something an operator should read once; never holds text of a log.
struct SourceNote {
  bool warning = false;
  std::string text;
};

// What could overtake reading: which old files are still there, and how they go.
struct SourceRotation {
  std::uint64_t deleted = 0;              // files that were seen and whose names went; only grows
  std::uint64_t unread_oldest = 0;        // of SourceTurn::unread, in the oldest file that has some
  std::uint32_t older_files = 0;          // that are still there and older than that one
  std::optional<Duration> rotated_every;  // mean time between the files' last changes
};

struct SourceTurn {
  std::size_t bytes = 0;
  bool caught_up = false;     // every byte there was has been handed on, of what was looked at
  bool looked_at_all = true;  // false: quiet streams were left for a later turn
  bool drained = false;       // ... but more of times that have passed may come: copies of a log
  bool put_off = false;       // nothing could be concluded just now; poll again later
  ReadState state = ReadState::kUnknown;
  std::string reason;
  std::uint64_t unread = 0;   // bytes that are known to be there and have not been handed on
  SourceRotation rotation{};  // of sources that rotate
};

class SourceReader {
 public:
  virtual ~SourceReader() = default;

  // Looks, then reads at most about `bytes_max`. Call again at once while
  // !caught_up && !put_off. Errors: none; what the system refuses becomes state, reason and a note.
  [[nodiscard]] virtual SourceTurn poll(FileSink& sink, Instant now, std::size_t bytes_max) = 0;

  // What is to be stored since the last call. `low_water`: of a stream that has been begun, where
  // reading must start again after a crash. A failed commit means: throw this object away.
  [[nodiscard]] virtual FileChanges changes(
      const std::function<std::uint64_t(const std::string& key)>& low_water) = 0;

  [[nodiscard]] virtual std::vector<SourceNote> take_notes() = 0;

  // Bytes of a stream that were handed on before, from `from` on, at most `size`, for the log hold.
  // Disturbs no reading. kNotFound: they are gone, or this kind of source keeps none; kIo.
  [[nodiscard]] virtual Result<std::string> read_again(const std::string& key, std::uint64_t from,
                                                       std::size_t size) {
    static_cast<void>(key), static_cast<void>(from), static_cast<void>(size);
    return Error{Errc::kNotFound, "what was read once from this source is nowhere"};
  }
  // What people call the stream: the file's name as last seen; "" when it has none.
  [[nodiscard]] virtual std::string path_of(const std::string& key) const {
    static_cast<void>(key);
    return {};
  }
};

}  // namespace meldevakt::agent
