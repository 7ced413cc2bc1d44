#include "collector/registry/registry.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

#include "common/base/text.h"
#include "common/summary/forms.h"

namespace meldevakt::collector {
namespace {

constexpr std::array<std::string_view, 11> kNames{"organisation",
                                                  "name",
                                                  "municipality",
                                                  "district",
                                                  "contact",
                                                  "portal",
                                                  "product",
                                                  "patch",
                                                  "district_id",
                                                  "unused",
                                                  "portal_organisation"};
constexpr std::array<std::string_view, 3> kPatchStates{"affected", "fixed", "unknown"};
constexpr std::size_t kValueBytesMax = 200;
constexpr std::size_t kDistrictDigits = 7;  // "0301/03"

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_district(std::string_view text) {
  return text.size() == kDistrictDigits && text[4] == '/' && is_digits(text.substr(0, 4)) &&
         is_digits(text.substr(5));
}

// "AGENT" or "AGENT/SOURCE".
bool is_agent_or_source(std::string_view text) {
  constexpr std::size_t kAgentDigits = 32;
  const std::string_view agent = text.substr(0, kAgentDigits);
  if (agent.size() != kAgentDigits ||
      agent.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
    return false;
  }
  return text.size() == kAgentDigits ||
         (text[kAgentDigits] == '/' && is_name(text.substr(kAgentDigits + 1)));
}

bool holds_one_value(EntryKind kind) {
  return kind == EntryKind::kOrganisation || kind == EntryKind::kName ||
         kind == EntryKind::kProduct || kind == EntryKind::kPatch;
}

// What an entry speaks of: of two that speak of the same the one added last counts.
using EntryName = std::tuple<EntryKind, std::string, Instant>;

EntryName name_of(const RegistryEntry& entry) {
  return {entry.kind, holds_one_value(entry.kind) ? "" : entry.value, entry.span.from};
}

bool is_line(std::string_view text, std::size_t bytes_max) {
  return text.size() <= bytes_max && is_utf8(text) &&
         std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7F;
         });
}

// "" when the value can be meant; else what is expected.
std::string_view expected(const RegistryEntry& entry) {
  const std::string_view value = entry.value;
  switch (entry.kind) {
    case EntryKind::kOrganisation:
      return is_organisation_number(value) ? ""
                                           : "nine digits, the last of which checks the others";
    case EntryKind::kMunicipality: return is_municipality_number(value) ? "" : "four digits";
    case EntryKind::kDistrict:
      return is_district(value) ? "" : "a municipality's and a district's number, like 0301/03";
    case EntryKind::kDistrictId:
      return is_code(value) ? "" : "the portal's id of a bydel (bydelRessursId), without blanks";
    case EntryKind::kPortalOrganisation:
      return is_code(value) ? ""
                            : "the portal's id of the organisation (fiksOrgId), without blanks";
    case EntryKind::kPatch:
      return std::find(kPatchStates.begin(), kPatchStates.end(), value) != kPatchStates.end()
                 ? ""
                 : "affected, fixed or unknown";
    case EntryKind::kUnused:
      return is_agent_or_source(value) ? ""
                                       : "an agent's id (32 hexadecimal digits), or one of its "
                                         "sources as ID/SOURCE";
    case EntryKind::kName:
    case EntryKind::kContact:
    case EntryKind::kPortal:
    case EntryKind::kProduct: return value.empty() ? "1 to 200 bytes" : "";
  }
  return "";
}

}  // namespace

std::string_view to_string(EntryKind kind) {
  return kNames.at(static_cast<std::size_t>(kind));
}

std::optional<EntryKind> entry_kind_from_string(std::string_view text) {
  const auto at = std::find(kNames.begin(), kNames.end(), text);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<EntryKind>(at - kNames.begin());
}

std::vector<std::string> all_entry_kind_names() {
  return {kNames.begin(), kNames.end()};
}

bool is_organisation_number(std::string_view text) {
  constexpr std::string_view kWeights = "32765432";
  if (text.size() != 9 || !is_digits(text)) return false;
  int sum = 0;
  for (std::size_t i = 0; i < kWeights.size(); ++i) sum += (text[i] - '0') * (kWeights[i] - '0');
  const int check = (11 - sum % 11) % 11;
  return check < 10 && check == text[8] - '0';
}

