#include "agent/source/journal_source.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "agent/summarise/content_name.h"

namespace meldevakt::agent {
namespace {

// The last cursor of each sequence, newest last.
class Places {
 public:
  [[nodiscard]] bool empty() const { return cursors_.empty(); }
  [[nodiscard]] const JournalCursor& newest() const { return cursors_.back(); }
  [[nodiscard]] const JournalCursor* of(const std::string& sequence_id) const {
    for (const JournalCursor& cursor : cursors_) {
      if (cursor.sequence_id == sequence_id) return &cursor;
    }
    return nullptr;
  }
  void note(const JournalCursor& cursor) {
    std::erase_if(cursors_,
                  [&](const JournalCursor& c) { return c.sequence_id == cursor.sequence_id; });
    if (cursors_.size() == kJournalSequencesMax) cursors_.erase(cursors_.begin());
    cursors_.push_back(cursor);
  }
  [[nodiscard]] std::string text() const {
    std::string out;
    for (const JournalCursor& cursor : cursors_) {
      out.append(out.empty() ? "" : "\n").append(to_string(cursor));
    }
    return out;
  }
  [[nodiscard]] static Result<Places> parse(std::string_view text) {
    Places out;
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      MELDEVAKT_TRY_ASSIGN(const JournalCursor cursor, parse_journal_cursor(line));
      out.note(cursor);
      text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return out;
  }

 private:
  std::vector<JournalCursor> cursors_;
};

}  // namespace

struct JournalSource::State {
  struct Pending {
    std::uint64_t end = 0;  // of the bytes up to and including this entry
    JournalCursor cursor;
  };

  Settings settings;
  std::unique_ptr<Journal> journal;
  bool placed = false;  // the journal stands behind places.newest()
  std::optional<Instant> looked_at;
  ReadState refused_state = ReadState::kUnknown;
  std::string refused_reason;
  std::string last_trouble;

  Places places;                              // read
  Places settled;                             // in records that are finished
  std::deque<Pending> pending;                // read, not settled
  std::optional<JournalCursor> looked_again;  // behind a hole
  bool gone_is_told = false;                  // nothing was read since

  std::string key;  // of the stream; "" before the first entry
  bool begun = false;
  std::uint64_t offset = 0;
  std::uint64_t settled_offset = 0;
  KnownFile stored;
  std::vector<std::string> forgotten;
  std::vector<SourceNote> notes;

