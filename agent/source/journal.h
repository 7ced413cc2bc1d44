// A journal as a source needs it: entries in order, a place to go on from, and what of it may not
// be read. system_journal.h is libsystemd's; tests have one in memory.
//
// Thread-safety: none. No call waits for anything but a read from a local disk.
// Errors: kNotFound, kIo, kCorrupt; after one the object is thrown away and a new one opened.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "agent/source/journal_entry.h"
#include "common/base/result.h"

namespace meldevakt::agent {

struct JournalAccess {
  std::size_t files = 0;
  std::string refused;  // a file or folder that may not be read; "" when all may
};

class Journal {
 public:
  virtual ~Journal() = default;

  // Which files there are just now.
  [[nodiscard]] virtual JournalAccess access() = 0;
  // Takes notice of files that came and went since the last call.
  [[nodiscard]] virtual Status refresh() = 0;

  // Before the oldest entry.
  [[nodiscard]] virtual Status seek_head() = 0;
  // Before this entry, or, when it is gone, before the first of those that followed it.
  [[nodiscard]] virtual Status seek(const JournalCursor& cursor) = 0;
  // To the next entry; false when there is none yet.
  [[nodiscard]] virtual Result<bool> next() = 0;

  // Of the entry it stands at. entry(): with the fields that is_used_journal_field() names.
  [[nodiscard]] virtual Result<JournalCursor> cursor() = 0;
  [[nodiscard]] virtual Result<JournalEntry> entry() = 0;
};

// kNotFound: there is nothing to open here, with the reason.
using OpenJournal = std::function<Result<std::unique_ptr<Journal>>()>;

}  // namespace meldevakt::agent
