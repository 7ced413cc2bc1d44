#include "agent/source/evtx_source.h"

#include <utility>

#include "agent/frame/field_view.h"
#include "agent/source/evtx_source_state.h"
#include "agent/summarise/content_name.h"
#include "common/base/text.h"

namespace meldevakt::agent {
namespace {

std::string computer_of(std::string_view xml) {
  const FieldView view = xml_view(xml, "Event");
  return std::string{field_of(view.text, "System.Computer")};
}

}  // namespace

void EvtxSource::State::restore(const std::vector<KnownFile>& known) {
  for (const KnownFile& row : known) {
    if (row.cursor.starts_with(kEvtxReadRow)) {
      EvtxCopy copy;
      const auto modified = parse_u64(std::string_view{row.cursor}.substr(kEvtxReadRow.size()));
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
    log = EvtxLogName::parse(std::string_view{row.cursor}.substr(0, line));
    told = std::move(read).value();
    settled = told;
    key = row.key;
    offset = row.offset;
    settled_offset = row.offset;
    stored = row;
  }
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

bool EvtxSource::State::is_of_this_log(const EvtxEvent& event, const EventPlace& place) {
  const std::string computer = computer_of(event.xml);
  if (log.computers.empty()) log = {place.channel, {computer}};
  if (place.channel != log.channel) return false;
  if (log.has(computer)) return true;
  if (!told.leads_to(place)) return false;
  log.add(computer);
  notes.push_back({false, "the computer of its log goes on as " + computer});
  return true;
}

std::size_t EvtxSource::State::take(FileSink& sink, const EvtxEvent& event) {
  const Result<EventPlace> place = place_of_event(event.xml);
  if (!place) {
    ++reading->missing;
    cut(sink);
    return 0;
  }
  if (!is_of_this_log(event, place.value())) {
    ++reading->others;
    reading->other_log = place.value().channel + EvtxLogName::kOf + computer_of(event.xml);
    return 0;
  }
  if (told.holds(place.value())) return 0;
  if (const std::uint64_t missing = told.missing_before(place.value()); missing > 0) {
    reading->missing += missing;
    cut(sink);
  }
  if (key.empty()) {
    key = content_name("evtx|" + settings.name + "|" + log.text() + "|" + to_string(place.value()));
  }
  begin(sink);
  const std::string text = event.xml.ends_with('\n') ? event.xml : event.xml + "\n";
  sink.feed(key, text);
  offset += text.size();
  told.add(place.value());
  pending.push_back({offset, place.value()});
  return text.size();
}

void EvtxSource::State::end_reading() {
  const EvtxReading& done = *reading;
  if (const auto copy = copies.find(done.path); copy != copies.end()) {
    copy->second.read = done.version;
  }
  if (done.events->damage().any()) {
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
                               ": this source reads " + log.text() + "; make one for each log"});
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
  // Until every copy is known none is taken up: the oldest events come first.
  turn.put_off = s.reading != nullptr || s.look_into(now);
  for (std::size_t work = 0; turn.put_off && s.open_next(now);) {
    if (work >= kEvtxEventsMax || turn.bytes >= bytes_max) {
      turn.put_off = false;
      break;
    }
    const Result<std::optional<EvtxEvent>> event = s.reading->events->next();
    work += event && event.value() ? 1 : kEvtxEventsMax / kEvtxLooksMax;
    if (!event) {
      const std::string path = s.reading->path;
      s.end_reading();
      if (const auto copy = s.copies.find(path); copy != s.copies.end()) {
        s.refuse(copy->second, path, event.error(), now);
      }
    } else if (event.value()) {
      turn.bytes += s.take(sink, *event.value());
    }
    if (s.reading != nullptr && s.reading->events->done()) s.end_reading();
  }
  turn.drained = turn.put_off && s.all_read();
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
  row.cursor = s.log.text() + "\n" + s.settled.text();
  if (row == s.stored) return out;
  s.stored = row;
  out.changed.push_back(std::move(row));
  return out;
}

std::vector<SourceNote> EvtxSource::take_notes() {
  return std::exchange(state_->notes, {});
}

}  // namespace meldevakt::agent
