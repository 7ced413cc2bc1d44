// The key that signs the tenants' logs: log.key in the data folder, made once. Its public half is
// shown by init and audit; whoever checks a log must have got it on another way than the log.
//
// Errors: as load_signer and create_signer.
#pragma once

#include <memory>

#include "collector/app/config.h"
#include "collector/store/log_key.h"
#include "common/base/result.h"

namespace meldevakt::collector {

// Makes the key where there is none yet (init; a folder from before there were logs), never in
// place of one that was lost: kInvalid, with the remedy, where logs that it signed are stored.
[[nodiscard]] Result<std::shared_ptr<const LogKey>> open_log_key(const Config& config);
// Only reads; kNotFound when there is none.
[[nodiscard]] Result<std::shared_ptr<const LogKey>> load_log_key(const Config& config);

}  // namespace meldevakt::collector
