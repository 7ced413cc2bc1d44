#include "agent/detect/aliases.h"

#include <algorithm>
#include <set>
#include <utility>

namespace meldevakt::agent {

bool AliasBook::learn(const std::vector<Reference>& references) {
  if (references.size() < 2) return false;
  std::set<std::uint64_t> known;
  bool all_known = true;
  for (const Reference& reference : references) {
    const auto found = group_of_.find(reference);
    if (found == group_of_.end()) {
      all_known = false;
    } else {
      known.insert(found->second);
    }
  }
  if (all_known && known.size() == 1) return false;

  std::vector<Reference> names;
  const auto add = [&names](const Reference& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const std::uint64_t group : known) {
    for (const Reference& name : groups_[group]) add(name);
  }
  for (const std::uint64_t group : known) forget(group);
  for (const Reference& reference : references) add(reference);
  if (names.size() > kNamesMax) {
    names.erase(names.begin(), names.end() - static_cast<std::ptrdiff_t>(kNamesMax));
  }
  for (const Reference& name : names) group_of_[name] = next_;
  groups_.emplace(next_++, std::move(names));
  if (groups_.size() > kGroupsMax) forget(groups_.begin()->first);
  return true;
}

bool AliasBook::same(const std::vector<Reference>& a, const std::vector<Reference>& b) const {
  for (const Reference& left : a) {
    const auto group = group_of_.find(left);
    for (const Reference& right : b) {
      if (left == right) return true;
      if (group == group_of_.end()) continue;
      const auto other = group_of_.find(right);
      if (other != group_of_.end() && other->second == group->second) return true;
    }
  }
  return false;
}

std::vector<std::vector<Reference>> AliasBook::groups() const {
  std::vector<std::vector<Reference>> out;
  out.reserve(groups_.size());
  for (const auto& [id, names] : groups_) out.push_back(names);
  return out;
}

void AliasBook::forget(std::uint64_t group) {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return;
  for (const Reference& name : found->second) group_of_.erase(name);
  groups_.erase(found);
}

}  // namespace meldevakt::agent
