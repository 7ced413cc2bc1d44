#include "collector/app/commands.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "collector/app/authority.h"
#include "collector/app/command_basics.h"
#include "collector/app/control.h"
#include "collector/app/log_keys.h"
#include "collector/app/view.h"
#include "collector/app/writer.h"
#include "collector/registry/registry.h"
#include "collector/store/sqlite_store.h"
#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/platform/disk.h"
#include "common/platform/time_zones.h"
#include "common/ports/sha256.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kTokenBytes = 32;

}  // namespace

int exit_status_of(const Error& error) {
  return error.code() == Errc::kInvalid ? kExitUsage : kExitEnvironment;
}

Result<int> run_init(const Config& config, Clock& clock, bool json) {
  MELDEVAKT_TRY(make_private_directory(config.data));
  MELDEVAKT_TRY_ASSIGN(const ProcessLock lock,
                       ProcessLock::acquire(config.in_data("collector.lock")));
  if (::access(config.in_data("authority.key").c_str(), F_OK) == 0) {
    return Error{Errc::kExists,
                 config.data + " is a collector's data folder already; nothing was changed"};
  }
  MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const LogKey> log_key, open_log_key(config));
  MELDEVAKT_TRY_ASSIGN(const std::unique_ptr<SqliteStore> store,
                       SqliteStore::open({config.in_data("collector.db"), "", false, log_key,
                                          std::make_shared<OpenSslRandom>()}));
  MELDEVAKT_TRY(create_authority(config, clock.now()));
  MELDEVAKT_TRY_ASSIGN(const KeyAndCertificate authority, load_authority(config));
  MELDEVAKT_TRY_ASSIGN(const KeyAndCertificate server,
                       renew_server_certificate(config, authority, clock.now()));
  MELDEVAKT_TRY_ASSIGN(const Sha256 fingerprint,
                       fingerprint_of_certificate(authority.certificate_pem));
  print(json ? Json{{"data", config.data},
                    {"authority_sha256", fingerprint.hex()},
                    {"log_key", to_base64(log_key->public_key)}}
                       .dump() +
                   "\n"
             : "Made " + config.data + "\nAuthority SHA-256 " + fingerprint.hex() +
                   "\nLog key (Ed25519, Base64) " + to_base64(log_key->public_key) +
                   "\nNext: meldevakt-collector serve, then meldevakt-collector invite\n");
  return kExitDone;
}

// --- invite --------------------------------------------------------------------------------------

namespace {

Status check_invite(const InviteOptions& options) {
  if (options.expires.ms <= 0) return Error{Errc::kInvalid, "--expires must be longer than 0"};
  if (options.expires > days(30)) return Error{Errc::kInvalid, "--expires must be at most 30d"};
  if (!options.organisation.empty() && !is_organisation_number(options.organisation)) {
    return Error{Errc::kInvalid, "--organisation '" + meldevakt::quoted(options.organisation) +
                                     "' is no organisation number: nine digits, the last checks "
                                     "the others"};
  }
  if (::access(options.out.c_str(), F_OK) == 0) {
    return Error{Errc::kExists, options.out + " exists; choose another --out"};
  }
  // Before anything is kept: an invitation that cannot be written is none.
  const std::size_t slash = options.out.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : options.out.substr(0, slash + 1);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return Error{Errc::kInvalid, "--out: nothing can be written in " + folder +
                                     "; name a folder that is there and yours"};
  }
  return {};
}

std::string invitation_json(const Invited& invited, const std::string& token, Instant expires,
                            const std::string& authority_pem) {
  return Json{{"v", 1},
              {"collector", invited.collector},
              {"tenant", invited.tenant},
              {"token", to_base64url(token)},
              {"expires", expires.ms},
              {"authority", authority_pem}}
             .dump() +
         "\n";
}

}  // namespace

Result<int> run_invite(const Config& config, Clock& clock, const InviteOptions& options) {
  MELDEVAKT_TRY(check_invite(options));
  MELDEVAKT_TRY_ASSIGN(const KeyAndCertificate authority, load_authority(config));
  OpenSslRandom random;
  const std::string token = random.bytes(kTokenBytes);
  const Instant expires = clock.now() + options.expires;
  MELDEVAKT_TRY_ASSIGN(const ControlCall call, find_writer(config, clock, random));
  MELDEVAKT_TRY_ASSIGN(
      const Invited invited,
      call_invite(call, options.tenant, options.organisation, sha256(token), expires));
  // The file last: an invitation that could not be written is one that nobody has.
  MELDEVAKT_TRY(write_file_atomically(
      options.out, invitation_json(invited, token, expires, authority.certificate_pem),
      FileMode::kOwnerOnly, Replace::kNever));
  print(options.json ? Json{{"tenant", invited.tenant},
                            {"created", invited.created},
                            {"collector", invited.collector},
                            {"expires", expires.ms},
                            {"file", options.out}}
                               .dump() +
                           "\n"
                     : "Invitation for '" + options.tenant + "' (tenant " + invited.tenant +
                           ") in " + options.out + "\nGood once, until " + to_rfc3339(expires) +
                           ". Bring it to the agent's host by a way you trust.\n");
  return kExitDone;
}

// --- receipts import -----------------------------------------------------------------------------

