// The fault that hurts nobody yet: a case system that receipts messages before it has stored them.
//
// Reported from the very first such message on, although nothing is lost: in 2020 to 2023 it was
// there from the first day and was found after 955. It is *present* until kSoundMessages messages
// were seen to be stored before their receipts since the last that was not, or the register says
// that it was fixed and no such message came since. A message lost after that makes it present
// again.
//
// Sound is what lies in the right order by more than the clocks could err. A message whose order
// the clocks leave open neither ends the fault nor goes on with it: where nothing is ever clear,
// the fault stays until the register says that it is fixed.
//
// Pure. Thread-safety: pure functions. Cost: O(n log n) in messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collector/correlate/correlate.h"
#include "common/ports/time_zone.h"

namespace meldevakt::collector {

inline constexpr std::size_t kSoundMessages = 20;

struct LatentFault {
  Instant first;  // receipt of the first message that was stored after it
  Instant last;
  std::uint64_t messages = 0;  // that were stored after their receipts
  std::uint64_t since_then =
      0;  // messages clearly stored in the right order after the last of them
  bool present = true;
  auto operator<=>(const LatentFault&) const = default;
};
// Receipted before it was stored: late, or when it was sent again. REQUIRES: as correlate() says,
// without what people told.
[[nodiscard]] bool shows_fault(Verdict verdict);
// Clearly stored before its receipt.
[[nodiscard]] bool is_sound(const MessageVerdict& message);
// nullopt: no message was ever receipted before it was stored. `fixed_since`: of the register.
[[nodiscard]] std::optional<LatentFault> latent_fault(const Correlation& correlation,
                                                      std::optional<Instant> fixed_since = {});

[[nodiscard]] std::string latent_fault_json(const LatentFault& fault, std::string_view tenant);
// "LATENT FAULT ...": one line, with the tenant's name.
[[nodiscard]] std::string latent_fault_text(const LatentFault& fault, std::string_view name,
                                            const TimeZone& zone);

}  // namespace meldevakt::collector
