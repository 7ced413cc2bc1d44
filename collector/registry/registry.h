// What is known of a tenant beside its messages, each piece with the time for which it holds.
//
//   organisation   its organisation number            municipality  a number it serves (several)
//   name           what it is called                  district      a bydel, "0301/03" (several)
//   district_id    the portal's id of a bydel (several); the label names it, "0301/03"
//   portal_organisation  the portal's id of the organisation (`fiksOrgId`; several): rows of
//                  another are refused
//   contact        whom to call (several); the label says who, the value as what: "dpo", ...
//   portal         a portal it receives from, since its activation ("npb"; several)
//   product        the case system and its version    patch         "affected", "fixed", "unknown"
//   unused         an agent ("AGENT") or one of its sources ("AGENT/SOURCE") with nothing to log in
//                  that time: since its server was replaced, until it was taken into use. Nobody
//                  waits for it to be read of that time
//
// Entries are only ever added. Of two entries that name the same (kind, value, from) the one added
// last counts; one whose time is empty takes the other back. Of a kind that holds one value at a
// time (organisation, name, product, patch) the one added last counts for each `from`, and a later
// `from` ends the one before.
//
// A municipality that merges ends on 31 December, and its label names the number it went into:
// {"municipality", "1505", label "1508", until 2024-01-01}. memberships() follows it, so that what
// was lost in the old one is counted in the new one.
//
// Pure. Thread-safety: plain values, pure functions. Bounds: kEntriesMax a tenant, limits of
// check_entry. Errors: kInvalid, naming what is expected and never what a contact's label says.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt::collector {

inline constexpr std::size_t kEntriesMax = 10'000;
inline constexpr std::size_t kLabelBytesMax = 400;

enum class EntryKind : std::uint8_t {
  kOrganisation,
  kName,
  kMunicipality,
  kDistrict,
  kContact,
  kPortal,
  kProduct,
  kPatch,
  kDistrictId,
  kUnused,
  kPortalOrganisation,
};
[[nodiscard]] std::string_view to_string(EntryKind kind);
[[nodiscard]] std::optional<EntryKind> entry_kind_from_string(std::string_view text);
[[nodiscard]] std::vector<std::string> all_entry_kind_names();

// The time an entry holds when nothing is said: always.
inline constexpr Interval kAlways{{0}, {253'402'300'799'999}};

struct RegistryEntry {
  EntryKind kind = EntryKind::kName;
  std::string value;
  std::string label;
  Interval span = kAlways;
  auto operator<=>(const RegistryEntry&) const = default;
};

// Nine digits, the last of which checks the others (Brønnøysund: modulus 11, weights 3 2 7 6 5 4 3
// 2).
[[nodiscard]] bool is_organisation_number(std::string_view text);
[[nodiscard]] bool is_municipality_number(std::string_view text);  // four digits

// A product's value as its name and its version: "Fagsystem 4.2.1" is "Fagsystem" and "4.2.1". The
// version is the last word when it begins with a digit, or with "v" and one; else it is "".
struct ProductVersion {
  std::string product;
  std::string version;
};
[[nodiscard]] ProductVersion product_version(std::string_view value);

// Ok when the entry can be meant.
[[nodiscard]] Status check_entry(const RegistryEntry& entry);

// Of `more` what is not so already after `added` and what stands before it: the same register
// imported every night is one register.
[[nodiscard]] std::vector<RegistryEntry> entries_that_change(
    const std::vector<RegistryEntry>& added, const std::vector<RegistryEntry>& more);

// A municipality that a tenant served, and when.
struct Membership {
  std::string municipality;
  Interval span;
  auto operator<=>(const Membership&) const = default;
};

// A municipality that became part of another, by their numbers.
struct Merger {
  std::string from;
  std::string into;
  auto operator<=>(const Merger&) const = default;
};

// An agent, or one of its sources, that was not in use.
struct UnusedEntry {
  std::string agent;
  std::string source;  // "": all of them
  Interval span;
  auto operator<=>(const UnusedEntry&) const = default;
};

// Since when the whole agent has been in use: the end of the last time in which it was not, else
// Instant{}; nullopt: it is not in use at `at`.
[[nodiscard]] std::optional<Instant> in_use_since(const std::vector<UnusedEntry>& unused,
                                                  const std::string& agent, Instant at);

// A tenant's entries, in the order they were added.
class Registry {
 public:
  Registry() = default;
  explicit Registry(const std::vector<RegistryEntry>& added);

  // What counts, sorted by kind, time and value.
  [[nodiscard]] const std::vector<RegistryEntry>& entries() const { return entries_; }
  [[nodiscard]] std::vector<RegistryEntry> of(EntryKind kind, Instant at) const;
  // The one value of a kind at a time; "" when there is none.
  [[nodiscard]] std::string value(EntryKind kind, Instant at) const;
  // Whom the tenant served in that time, and when of it: numbers as of `named_at`. Sorted.
  [[nodiscard]] std::vector<Membership> memberships(const Interval& asked, Instant named_at) const;
  [[nodiscard]] std::vector<Membership> memberships(const Interval& asked) const {
    return memberships(asked, asked.to);
  }
  // Which numbers had gone into which by then.
  [[nodiscard]] std::vector<Merger> mergers(Instant at) const;
  [[nodiscard]] bool names_municipalities() const;  // at any time
  // What of that time lies between the first and the last day of a portal that was used in it. No
  // portal is registered: all of it. None was used then: empty.
  [[nodiscard]] Interval used(const Interval& asked) const;
  // The two digits of each bydel by the portal's id of it, whenever that held: such ids are used
  // once.
  [[nodiscard]] std::map<std::string, std::string> district_numbers() const;
  // When its first portal was activated, if that is known.
  [[nodiscard]] std::optional<Instant> activated() const;
  // What was not in use, and when.
  [[nodiscard]] std::vector<UnusedEntry> unused() const;
  // Since when the product that runs at `at` is corrected; nullopt: it is not, or not yet, or that
  // was not said.
  [[nodiscard]] std::optional<Instant> fixed_since(Instant at) const;
  // The next time after `at` at which an entry begins or ends to hold.
  [[nodiscard]] std::optional<Instant> next_change(Instant at) const;

 private:
  [[nodiscard]] std::string merged_into(const RegistryEntry& entry, Instant at) const;
  std::vector<RegistryEntry> entries_;
};

}  // namespace meldevakt::collector
