#include "collector/app/authority.h"

#include "common/platform/disk.h"

namespace meldevakt::collector {
namespace {

constexpr std::size_t kPemBytesMax = 64 * 1024;
// Clocks of agents' hosts may be behind ours; a certificate from the future would refuse them.
constexpr Duration kClockSlack = minutes(5);

}  // namespace

Status create_authority(const Config& config, Instant now) {
  MELDEVAKT_TRY_ASSIGN(const KeyAndCertificate made,
                       make_certificate_authority("Meldevakt " + config.names.front(),
                                                  now - kClockSlack, kAuthorityLifetime));
  // The key last: a folder with the key is one where init came to its end.
  MELDEVAKT_TRY(write_file_atomically(config.in_data("authority.crt"), made.certificate_pem,
                                      FileMode::kEveryoneReads, Replace::kAllowed));
  return write_file_atomically(config.in_data("authority.key"), made.private_key_pem,
                               FileMode::kOwnerOnly, Replace::kNever);
}

Result<KeyAndCertificate> load_authority(const Config& config) {
  KeyAndCertificate authority;
  MELDEVAKT_TRY_ASSIGN(authority.private_key_pem,
                       read_secret_file(config.in_data("authority.key"), kPemBytesMax));
  MELDEVAKT_TRY_ASSIGN(authority.certificate_pem,
                       read_file(config.in_data("authority.crt"), kPemBytesMax));
  return authority;
}

Result<KeyAndCertificate> renew_server_certificate(const Config& config,
                                                   const KeyAndCertificate& authority,
                                                   Instant now) {
  MELDEVAKT_TRY_ASSIGN(KeyAndCertificate made,
                       issue_server_certificate(authority, config.names, now - kClockSlack,
                                                kServerCertificateLifetime));
  MELDEVAKT_TRY(write_file_atomically(config.in_data("server.key"), made.private_key_pem,
                                      FileMode::kOwnerOnly, Replace::kAllowed));
  MELDEVAKT_TRY(write_file_atomically(config.in_data("server.crt"), made.certificate_pem,
                                      FileMode::kEveryoneReads, Replace::kAllowed));
  return made;
}

}  // namespace meldevakt::collector
