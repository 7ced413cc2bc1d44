// `check`, what leaves: state, enrolment, keys, and who takes the statements.
#include <unistd.h>

#include <cerrno>

#include "agent/app/check_items.h"
#include "agent/app/collector_connection.h"
#include "agent/app/hold_keys.h"
#include "agent/app/identity.h"
#include "agent/ship/collector_answers.h"
#include "agent/state/schema.h"
#include "agent/state/state.h"
#include "common/crypto/crypto.h"
#include "common/platform/disk.h"

namespace meldevakt::agent {
namespace {

void check_keys(const StateFiles& files, const TenantRow& tenant, CheckItems& out) {
  const auto signer = load_signer(files.signing_key(tenant.files));
  out.push_back({signer.has_value(), "signing key",
                 signer ? files.signing_key(tenant.files) : signer.error().message()});
  const auto key = read_secret(files.tenant_key(tenant.id));
  if (key) {
    out.push_back({true, "tenant key", files.tenant_key(tenant.id)});
  } else if (key.error().code() == Errc::kNotFound) {
    out.push_back(
        {true, "tenant key", "not here: only portal message ids are sent, no other references"});
  } else {
    out.push_back({false, "tenant key", key.error().message()});
  }
}

Result<HeadAnswer> ask_collector(const Config& config, const StateFiles& files,
                                 const TenantRow& tenant) {
  MELDEVAKT_TRY_ASSIGN(const auto transport, connect_collector(config, files, tenant));
  return get_head(*transport);
}

void check_shipping(const Config& config, const StateFiles& files, const TenantRow& tenant,
                    CheckItems& out) {
  if (config.ship.mode == ShipMode::kCarry) {
    const bool writable = ::access(config.ship.carry_to.c_str(), W_OK | X_OK) == 0;
    const std::string why =
        errno == ENOENT ? ": is not there; make it, or mount it" : ": cannot be written to";
    out.push_back({writable, "carry folder", config.ship.carry_to + (writable ? "" : why)});
    return;
  }
  const auto head = ask_collector(config, files, tenant);
  const std::string& url = collector_url(config, tenant);
  out.push_back(
      {head.has_value(), "collector",
       url + ": " +
           (head ? "answers, and has statements up to " + std::to_string(head.value().next_sequence)
                 : head.error().message())});
}

const TenantRow* row_of(const TenantConfig& tenant, const std::vector<TenantRow>& rows) {
  for (const TenantRow& row : rows) {
    if (row.name == tenant.name || row.id == tenant.id) return &row;
  }
  return nullptr;
}

}  // namespace

void check_state(const Config& config, CheckItems& out) {
  const StateFiles files{config.state};
  auto db = open_state_for_reading(files.state());
  if (!db && db.error().code() == Errc::kNotFound) {
    out.push_back({false, "state",
                   config.state +
                       ": not enrolled; run: meldevakt-agent enroll "
                       "--config " +
                       config.path + " --invitation FILE"});
    return;
  }
  if (!db) {
    out.push_back({false, "state", db.error().message()});
    return;
  }
  const auto sound = check_integrity(db.value());
  out.push_back({sound.has_value(), "state",
                 files.state() + ": " + (sound ? "sound" : sound.error().message())});
  const auto tenants = read_tenants(db.value());
  if (!tenants) {
    out.push_back({false, "state", tenants.error().message()});
    return;
  }
  for (const TenantConfig& tenant : config.tenants) {
    const TenantRow* row = row_of(tenant, tenants.value());
    out.push_back({row != nullptr, "tenant " + tenant.name,
                   row != nullptr ? "enrolled as agent " + row->agent : "is not enrolled"});
    if (row == nullptr) continue;
    check_keys(files, *row, out);
    out.push_back({true, "log hold", describe_hold_key(config.hold, files, row->id, config.path)});
    check_shipping(config, files, *row, out);
  }
}

std::vector<std::string> tenants_without_key(const Config& config) {
  const StateFiles files{config.state};
  auto db = open_state_for_reading(files.state());
  if (!db) return {};
  const auto rows = read_tenants(db.value());
  if (!rows) return {};
  std::vector<std::string> out;
  for (const TenantConfig& tenant : config.tenants) {
    const TenantRow* row = row_of(tenant, rows.value());
    if (row == nullptr) continue;
    const auto key = read_secret(files.tenant_key(row->id));
    if (!key && key.error().code() == Errc::kNotFound) out.push_back(tenant.name);
  }
  return out;
}

}  // namespace meldevakt::agent
