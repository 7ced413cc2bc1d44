#include "collector/correlate/component.h"

#include <algorithm>

namespace meldevakt::collector {
namespace {

using Slots = std::vector<std::uint32_t>;

template <typename T>
void sort_unique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

bool contains(const Slots& sorted, std::uint32_t value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

}  // namespace

const Component& Components::of(std::uint32_t root) {
  const auto [at, added] = known_.try_emplace(root);
  Component& part = at->second;
  if (!added) return part;
  part.members = archive_.members_of(root);
  for (const std::uint32_t name : part.members) {
    if (archive_.is_portal_id(name)) part.lives.push_back(name);
    for (const std::uint32_t slot : archive_.facts_of(name)) {
      if (archive_.is_alias(slot)) {
        part.aliases.push_back(slot);
      } else if (is_message_signal(archive_.signal_of(slot))) {
        part.steps.push_back(slot);
      }
    }
    const auto mentioned = mentions_.find(name);
    if (mentioned == mentions_.end()) continue;
    part.mentions.insert(part.mentions.end(), mentioned->second.begin(), mentioned->second.end());
  }
  sort_unique(part.mentions);
  part.group = part.lives.size() > 1;
  if (!part.group) part.lives.assign(1, part.members.front());
  if (part.group) find_shared(root, part);
  return part;
}

void Components::find_shared(std::uint32_t root, Component& part) {
  const auto keep_first = [&](std::uint32_t slot) {
    const auto [at, added] = part.shared_first.try_emplace(archive_.signal_of(slot), slot);
    if (!added && archive_.earlier(slot, at->second)) at->second = slot;
  };
  const auto any_portal_id = [this](const Slots& names) {
    return std::any_of(names.begin(), names.end(),
                       [this](std::uint32_t name) { return archive_.is_portal_id(name); });
  };
  for (const std::uint32_t slot : part.steps) {
    if (!any_portal_id(archive_.references_of(slot))) keep_first(slot);
  }
  for (const std::uint32_t slot : part.mentions) {
    const Slots names = archive_.candidates_of(slot);
    const bool shared = std::any_of(names.begin(), names.end(), [&](std::uint32_t name) {
      return !archive_.is_portal_id(name) && archive_.root_of(name) == root;
    });
    if (shared) keep_first(slot);
  }
}

Owners Components::owners_of(std::uint32_t slot) {
  Owners out;
  Slots by = archive_.references_of(slot);
  const bool named = !by.empty();
  bool portal_only = false;
  if (named) {
    portal_only = std::any_of(by.begin(), by.end(),
                              [this](std::uint32_t name) { return archive_.is_portal_id(name); });
  } else {
    by = archive_.candidates_of(slot);
  }
  for (const std::uint32_t name : by) {
    const bool portal = archive_.is_portal_id(name);
    if (portal_only && !portal) continue;
    const std::uint32_t root = archive_.root_of(name);
    const Component& part = of(root);
    if (!part.group) {
      out.lives.push_back(part.lives.front());
    } else if (portal) {
      out.lives.push_back(name);
    } else {
      out.groups.push_back(root);
    }
  }
  sort_unique(out.lives);
  sort_unique(out.groups);
  // One candidate alone still leaves "or somebody else".
  const bool certain = named || by.size() > 1;
  out.own = certain && out.lives.size() == 1 && out.groups.empty();
  return out;
}

Candidates Components::candidates_of(const Owners& owners, std::uint32_t slot) {
  Candidates out;
  Slots names = owners.lives;
  for (const std::uint32_t root : owners.groups) {
    const Component& part = of(root);
    const auto first = part.shared_first.find(archive_.signal_of(slot));
    if (first == part.shared_first.end() || first->second != slot) continue;
    // Each message of a crowd asks this: to list it n times would cost n * n.
    out.too_many = part.lives.size() > kSharedByMax;
    if (out.too_many) return out;
    names.insert(names.end(), part.lives.begin(), part.lives.end());
  }
  sort_unique(names);
  out.too_many = names.size() > kSharedByMax;
  if (out.too_many) return out;
  const std::size_t listed = std::min(names.size(), kListedCandidatesMax);
  // Portal ids are in the order of their texts; of other types only the texts decide.
  const auto by_text = [this](std::uint32_t a, std::uint32_t b) {
    if (archive_.is_portal_id(a) && archive_.is_portal_id(b)) return archive_.less(a, b);
    return archive_.message_name(a) < archive_.message_name(b);
  };
  std::partial_sort(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(listed), names.end(),
                    by_text);
  for (std::size_t i = 0; i < listed; ++i) out.messages.push_back(archive_.message_name(names[i]));
  out.more = names.size() - listed;
  return out;
}

std::vector<Interval> Components::times_of(const Component& part, const Slots& slots) {
  std::vector<Interval> times;
  for (const std::uint32_t slot : slots) {
    const Instant time = archive_.time_of(slot);
    const Duration error = archive_.time_error_of(slot);
    times.push_back({time - error, time + error});
  }
  for (const std::uint32_t name : part.lives) {
    for (const Receipt& row : archive_.rows_of(name)) {
      if (row.confirmed) times.push_back({*row.confirmed, *row.confirmed});
    }
  }
  return times;
}

// Those that gather_signs() may look for: the first near each time, and whatever is in doubt.
void Components::add_nameless(const Component& part, const Nameless& nameless, Duration nearby,
                              Slots& slots) {
  if (nameless.commits.empty() && nameless.failures.empty()) return;
  const std::vector<Interval> times = times_of(part, slots);
  for (const auto* steps : {&nameless.commits, &nameless.failures}) {
    for (const Interval& time : times) {
      const auto at = steps->lower_bound({time.from - nearby, {}, 0});
      if (at != steps->end() && at->time <= time.to + nearby) slots.push_back(at->slot);
    }
  }
  for (const std::uint32_t slot : nameless.in_doubt) {
    const Duration reach = nearby + archive_.time_error_of(slot);
    const Instant at = archive_.time_of(slot);
    const bool near = std::any_of(times.begin(), times.end(), [&](const Interval& time) {
      return time.from - reach <= at && at <= time.to + reach;
    });
    if (near) slots.push_back(slot);
  }
}

void Components::place(std::uint32_t root, const Component& part, ComponentLives& out) {
  Lives& lives = out.lives;
  for (std::size_t i = 0; i < out.slots.size(); ++i) {
    out.owners.push_back(owners_of(out.slots[i]));
    const Owners& owners = out.owners.back();
    if (owners.lives.empty() && owners.groups.empty()) {
      const bool commit = lives.steps[i].what->signal == Signal::kMessageCommitted;
      (commit ? lives.nameless_commits : lives.nameless_failures).push_back(i);
      if (lives.steps[i].what->time_error > Duration{}) lives.nameless_in_doubt.push_back(i);
      continue;
    }
    const auto first = part.shared_first.find(lives.steps[i].what->signal);
    if (contains(owners.groups, root) && first->second == out.slots[i]) {
      for (Life& life : lives.all) life.unclear.push_back(i);
    }
    for (const std::uint32_t name : owners.lives) {
      const std::optional<std::size_t> at = index_of(part, name);
      if (!at) continue;
      Life& life = lives.all[*at];
      std::vector<std::size_t>& steps = owners.own ? life.own : life.unclear;
      if (steps.empty() || steps.back() != i) steps.push_back(i);
    }
  }
}

// By what each alias names: to ask every alias for every message of a group would cost n * n.
void Components::attach_aliases(const Component& part, Lives& lives) {
  for (const std::uint32_t slot : part.aliases) {
    const std::string id = archive_.id_text(slot);
    if (!part.group) lives.all.front().aliases.push_back(id);
    if (!part.group) continue;
    for (const std::uint32_t name : archive_.references_of(slot)) {
      const std::optional<std::size_t> at = index_of(part, name);
      if (at) lives.all[*at].aliases.push_back(id);
    }
  }
  for (Life& life : lives.all) sort_unique(life.aliases);
}

std::optional<std::size_t> Components::index_of(const Component& part, std::uint32_t name) const {
  const auto at = std::lower_bound(part.lives.begin(), part.lives.end(), name,
                                   [this](auto a, auto b) { return archive_.less(a, b); });
  if (at == part.lives.end() || *at != name) return std::nullopt;  // another component's
  return static_cast<std::size_t>(at - part.lives.begin());
}

ComponentLives Components::lives_of(std::uint32_t root, const Nameless& nameless, Duration nearby) {
  const Component& part = of(root);  // stays where it is while others are added
  ComponentLives out;
  out.slots = part.steps;
  out.slots.insert(out.slots.end(), part.mentions.begin(), part.mentions.end());
  add_nameless(part, nameless, nearby, out.slots);
  const auto earlier = [this](auto a, auto b) { return archive_.earlier(a, b); };
  std::sort(out.slots.begin(), out.slots.end(), earlier);
  out.slots.erase(std::unique(out.slots.begin(), out.slots.end()), out.slots.end());
  out.facts.reserve(out.slots.size());
  for (const std::uint32_t slot : out.slots) {
    out.facts.push_back(archive_.fact(slot));
    const LedgerFact& fact = out.facts.back();
    out.lives.steps.push_back({&fact, std::get_if<StepFact>(&fact.fact.what)});
  }
  for (const std::uint32_t name : part.lives) {
    Life life;
    life.message = archive_.message_name(name);
    if (part.group) life.references.push_back(archive_.reference(name));
    if (!part.group) {
      for (const std::uint32_t member : part.members) {
        life.references.push_back(archive_.reference(member));
      }
    }
    if (archive_.is_portal_id(name)) life.receipts = archive_.rows_of(name);
    out.lives.all.push_back(std::move(life));
  }
  attach_aliases(part, out.lives);
  place(root, part, out);
  return out;
}

}  // namespace meldevakt::collector
