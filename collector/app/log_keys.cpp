#include "collector/app/log_keys.h"

#include <unistd.h>

#include <utility>

#include "collector/store/sqlite_store.h"
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
  const std::string database = config.in_data("collector.db");
  const bool there = ::access(database.c_str(), F_OK) == 0;
  MELDEVAKT_TRY_ASSIGN(const bool in_use,
                       there ? SqliteStore::has_signed_logs(database) : Result<bool>{false});
  if (in_use) {
    return Error{Errc::kInvalid,
                 config.in_data(kKeyFile) +
                     " is missing, and logs that it signed are stored: restore it from a backup; "
                     "whoever trusts these logs would take another key's for forged"};
  }
  MELDEVAKT_TRY_ASSIGN(std::unique_ptr<Signer> signer, create_signer(config.in_data(kKeyFile)));
  return key_of(config, std::move(signer));
}

}  // namespace meldevakt::collector
