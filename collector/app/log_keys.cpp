#include "collector/app/log_keys.h"

#include <utility>

#include "common/crypto/crypto.h"

namespace meldevakt::collector {
namespace {

constexpr std::string_view kKeyFile = "log.key";

std::shared_ptr<const LogKey> key_of(const Config& config, std::unique_ptr<Signer> signer) {
  auto key = std::make_shared<LogKey>();
  key->origin = config.names.front();
  key->public_key = signer->public_key();
  key->signer = std::move(signer);
  return key;
}

}  // namespace

Result<std::shared_ptr<const LogKey>> load_log_key(const Config& config) {
  MELDEVAKT_TRY_ASSIGN(std::unique_ptr<Signer> signer, load_signer(config.in_data(kKeyFile)));
  return key_of(config, std::move(signer));
}

Result<std::shared_ptr<const LogKey>> open_log_key(const Config& config) {
  auto known = load_log_key(config);
  if (known || known.error().code() != Errc::kNotFound) return known;
  MELDEVAKT_TRY_ASSIGN(std::unique_ptr<Signer> signer, create_signer(config.in_data(kKeyFile)));
  return key_of(config, std::move(signer));
}

}  // namespace meldevakt::collector
