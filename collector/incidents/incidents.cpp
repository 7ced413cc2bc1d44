#include "collector/incidents/incidents.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "collector/correlate/words.h"
#include "common/ports/sha256.h"

namespace meldevakt::collector {
namespace {

constexpr std::size_t kIdDigits = 16;

struct Event {
  Instant time;
  const MessageVerdict* message = nullptr;
};

std::string words_of_windows(const std::vector<Event>& events) {
  std::set<std::string> drivers;
  for (const Event& event : events) {
    for (const OverloadWindow& window : event.message->windows) {
      drivers.insert(describe_driver(window.driver));
    }
  }
  std::string out;
  for (const std::string& driver : drivers) out += (out.empty() ? "" : ", ") + driver;
  return out;
}

std::string reason_of(const Incident& incident, const std::vector<Event>& events) {
  const std::string count = std::to_string(events.size());
  std::string out = events.size() == 1 ? "1 message at " + to_rfc3339(incident.first)
                                       : count + " messages between " + to_rfc3339(incident.first) +
                                             " and " + to_rfc3339(incident.last);
  if (events.size() > 1 && incident.causes.size() == 1) out += " with the same cause";
  // Of what people merged, each cause, the incident's own first.
  out += ": " + describe_cause(incident.cause);
  for (const CausePart& part : incident.causes) {
    if (part.cause != incident.cause) out += "; " + describe_cause(part.cause);
  }
  const std::string windows = words_of_windows(events);
  if (!windows.empty()) out += "; at the same time: " + windows;
  return out + ".";
}

// Changes when an earlier message of the same cause becomes known, and at nothing else.
std::string id_of(const Incident& incident, const std::string& first_message) {
  std::string named;
  for (const std::string& part : {incident.tenant, incident.cause, first_message}) {
    append_u64(named, part.size());
    named += part;
  }
  return sha256(named).hex().substr(0, kIdDigits);
}

// `events` in the order of their times.
std::vector<CausePart> causes_of(const std::vector<Event>& events) {
  std::map<std::string, CausePart> parts;
  for (const Event& event : events) {
    const MessageVerdict& message = *event.message;
    const auto [at, added] = parts.try_emplace(message.cause);
    CausePart& part = at->second;
    if (added) part = {message.cause, message.verdict, event.time, event.time, 0};
    part.last = event.time;
    ++part.messages;
    if (severity(part.worst) < severity(message.verdict)) part.worst = message.verdict;
  }
  std::vector<CausePart> out;
  for (auto& [cause, part] : parts) out.push_back(std::move(part));
  return out;
}

Incident of_events(const Correlation& all, const std::string& cause,
                   const std::vector<Event>& events) {
  Incident out;
  out.tenant = all.tenant;
  out.cause = cause;
  out.causes = causes_of(events);
  out.first = events.front().time;
  out.last = events.back().time;
  out.open = false;
  for (const Event& event : events) {
    const MessageVerdict& message = *event.message;
    out.messages.push_back(message.message);
    if (severity(out.worst) < severity(message.verdict)) out.worst = message.verdict;
    if (!needs_action(message.verdict)) continue;
    out.open = true;
    if (!message.purge_deadline || *message.purge_deadline <= all.now) continue;
    if (!out.earliest_deadline || *message.purge_deadline < *out.earliest_deadline) {
      out.earliest_deadline = message.purge_deadline;
    }
  }
  std::sort(out.messages.begin(), out.messages.end());
  out.reason = reason_of(out, events);
  out.id = id_of(out, events.front().message->message);
  return out;
}

bool earlier(const Event& a, const Event& b) {
  return std::tie(a.time, a.message->message) < std::tie(b.time, b.message->message);
}

}  // namespace

int severity(Verdict verdict) {
  switch (verdict) {
    case Verdict::kStoredAfterReceipt: return 1;
    case Verdict::kRecovered: return 2;
    case Verdict::kFallbackStalled: return 3;
    case Verdict::kUndelivered: return 4;
    case Verdict::kUnverifiable: return 5;
    case Verdict::kInDoubt: return 6;
    case Verdict::kMissing: return 7;
    case Verdict::kLost: return 8;
    default: return 0;
  }
}

bool belongs_to_an_incident(Verdict verdict) {
  // What was recovered stays part of what happened: its incident keeps its id, and its 72 hours.
  return needs_action(verdict) || verdict == Verdict::kStoredAfterReceipt ||
         verdict == Verdict::kRecovered;
}

Instant event_time(const MessageVerdict& message) {
  if (message.failed) return *message.failed;
  if (message.receipted) return *message.receipted;
  if (message.sent) return *message.sent;
  if (message.committed) return *message.committed;
  return message.first_seen.value_or(Instant{});
}

Incident incident_of(const Correlation& all, std::vector<const MessageVerdict*> messages) {
  std::vector<Event> events;
  for (const MessageVerdict* message : messages) events.push_back({event_time(*message), message});
  std::sort(events.begin(), events.end(), earlier);
  const auto worst =
      std::max_element(events.begin(), events.end(), [](const auto& a, const auto& b) {
        return severity(a.message->verdict) < severity(b.message->verdict);
      });
  return of_events(all, worst->message->cause, events);
}

std::vector<Incident> group_incidents(const Correlation& correlation, Duration apart) {
  std::map<std::string, std::vector<Event>> by_cause;
  for (const MessageVerdict& message : correlation.messages) {
    if (!belongs_to_an_incident(message.verdict)) continue;
    by_cause[message.cause].push_back({event_time(message), &message});
  }
  std::vector<Incident> out;
  for (auto& [cause, events] : by_cause) {
    std::sort(events.begin(), events.end(), earlier);
    std::vector<Event> together;
    for (const Event& event : events) {
      if (!together.empty() && event.time - together.back().time > apart) {
        out.push_back(of_events(correlation, cause, std::exchange(together, {})));
      }
      together.push_back(event);
    }
    if (!together.empty()) out.push_back(of_events(correlation, cause, together));
  }
  std::sort(out.begin(), out.end(), [](const Incident& a, const Incident& b) {
    return std::tie(a.first, a.cause, a.id) < std::tie(b.first, b.cause, b.id);
  });
  return out;
}

}  // namespace meldevakt::collector