bool is_municipality_number(std::string_view text) {
  return text.size() == 4 && is_digits(text);
}

ProductVersion product_version(std::string_view value) {
  const std::size_t blank = value.rfind(' ');
  if (blank == std::string_view::npos) return {std::string{value}, ""};
  std::string_view version = value.substr(blank + 1);
  const bool has_v = version.size() > 1 && (version[0] == 'v' || version[0] == 'V');
  if (has_v) version.remove_prefix(1);
  if (version.empty() || version[0] < '0' || version[0] > '9') return {std::string{value}, ""};
  std::string_view product = value.substr(0, blank);
  while (!product.empty() && product.back() == ' ') product.remove_suffix(1);
  return {std::string{product}, std::string{version}};
}

Status check_entry(const RegistryEntry& entry) {
  const auto refuse = [&](std::string_view why) {
    return Error{Errc::kInvalid, std::string{to_string(entry.kind)} + ": " + std::string{why}};
  };
  if (!is_line(entry.value, kValueBytesMax)) return refuse("1 to 200 bytes of UTF-8, one line");
  if (!is_line(entry.label, kLabelBytesMax)) {
    return refuse("a label has at most 400 bytes of UTF-8, one line");
  }
  if (const std::string_view wanted = expected(entry); !wanted.empty()) {
    return refuse("expected " + std::string{wanted});
  }
  if (entry.kind == EntryKind::kMunicipality && !entry.label.empty() &&
      !is_municipality_number(entry.label)) {
    return refuse("the label names the municipality it went into: four digits");
  }
  if (entry.kind == EntryKind::kDistrictId && !is_district(entry.label)) {
    return refuse("the label names the bydel that the portal calls so, like 0301/03");
  }
  if (entry.kind == EntryKind::kUnused && entry.span == kAlways) {
    return refuse("since when, or until when? give the time in which nothing is logged there");
  }
  if (entry.span.to < entry.span.from) return refuse("it ends before it begins");
  if (entry.span.from < kAlways.from || kAlways.to < entry.span.to) {
    return refuse("its time must lie in the years 1970 to 9999");
  }
  return {};
}

std::vector<RegistryEntry> entries_that_change(const std::vector<RegistryEntry>& added,
                                               const std::vector<RegistryEntry>& more) {
  std::map<EntryName, RegistryEntry> newest;
  for (const RegistryEntry& entry : added) newest.insert_or_assign(name_of(entry), entry);
  std::vector<RegistryEntry> out;
  for (const RegistryEntry& entry : more) {
    const auto at = newest.find(name_of(entry));
    if (at != newest.end() && at->second == entry) continue;
    newest.insert_or_assign(name_of(entry), entry);
    out.push_back(entry);
  }
  return out;
}

Registry::Registry(const std::vector<RegistryEntry>& added) {
  std::map<EntryName, RegistryEntry> newest;
  for (const RegistryEntry& entry : added) newest.insert_or_assign(name_of(entry), entry);
  for (auto& [key, entry] : newest) {
    if (!entry.span.empty()) entries_.push_back(std::move(entry));
  }
  std::sort(entries_.begin(), entries_.end(), [](const RegistryEntry& a, const RegistryEntry& b) {
    return std::tie(a.kind, a.span.from, a.value) < std::tie(b.kind, b.span.from, b.value);
  });
  // Of what holds one value at a time, the next one ends the one before.
  for (std::size_t i = 0; i + 1 < entries_.size(); ++i) {
    RegistryEntry& entry = entries_[i];
    const RegistryEntry& next = entries_[i + 1];
    if (!holds_one_value(entry.kind) || next.kind != entry.kind) continue;
    entry.span.to = std::min(entry.span.to, next.span.from);
  }
}

// Follows a number through the mergers that this tenant's own entries know.
std::string Registry::merged_into(const RegistryEntry& entry, Instant at) const {
  const RegistryEntry* last = &entry;
  for (std::size_t turns = 0; turns < entries_.size(); ++turns) {
    if (at < last->span.to || last->label.empty()) return last->value;
    const auto next =
        std::find_if(entries_.begin(), entries_.end(), [&](const RegistryEntry& other) {
          return other.kind == EntryKind::kMunicipality && other.value == last->label;
        });
    if (next == entries_.end()) return last->label;
    last = &*next;
  }
  return last->value;
}

