#include "agent/source/evtx_source.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "agent/frame/field_view.h"
#include "agent/source/folder.h"
#include "agent/source/told_records.h"
#include "agent/summarise/content_name.h"
#include "agent/unpack/evtx_events.h"
#include "common/base/text.h"

namespace meldevakt::agent {
namespace {

// What tells that a file is another one than it was.
struct Version {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  auto operator<=>(const Version&) const = default;
};

struct Copy {
  Version version;
  Instant since;                         // it has been this one since then
  std::optional<std::int64_t> first_ms;  // when its oldest event was written
  std::optional<Version> read;
  bool stored = false;  // that it was read
  std::string refused;
};

// A row that says that a copy was read: its number of bytes is the offset, its time the cursor.
constexpr std::string_view kReadRow = "read ";

// A copy that is being read.
struct Reading {
  std::string path;
  Version version;
  OpenFile file;
  std::unique_ptr<EvtxEvents> events;
  std::uint64_t missing = 0;
  std::uint64_t others = 0;  // events of another log
  std::string other_log;
};

std::string key_of(const std::string& path) {
  return content_name("evtx copy|" + path);
}

std::string log_of(std::string_view xml, const EventPlace& place) {
  const FieldView view = xml_view(xml, "Event");
  return place.channel + " of " + std::string{field_of(view.text, "System.Computer")};
}

}  // namespace

struct EvtxSource::State {
  struct Pending {
    std::uint64_t end = 0;  // of the bytes up to and including this event
    EventPlace place;
  };

  Settings settings;
  std::map<std::string, Copy> copies;  // by path
  std::optional<Instant> looked_at;
  std::string look_problem;
  std::unique_ptr<Reading> reading;
  bool any_file = false;

