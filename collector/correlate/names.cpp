#include "collector/correlate/names.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <variant>

namespace meldevakt::collector {
namespace {

bool is_portal_id(const Reference& reference) {
  return reference.type == ReferenceType::kPortalMessageId;
}

const std::vector<Reference>* tied_references(const Fact& fact) {
  if (const auto* step = std::get_if<StepFact>(&fact.what)) return &step->references;
  if (const auto* alias = std::get_if<AliasFact>(&fact.what)) return &alias->references;
  return nullptr;
}

void sort_unique(std::vector<std::size_t>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

std::string message_name_of(const Reference& reference) {
  if (is_portal_id(reference)) return reference.value;
  return std::string{to_string(reference.type)} + ":" + reference.value;
}

Names::Names(const std::vector<const LedgerFact*>& facts, const TenantInput& input) {
  collect(facts, input);
  tie_together(facts);
  make_messages();
  sort_messages();
}

void Names::collect(const std::vector<const LedgerFact*>& facts, const TenantInput& input) {
  for (const LedgerFact* fact : facts) {
    if (const auto* tied = tied_references(fact->fact); tied != nullptr) {
      references_.insert(references_.end(), tied->begin(), tied->end());
    }
    if (const auto* step = std::get_if<StepFact>(&fact->fact.what); step != nullptr) {
      references_.insert(references_.end(), step->candidates.begin(), step->candidates.end());
    }
  }
  for_each_row(input, [this](const Receipt& row) {
    references_.push_back({ReferenceType::kPortalMessageId, row.message_id});
  });
  std::sort(references_.begin(), references_.end());
  references_.erase(std::unique(references_.begin(), references_.end()), references_.end());
  parent_.resize(references_.size());
  std::iota(parent_.begin(), parent_.end(), std::size_t{0});
}

std::optional<std::size_t> Names::index_of(const Reference& reference) const {
  const auto at = std::lower_bound(references_.begin(), references_.end(), reference);
  if (at == references_.end() || *at != reference) return std::nullopt;
  return static_cast<std::size_t>(at - references_.begin());
}

std::size_t Names::root_of(std::size_t index) {
  while (parent_[index] != index) {
    parent_[index] = parent_[parent_[index]];  // halving keeps the paths short
    index = parent_[index];
  }
  return index;
}

void Names::tie_together(const std::vector<const LedgerFact*>& facts) {
  for (const LedgerFact* fact : facts) {
    const auto* tied = tied_references(fact->fact);
    if (tied == nullptr || tied->empty()) continue;
    const std::size_t first = root_of(*index_of(tied->front()));
    for (const Reference& reference : *tied) {
      // The smaller index becomes the root: the outcome is the same in whatever order.
      const std::size_t other = root_of(*index_of(reference));
      const std::size_t root = root_of(first);
      parent_[std::max(root, other)] = std::min(root, other);
    }
  }
}

void Names::make_messages() {
  std::vector<std::vector<std::size_t>> components(references_.size());
  for (std::size_t i = 0; i < references_.size(); ++i) components[root_of(i)].push_back(i);
  holder_.resize(references_.size());
  for (const std::vector<std::size_t>& members : components) {
    if (members.empty()) continue;
    const auto portal_ids = std::count_if(members.begin(), members.end(), [&](std::size_t i) {
      return is_portal_id(references_[i]);
    });
    if (portal_ids > 1) {
      std::vector<std::size_t> group;
      for (const std::size_t i : members) {
        if (!is_portal_id(references_[i])) {
          holder_[i] = {groups_.size(), true};
          continue;
        }
        holder_[i] = {messages_.size(), false};
        group.push_back(messages_.size());
        messages_.push_back({message_name_of(references_[i]), {references_[i]}});
      }
      groups_.push_back(std::move(group));
      continue;
    }
    Message message;  // portal ids sort first, so the first reference names it
    message.name = message_name_of(references_[members.front()]);
    for (const std::size_t i : members) {
      holder_[i] = {messages_.size(), false};
      message.references.push_back(references_[i]);
    }
    messages_.push_back(std::move(message));
  }
}

void Names::sort_messages() {
  std::vector<std::size_t> order(messages_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return messages_[a].name < messages_[b].name; });
  std::vector<std::size_t> moved_to(order.size());
  std::vector<Message> sorted;
  sorted.reserve(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    moved_to[order[i]] = i;
    sorted.push_back(std::move(messages_[order[i]]));
  }
  messages_ = std::move(sorted);
  for (Holder& holder : holder_) {
    if (!holder.is_group) holder.index = moved_to[holder.index];
  }
  for (std::vector<std::size_t>& group : groups_) {
    for (std::size_t& message : group) message = moved_to[message];
  }
}

void Names::add_to(Holders& out, const Reference& reference) const {
  const auto index = index_of(reference);
  if (!index) return;
  const Holder& holder = holder_[*index];
  (holder.is_group ? out.groups : out.messages).push_back(holder.index);
}

Names::Holders Names::holders_of_one(const std::vector<Reference>& references) const {
  Holders out;
  const bool has_portal_id = std::any_of(references.begin(), references.end(), is_portal_id);
  for (const Reference& reference : references) {
    if (!has_portal_id || is_portal_id(reference)) add_to(out, reference);
  }
  sort_unique(out.messages);
  sort_unique(out.groups);
  return out;
}

Names::Holders Names::holders_of_any(const std::vector<Reference>& references) const {
  Holders out;
  for (const Reference& reference : references) add_to(out, reference);
  sort_unique(out.messages);
  sort_unique(out.groups);
  return out;
}

}  // namespace meldevakt::collector
