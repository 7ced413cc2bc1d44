#include <algorithm>
#include <utility>

#include "collector/correlate/archive.h"

namespace meldevakt::collector {

// --- names

std::optional<std::uint32_t> Archive::find_name(const Reference& reference) const {
  const Key16 key = key_of(reference.value);
  const auto type = static_cast<std::uint8_t>(reference.type);
  return name_index_.find(hash_of(key, type), [&](std::uint32_t slot) {
    return names_[slot].value == key && names_[slot].type == type;
  });
}

std::uint32_t Archive::name_of(const Reference& reference) {
  if (const auto known = find_name(reference)) return *known;
  NameRow row;
  row.value = key_of(reference.value);
  row.type = static_cast<std::uint8_t>(reference.type);
  const std::uint32_t name = names_.push_back(row);
  names_[name].parent = name;
  names_[name].next_member = name;
  name_index_.insert(hash_of(row.value, row.type), name,
                     [this](std::uint32_t s) { return hash_of(names_[s].value, names_[s].type); });
  return name;
}

Reference Archive::reference(std::uint32_t name) const {
  const NameRow& row = names_[name];
  const auto type = static_cast<ReferenceType>(row.type);
  return {type, is_portal_id(name) ? uuid_of(row.value) : hex_of(row.value)};
}

std::string Archive::message_name(std::uint32_t name) const {
  const Reference named = reference(name);
  if (named.type == ReferenceType::kPortalMessageId) return named.value;
  return std::string{to_string(named.type)} + ":" + named.value;
}

bool Archive::less(std::uint32_t a, std::uint32_t b) const {
  const NameRow& x = names_[a];
  const NameRow& y = names_[b];
  return x.type != y.type ? x.type < y.type : x.value < y.value;
}

std::uint32_t Archive::root_of(std::uint32_t name) {
  while (names_[name].parent != name) {
    names_[name].parent = names_[names_[name].parent].parent;  // halving keeps the paths short
    name = names_[name].parent;
  }
  return name;
}

void Archive::tie(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t root_a = root_of(a);
  const std::uint32_t root_b = root_of(b);
  if (root_a == root_b) return;
  names_[std::max(root_a, root_b)].parent = std::min(root_a, root_b);
  std::swap(names_[root_a].next_member, names_[root_b].next_member);  // two circles become one
}

std::vector<std::uint32_t> Archive::members_of(std::uint32_t name) const {
  std::vector<std::uint32_t> out;
  std::uint32_t at = name;
  do {
    out.push_back(at);
    at = names_[at].next_member;
  } while (at != name);
  std::sort(out.begin(), out.end(), [this](auto a, auto b) { return less(a, b); });
  return out;
}

void Archive::retie(std::uint32_t name) {
  const std::vector<std::uint32_t> members = members_of(name);
  for (const std::uint32_t member : members) {
    names_[member].parent = member;
    names_[member].next_member = member;
  }
  for (const std::uint32_t member : members) {
    for (const std::uint32_t slot : facts_of(member)) {
      for (const std::uint32_t other : references_of(slot)) tie(member, other);
    }
  }
}

void Archive::link(std::uint32_t name, std::uint32_t slot) {
  facts_[slot].next = names_[name].first_fact;
  names_[name].first_fact = slot;
}

void Archive::unlink(std::uint32_t name, std::uint32_t slot) {
  std::uint32_t* at = &names_[name].first_fact;
  while (*at != slot) at = &facts_[*at].next;
  *at = facts_[slot].next;
  facts_[slot].next = kNobody;
}

std::vector<std::uint32_t> Archive::facts_of(std::uint32_t name) const {
  std::vector<std::uint32_t> out;
  for (std::uint32_t at = names_[name].first_fact; at != kNobody; at = facts_[at].next) {
    out.push_back(at);
  }
  return out;
}

// --- rows

std::uint32_t Archive::index_of(const RowShape& shape) {
  const auto [at, added] =
      row_shape_index_.try_emplace(shape, static_cast<std::uint32_t>(row_shapes_.size()));
  if (added) row_shapes_.push_back(shape);
  return at->second;
}

std::uint32_t Archive::row_shape_of(const Receipt& row, const RowTelling& telling) {
  return index_of({text(row.portal), text(row.channel), text(row.district), row.form, telling});
}

bool Archive::add_row(const Receipt& row, const RowTelling& telling) {
  const std::uint32_t name = name_of({ReferenceType::kPortalMessageId, row.message_id});
  const PortalRow kept{row_shape_of(row, telling), names_[name].first_row, packed(row.sent),
                       packed(row.confirmed)};
  for (std::uint32_t i = kept.next; i != kNobody; i = rows_[i].next) {
    PortalRow& other = rows_[i];
    RowShape shape = row_shapes_[other.shape];
    if (!shape.says_the_same(row_shapes_[kept.shape]) || other.sent != kept.sent ||
        other.confirmed != kept.confirmed) {
      continue;
    }
    shape.telling.add(telling);
    return std::exchange(other.shape, index_of(shape)) != other.shape;
  }
  names_[name].first_row = rows_.push_back(kept);
  return true;
}

Receipt Archive::receipt_of(std::uint32_t name, const PortalRow& row) const {
  const RowShape& shape = row_shapes_[row.shape];
  return {
      texts_[shape.portal], reference(name).value, unpacked(row.sent),    unpacked(row.confirmed),
      shape.form,           texts_[shape.channel], texts_[shape.district]};
}

std::vector<Receipt> Archive::rows_of(std::uint32_t name) const {
  const std::uint32_t first = names_[name].first_row;
  if (first == kNobody) return {};
  if (rows_[first].next == kNobody) return {receipt_of(name, rows_[first])};
  std::vector<WeighedRow> out;
  for (std::uint32_t i = first; i != kNobody; i = rows_[i].next) {
    out.push_back({receipt_of(name, rows_[i]), row_shapes_[rows_[i].shape].telling});
  }
  return counting_rows(out);
}

}  // namespace meldevakt::collector
