// The connection of an enrolled tenant to its collector: `run` sends through it, `check` asks
// through it, so that what one accepts the other does.
//
// Errors: kNotFound, kInvalid (an address, a key others can read), kIo; with path and remedy.
#pragma once

#include <memory>
#include <string>

#include "agent/app/config.h"
#include "agent/app/identity.h"
#include "agent/ship/https.h"
#include "agent/state/state_rows.h"
#include "common/base/result.h"

namespace meldevakt::agent {

// Of a certificate or a key as PEM.
inline constexpr std::size_t kPemBytesMax = 64 * 1024;

// As the configuration says, or as the invitation did.
[[nodiscard]] const std::string& collector_url(const Config& config, const TenantRow& tenant);
// Nothing is sent yet.
[[nodiscard]] Result<std::unique_ptr<HttpsTransport>> connect_collector(const Config& config,
                                                                        const StateFiles& files,
                                                                        const TenantRow& tenant);

}  // namespace meldevakt::agent
