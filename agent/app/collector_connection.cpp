#include "agent/app/collector_connection.h"

#include <utility>

#include "common/platform/disk.h"

namespace meldevakt::agent {

const std::string& collector_url(const Config& config, const TenantRow& tenant) {
  return config.collector.empty() ? tenant.collector : config.collector;
}

Result<std::unique_ptr<HttpsTransport>> connect_collector(const Config& config,
                                                          const StateFiles& files,
                                                          const TenantRow& tenant) {
  HttpsTransport::Settings settings;
  MELDEVAKT_TRY_ASSIGN(settings.collector, parse_collector_url(collector_url(config, tenant)));
  MELDEVAKT_TRY_ASSIGN(settings.authority_pem,
                       read_file(files.authority(tenant.files), kPemBytesMax));
  settings.certificate_file = files.tls_certificate(tenant.files);
  settings.key_file = files.tls_key(tenant.files);
  // The library reads the key by its name, whoever else may read it: that is refused here.
  MELDEVAKT_TRY_ASSIGN(const std::string key, read_secret_file(settings.key_file, kPemBytesMax));
  return HttpsTransport::create(std::move(settings));
}

}  // namespace meldevakt::agent