  std::string log;      // "System of app01"; "" before the first event
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
  bool open_next(Instant now);
  Result<std::unique_ptr<Reading>> open(const std::string& path, const Version& version);
  void refuse(Copy& copy, const std::string& path, const Error& error, Instant now);
  std::size_t take(FileSink& sink, const EvtxEvent& event);
  void end_reading(FileSink& sink);
  void begin(FileSink& sink);
  void cut(FileSink& sink);
  void settle(std::uint64_t until);
  void store_copies(std::vector<KnownFile>& changed);
  [[nodiscard]] bool any_refused() const;
};

void EvtxSource::State::restore(const std::vector<KnownFile>& known) {
  for (const KnownFile& row : known) {
    if (row.cursor.starts_with(kReadRow)) {
      Copy copy;
      const auto modified = parse_u64(std::string_view{row.cursor}.substr(kReadRow.size()));
      copy.version = {row.device, row.inode, row.offset,
                      static_cast<std::int64_t>(modified.value_or(0))};
      copy.read = copy.version;
      copy.stored = true;
      copies.emplace(row.path, std::move(copy));
      continue;
    }
    // The log's name, then what was told of it.
    const std::size_t line = row.cursor.find('\n');
    auto read = ToldRecords::parse(
        line == std::string::npos ? "?" : std::string_view{row.cursor}.substr(line + 1));
    if (!read || !key.empty()) {
      notes.push_back({true,
                       "what was told of its event log cannot be read back: the copies are read "
                       "again; ids of facts stay the same"});
      forgotten.push_back(row.key);
      continue;
    }
    log = row.cursor.substr(0, line);
    told = std::move(read).value();
    settled = told;
    key = row.key;
    offset = row.offset;
    settled_offset = row.offset;
    stored = row;
  }
}

void EvtxSource::State::look(Instant now) {
  if (looked_at && now >= *looked_at && now - *looked_at < kEvtxLookEvery) return;
  looked_at = now;
  const Expansion found = expand(settings.globs);
  std::string problem = found.problem;
  if (problem.empty() && (found.cut || found.paths.size() > kEvtxFilesMax)) {
    problem = "more than " + std::to_string(kEvtxFilesMax) +
              " files match, and not all are read: move away those that were";
  }
  if (problem != look_problem) {
    look_problem = problem;
    if (!look_problem.empty()) notes.push_back({true, look_problem});
  }
  std::map<std::string, Copy> seen;
  for (const std::string& path : found.paths) {
    const auto stat = stat_path(path);
    if (!stat || !stat.value().regular || seen.size() == kEvtxFilesMax) continue;
    const Version version{stat.value().device, stat.value().inode, stat.value().size,
                          stat.value().modified_ns};
    Copy copy;
    if (const auto known = copies.find(path); known != copies.end()) copy = known->second;
    if (copy.version != version || now < copy.since) {
      copy.version = version;
      copy.since = now;
      copy.first_ms.reset();
      copy.stored = copy.stored && copy.read == version;
    }
    seen.emplace(path, std::move(copy));
  }
  for (const auto& [path, copy] : copies) {
    if (copy.stored && !seen.contains(path)) forgotten.push_back(key_of(path));
  }
  copies = std::move(seen);
  any_file = !copies.empty();
}

bool EvtxSource::State::any_refused() const {
  return !look_problem.empty() || std::any_of(copies.begin(), copies.end(), [](const auto& copy) {
    return !copy.second.refused.empty();
  });
}

void EvtxSource::State::refuse(Copy& copy, const std::string& path, const Error& error,
                               Instant now) {
  // What is no event log will be none until it changes; what the system refuses it may give later.
  const bool is_final = error.code() == Errc::kCorrupt || error.code() == Errc::kLimit;
  if (is_final) {
    copy.read = copy.version;
  } else {
    copy.read.reset();
    copy.since = now;
  }
  if (copy.refused == error.message()) return;
  copy.refused = error.message();
  notes.push_back({true, path + ": " + error.message()});
}

Result<std::unique_ptr<Reading>> EvtxSource::State::open(const std::string& path,
                                                         const Version& version) {
  auto out = std::make_unique<Reading>();
  out->path = path;
  out->version = version;
  MELDEVAKT_TRY_ASSIGN(out->file, OpenFile::open(path));
  MELDEVAKT_TRY_ASSIGN(const FileStat stat, out->file.stat());
  const ReadRaw read_raw = [&file = out->file](std::uint64_t at, char* to, std::size_t size) {
    return file.read(at, to, size);
  };
  MELDEVAKT_TRY_ASSIGN(out->events, EvtxEvents::open(read_raw, stat.size));
  return out;
}

// Takes up the copy with the oldest events of those that rest and were not read as they are.
bool EvtxSource::State::open_next(Instant now) {
  if (reading != nullptr) return true;
  Copy* next = nullptr;
  const std::string* next_path = nullptr;
  for (auto& [path, copy] : copies) {
    if (copy.read == copy.version || now - copy.since < kEvtxRestFor) continue;
    if (!copy.first_ms) {
      const auto opened = open(path, copy.version);
      if (!opened) {
        refuse(copy, path, opened.error(), now);
        continue;
      }
      copy.first_ms = opened.value()->events->first_written_ms();
    }
    if (next != nullptr && *next->first_ms <= *copy.first_ms) continue;
    next = &copy;
    next_path = &path;
  }
  if (next == nullptr) return false;
  auto opened = open(*next_path, next->version);
  if (!opened) {
    refuse(*next, *next_path, opened.error(), now);
    return false;
  }
  next->refused.clear();
  reading = std::move(opened).value();
  return true;
}

void EvtxSource::State::begin(FileSink& sink) {
  if (!std::exchange(begun, true)) sink.begin_file(key, offset);
}

// Everything up to here is told, and what follows is another stream. Where nothing was told since
// the last cut the gap is open already.
void EvtxSource::State::cut(FileSink& sink) {
  if (key.empty() || offset == 0) return;
  begin(sink);
  sink.end_file(key, FileEnd::kCut);
  settle(offset);
  forgotten.push_back(key);
  key = content_name("evtx|" + key + "|" + std::to_string(offset));
  begun = false;
  offset = 0;
  settled_offset = 0;
}

std::size_t EvtxSource::State::take(FileSink& sink, const EvtxEvent& event) {
  const Result<EventPlace> place = place_of_event(event.xml);
  if (!place) {
    ++reading->missing;
    cut(sink);
    return 0;
  }
  const std::string its_log = log_of(event.xml, place.value());
  if (log.empty()) log = its_log;
  if (its_log != log) {
    ++reading->others;
    reading->other_log = its_log;
    return 0;
  }
  if (told.holds(place.value())) return 0;
  if (const std::uint64_t missing = told.missing_before(place.value()); missing > 0) {
    reading->missing += missing;
    cut(sink);
  }
  if (key.empty()) {
    key = content_name("evtx|" + settings.name + "|" + log + "|" + to_string(place.value()));
  }
  begin(sink);
  const std::string text = event.xml.ends_with('\n') ? event.xml : event.xml + "\n";
  sink.feed(key, text);
  offset += text.size();
  told.add(place.value());
  pending.push_back({offset, place.value()});
  return text.size();
}

void EvtxSource::State::end_reading(FileSink& sink) {
  const Reading& done = *reading;
  if (const auto copy = copies.find(done.path); copy != copies.end()) {
    copy->second.read = done.version;
  }
  if (done.events->damage().any()) {
    cut(sink);
    notes.push_back({true, done.path + ": " + to_string(done.events->damage())});
  }
  if (done.missing > 0) {
    notes.push_back({true, done.path + ": " + std::to_string(done.missing) +
                               " events before those in it were never in a copy: copy the log "
                               "whole, and before it is full"});
  }
  if (done.others > 0) {
    notes.push_back({true, done.path + ": " + std::to_string(done.others) +
                               " events are left out, of the log " + done.other_log +
                               ": this source reads " + log + "; make one for each log"});
  }
  reading.reset();
}

void EvtxSource::State::settle(std::uint64_t until) {
  while (!pending.empty() && pending.front().end <= until) {
    settled.add(pending.front().place);
    settled_offset = pending.front().end;
    pending.pop_front();
  }
}

// Those of which every event is in a finished record.
void EvtxSource::State::store_copies(std::vector<KnownFile>& changed) {
  for (auto& [path, copy] : copies) {
    if (copy.stored || copy.read != copy.version || !copy.refused.empty()) continue;
    copy.stored = true;
    KnownFile row;
    row.key = key_of(path);
    row.path = path;
    row.device = copy.version.device;
    row.inode = copy.version.inode;
    row.offset = copy.version.size;
    row.cursor = std::string{kReadRow} + std::to_string(copy.version.modified_ns);
    changed.push_back(std::move(row));
  }
}

EvtxSource::EvtxSource(Settings settings, const std::vector<KnownFile>& known)
    : state_{std::make_unique<State>()} {
  state_->settings = std::move(settings);
  state_->restore(known);
}

EvtxSource::~EvtxSource() = default;

SourceTurn EvtxSource::poll(FileSink& sink, Instant now, std::size_t bytes_max) {
  State& s = *state_;
  SourceTurn turn;
  s.look(now);
  turn.put_off = true;
  for (std::size_t events = 0; s.open_next(now); ++events) {
    if (events == kEvtxEventsMax || turn.bytes >= bytes_max) {
      turn.put_off = false;
      break;
    }
    const Result<std::optional<EvtxEvent>> event = s.reading->events->next();
    if (!event) {
      const std::string path = s.reading->path;
      s.end_reading(sink);
      s.cut(sink);
      if (const auto copy = s.copies.find(path); copy != s.copies.end()) {
        s.refuse(copy->second, path, event.error(), now);
      }
    } else if (event.value()) {
      turn.bytes += s.take(sink, *event.value());
    } else {
      s.end_reading(sink);
    }
  }
  turn.state = s.any_refused() ? ReadState::kGap
               : s.any_file    ? ReadState::kRead
                               : ReadState::kAbsent;
  turn.reason = s.any_refused() ? "unreadable" : s.any_file ? "" : "no_file";
  return turn;
}

FileChanges EvtxSource::changes(
    const std::function<std::uint64_t(const std::string& key)>& low_water) {
  State& s = *state_;
  FileChanges out;
  if (!s.key.empty()) s.settle(s.begun ? low_water(s.key) : s.offset);
  if (s.pending.empty()) s.store_copies(out.changed);
  out.forgotten = std::exchange(s.forgotten, {});
  if (s.key.empty()) return out;
  KnownFile row;
  row.key = s.key;
  row.offset = s.settled_offset;
  row.cursor = s.log + "\n" + s.settled.text();
  if (row == s.stored) return out;
  s.stored = row;
  out.changed.push_back(std::move(row));
  return out;
}

std::vector<SourceNote> EvtxSource::take_notes() {
  return std::exchange(state_->notes, {});
}

}  // namespace meldevakt::agent