std::vector<RegistryEntry> Registry::of(EntryKind kind, Instant at) const {
  std::vector<RegistryEntry> out;
  for (const RegistryEntry& entry : entries_) {
    if (entry.kind == kind && entry.span.contains(at)) out.push_back(entry);
  }
  return out;
}

std::string Registry::value(EntryKind kind, Instant at) const {
  const std::vector<RegistryEntry> all = of(kind, at);
  return all.empty() ? "" : all.back().value;
}

std::vector<Membership> Registry::memberships(const Interval& asked, Instant named_at) const {
  std::vector<Membership> out;
  for (const RegistryEntry& entry : entries_) {
    if (entry.kind != EntryKind::kMunicipality) continue;
    const Interval served{std::max(entry.span.from, asked.from), std::min(entry.span.to, asked.to)};
    if (!served.empty()) out.push_back({merged_into(entry, named_at), served});
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<Merger> Registry::mergers(Instant at) const {
  std::vector<Merger> out;
  for (const RegistryEntry& entry : entries_) {
    if (entry.kind != EntryKind::kMunicipality || entry.label.empty() || at < entry.span.to)
      continue;
    out.push_back({entry.value, entry.label});
  }
  return out;
}

bool Registry::names_municipalities() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const RegistryEntry& entry) {
    return entry.kind == EntryKind::kMunicipality;
  });
}

Interval Registry::used(const Interval& asked) const {
  bool any = false;
  std::optional<Interval> hull;
  for (const RegistryEntry& entry : entries_) {
    if (entry.kind != EntryKind::kPortal) continue;
    any = true;
    if (entry.span.to <= asked.from || asked.to <= entry.span.from) continue;
    if (!hull) hull = entry.span;
    hull->from = std::min(hull->from, entry.span.from);
    hull->to = std::max(hull->to, entry.span.to);
  }
  if (!any) return asked;
  if (!hull) return {asked.from, asked.from};
  return {std::max(asked.from, hull->from), std::min(asked.to, hull->to)};
}

std::map<std::string, std::string> Registry::district_numbers() const {
  std::map<std::string, std::string> out;
  for (const RegistryEntry& entry : entries_) {
    if (entry.kind != EntryKind::kDistrictId) continue;
    out.insert_or_assign(entry.value, entry.label.substr(kDistrictDigits - 2));
  }
  return out;
}

std::optional<Instant> Registry::activated() const {
  std::optional<Instant> out;
  for (const RegistryEntry& entry : entries_) {
    if (entry.kind != EntryKind::kPortal || entry.span.from <= kAlways.from) continue;
    out = std::min(out.value_or(entry.span.from), entry.span.from);
  }
  return out;
}

std::vector<UnusedEntry> Registry::unused() const {
  std::vector<UnusedEntry> out;
  for (const RegistryEntry& entry : entries_) {
    if (entry.kind != EntryKind::kUnused) continue;
    const std::size_t slash = entry.value.find('/');
    out.push_back({entry.value.substr(0, slash),
                   slash == std::string::npos ? "" : entry.value.substr(slash + 1), entry.span});
  }
  return out;
}

std::optional<Instant> in_use_since(const std::vector<UnusedEntry>& unused,
                                    const std::string& agent, Instant at) {
  Instant out;
  for (const UnusedEntry& one : unused) {
    if (one.agent != agent || !one.source.empty()) continue;
    if (one.span.contains(at)) return std::nullopt;
    if (one.span.to <= at) out = std::max(out, one.span.to);
  }
  return out;
}

std::optional<Instant> Registry::fixed_since(Instant at) const {
  for (const RegistryEntry& entry : entries_) {
    if (entry.kind != EntryKind::kPatch || !entry.span.contains(at)) continue;
    return entry.value == "fixed" ? std::optional{entry.span.from} : std::nullopt;
  }
  return std::nullopt;
}

std::optional<Instant> Registry::next_change(Instant at) const {
  std::optional<Instant> next;
  for (const RegistryEntry& entry : entries_) {
    for (const Instant time : {entry.span.from, entry.span.to}) {
      if (at < time && time < kAlways.to && (!next || time < *next)) next = time;
    }
  }
  return next;
}

}  // namespace meldevakt::collector