namespace {

Result<PortalConfig> portal_named(const Config& config, const std::string& name) {
  std::vector<std::string> names;
  for (const PortalConfig& portal : config.portals) {
    if (portal.name == name) return portal;
    names.push_back(portal.name);
  }
  const auto nearest = nearest_name(name, names);
  std::string all;
  for (const std::string& one : names) all += (all.empty() ? "" : ", ") + one;
  return Error{Errc::kInvalid,
               "no portal is named '" + meldevakt::quoted(name) + "' in the configuration" +
                   (nearest ? "; did you mean '" + *nearest + "'?" : "") +
                   (names.empty() ? "; add a [[portal]] to it" : "; it has: " + all)};
}

Result<std::optional<ReceiptCoverage>> claimed_coverage(const ImportOptions& options) {
  if (options.from.empty() && options.until.empty()) return std::optional<ReceiptCoverage>{};
  if (options.from.empty() || options.until.empty()) {
    return Error{Errc::kInvalid,
                 "--from and --until go together: the file holds every message "
                 "sent in between"};
  }
  MELDEVAKT_TRY_ASSIGN(const Instant from, time_given(options.from, "--from"));
  MELDEVAKT_TRY_ASSIGN(const Instant until, time_given(options.until, "--until"));
  const Interval span{from, until};
  if (span.empty()) return Error{Errc::kInvalid, "--until must be later than --from"};
  return std::optional<ReceiptCoverage>{ReceiptCoverage{options.portal, span}};
}

// By the register, whenever it held: what was sent to an organisation stays its.
Result<ListOwner> owner_of(const Config& config, const std::string& tenant_name) {
  ListOwner out;
  MELDEVAKT_TRY_ASSIGN(const auto store, open_to_read(config));
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> chosen, chosen_tenants(*store, tenant_name));
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> all, store->tenants());
  for (const Tenant& tenant : all) {
    MELDEVAKT_TRY_ASSIGN(const auto added, store->registry_entries(tenant.id));
    const Registry registry{added};
    for (const RegistryEntry& entry : registry.entries()) {
      if (entry.kind != EntryKind::kPortalOrganisation) continue;
      (tenant.id == chosen.front().id ? out.organisations : out.others).push_back(entry.value);
    }
  }
  // One that serves several tenants is nobody else's.
  std::erase_if(out.others, [&out](const std::string& id) {
    return std::find(out.organisations.begin(), out.organisations.end(), id) !=
           out.organisations.end();
  });
  return out;
}

Result<Imported> read_receipts(const Config& config, const ImportOptions& options, Instant now) {
  MELDEVAKT_TRY_ASSIGN(const PortalConfig portal, portal_named(config, options.portal));
  SystemTimeZones zones;
  MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const TimeZone> zone, zones.find(portal.zone));
  MELDEVAKT_TRY_ASSIGN(const ListOwner owner, owner_of(config, options.tenant));
  auto csv = read_file(options.file, kCsvBytesMax);
  if (!csv) return std::move(csv).error();
  auto imported = parse_receipts(csv.value(), portal.name, portal.columns, *zone, now, owner);
  // Whatever is wrong with the file as a whole, the remedy is another file or other `columns`.
  if (!imported) {
    return Error{Errc::kInvalid, options.file + ": " + imported.error().message()};
  }
  return imported;
}

void print_import(const ImportOptions& options, const Imported& read, const ImportResult& result,
                  bool covered) {
  if (options.json) {
    Json errors = Json::array();
    for (const RowError& error : read.errors) {
      errors.push_back({{"row", error.row}, {"error", error.message}});
    }
    print(Json{{"rows", read.rows},
               {"added", result.added},
               {"changed", result.changed},
               {"unchanged", result.unchanged},
               {"repeated", read.repeated},
               {"bad", read.errors.size()},
               {"ahead", read.ahead},
               {"coverage", covered},
               {"errors", std::move(errors)}}
              .dump(-1, ' ', false, Json::error_handler_t::replace) +
          "\n");
    return;
  }
  print(std::to_string(read.rows) + " rows: " + std::to_string(result.added) + " new, " +
        std::to_string(result.changed) + " changed, " + std::to_string(result.unchanged) +
        " known, " + std::to_string(read.repeated) + " repeated, " +
        std::to_string(read.errors.size()) + " bad\n");
  for (const RowError& error : read.errors) {
    print(options.file + ": row " + std::to_string(error.row) + ": " + error.message + "\n");
  }
  if (read.ahead != 0) {
    print(std::to_string(read.ahead) +
          " row(s) have times that are still to come: check the portal's 'zone' in the "
          "configuration. Beside another row of the message they do not count.\n");
  }
  if (!covered && !options.from.empty()) {
    print("The claim that the file is complete was not recorded: rows are missing from it.\n");
  }
}

}  // namespace

Result<int> run_import(const Config& config, Clock& clock, const ImportOptions& options) {
  MELDEVAKT_TRY_ASSIGN(std::optional<ReceiptCoverage> coverage, claimed_coverage(options));
  if (::access(config.in_data("collector.db").c_str(), F_OK) != 0) {
    return Error{Errc::kNotFound, "run 'meldevakt-collector init' first"};
  }
  MELDEVAKT_TRY_ASSIGN(const Imported read, read_receipts(config, options, clock.now()));
  // A file with bad rows does not hold every message, whatever was claimed.
  if (!read.errors.empty()) coverage.reset();
  OpenSslRandom random;
  MELDEVAKT_TRY_ASSIGN(const ControlCall call, find_writer(config, clock, random));
  MELDEVAKT_TRY_ASSIGN(const ImportResult result,
                       call_import(call, options.tenant, read.receipts, coverage));
  print_import(options, read, result, coverage.has_value());
  return read.errors.empty() ? kExitDone : kExitFindings;
}

}  // namespace meldevakt::collector
