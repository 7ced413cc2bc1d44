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

struct CollectorSays {
  HeadAnswer head;
  Result<std::string> log_key = std::string{};
};
Result<CollectorSays> ask_collector(const Config& config, const StateFiles& files,
                                    const TenantRow& tenant) {
  MELDEVAKT_TRY_ASSIGN(const auto transport, connect_collector(config, files, tenant));
  CollectorSays out;
  MELDEVAKT_TRY_ASSIGN(out.head, get_head(*transport));
  out.log_key = get_log_key(*transport, OpenSslVerifier{});
  return out;
}

CheckItem check_log(const TenantRow& tenant, const Result<std::string>& key) {
  const std::string seen = tenant.log.size == 0
                               ? "nothing of it seen yet"
                               : "seen up to " + std::to_string(tenant.log.size) + " entries";
  if (!tenant.log_fault.empty()) {
    return {false, "collector's log", "was found false: " + tenant.log_fault};
  }
  if (key && (tenant.log.key.empty() || tenant.log.key == key.value())) {
    return {true, "collector's log", key.value() + ": " + seen};
  }
  if (key) {
    return {
        false, "collector's log",
        "is signed with another key, " + key.value() + ", than the one kept, " + tenant.log.key};
  }
  if (key.error().code() == Errc::kNotFound && tenant.log.key.empty()) {
    return {true, "collector's log", "there is none: what is acknowledged is not proved"};
  }
  return {false, "collector's log", key.error().message()};
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
  const auto said = ask_collector(config, files, tenant);
  const std::string& url = collector_url(config, tenant);
  out.push_back({said.has_value(), "collector",
                 url + ": " +
                     (said ? "answers, and has statements up to " +
                                 std::to_string(said.value().head.next_sequence)
                           : said.error().message())});
  if (said) out.push_back(check_log(tenant, said.value().log_key));
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
                   row != nullptr ? "enrolled as agent " + row->agent
                                  : "is not enrolled; run: " + enroll_command(config, tenant)});
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
