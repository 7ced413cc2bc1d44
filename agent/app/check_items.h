// What `check` looks at: one item each, good or to be looked at, or a blind spot, which is neither.
// Thread-safety: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/app/config.h"
#include "agent/app/packs.h"

namespace meldevakt::agent {

struct CheckItem {
  enum class Kind : std::uint8_t { kGood, kLook, kBlindSpot };
  Kind kind = Kind::kGood;
  std::string what;
  std::string detail;
  std::string remedy;  // of blind spots

  CheckItem(bool good, std::string new_what, std::string new_detail)
      : kind{good ? Kind::kGood : Kind::kLook},
        what{std::move(new_what)},
        detail{std::move(new_detail)} {}
  CheckItem(Kind new_kind, std::string new_what, std::string new_detail, std::string new_remedy)
      : kind{new_kind},
        what{std::move(new_what)},
        detail{std::move(new_detail)},
        remedy{std::move(new_remedy)} {}
};
using CheckItems = std::vector<CheckItem>;

// --- check_reading.cpp
// The files of every source: there, and readable.
void check_source_files(const Config& config, CheckItems& out);
// What all of this cannot see (blind_spots.h), looked up on this machine.
void look_for_blind_spots(const Config& config, const Packs& packs, CheckItems& out);

// --- check_shipping.cpp
// State, enrolment, keys, and the collector or the carry folder.
void check_state(const Config& config, CheckItems& out);
// Names of the configuration's tenants that are enrolled and have no tenant key here.
[[nodiscard]] std::vector<std::string> tenants_without_key(const Config& config);

}  // namespace meldevakt::agent
