// Two of the commands that write (control.h): adding to a tenant's register, and running the
// standing control now. Both ends of each.
// Thread-safety: the answering ends belong to the store's strand.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/app/control.h"
#include "collector/app/standing_control.h"
#include "collector/registry/registry.h"
#include "collector/store/store.h"

namespace meldevakt::collector {

inline constexpr std::size_t kEntriesPerLineMax = 1'000;

// The answer's line. Errors: kInvalid (no such tenant, an entry that cannot be meant), of the
// store.
[[nodiscard]] Result<std::string> answer_register(Store& store, Instant now, std::string_view line);
[[nodiscard]] Result<std::string> answer_control(Store& store, StandingControl* control,
                                                 std::string_view line);

// In lines of at most kEntriesPerLineMax entries. Returns how many were added.
[[nodiscard]] Result<std::uint64_t> call_register(const ControlCall& call,
                                                  const std::string& tenant,
                                                  const std::vector<RegistryEntry>& entries);
[[nodiscard]] Result<ControlRecord> call_control(const ControlCall& call, const std::string& tenant,
                                                 const std::optional<Interval>& period);

}  // namespace meldevakt::collector
