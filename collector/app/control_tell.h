// Adding what a person tells or decides, one of the commands that write (control.h). Both ends.
//
// The writer's clock says when it was told, and the store gives the number; what the line says of
// both counts for nothing. Which message or incident is meant was looked up by the command
// (tell_command.h): the line names messages.
//
// Thread-safety: the answering end belongs to the store's strand. Errors: kInvalid (no such tenant,
// an entry that cannot be meant, one to take back that is not there, an identity number in a name
// or note), kCorrupt (no such line), of the store.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "collector/app/control.h"
#include "collector/incidents/ledger_entry.h"
#include "collector/store/store.h"

namespace meldevakt::collector {

// `told` hears of which tenant something was told, after it is stored; may be empty.
[[nodiscard]] Result<std::string> answer_tell(
    Store& store, Instant now, std::string_view line,
    const std::function<void(const std::string& tenant)>& told = {});
// Returns the entry's number.
[[nodiscard]] Result<std::uint64_t> call_tell(const ControlCall& call, const std::string& tenant,
                                              const LedgerEntry& entry);

}  // namespace meldevakt::collector
