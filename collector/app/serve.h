// meldevakt-collector serve: both listeners, the control socket and the store, until a stop is
// asked for.
//
// Start: collector.lock -> authority -> server certificate -> store (checked, migrated) -> agents'
// and people's ports -> control.sock -> listening.json {"agents":port,"people":port} -> "ready".
// Stop (SIGTERM, SIGINT): no new connections; answers that are being worked out are still sent, for
// at most kStopGrace; store closed; control.sock and listening.json removed.
// A crash at any point leaves nothing that the next start does not take over.
//
// Errors: kExists when another process serves; else as the parts.
#pragma once

#include "collector/app/config.h"
#include "collector/http/message.h"
#include "common/base/result.h"
#include "common/ports/clock.h"

namespace meldevakt::collector {

inline constexpr Duration kStopGrace = seconds(5);
// How often serve looks whether a daily control is due.
inline constexpr Duration kControlLook = seconds(60);

[[nodiscard]] Status serve(const Config& config, Clock& clock, const LogSink& log);

}  // namespace meldevakt::collector
