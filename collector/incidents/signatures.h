// The same cause wherever it shows. In 2023 it took 23 days from the first support case until other
// customers were told; a signature that is seen in a second municipality raises a systemic incident
// at once, names who else is exposed, and whom to look at next.
//
//   for (const SystemicIncident& one : systemic_incidents(tenants)) ...
//
// A signature is a cause in a product ("pg/55P03" in "Fagsystem"). A tenant whose product nobody
// says may use each of those in which others see its cause, and is counted with them, which the
// reason says; the product is "" where nobody says it of any. It is exposed only by what is known
// of itself (no coverage, not answered): that it has the same version nobody can say.
//
// Of an incident that people merged each cause counts, with its own messages. Causes that tell of
// our own sight only (a gap in coverage, signals that name nobody) are no signature. The latent
// fault (`receipt_before_commit`) is one, though nothing was lost.
//
// Who sees it is the caller's to say: give this function the tenants that whoever asks may see
// (invariant 7), never more. Pure. Thread-safety: pure function. Order of tenants does not matter.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collector/incidents/incidents.h"

namespace meldevakt::collector {

struct SeenIn {
  std::string product;
  std::set<std::string> versions;
};

// What is known of a tenant beside its messages; the registry tells it.
struct TenantStanding {
  std::string tenant;
  std::string product;  // the case system as of now; "" when nobody says
  std::string version;  // of the product; "" likewise
  // In what a cause was seen, when it was: a later upgrade takes nothing back. One that is not here
  // was seen in the product as of now.
  std::map<std::string, SeenIn> seen_in;
  bool covered = false;   // its logs are read, without a hole, over the time asked about
  bool answered = false;  // it has said whether it is hit
  bool patched = false;   // a version without the fault is installed, and says so
  std::uint64_t messages = 0;
  std::vector<Incident> incidents;
};

enum class ExposedWhy : std::uint8_t { kSameVersion, kNoCoverage, kNotAnswered };
[[nodiscard]] std::string_view to_string(ExposedWhy why);  // "same_version", ...

struct Exposed {
  std::string tenant;
  std::vector<ExposedWhy> why;  // sorted, at least one
  std::uint64_t messages = 0;
};

struct SystemicIncident {
  std::string id;  // 16 hexadecimal digits of a hash of the signature
  std::string cause;
  std::string product;
  std::vector<std::string> tenants;  // where it was seen, by when
  Instant first;                     // seen anywhere
  Instant raised;                    // seen in the second: systemic since then
  Instant last;                      // seen latest anywhere
  std::uint64_t messages = 0;        // of all of them
  Verdict worst = Verdict::kStoredAfterReceipt;
  std::vector<Exposed> exposed;  // everyone else who may be hit, whom to sample next first
  std::string reason;            // in words
};

// Whom to look at next when somebody asks for a sample: the first so many of `exposed`.
inline constexpr std::size_t kSampleNext = 5;

// Sorted by `raised`, then id.
[[nodiscard]] std::vector<SystemicIncident> systemic_incidents(
    const std::vector<TenantStanding>& tenants);

// Of one that people merged each cause; else the incident is its only one.
[[nodiscard]] std::vector<CausePart> parts_of(const Incident& incident);
[[nodiscard]] bool is_signature(std::string_view cause);

}  // namespace meldevakt::collector
