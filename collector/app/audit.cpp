#include "collector/app/audit.h"

#include <map>
#include <nlohmann/json.hpp>

#include "collector/app/log_keys.h"
#include "collector/store/sqlite_store.h"
#include "common/base/bytes.h"
#include "common/crypto/crypto.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::ordered_json;

bool is_damage(const Error& error) {
  return error.code() == Errc::kCorrupt || error.code() == Errc::kRejected ||
         error.code() == Errc::kLimit;
}

std::string text_of(const std::vector<SqliteStore::Audited>& all,
                    const std::map<std::string, std::string>& names, const std::string& key) {
  std::string out = "Log key (Ed25519, Base64): " + key + "\n";
  for (const SqliteStore::Audited& one : all) {
    out += names.at(one.tenant) + ": " + std::to_string(one.statements) + " statements, " +
           std::to_string(one.log_entries) + " log entries\n";
  }
  return out +
         "Every signature, chain, body hash, log entry, log hash and checkpoint agrees with the "
         "stored bytes.\n";
}

Json json_of(const std::vector<SqliteStore::Audited>& all,
             const std::map<std::string, std::string>& names, const std::string& key) {
  Json tenants = Json::array();
  for (const SqliteStore::Audited& one : all) {
    tenants.push_back({{"tenant", one.tenant},
                       {"name", names.at(one.tenant)},
                       {"statements", one.statements},
                       {"log_entries", one.log_entries}});
  }
  return {{"holds", true}, {"log_key", key}, {"tenants", std::move(tenants)}};
}

}  // namespace

Result<Inspected> audit_store(const Config& config, bool json) {
  MELDEVAKT_TRY_ASSIGN(std::shared_ptr<const LogKey> key, load_log_key(config));
  const std::string public_key = to_base64(key->public_key);
  MELDEVAKT_TRY_ASSIGN(
      const std::unique_ptr<SqliteStore> store,
      SqliteStore::open({config.in_data("collector.db"), "", true, std::move(key)}));
  std::map<std::string, std::string> names;
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, store->tenants());
  const auto audited = store->audit(OpenSslVerifier{});
  if (!audited && !is_damage(audited.error())) return audited.error();
  if (!audited) {
    const std::string& what = audited.error().message();
    return Inspected{json ? Json{{"holds", false}, {"what", what}}.dump(
                                -1, ' ', false, Json::error_handler_t::replace) +
                                "\n"
                          : "DOES NOT HOLD: " + what + "\n",
                     true};
  }
  // One added since is in the audit and not in the list.
  for (const SqliteStore::Audited& one : audited.value()) names[one.tenant] = one.tenant;
  for (const Tenant& tenant : tenants) names[tenant.id] = tenant.name;
  return Inspected{json ? json_of(audited.value(), names, public_key).dump() + "\n"
                        : text_of(audited.value(), names, public_key),
                   false};
}

}  // namespace meldevakt::collector
