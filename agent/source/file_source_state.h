// The inside of FileSource, shared by its parts: looking (file_source_look.cpp, and between
// listings file_source_sizes.cpp), copies
// (file_source_copies.cpp), archives (file_source_archives.cpp), reading (file_source.cpp) and what
// is over (file_source_over.cpp).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "agent/source/file_entries.h"
#include "agent/source/file_source.h"
#include "agent/source/folder.h"

namespace meldevakt::agent {

struct Seen {
  std::string path;
  FileStat stat;  // of an archive as stored
  bool in_glob = false;
  std::string first;  // of an archive nobody knew: its content's first bytes, at most kHeadBytesMax
};

// Which file of the source may follow which: those that are being read and are not empty.
struct Followers {
  std::unordered_map<std::string, const Entry*> by_path;
  std::unordered_map<std::string, const Entry*> newest_by_mask;  // dated_name_mask
  const Entry* newest = nullptr;                                 // by time
  const Entry* second_newest = nullptr;
};

// Whether an archive's content may be that of `file`.
[[nodiscard]] bool begins_like(const std::string& first, const KnownFile& file);

// A name in a folder, and the file that it stood for.
struct FolderName {
  std::string folder;
  std::string name;
  std::uint64_t inode = 0;
  auto operator<=>(const FolderName&) const = default;
};

struct FileSource::State {
  Settings settings;
  Entries entries;
  std::vector<std::string> forgotten;
  std::vector<SourceNote> notes;
  std::string buffer = std::string(kReadBytes, '\0');

  // What has been said, and what of it still holds: by the last look, by this turn's reading.
  std::set<std::string> noted;
  std::set<std::string> holds_by_look;
  std::set<std::string> holds_by_reading;
  bool looking = false;
  bool read_before = false;
  bool first_look = true;

  // The last listing.
  std::vector<std::string> glob_paths;
  std::vector<std::string> sibling_paths;
  std::vector<std::string> archive_paths;  // compressed ones, in the globs or beside them
  std::vector<std::string> folders;
  std::map<std::string, std::int64_t> folder_times;
  Instant listed;
  std::string list_problem;
  std::optional<Instant> moving_since;  // no look since then saw the names at rest

  // Reason codes of what could not be looked at or read.
  std::string look_refusal;
  std::string read_refusal;
  Turn last_turn{.reason = "starting"};
  std::set<std::pair<std::uint64_t, std::uint64_t>> unknown_ids;  // device and inode
  struct Unfinished {
    std::uint64_t size = 0;
    Instant since;  // it has had this size since then
  };
  std::map<std::string, Unfinished> unfinished;  // by path: archives that end in the middle
  bool archive_awaited = false;                  // a file that is missing may be in one of them
  std::size_t handles = 0;                       // open ones
  bool looked = false;                           // this turn listed the folders
  bool looked_at_all = false;                    // and this one asked all that are open
  Instant all_looked_at;
  std::optional<std::pair<bool, bool>> quiet_said;  // several logs, refused: told, nothing unread
  Instant judged;                      // when every file was last asked whether it is over
  std::optional<Followers> followers;  // of this turn
  bool again = false;  // reading met what the look did not show: look again before reading on
  std::uint64_t keys_made = 0;
  std::uint64_t deleted = 0;         // names of files that were read or known, and went
  std::deque<KnownFile> remembered;  // the newest of those, for who reads them again

