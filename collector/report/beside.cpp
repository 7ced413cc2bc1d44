#include "collector/report/beside.h"

#include <algorithm>

namespace meldevakt::collector {

Beside::Beside(const Of& known) : known_{known} {
  for (const RelaxedMatch& match : known_.relaxed) {
    for (const std::string& message : match.messages) {
      auto& list = relaxed_[message];
      if (list.size() < kBesideMax) list.push_back(&match);
    }
  }
  for (const Overload& overload : known_.overloads) {
    for (const std::string& fact : overload.evidence) overloads_[fact] = &overload;
  }
  for (const ReceiptConflict& conflict : known_.conflicts) conflicts_[conflict.message] = &conflict;
}

const MessageVerdict* Beside::find(std::string_view message) const {
  const std::vector<MessageVerdict>& all = known_.correlation.messages;
  const auto at = std::lower_bound(
      all.begin(), all.end(), message,
      [](const MessageVerdict& m, std::string_view name) { return m.message < name; });
  return at == all.end() || at->message != message ? nullptr : &*at;
}

void Beside::add_overloads(const MessageVerdict& message, std::vector<const Overload*>& out) const {
  for (const OverloadWindow& window : message.windows) {
    const auto at = overloads_.find(window.fact_id);
    if (at == overloads_.end() || out.size() >= kBesideMax) continue;
    if (std::find(out.begin(), out.end(), at->second) == out.end()) out.push_back(at->second);
  }
}

MessageBeside Beside::of(const MessageVerdict& message) const {
  MessageBeside out;
  out.clocks = clocks_of(message, known_.correlation.now);
  if (const auto at = relaxed_.find(message.message); at != relaxed_.end())
    out.relaxed = at->second;
  add_overloads(message, out.overloads);
  for (const Reference& reference : message.references) {
    const auto at = conflicts_.find(reference.value);
    if (at != conflicts_.end()) out.contradictions = at->second->fields;
  }
  return out;
}

IncidentBeside Beside::of(const Incident& incident) const {
  IncidentBeside out;
  out.aware = aware_of(incident, known_.decisions);
  std::vector<const MessageVerdict*> messages;
  for (const std::string& name : incident.messages) {
    if (const MessageVerdict* const message = find(name); message != nullptr) {
      messages.push_back(message);
      add_overloads(*message, out.overloads);
    }
  }
  std::sort(out.overloads.begin(), out.overloads.end(),
            [](const Overload* a, const Overload* b) { return a->span.from < b->span.from; });
  out.clocks = clocks_of(incident, messages, incident.to_notify, known_.correlation.now);
  out.level = level_of(out.clocks);
  return out;
}

}  // namespace meldevakt::collector
