#include "collector/app/authority.h"

#include "common/platform/disk.h"

namespace meldevakt::collector {
namespace {

constexpr std::size_t kPemBytesMax = 64 * 1024;

}  // namespace

Status create_authority(const Config& config, Instant now) {
  MELDEVAKT_TRY_ASSIGN(
      const KeyAndCertificate made,
      make_certificate_authority("Meldevakt " + config.names.front(), now - kCertificateClockSlack,
                                 kAuthorityLifetime));
  // The key last: a folder with the key is one where init came to its end.
  MELDEVAKT_TRY(write_file_atomically(config.in_data("authority.crt"), made.certificate_pem,
                                      FileMode::kEveryoneReads, Replace::kAllowed));
  return write_file_atomically(config.in_data("authority.key"), made.private_key_pem,
                               FileMode::kOwnerOnly, Replace::kNever);
}

Result<KeyAndCertificate> load_authority(const Config& config) {
  auto key = read_secret_file(config.in_data("authority.key"), kPemBytesMax);
  if (!key && key.error().code() == Errc::kNotFound) {
    return std::move(key).error().in("run 'meldevakt-collector init' first");
  }
  if (!key) return std::move(key).error();
  KeyAndCertificate authority;
  authority.private_key_pem = std::move(key).value();
  MELDEVAKT_TRY_ASSIGN(authority.certificate_pem,
                       read_file(config.in_data("authority.crt"), kPemBytesMax));
  return authority;
}

Result<KeyAndCertificate> renew_server_certificate(const Config& config,
                                                   const KeyAndCertificate& authority,
                                                   Instant now) {
  MELDEVAKT_TRY_ASSIGN(
      KeyAndCertificate made,
      issue_server_certificate(authority, config.names, now - kCertificateClockSlack,
                               kServerCertificateLifetime));
  MELDEVAKT_TRY(write_file_atomically(config.in_data("server.key"), made.private_key_pem,
                                      FileMode::kOwnerOnly, Replace::kAllowed));
  MELDEVAKT_TRY(write_file_atomically(config.in_data("server.crt"), made.certificate_pem,
                                      FileMode::kEveryoneReads, Replace::kAllowed));
  return made;
}

Result<Sha256> AuthorityDesk::key_of(std::string_view request_pem) {
  return public_key_hash_of_request(request_pem);
}

Result<std::string> AuthorityDesk::issue(std::string_view request_pem, std::string_view agent,
                                         Instant now) {
  return issue_client_certificate(authority_, request_pem, agent, now - kCertificateClockSlack,
                                  kClientCertificateLifetime);
}

}  // namespace meldevakt::collector
