#include "agent/detect/scopes.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/limits.h"

namespace meldevakt::agent {

std::string scope_prefix(const std::string& log) {
  return log.empty() ? "" : log + "\n";
}

bool in_same_scope(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  if (a.empty() || b.empty()) return false;
  return std::find(a.begin(), a.end(), b.back()) != a.end() ||
         std::find(b.begin(), b.end(), a.back()) != b.end();
}

void merge_references(std::vector<Reference>& into, const std::vector<Reference>& more) {
  for (const Reference& reference : more) {
    if (into.size() >= limits::kReferencesPerFactMax) return;
    const auto at = std::lower_bound(into.begin(), into.end(), reference);
    if (at == into.end() || *at != reference) into.insert(at, reference);
  }
}

std::optional<Scopes::Holder> Scopes::holder(const std::vector<std::string>& scopes,
                                             Instant time) const {
  for (auto key = scopes.rbegin(); key != scopes.rend(); ++key) {
    const auto found = index_.find(*key);
    if (found == index_.end()) continue;
    const ScopeEntry& entry = *found->second;
    if (entry.holder.empty() || !lives(entry, time)) continue;
    // Further out, only what was said of that very scope counts: not what another request on the
    // same thread said of itself.
    if (key != scopes.rbegin() && entry.named_in != entry.key) continue;
    return Holder{entry.holder, entry.key, distance(time, entry.named)};
  }
  return std::nullopt;
}

bool Scopes::name(const std::vector<std::string>& scopes, const std::vector<Reference>& references,
                  Instant time, const AliasBook& aliases) {
  bool turned = false;
  for (const std::string& key : scopes) {
    ScopeEntry& at = entry(key);
    const bool held = !at.holder.empty() && lives(at, time);
    if (held && aliases.same(at.holder, references)) {
      merge_references(at.holder, references);
    } else {
      turned = turned || held;
      at.holder = references;
    }
    at.named_in = scopes.back();
    at.named = time;
    at.touched = time;
  }
  return turned;
}

void Scopes::touch(const std::vector<std::string>& scopes, Instant time) {
  for (const std::string& key : scopes) {
    if (index_.find(key) == index_.end()) continue;  // names nothing: nothing to keep alive
    ScopeEntry& at = entry(key);
    if (!lives(at, time)) at.holder.clear();
    at.touched = time;
  }
}

void Scopes::confirm(const std::vector<std::string>& scopes, const Holder& holder, Instant time) {
  for (const std::string& key : scopes) {
    ScopeEntry& at = entry(key);
    if (key != holder.key) {
      at.holder = holder.references;
      at.named_in = scopes.back();
    }
    at.named = time;
    at.touched = time;
  }
}

void Scopes::end(const std::vector<std::string>& scopes) {
  for (const std::string& key : scopes) {
    const auto found = index_.find(key);
    if (found == index_.end()) continue;
    order_.erase(found->second);
    index_.erase(found);
  }
}

void Scopes::end_all(std::string_view prefix) {
  std::erase_if(index_, [&](const auto& one) {
    if (!one.first.starts_with(prefix)) return false;
    order_.erase(one.second);
    return true;
  });
}

// Times of other logs do not compare with this one's.
void Scopes::purge(Instant time, std::string_view prefix) {
  while (!order_.empty() && order_.front().key.starts_with(prefix) &&
         !lives(order_.front(), time)) {
    index_.erase(order_.front().key);
    order_.pop_front();
  }
}

void Scopes::restore(ScopeEntry restored) {
  std::string key = restored.key;
  entry(key) = std::move(restored);
}

ScopeEntry& Scopes::entry(const std::string& key) {
  if (const auto found = index_.find(key); found != index_.end()) {
    order_.splice(order_.end(), order_, found->second);
    return order_.back();
  }
  if (order_.size() >= scopes_max_ && !order_.empty()) {
    if (!order_.front().holder.empty()) ++evicted_;
    index_.erase(order_.front().key);
    order_.pop_front();
  }
  order_.push_back({});
  order_.back().key = key;
  index_.emplace(key, std::prev(order_.end()));
  return order_.back();
}

}  // namespace meldevakt::agent
