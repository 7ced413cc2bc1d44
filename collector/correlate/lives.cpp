#include "collector/correlate/lives.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <variant>

#include "collector/correlate/names.h"
#include "common/receipts/counting_rows.h"

namespace meldevakt::collector {
namespace {

// The facts as a set: each id once, its highest revision. Two contents under one id and revision
// are a fault of an agent; which of them counts must still not depend on the order of arrival.
std::vector<const LedgerFact*> newest_of_each(std::vector<const LedgerFact*> out) {
  std::sort(out.begin(), out.end(), [](const LedgerFact* a, const LedgerFact* b) {
    if (const auto order = a->fact.id <=> b->fact.id; order != 0) return order < 0;
    if (a->fact.revision != b->fact.revision) return a->fact.revision > b->fact.revision;
    if (const auto order = a->fact <=> b->fact; order != 0) return order > 0;
    return a->agent < b->agent;
  });
  const auto same_id = [](const LedgerFact* a, const LedgerFact* b) {
    return a->fact.id == b->fact.id;
  };
  out.erase(std::unique(out.begin(), out.end(), same_id), out.end());
  return out;
}

std::vector<const LedgerFact*> all_of(const std::vector<LedgerFact>& facts) {
  std::vector<const LedgerFact*> out;
  out.reserve(facts.size());
  for (const LedgerFact& fact : facts) out.push_back(&fact);
  return out;
}

// Of the facts of which some revision is such, the newest of each.
template <typename Is>
std::vector<const LedgerFact*> newest_of_those(const std::vector<LedgerFact>& facts, const Is& is) {
  std::unordered_set<std::string_view> ids;
  for (const LedgerFact& fact : facts) {
    if (is(fact.fact)) ids.insert(fact.fact.id);
  }
  std::vector<const LedgerFact*> out;
  if (ids.empty()) return out;
  for (const LedgerFact& fact : facts) {
    if (ids.count(fact.fact.id) != 0) out.push_back(&fact);
  }
  return newest_of_each(std::move(out));
}

bool is_nameless_commit(const Fact& fact) {
  const auto* const step = std::get_if<StepFact>(&fact.what);
  return step != nullptr && step->signal == Signal::kMessageCommitted && step->references.empty() &&
         step->candidates.empty();
}

std::vector<Step> steps_in_event_order(const std::vector<const LedgerFact*>& facts) {
  std::vector<Step> steps;
  for (const LedgerFact* fact : facts) {
    const auto* what = std::get_if<StepFact>(&fact->fact.what);
    if (what != nullptr && is_message_signal(what->signal)) steps.push_back({fact, what});
  }
  std::sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) {
    return std::tie(a.what->time, a.what->signal, a.id()) <
           std::tie(b.what->time, b.what->signal, b.id());
  });
  return steps;
}

std::vector<OverloadWindow> windows_by_start(const std::vector<const LedgerFact*>& facts) {
  std::vector<OverloadWindow> windows;
  for (const LedgerFact* fact : facts) {
    if (const auto* what = std::get_if<WindowFact>(&fact->fact.what); what != nullptr) {
      windows.push_back({what->span, fact->fact.source, what->driver, what->signals, fact->fact.id,
                         fact->agent, what->metrics});
    }
  }
  std::sort(windows.begin(), windows.end(), [](const OverloadWindow& a, const OverloadWindow& b) {
    return std::tie(a.span, a.fact_id) < std::tie(b.span, b.fact_id);
  });
  return windows;
}

template <typename T>
void sort_unique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

// One pass over one input; the members are the working state that its steps share.
class Builder {
 public:
  explicit Builder(const TenantInput& input)
      : input_{input}, facts_{newest_of_each(all_of(input.facts))}, names_{facts_, input} {}

  Lives build() {
    out_.steps = steps_in_event_order(facts_);
    out_.windows = windows_by_start(facts_);
    make_lives();
    out_.could_be.resize(out_.steps.size());
    shared_.resize(names_.group_count());
    for (std::size_t i = 0; i < out_.steps.size(); ++i) place(i);
    spread_shared_steps();
    attach_aliases();
    attach_receipts();
    for (std::size_t i = 0; i < out_.all.size(); ++i) {
      Life& life = out_.all[i];
      sort_unique(life.unclear);
      sort_unique(life.aliases);
      choose_receipts(i);
    }
    return std::move(out_);
  }

 private:
  void make_lives() {
    for (const Names::Message& message : names_.messages()) {
      Life life;
      life.message = message.name;
      life.references = message.references;
      out_.all.push_back(std::move(life));
    }
  }

