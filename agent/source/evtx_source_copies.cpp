// The copies that an EvtxSource finds, and which of them is read next.
#include <algorithm>
#include <utility>

#include "agent/source/evtx_source_state.h"
#include "agent/summarise/content_name.h"

namespace meldevakt::agent {
namespace {

std::string key_of(const std::string& path) {
  return content_name("evtx copy|" + path);
}

bool rests(const EvtxCopy& copy, Instant now) {
  return copy.read != copy.version && now - copy.since >= kEvtxRestFor;
}

}  // namespace

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
  std::map<std::string, EvtxCopy> seen;
  for (const std::string& path : found.paths) {
    const auto stat = stat_path(path);
    if (!stat || !stat.value().regular || seen.size() == kEvtxFilesMax) continue;
    const EvtxVersion version{stat.value().device, stat.value().inode, stat.value().size,
                              stat.value().modified_ns};
    EvtxCopy copy;
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

bool EvtxSource::State::all_read() const {
  return std::all_of(copies.begin(), copies.end(),
                     [](const auto& copy) { return copy.second.read == copy.second.version; });
}

void EvtxSource::State::refuse(EvtxCopy& copy, const std::string& path, const Error& error,
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

Result<std::unique_ptr<EvtxReading>> EvtxSource::State::open(const std::string& path,
                                                             const EvtxVersion& version) {
  auto out = std::make_unique<EvtxReading>();
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

// When the oldest event of each copy was written; true when that is known of all. A folder of many
// copies is looked through over several polls.
bool EvtxSource::State::look_into(Instant now) {
  std::size_t looks = 0;
  for (auto& [path, copy] : copies) {
    if (!rests(copy, now) || copy.first_ms) continue;
    if (looks++ == kEvtxLooksMax) return false;
    if (const auto opened = open(path, copy.version)) {
      copy.first_ms = opened.value()->events->first_written_ms();
    } else {
      refuse(copy, path, opened.error(), now);
    }
  }
  return true;
}

// Takes up the copy with the oldest events of those that rest and were not read as they are.
bool EvtxSource::State::open_next(Instant now) {
  if (reading != nullptr) return true;
  EvtxCopy* next = nullptr;
  const std::string* next_path = nullptr;
  for (auto& [path, copy] : copies) {
    if (!rests(copy, now) || !copy.first_ms) continue;
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
    row.cursor = std::string{kEvtxReadRow} + std::to_string(copy.version.modified_ns);
    changed.push_back(std::move(row));
  }
}

}  // namespace meldevakt::agent