  // --- file_source_look.cpp
  // False: names moved while it looked, so nothing may be concluded yet; look at the next poll.
  [[nodiscard]] bool look(FileSink& sink, Instant now);
  [[nodiscard]] bool listing_due(Instant now);
  void list(Instant now);
  [[nodiscard]] std::unordered_set<std::string> live_names(const std::string& folder) const;
  [[nodiscard]] std::vector<Seen> stat_all();
  [[nodiscard]] bool look_again(FileSink& sink, Instant now);
  [[nodiscard]] std::vector<FolderName> names_now() const;
  void match(const Seen& seen, std::vector<Seen>& unknown, Instant now);
  void start_over(Entry& entry, const FileStat& stat, Instant now);
  [[nodiscard]] bool verify(Entry& entry, const Seen& seen);
  // False: what is missing may be in an archive that is being written.
  [[nodiscard]] bool find_missing(std::vector<Seen>& unknown, FileSink& sink, Instant now);
  [[nodiscard]] bool find_by_inode(Entry& entry);
  // False: the name meanwhile stands for another file.
  [[nodiscard]] bool add(const Seen& seen, FileSink& sink, Instant now);
  [[nodiscard]] bool take_up(const Seen& seen, OpenFile opened, const FileStat& stat, Instant now);
  [[nodiscard]] bool rests_never(Instant now);

  // --- file_source_sizes.cpp
  void look_at_open(Instant now);
  void refresh(Entry& entry, const FileStat& stat, Instant now);

  // --- file_source_archives.cpp
  void look_at_archives(std::vector<Seen>& unknown, Instant now);
  [[nodiscard]] bool is_same_archive(Entry& entry, const Seen& seen);
  [[nodiscard]] bool wait_for(const Seen& seen, Instant now);
  void put_in_order(std::vector<Seen>& archives, const std::vector<Seen>& plain) const;
  [[nodiscard]] bool continues_in(const Entry& entry, const Seen& archive) const;
  [[nodiscard]] bool add_archive(const Seen& seen, FileSink& sink, Instant now);
  [[nodiscard]] Entry* finished_as(const Seen& seen, const OpenFile& opened) const;
  void add_known_archive(const Seen& seen, FileState state, Instant now);

  // --- file_source_again.cpp
  void remember(const KnownFile& file);
  [[nodiscard]] const KnownFile* known_by_key(const std::string& key) const;

  // --- file_source_copies.cpp
  void find_replaced(std::vector<Seen>& unknown, FileSink& sink, Instant now);
  void replaced(Entry& entry, std::vector<Seen>& unknown, FileSink& sink, Instant now);
  [[nodiscard]] bool adopt_copy(Entry& entry, std::vector<Seen>& unknown, Instant now);
  [[nodiscard]] std::string copy_of(const OpenFile& file, const FileStat& stat,
                                    bool is_archive) const;
  [[nodiscard]] static bool finish_shadow(Entry& entry);
  void revisit_shadows(Instant now);

  // --- file_source.cpp
  [[nodiscard]] std::vector<Entry*> reading_order(bool judge_all);
  [[nodiscard]] std::size_t read(Entry& entry, FileSink& sink, Instant now, std::size_t bytes_max);
  [[nodiscard]] bool changed_underneath(Entry& entry, std::uint64_t size);
  [[nodiscard]] std::size_t read_on(Entry& entry, FileSink& sink, Instant now,
                                    std::size_t bytes_max);
  [[nodiscard]] std::string_view without_padding(const Entry& entry, std::string_view bytes,
                                                 bool to_end) const;
  void finish(Entry& entry, FileSink& sink, FileEnd end);
  void begin(Entry& entry, FileSink& sink);
  [[nodiscard]] bool ensure_open(Entry& entry);
  void park_idle(Entry& entry);
  [[nodiscard]] bool remember_position(Entry& entry, std::uint64_t offset);

  [[nodiscard]] std::string make_key(const FileStat& stat, Instant now);
  // --- file_source_backlog.cpp
  void measure_backlog(Turn& turn) const;
  void tell_unread(FileSink& sink, bool refused);
  [[nodiscard]] static const std::string& log_of(Entry& entry);
  // --- file_source_over.cpp
  void forget_unseen();
  [[nodiscard]] bool is_judging_due(Instant now) const;
  [[nodiscard]] bool is_over(const Entry& entry, Instant now);
  [[nodiscard]] bool is_followed(const Entry& entry, Instant now);
  [[nodiscard]] const Followers& find_followers();

  void refuse(const std::string& path, const Error& error);
  void say_once(bool warning, const std::string& text);
};

inline constexpr std::size_t kOverlapBytes = 64;

}  // namespace meldevakt::agent