  void place(std::size_t i) {
    const StepFact& what = *out_.steps[i].what;
    const bool named = !what.references.empty();
    const Names::Holders holders =
        named ? names_.holders_of_one(what.references) : names_.holders_of_any(what.candidates);
    // One candidate alone still leaves "or somebody else": the agent did not claim that it is its.
    const bool certain = named || what.candidates.size() > 1;
    if (certain && holders.messages.size() == 1 && holders.groups.empty()) {
      out_.all[holders.messages.front()].own.push_back(i);
    } else if (holders.messages.empty() && holders.groups.empty()) {
      place_nameless(i, what);
    } else {
      for (const std::size_t message : holders.messages) mark_unclear(i, message);
      for (const std::size_t group : holders.groups) shared_[group].push_back(i);
    }
  }

  void place_nameless(std::size_t i, const StepFact& what) {
    const bool commit = what.signal == Signal::kMessageCommitted;
    if (!commit && what.signal != Signal::kMessageSaveFailed) return;
    (commit ? out_.nameless_commits : out_.nameless_failures).push_back(i);
    if (what.time_error > Duration{}) out_.nameless_in_doubt.push_back(i);
  }

  void mark_unclear(std::size_t step, std::size_t message) {
    out_.all[message].unclear.push_back(step);
    out_.could_be[step].push_back(message);
  }

  // What a whole group of messages shares could be each one's. The first of each signal is enough
  // for every verdict, and keeps a group of n messages with n such steps from costing n * n.
  void spread_shared_steps() {
    for (std::size_t group = 0; group < shared_.size(); ++group) {
      std::vector<Signal> seen;
      for (const std::size_t step : shared_[group]) {
        const Signal signal = out_.steps[step].what->signal;
        if (std::find(seen.begin(), seen.end(), signal) != seen.end()) continue;
        seen.push_back(signal);
        for (const std::size_t message : names_.messages_of_group(group)) {
          mark_unclear(step, message);
        }
      }
    }
    for (std::vector<std::size_t>& messages : out_.could_be) sort_unique(messages);
  }

  void attach_aliases() {
    for (const LedgerFact* fact : facts_) {
      const auto* what = std::get_if<AliasFact>(&fact->fact.what);
      if (what == nullptr || what->references.empty()) continue;
      const Names::Holders holders = names_.holders_of_one(what->references);
      for (const std::size_t message : holders.messages) {
        out_.all[message].aliases.push_back(fact->fact.id);
      }
    }
  }

  [[nodiscard]] std::vector<std::size_t> messages_of(const Receipt& row) const {
    return names_.holders_of_one({{ReferenceType::kPortalMessageId, row.message_id}}).messages;
  }

  void attach_receipts() {
    for (const Receipt& row : input_.receipts) {
      for (const std::size_t message : messages_of(row)) out_.all[message].receipts.push_back(row);
    }
    for (const RowAhead& ahead : input_.rows_ahead) {
      for (const std::size_t message : messages_of(ahead.row)) {
        add_telling(ahead_[message], ahead.row, telling_of(ahead.row, ahead.told));
      }
    }
  }

  using Rows = std::map<Receipt, RowTelling>;
  static void add_telling(Rows& rows, const Receipt& row, const RowTelling& telling) {
    const auto [at, added] = rows.try_emplace(row, telling);
    if (!added) at->second.add(telling);
  }

  // Of all its rows those that count.
  void choose_receipts(std::size_t message) {
    std::vector<Receipt>& receipts = out_.all[message].receipts;
    const auto ahead = ahead_.find(message);
    if (ahead == ahead_.end()) return sort_unique(receipts);
    Rows rows = ahead->second;
    for (const Receipt& row : receipts) add_telling(rows, row, {});
    std::vector<WeighedRow> weighed;
    for (const auto& [row, telling] : rows) weighed.push_back({row, telling});
    receipts = counting_rows(weighed);
  }

  const TenantInput& input_;
  std::vector<const LedgerFact*> facts_;
  Names names_;
  std::map<std::size_t, Rows> ahead_;             // rows with times still to come, per message
  std::vector<std::vector<std::size_t>> shared_;  // per group of messages: steps any could own
  Lives out_;
};

}  // namespace

Lives build_lives(const TenantInput& input) {
  return Builder{input}.build();
}

std::vector<OverloadWindow> windows_of(const TenantInput& input) {
  return windows_by_start(newest_of_those(
      input.facts, [](const Fact& fact) { return std::holds_alternative<WindowFact>(fact.what); }));
}

std::vector<Step> nameless_commits_of(const TenantInput& input) {
  std::vector<Step> out = steps_in_event_order(newest_of_those(input.facts, is_nameless_commit));
  std::erase_if(out, [](const Step& step) { return !is_nameless_commit(step.ledger->fact); });
  return out;
}

}  // namespace meldevakt::collector
