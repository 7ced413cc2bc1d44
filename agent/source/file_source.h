// One source of files: finds them by globs, follows each by its identity through every rotation,
// and hands their bytes on, oldest first.
//
//   FileSource source{{.name = "trace", .globs = {"/var/log/app.log"}}, known, read_before};
//   FileSource::Turn turn = source.poll(sink, now, 1 << 20);
//   FileChanges changes = source.changes([&](const std::string& key) { return low_water(key); });
//
// What is followed:
//  - Rename rotation: the handle stays open; the old file is read to its end, and ended
//    (kComplete), when a newer file of the source has bytes. Siblings outside the globs
//    ("app.log.1") that appear after the source was first read are read too, so that rotations
//    while the agent was stopped or frozen lose nothing; those that lay there before are not ours.
//  - Copy and truncate: a copy is known by its content (same head, same bytes at our position) and
//    takes over the file's key and position; it is never read a second time. What was written
//    between copying and truncating is nowhere, and nobody can know whether there was any: the copy
//    is ended kCut.
//  - Truncated, or other content under the same inode: a new file. The old one is ended kLost
//    unless its content lies elsewhere.
//  - Deleted: read on through the handle and ended kComplete; without a handle, kLost.
//
// Looking is by polling; a notifier (inotify) can replace the waiting between polls without a
// change here: poll() only ever asks what there is now.
//
// Names move while it looks (a rotation is many renames), so nothing is read and nothing is called
// lost before a look during which no name moved; in a folder that never rests, after 3 seconds.
//
// Never blocks or delays the writer: files are opened for reading only, without locks; what is not
// a regular file is refused.
//
// Compressed siblings (.gz, .bz2, .zst, .zip) are read like the files they were made of: on from
// where a missing file was read to, from the start when nobody read them, not at all when they hold
// what was read to its end, or lay there before the source was first read.
//
// Thread-safety: none; one per source, used by one thread. Memory: one read buffer, one entry a
// file. Bounds: kReadBytes a read, `bytes_max` a poll, kOpenFilesMax handles, kKnownFilesMax
// entries. Errors: none; what the system refuses becomes read state, reason and one note.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/source/file_identity.h"
#include "agent/source/source_reader.h"
#include "common/base/time.h"

namespace meldevakt::agent {

inline constexpr std::size_t kReadBytes = 128 * 1024;
inline constexpr std::size_t kOpenFilesMax = 256;
inline constexpr std::size_t kKnownFilesMax = 20'000;
// A deleted file, or one that grew after it was taken for finished, is ended when quiet this long.
inline constexpr Duration kQuiet = seconds(60);
// Folders whose time stamps do not change are listed again after this all the same.
inline constexpr Duration kListEvery = seconds(5);
// While more files of several logs have unread bytes, events claim nothing.
inline constexpr std::size_t kUnreadToldMax = 256;
// A file that is not the newest and was not written for this long is ended.
inline constexpr Duration kRetireAfter = hours(24);

// Between listings the sizes of so many files are asked at every poll. Where more are open, one
// that has not grown for kQuietAfter is asked every kQuietLookEvery; until then the turn does not
// say that it looked at all.
inline constexpr std::size_t kLookedAtMax = 16;
inline constexpr Duration kQuietAfter = seconds(10);
inline constexpr Duration kQuietLookEvery = seconds(1);

class FileSource final : public SourceReader {
 public:
  struct Settings {
    std::string name;
    std::vector<std::string> globs;
    std::size_t known_files_max = kKnownFilesMax;
    std::size_t open_files_max = kOpenFilesMax;
  };
  using Turn = SourceTurn;

  // `known`: as committed. `read_before`: the source has been read by an earlier run, so files not
  // known are new, also beside the globs.
  FileSource(Settings settings, std::vector<KnownFile> known, bool read_before);
  ~FileSource() override;
  FileSource(FileSource&&) noexcept;
  FileSource& operator=(FileSource&&) noexcept;

  [[nodiscard]] Turn poll(FileSink& sink, Instant now, std::size_t bytes_max) override;
  [[nodiscard]] FileChanges changes(
      const std::function<std::uint64_t(const std::string& key)>& low_water) override;
  [[nodiscard]] std::vector<SourceNote> take_notes() override;
  [[nodiscard]] Result<std::string> read_again(const std::string& key, std::uint64_t from,
                                               std::size_t size) override;
  [[nodiscard]] std::string path_of(const std::string& key) const override;
  [[nodiscard]] std::size_t files() const;  // being read

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::agent
