// The data folder's keys: our own certificate authority, and the listeners' certificate from it.
//
// authority.{key,crt} are made once, by init; whoever has the key can admit agents.
// server.{key,crt} are made anew at every start of serve: a change of `names` needs no ceremony,
// and no old key lies about. Errors: kExists (init twice), kNotFound (no init), kIo, kInvalid
// (permissions).
#pragma once

#include <string>

#include "collector/app/config.h"
#include "collector/http/enrol_request.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/crypto/crypto.h"

namespace meldevakt::collector {

inline constexpr Duration kAuthorityLifetime = days(3650);
inline constexpr Duration kServerCertificateLifetime = days(825);
inline constexpr Duration kClientCertificateLifetime = days(365);
// Certificates are valid from a little before now: other clocks may be behind ours.
inline constexpr Duration kCertificateClockSlack = minutes(5);

[[nodiscard]] Status create_authority(const Config& config, Instant now);
[[nodiscard]] Result<KeyAndCertificate> load_authority(const Config& config);
[[nodiscard]] Result<KeyAndCertificate> renew_server_certificate(const Config& config,
                                                                 const KeyAndCertificate& authority,
                                                                 Instant now);

// The desk that answers enrolments with certificates of this authority.
class AuthorityDesk : public CertificateDesk {
 public:
  explicit AuthorityDesk(KeyAndCertificate authority) : authority_{std::move(authority)} {}

  [[nodiscard]] Result<Sha256> key_of(std::string_view request_pem) override;
  [[nodiscard]] Result<std::string> issue(std::string_view request_pem, std::string_view agent,
                                          Instant now) override;
  [[nodiscard]] std::string authority_pem() const override { return authority_.certificate_pem; }

 private:
  KeyAndCertificate authority_;
};

}  // namespace meldevakt::collector