  void restore(const std::vector<KnownFile>& known);
  void trouble(std::string text);
  bool refuse(ReadState state, std::string_view reason, std::string text);
  bool ready(Instant now);
  Status read(FileSink& sink, std::size_t bytes_max, SourceTurn& turn);
  Result<bool> place(FileSink& sink);
  Result<bool> step(FileSink& sink);
  Result<bool> is_new(FileSink& sink, const JournalCursor& cursor);
  std::size_t take(FileSink& sink, const JournalCursor& cursor);
  void note_read(const JournalCursor& cursor);
  void begin(FileSink& sink);
  void lose(FileSink& sink, std::string_view what);
  void settle(std::uint64_t until);
};

void JournalSource::State::restore(const std::vector<KnownFile>& known) {
  for (const KnownFile& row : known) {
    const Result<Places> read = Places::parse(row.cursor);
    if (!read || read.value().empty()) {
      notes.push_back({true,
                       "the place in the journal cannot be read back: it is read from its "
                       "oldest entry; ids of facts stay the same"});
      forgotten.push_back(row.key);
      continue;
    }
    if (!key.empty()) forgotten.push_back(key);
    key = row.key;
    offset = row.offset;
    settled_offset = row.offset;
    places = read.value();
    settled = places;
    stored = row;
  }
}

void JournalSource::State::trouble(std::string text) {
  if (text == last_trouble) return;
  last_trouble = text;
  notes.push_back({true, std::move(text)});
}

bool JournalSource::State::refuse(ReadState state, std::string_view reason, std::string text) {
  refused_state = state;
  refused_reason = reason;
  trouble(std::move(text));
  journal.reset();
  placed = false;
  return false;
}

// Opens the journal, and looks from time to time whether all of it may be read.
bool JournalSource::State::ready(Instant now) {
  const bool is_due = !looked_at || now < *looked_at || now - *looked_at >= kJournalOpenEvery;
  if (!is_due) return journal != nullptr;
  looked_at = now;
  if (journal == nullptr) {
    auto opened = settings.open();
    if (!opened) {
      const bool absent = opened.error().code() == Errc::kNotFound;
      return refuse(absent ? ReadState::kAbsent : ReadState::kGap,
                    absent ? "no_journal" : "unreadable", opened.error().message());
    }
    journal = std::move(opened).value();
    placed = false;
  }
  const JournalAccess access = journal->access();
  if (!access.refused.empty()) {
    return refuse(ReadState::kGap, "permission",
                  access.refused +
                      " may not be read: add the agent's user to the group "
                      "systemd-journal and restart the agent");
  }
  if (access.files == 0) {
    return refuse(ReadState::kAbsent, "no_journal", "there is no journal yet; waiting for one");
  }
  last_trouble.clear();
  return true;
}

// Steps behind the last entry that was read. True: it stands at an entry not looked at yet.
Result<bool> JournalSource::State::place(FileSink& sink) {
  placed = true;
  if (places.empty()) {
    MELDEVAKT_TRY(journal->seek_head());
    return false;
  }
  MELDEVAKT_TRY(journal->seek(places.newest()));
  MELDEVAKT_TRY_ASSIGN(const bool found, journal->next());
  if (!found) {
    if (!std::exchange(gone_is_told, true)) lose(sink, "the end of the journal");
    return false;
  }
  const Result<JournalCursor> at = journal->cursor();
  if (!at) return false;  // damaged: the numbers will tell what is missing
  if (same_entry(at.value(), places.newest())) {
    note_read(at.value());
    return false;
  }
  if (places.of(at.value().sequence_id) == nullptr) lose(sink, "everything up to a newer file");
  return true;
}

// Whether the journal now stands at an entry.
Result<bool> JournalSource::State::step(FileSink& sink) {
  if (!placed) {
    MELDEVAKT_TRY_ASSIGN(const bool stands, place(sink));
    if (stands) return true;
  }
  return journal->next();
}

// False: it was read before, or a hole is in front of it that is looked at again first.
Result<bool> JournalSource::State::is_new(FileSink& sink, const JournalCursor& cursor) {
  const JournalCursor* const last = places.of(cursor.sequence_id);
  if (last == nullptr || cursor.sequence == last->sequence + 1) return true;
  if (cursor.sequence <= last->sequence) return false;
  if (looked_again != cursor) {
    looked_again = cursor;
    MELDEVAKT_TRY(journal->refresh());
    MELDEVAKT_TRY(journal->seek(*last));
    return false;
  }
  lose(sink, std::to_string(cursor.sequence - last->sequence - 1) + " entries");
  return true;
}

void JournalSource::State::note_read(const JournalCursor& cursor) {
  places.note(cursor);
  gone_is_told = false;
  if (!pending.empty() && pending.back().end == offset &&
      pending.back().cursor.sequence_id == cursor.sequence_id) {
    pending.back().cursor = cursor;
  } else {
    pending.push_back({offset, cursor});
  }
}

void JournalSource::State::begin(FileSink& sink) {
  if (std::exchange(begun, true)) return;
  sink.begin_file(key, offset);
}

// Everything up to here is told, and what follows is another stream.
void JournalSource::State::lose(FileSink& sink, std::string_view what) {
  if (key.empty()) return;
  notes.push_back({true, "of the journal " + std::string{what} +
                             " is gone that was not read: removed too early, or damaged"});
  begin(sink);
  sink.end_file(key, FileEnd::kCut);
  settle(offset);
  forgotten.push_back(key);
  key = content_name("journal|" + key + "|" + places.text());
  begun = false;
  offset = 0;
  settled_offset = 0;
}

std::size_t JournalSource::State::take(FileSink& sink, const JournalCursor& cursor) {
  if (key.empty()) key = content_name("journal|" + settings.name + "|" + to_string(cursor));
  const Result<JournalEntry> entry = journal->entry();
  std::string line;
  if (entry && settings.filter.takes(entry.value())) {
    line = to_json_line(entry.value());
    begin(sink);
    sink.feed(key, line);
    offset += line.size();
  }
  note_read(cursor);
  if (!entry) lose(sink, "a damaged entry");
  return line.size();
}

Status JournalSource::State::read(FileSink& sink, std::size_t bytes_max, SourceTurn& turn) {
  MELDEVAKT_TRY(journal->refresh());
  for (std::size_t entries = 0; entries < kJournalEntriesMax && turn.bytes < bytes_max; ++entries) {
    MELDEVAKT_TRY_ASSIGN(const bool more, step(sink));
    if (!more) {
      turn.caught_up = true;
      break;
    }
    const Result<JournalCursor> cursor = journal->cursor();
    if (!cursor) continue;  // damaged: the numbers will tell what is missing
    MELDEVAKT_TRY_ASSIGN(const bool is_unread, is_new(sink, cursor.value()));
    if (is_unread) turn.bytes += take(sink, cursor.value());
  }
  return {};
}

void JournalSource::State::settle(std::uint64_t until) {
  while (!pending.empty() && pending.front().end <= until) {
    settled.note(pending.front().cursor);
    settled_offset = pending.front().end;
    pending.pop_front();
  }
}

JournalSource::JournalSource(Settings settings, const std::vector<KnownFile>& known)
    : state_{std::make_unique<State>()} {
  state_->settings = std::move(settings);
  state_->restore(known);
}

JournalSource::~JournalSource() = default;

SourceTurn JournalSource::poll(FileSink& sink, Instant now, std::size_t bytes_max) {
  State& s = *state_;
  SourceTurn turn;
  if (s.ready(now)) {
    if (const Status done = s.read(sink, bytes_max, turn); !done) {
      s.refuse(ReadState::kGap, "unreadable", done.error().message());
    }
  }
  if (s.journal == nullptr) {
    turn.caught_up = false;
    turn.put_off = true;
    turn.state = s.refused_state;
    turn.reason = s.refused_reason;
  } else {
    turn.state = ReadState::kRead;
  }
  return turn;
}

FileChanges JournalSource::changes(
    const std::function<std::uint64_t(const std::string& key)>& low_water) {
  State& s = *state_;
  FileChanges out;
  out.forgotten = std::exchange(s.forgotten, {});
  if (s.key.empty()) return out;
  s.settle(s.begun ? low_water(s.key) : s.offset);
  KnownFile row;
  row.key = s.key;
  row.offset = s.settled_offset;
  row.cursor = s.settled.text();
  if (row.cursor.empty() || row == s.stored) return out;
  s.stored = row;
  out.changed.push_back(std::move(row));
  return out;
}

std::vector<SourceNote> JournalSource::take_notes() {
  return std::exchange(state_->notes, {});
}

}  // namespace meldevakt::agent
