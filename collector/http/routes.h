// What the two listeners answer: request in, response out, no sockets (PROTOCOL.md).
//
//   AgentRoutes routes{{store, verifier, desk, clock, log}};
//   HttpResponse response = routes.handle(request);
//
// An answer 200 to a frame is given only after store_frame returned ok: synced (invariant 3).
// Thread-safety: one thread at a time, the store's. Errors: all are responses.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "collector/admit/admit.h"
#include "collector/http/enrol_request.h"
#include "collector/http/message.h"
#include "collector/http/rate_limit.h"
#include "collector/store/store.h"
#include "common/ports/clock.h"
#include "common/ports/signer.h"

namespace meldevakt::collector {

inline constexpr std::uint32_t kEnrolFailuresMax = 5;  // an address, in a minute
inline constexpr Duration kEnrolFailureWindow = minutes(1);
inline constexpr std::string_view kFrameMediaType = "application/vnd.meldevakt.frame.v1";

class AgentRoutes {
 public:
  struct Parts {
    Store& store;
    const Verifier& verifier;
    CertificateDesk& desk;
    Clock& clock;
    LogSink log;
    // Called with every statement that was new, after its commit and before it is answered.
    std::function<void(const VerifiedFrame&, Instant received)> stored = {};
  };
  explicit AgentRoutes(Parts parts) : parts_{std::move(parts)} {}

  [[nodiscard]] HttpResponse handle(const HttpRequest& request);

 private:
  [[nodiscard]] HttpResponse enrol(const HttpRequest& request);
  [[nodiscard]] HttpResponse enrol_checked(const HttpRequest& request);
  [[nodiscard]] HttpResponse frames(const HttpRequest& request, const AgentRecord& agent);
  [[nodiscard]] HttpResponse head(const AgentRecord& agent) const;
  [[nodiscard]] HttpResponse log(std::string_view path, const AgentRecord& agent);
  [[nodiscard]] HttpResponse log_key(const AgentRecord& agent);
  [[nodiscard]] HttpResponse log_proof(std::string_view path, const AgentRecord& agent);
  [[nodiscard]] HttpResponse answer_for(const Statement& statement, const StoredFrame& stored);
  // The agent behind the certificate, or the response that says no.
  [[nodiscard]] Result<AgentRecord> known_agent(const HttpRequest& request, HttpResponse& refusal);
  [[nodiscard]] HttpResponse store_failed(const Error& error);
  void store_worked();

  Parts parts_;
  FailureLimit enrol_failures_{kEnrolFailuresMax, kEnrolFailureWindow};
  bool store_is_down_ = false;  // the log says so once, not for each request
};

[[nodiscard]] HttpResponse handle_people(const HttpRequest& request);

// {"error":"...","detail":"..."}; without `detail` when it is empty.
[[nodiscard]] HttpResponse error_response(unsigned status, std::string_view error,
                                          std::string_view detail = {});

}  // namespace meldevakt::collector
