// Enrolment by a one-time invitation: makes the keys on this host, proves possession, and remembers
// who the agent is towards the tenant.
//
// Order, and what a crash means there: 1 keys are made and written; a crash: made anew the next
// time, nobody knows them. 2 the question is written (enrolment_file.h), then asked; the collector
// uses the invitation up and answers. A crash, or an answer that got lost: with the same invitation
// the same is asked again, with the same keys, and answered as the first time, until it expires. 3
// certificate, authority and tenant key are written, and last the state's row; only then is the
// agent enrolled.
//
// Errors: kInvalid (the invitation file, the configuration, expired), kExists (already enrolled),
// kRejected and kUnavailable (the collector), kIo.
#pragma once

#include <string>
#include <string_view>

#include "agent/app/config.h"
#include "agent/app/identity.h"
#include "common/base/result.h"
#include "common/ports/clock.h"
#include "common/ports/random.h"

namespace meldevakt::agent {

struct InvitationFile {
  std::string collector;  // https://host:port
  std::string tenant;
  std::string token;  // Base64url of 32 bytes
  Instant expires;
  std::string authority_pem;
};
// Strict (common/summary/json.h); kInvalid says what is wrong, never the token.
[[nodiscard]] Result<InvitationFile> parse_invitation(std::string_view json);

struct Enrolled {
  std::string agent;
  std::string tenant;
  std::string collector;
  bool first_agent = false;
  std::string tenant_key_file;  // "" when the agent has no tenant key
  std::string log_key;  // of the collector's log (common/seal/note.h); "" when it was not shown yet
};
// `tenant_name`: "" when the configuration has one tenant only.
[[nodiscard]] Result<Enrolled> enrol_agent(const Config& config, const std::string& invitation_path,
                                           const std::string& tenant_name, Clock& clock,
                                           Random& random, std::string_view software_version);

}  // namespace meldevakt::agent
