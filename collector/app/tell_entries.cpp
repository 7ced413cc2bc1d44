// From what is given on the command line, and what is known, to the entry that is told.
#include <algorithm>
#include <set>

#include "collector/app/tell_command.h"
#include "collector/registry/registry_csv.h"
#include "common/base/text.h"
#include "common/summary/forms.h"
#include "common/summary/json_reader.h"

namespace meldevakt::collector {
namespace {

Error refuse(const std::string& option, const std::string& why) {
  return Error{Errc::kInvalid, option + ": " + why};
}

std::string did_you_mean(const std::string& name, const std::vector<std::string>& names) {
  const auto nearest = nearest_name(name, names);
  return nearest ? "; did you mean '" + *nearest + "'?" : "";
}

// By any of its names.
Result<const MessageVerdict*> message_named(const View& view, const std::string& name) {
  std::vector<std::string> names;
  for (const MessageVerdict& message : view.correlation.messages) {
    if (message.message == name) return &message;
    names.push_back(message.message);
    for (const Reference& reference : message.references) {
      if (reference.value == name) return &message;
    }
  }
  return refuse("--message", "no message '" + meldevakt::quoted(name) + "' is known of '" +
                                 view.tenant.name + "'" + did_you_mean(name, names));
}

Result<const MessageVerdict*> the_message(const View& view, const TellOptions& options) {
  if (options.messages.size() != 1) return refuse("--message", "name one message");
  return message_named(view, options.messages.front());
}

Result<const Incident*> incident_named(const View& view, const std::string& id) {
  std::vector<std::string> ids;
  for (const Incident& incident : view.incidents) {
    if (incident.id == id) return &incident;
    ids.push_back(incident.id);
  }
  return refuse("--incident", "'" + view.tenant.name + "' has no incident '" +
                                  meldevakt::quoted(id) + "'" + did_you_mean(id, ids) +
                                  (ids.empty() ? "; it has none" : ""));
}

Result<const Incident*> the_incident(const View& view, const TellOptions& options) {
  if (options.incidents.size() != 1) return refuse("--incident", "name one incident");
  return incident_named(view, options.incidents.front());
}

Result<Instant> past_time(const std::string& option, const std::string& text, const View& view,
                          const TimeZone& zone) {
  if (text.empty()) return refuse(option, "a date or a time by RFC 3339 is needed");
  auto time = registry_time(text, {}, zone);
  if (!time) return std::move(time).error().in(option);
  if (view.correlation.now < time.value()) {
    return refuse(option, to_rfc3339(time.value()) + " lies in the future");
  }
  return time.value();
}

// A date without a time means that day: whether `at` is part of it.
bool is_of_day(const std::string& text, Instant day, Instant at, const TimeZone& zone) {
  constexpr std::size_t kDateBytes = 10;
  if (text.size() != kDateBytes) return false;
  const LocalTime said = to_local(day, zone.utc_offset(day));
  const LocalTime local = to_local(at, zone.utc_offset(at));
  return said.year == local.year && said.month == local.month && said.day == local.day;
}

Testimony testimony(const View& view, const TellOptions& options) {
  Testimony out;
  out.told = view.correlation.now;
  out.person = options.by;
  out.note = options.note;
  return out;
}

IncidentDecision decision(const View& view, const TellOptions& options, DecisionKind kind,
                          std::vector<std::string> messages) {
  IncidentDecision out;
  out.told = view.correlation.now;
  out.person = options.by;
  out.note = options.note;
  out.kind = kind;
  out.messages = std::move(messages);
  return out;
}

}  // namespace

Result<LedgerEntry> make_entry(MakeEntry make, const View& view, const TellOptions& options,
                               const TimeZone& zone) {
  const bool one_line = std::none_of(options.note.begin(), options.note.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (!one_line || !is_utf8(options.note)) return refuse("--note", "one line of UTF-8 is expected");
  if (!is_name(options.by)) return refuse("--by", "a name is needed: at most 64 bytes of UTF-8");
  MELDEVAKT_TRY_ASSIGN(LedgerEntry entry, make(view, options, zone));
  MELDEVAKT_TRY(check_entry_of_people(entry));
  return entry;
}

Result<LedgerEntry> tell_recovered(const View& view, const TellOptions& options,
                                   const TimeZone& zone) {
  MELDEVAKT_TRY_ASSIGN(const MessageVerdict* const message, the_message(view, options));
  const bool absent = needs_action(message->verdict);
  // Stored since: the log that tells so may be the recovery's own.
  const bool may_be = absent || message->verdict == Verdict::kRecovered ||
                      message->verdict == Verdict::kStoredAfterReceipt;
  if (!may_be) {
    return refuse("--message", "it is '" + std::string{to_string(message->verdict)} +
                                   "': there is nothing to recover");
  }
  MessageRecovered what;
  what.message = message->message;
  const auto how = recovered_how_from_string(options.how);
  if (!how) {
    return refuse("--how", "one of sent_again, downloaded, found, stored_by_hand is expected");
  }
  what.how = *how;
  MELDEVAKT_TRY_ASSIGN(what.when, past_time("--when", options.when, view, zone));
  if (!is_recovery_of(what, *message)) {
    return refuse("--message", "it was stored at " + to_rfc3339(*message->committed) +
                                   " as far as the log tells, and not by what is told: there is "
                                   "nothing to recover");
  }
  Testimony out = testimony(view, options);
  out.what = std::move(what);
  return LedgerEntry{std::move(out)};
}

Result<LedgerEntry> tell_mistaken(const View& view, const TellOptions& options, const TimeZone&) {
  MELDEVAKT_TRY_ASSIGN(const MessageVerdict* const message, the_message(view, options));
  Testimony out = testimony(view, options);
  out.what = SenderMistaken{message->message};
  return LedgerEntry{std::move(out)};
}

Result<LedgerEntry> tell_count(const View& view, const TellOptions& options, const TimeZone& zone) {
  StoredCount what;
  MELDEVAKT_TRY_ASSIGN(what.span.from, past_time("--from", options.from, view, zone));
  MELDEVAKT_TRY_ASSIGN(what.span.to, past_time("--until", options.until, view, zone));
  if (what.span.empty()) return refuse("--until", "must be later than --from");
  if (!options.form.empty()) {
    what.form = form_from_string(options.form);
    if (!what.form) return refuse("--form", "PRIVAT, OFFENTLIG or UKJENT is expected");
  }
  const auto count = parse_u64(options.count);
  if (!count || *count > static_cast<std::uint64_t>(JsonReader::kIntegerMax)) {
    return refuse("--count", "a number of messages is expected");
  }
  what.count = *count;
  Testimony out = testimony(view, options);
  out.what = what;
  return LedgerEntry{std::move(out)};
}

Result<LedgerEntry> tell_merge(const View& view, const TellOptions& options, const TimeZone&) {
  std::set<std::string> ids;
  std::set<std::string> messages;
  for (const std::string& id : options.incidents) {
    MELDEVAKT_TRY_ASSIGN(const Incident* const incident, incident_named(view, id));
    ids.insert(incident->id);
    messages.insert(incident->messages.begin(), incident->messages.end());
  }
  if (ids.size() < 2) return refuse("--incident", "name the incidents to merge: two or more");
  return LedgerEntry{
      decision(view, options, DecisionKind::kMerge, {messages.begin(), messages.end()})};
}

Result<LedgerEntry> tell_split(const View& view, const TellOptions& options, const TimeZone&) {
  MELDEVAKT_TRY_ASSIGN(const Incident* const incident, the_incident(view, options));
  std::set<std::string> apart;
  for (const std::string& name : options.messages) {
    MELDEVAKT_TRY_ASSIGN(const MessageVerdict* const message, message_named(view, name));
    const auto& all = incident->messages;
    if (!std::binary_search(all.begin(), all.end(), message->message)) {
      return refuse("--message", message->message + " is not part of incident " + incident->id);
    }
    apart.insert(message->message);
  }
  if (apart.empty()) return refuse("--message", "name the messages that are another incident");
  if (apart.size() == incident->messages.size()) {
    return refuse("--message", "these are all messages of the incident: nothing would be split");
  }
  return LedgerEntry{decision(view, options, DecisionKind::kSplit, {apart.begin(), apart.end()})};
}

Result<LedgerEntry> tell_close(const View& view, const TellOptions& options, const TimeZone&) {
  MELDEVAKT_TRY_ASSIGN(const Incident* const incident, the_incident(view, options));
  if (incident->closed_by_person) {
    return refuse("--incident", incident->id + " is closed by a person already");
  }
  IncidentDecision out = decision(view, options, DecisionKind::kClose, incident->messages);
  // What the person sees now is what he deals with: whatever gets worse opens it again.
  for (const std::string& name : out.messages) {
    const auto& all = view.correlation.messages;
    const auto at = std::lower_bound(
        all.begin(), all.end(), name,
        [](const MessageVerdict& message, const std::string& n) { return message.message < n; });
    if (at == all.end() || at->message != name) {
      return Error{Errc::kCorrupt, "an incident of a message that is not known: " + name};
    }
    out.verdicts.push_back(at->verdict);
  }
  return LedgerEntry{std::move(out)};
}

Result<LedgerEntry> tell_reopen(const View& view, const TellOptions& options, const TimeZone&) {
  MELDEVAKT_TRY_ASSIGN(const Incident* const incident, the_incident(view, options));
  if (!incident->closed_by_person) {
    return refuse("--incident", incident->id + " was not closed by a person");
  }
  return LedgerEntry{decision(view, options, DecisionKind::kReopen, incident->messages)};
}

Result<LedgerEntry> tell_aware(const View& view, const TellOptions& options, const TimeZone& zone) {
  MELDEVAKT_TRY_ASSIGN(const Incident* const incident, the_incident(view, options));
  MELDEVAKT_TRY_ASSIGN(const Instant aware, past_time("--when", options.when, view, zone));
  if (aware < incident->first && !is_of_day(options.when, aware, incident->first, zone)) {
    return refuse("--when", "the incident begins at " + to_rfc3339(incident->first) +
                                ": nobody knew of it before");
  }
  IncidentDecision out = decision(view, options, DecisionKind::kAware, incident->messages);
  out.aware = aware;
  return LedgerEntry{std::move(out)};
}

Result<LedgerEntry> tell_notified(const View& view, const TellOptions& options,
                                  const TimeZone& zone) {
  MELDEVAKT_TRY_ASSIGN(const Incident* const incident, the_incident(view, options));
  MELDEVAKT_TRY_ASSIGN(const Instant when, past_time("--when", options.when, view, zone));
  const auto aware = aware_of(*incident, view.people.decisions);
  const Instant known = aware.value_or(incident->first);
  if (when < known && !is_of_day(options.when, when, known, zone)) {
    return refuse("--when", (aware ? "somebody knows of it since " : "the incident begins at ") +
                                to_rfc3339(known) + ": nobody notified before");
  }
  if (!options.reference.empty() && !is_name(options.reference)) {
    return refuse("--reference", "at most 64 bytes of UTF-8 are expected");
  }
  IncidentDecision out = decision(view, options, DecisionKind::kNotified, incident->messages);
  out.notified = when;
  out.reference = options.reference;
  return LedgerEntry{std::move(out)};
}

Result<LedgerEntry> tell_back(const View& view, const TellOptions& options, const TimeZone&) {
  const auto number = parse_u64(options.entry);
  if (!number) return refuse("--entry", "the number of an entry is expected; 'tell list' has them");
  Testimony out = testimony(view, options);
  out.what = TakenBack{*number};
  return LedgerEntry{std::move(out)};
}

}  // namespace meldevakt::collector
