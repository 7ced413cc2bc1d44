#include "collector/incidents/ledger_entry.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "collector/correlate/told_names.h"
#include "common/summary/forms.h"
#include "common/summary/json.h"
#include "common/summary/json_reader.h"

namespace meldevakt::collector {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::string_view kRecovered = "recovered";
constexpr std::string_view kMistaken = "mistaken";
constexpr std::string_view kStoredCount = "stored_count";
constexpr std::string_view kTakenBack = "taken_back";

// Anything a person may write; control characters would steer a terminal.
bool is_note(std::string_view text) {
  if (text.size() > kNoteBytesMax) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

bool is_kind(std::string_view text) {
  return is_code(text);
}

template <typename Entry>
void write_head(JsonWriter& json, const Entry& entry, std::string_view kind) {
  json.begin_object();
  json.member("version", kVersion);
  json.member("number", entry.number);
  json.member("told", entry.told.ms);
  json.member("person", std::string_view{entry.person});
  json.member("note", std::string_view{entry.note});
  json.member("kind", kind);
}

void write_testimony(JsonWriter& json, const Testimony& entry) {
  if (const auto* recovered = std::get_if<MessageRecovered>(&entry.what)) {
    write_head(json, entry, kRecovered);
    json.member("message", std::string_view{recovered->message});
    json.member("when", recovered->when.ms);
    json.member("how", to_string(recovered->how));
  } else if (const auto* mistaken = std::get_if<SenderMistaken>(&entry.what)) {
    write_head(json, entry, kMistaken);
    json.member("message", std::string_view{mistaken->message});
  } else if (const auto* count = std::get_if<StoredCount>(&entry.what)) {
    write_head(json, entry, kStoredCount);
    json.member("from", count->span.from.ms);
    json.member("until", count->span.to.ms);
    json.member("form", count->form ? to_string(*count->form) : std::string_view{});
    json.member("count", count->count);
  } else {
    write_head(json, entry, kTakenBack);
    json.member("entry", std::get<TakenBack>(entry.what).entry);
  }
}

void write_decision(JsonWriter& json, const IncidentDecision& entry) {
  write_head(json, entry, to_string(entry.kind));
  if (entry.kind == DecisionKind::kTakenBack) {
    json.member("entry", entry.entry);
    return;
  }
  json.name("messages").begin_array();
  for (const std::string& message : entry.messages) json.value(std::string_view{message});
  json.end_array();
  if (!entry.verdicts.empty()) {
    json.name("verdicts").begin_array();
    for (const Verdict verdict : entry.verdicts) json.value(to_string(verdict));
    json.end_array();
  }
  if (entry.aware) json.member("aware", entry.aware->ms);
  if (!entry.notified) return;
  json.member("notified", entry.notified->ms);
  json.member("reference", std::string_view{entry.reference});
}

struct Head {
  std::uint64_t number = 0;
  Instant told;
  std::string person;
  std::string note;
};

LedgerEntry read_testimony(JsonReader& reader, Head head, std::string_view kind) {
  Testimony out{head.number, head.told, std::move(head.person), std::move(head.note), TakenBack{}};
  if (kind == kRecovered) {
    MessageRecovered what;
    what.message = reader.text("message", is_name);
    what.when = reader.instant("when");
    what.how = reader.word<RecoveredHow>("how", recovered_how_from_string);
    out.what = std::move(what);
  } else if (kind == kMistaken) {
    out.what = SenderMistaken{reader.text("message", is_name)};
  } else if (kind == kStoredCount) {
    StoredCount what;
    what.span.from = reader.instant("from");
    what.span.to = reader.instant("until");
    const std::string form = reader.text("form", is_code, true);
    what.form = form_from_string(form);
    reader.require(form.empty() || what.form.has_value(), "form", "not a word of its list");
    what.count = reader.count("count");
    out.what = what;
  } else {
    out.what = TakenBack{reader.count("entry")};
  }
  return out;
}

LedgerEntry read_decision(JsonReader& reader, Head head, DecisionKind kind) {
  IncidentDecision out;
  out.number = head.number;
  out.told = head.told;
  out.person = std::move(head.person);
  out.note = std::move(head.note);
  out.kind = kind;
  out.messages = reader.list<std::string>(
      "messages", kDecisionMessagesMax, [](const JsonValue& value) -> Result<std::string> {
        if (value.kind != JsonValue::Kind::kString || !is_name(value.text)) {
          return Error{Errc::kCorrupt, "not a message's name"};
        }
        return value.text;
      });
  if (kind == DecisionKind::kClose && reader.has("verdicts")) {
    out.verdicts = reader.list<Verdict>(
        "verdicts", kDecisionMessagesMax, [](const JsonValue& value) -> Result<Verdict> {
          const auto verdict = value.kind == JsonValue::Kind::kString
                                   ? verdict_from_string(value.text)
                                   : std::nullopt;
          if (!verdict) return Error{Errc::kCorrupt, "not a verdict"};
          return *verdict;
        });
    reader.require(!out.verdicts.empty(), "verdicts", "is left out rather than empty");
  }
  if (kind == DecisionKind::kAware) out.aware = reader.instant("aware");
  if (kind == DecisionKind::kNotified) {
    out.notified = reader.instant("notified");
    out.reference = reader.text("reference", is_name, true);
  }
  return out;
}

std::vector<std::string> messages_of(const LedgerEntry& entry) {
  if (const auto* decision = std::get_if<IncidentDecision>(&entry)) return decision->messages;
  const Testimony& testimony = std::get<Testimony>(entry);
  if (const auto* told = std::get_if<MessageRecovered>(&testimony.what)) return {told->message};
  if (const auto* told = std::get_if<SenderMistaken>(&testimony.what)) return {told->message};
  return {};
}

}  // namespace

std::uint64_t number_of(const LedgerEntry& entry) {
  return std::visit([](const auto& what) { return what.number; }, entry);
}

void set_number(LedgerEntry& entry, std::uint64_t number) {
  std::visit([number](auto& what) { what.number = number; }, entry);
}

void set_told(LedgerEntry& entry, Instant told) {
  std::visit([told](auto& what) { what.told = told; }, entry);
}

std::string_view person_of(const LedgerEntry& entry) {
  return std::visit([](const auto& what) { return std::string_view{what.person}; }, entry);
}

Status check_entry_of_people(const LedgerEntry& entry) {
  if (const auto* testimony = std::get_if<Testimony>(&entry)) return check_testimony(*testimony);
  return check_decision(std::get<IncidentDecision>(entry));
}

std::string encode_entry(const LedgerEntry& entry) {
  JsonWriter json;
  if (const auto* testimony = std::get_if<Testimony>(&entry)) {
    write_testimony(json, *testimony);
  } else {
    write_decision(json, std::get<IncidentDecision>(entry));
  }
  json.end_object();
  return std::move(json).take();
}

Result<LedgerEntry> decode_entry(std::string_view text) {
  MELDEVAKT_TRY_ASSIGN(const JsonValue value, parse_json(text));
  JsonReader reader{value, "entry"};
  static_cast<void>(reader.integer("version", kVersion, kVersion));
  Head head;
  head.number = reader.count("number");
  head.told = reader.instant("told");
  head.person = reader.text("person", is_name);
  head.note = reader.text("note", is_note, true);
  const std::string kind = reader.text("kind", is_kind);
  const auto decision = decision_kind_from_string(kind);
  LedgerEntry out;
  if (kind == kRecovered || kind == kMistaken || kind == kStoredCount || kind == kTakenBack) {
    out = read_testimony(reader, std::move(head), kind);
  } else if (decision) {
    out = read_decision(reader, std::move(head), *decision);
  } else {
    reader.fail("kind", "not a word of its list");
  }
  MELDEVAKT_TRY(reader.finish());
  MELDEVAKT_TRY(check_entry_of_people(out));
  return out;
}

std::optional<std::uint64_t> takes_back(const LedgerEntry& entry) {
  if (const auto* decision = std::get_if<IncidentDecision>(&entry)) {
    if (decision->kind == DecisionKind::kTakenBack) return decision->entry;
    return std::nullopt;
  }
  const auto* const back = std::get_if<TakenBack>(&std::get<Testimony>(entry).what);
  if (back == nullptr) return std::nullopt;
  return back->entry;
}

std::set<std::uint64_t> taken_back(const std::vector<LedgerEntry>& entries) {
  std::map<std::uint64_t, std::uint64_t> takes;  // by number: which entry it takes back
  for (const LedgerEntry& entry : entries) {
    if (const auto back = takes_back(entry)) takes[number_of(entry)] = *back;
  }
  std::set<std::uint64_t> out;
  // From the newest on, so that who took back is itself taken back first.
  for (auto at = takes.rbegin(); at != takes.rend(); ++at) {
    if (out.count(at->first) == 0 && at->second < at->first) out.insert(at->second);
  }
  return out;
}

std::vector<TellsOfNobody> tells_of_nobody(const Correlation& all,
                                           const std::vector<LedgerEntry>& entries) {
  const std::set<std::uint64_t> gone = taken_back(entries);
  std::vector<TellsOfNobody> told;
  std::vector<std::string> asked;
  for (const LedgerEntry& entry : entries) {
    if (gone.count(number_of(entry)) != 0) continue;
    for (const std::string& name : messages_of(entry)) {
      told.push_back({number_of(entry), name});
      asked.push_back(name);
    }
  }
  const ToldNames names{all, asked};
  std::erase_if(told, [&](const TellsOfNobody& one) { return names.of(one.name).has_value(); });
  std::sort(told.begin(), told.end());
  return told;
}

EntriesOfPeople split_entries(const std::vector<LedgerEntry>& entries) {
  EntriesOfPeople out;
  for (const LedgerEntry& entry : entries) {
    if (const auto* decision = std::get_if<IncidentDecision>(&entry)) {
      out.decisions.push_back(*decision);
      if (decision->kind != DecisionKind::kTakenBack) continue;
      out.testimony.push_back({decision->number, decision->told, decision->person, decision->note,
                               TakenBack{decision->entry}});
      continue;
    }
    const auto& testimony = std::get<Testimony>(entry);
    out.testimony.push_back(testimony);
    const auto* const back = std::get_if<TakenBack>(&testimony.what);
    if (back == nullptr) continue;
    IncidentDecision decision;
    decision.number = testimony.number;
    decision.told = testimony.told;
    decision.person = testimony.person;
    decision.note = testimony.note;
    decision.kind = DecisionKind::kTakenBack;
    decision.entry = back->entry;
    out.decisions.push_back(std::move(decision));
  }
  return out;
}

}  // namespace meldevakt::collector
