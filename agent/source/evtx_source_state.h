// What EvtxSource keeps: for its own .cpp files alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/source/evtx_source.h"
#include "agent/source/folder.h"
#include "agent/source/told_records.h"
#include "agent/unpack/evtx_events.h"

namespace meldevakt::agent {

// What tells that a file is another one than it was.
struct EvtxVersion {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  auto operator<=>(const EvtxVersion&) const = default;
};

struct EvtxCopy {
  EvtxVersion version;
  Instant since;                         // it has been this one since then
  std::optional<std::int64_t> first_ms;  // when its oldest event was written
  std::optional<EvtxVersion> read;
  bool stored = false;  // that it was read
  std::string refused;
};

// A copy that is being read.
struct EvtxReading {
  std::string path;
  EvtxVersion version;
  OpenFile file;
  std::unique_ptr<EvtxEvents> events;
  std::uint64_t missing = 0;
  std::uint64_t others = 0;  // events of another log
  std::string other_log;
};

// A channel of a computer, by every name that it had: "System of app01, app-prod-01".
struct EvtxLogName {
  std::string channel;
  std::vector<std::string> computers;

  [[nodiscard]] bool has(const std::string& computer) const {
    return std::find(computers.begin(), computers.end(), computer) != computers.end();
  }
  void add(const std::string& computer) {
    computers.push_back(computer);
    if (computers.size() > kEvtxNamesMax) computers.erase(computers.begin());
  }
  [[nodiscard]] std::string text() const {
    std::string out = channel + kOf;
    for (const std::string& one : computers) out += (&one == computers.data() ? "" : kNext) + one;
    return out;
  }
  static EvtxLogName parse(std::string_view text) {
    EvtxLogName out;
    const std::size_t of = text.rfind(kOf);
    out.channel = text.substr(0, of);
    if (of == std::string_view::npos) return out;
    for (text.remove_prefix(of + kOf.size()); !text.empty();) {
      const std::string_view one = text.substr(0, text.find(kNext));
      text.remove_prefix(std::min(text.size(), one.size() + kNext.size()));
      out.computers.emplace_back(one);
    }
    return out;
  }

  static inline const std::string kOf = " of ";
  static inline const std::string kNext = ", ";
};

// A row of the state that says that a copy was read: its number of bytes is the offset, its time
// the cursor.
inline constexpr std::string_view kEvtxReadRow = "read ";

struct EvtxSource::State {
  struct Pending {
    std::uint64_t end = 0;  // of the bytes up to and including this event
    EventPlace place;
  };

  Settings settings;
  std::map<std::string, EvtxCopy> copies;  // by path
  std::optional<Instant> looked_at;
  std::string look_problem;
  std::unique_ptr<EvtxReading> reading;
  bool any_file = false;

  EvtxLogName log;      // of no computer before the first event
  ToldRecords told;     // read
  ToldRecords settled;  // in records that are finished
  std::deque<Pending> pending;

  std::string key;  // of the stream; "" before the first event
  bool begun = false;
  std::uint64_t offset = 0;
  std::uint64_t settled_offset = 0;
  KnownFile stored;
  std::vector<std::string> forgotten;
  std::vector<SourceNote> notes;

  void restore(const std::vector<KnownFile>& known);
  void look(Instant now);
  bool look_into(Instant now);
  bool open_next(Instant now);
  Result<std::unique_ptr<EvtxReading>> open(const std::string& path, const EvtxVersion& version);
  void refuse(EvtxCopy& copy, const std::string& path, const Error& error, Instant now);
  std::size_t take(FileSink& sink, const EvtxEvent& event);
  bool is_of_this_log(const EvtxEvent& event, const EventPlace& place);
  void end_reading();
  void begin(FileSink& sink);
  void cut(FileSink& sink);
  void settle(std::uint64_t until);
  void store_copies(std::vector<KnownFile>& changed);
  [[nodiscard]] bool any_refused() const;
  [[nodiscard]] bool all_read() const;
};

}  // namespace meldevakt::agent
