// The files of an agent's state folder that hold its keys, and reading them.
//
//   signing<suffix>.key  Ed25519, PKCS#8 PEM        tls<suffix>.key, tls<suffix>.crt  P-256
//   authority<suffix>.crt  the collector's own      tenant-<id>.key  32 bytes, Base64
//   hold-<id>.pub, hold-<id>.key  X25519, PEM: see agent/hold/README.md
//   enrolment<suffix>.json  what was asked with: enrolment_file.h
//   agent.secret  32 bytes, Base64                  agent.lock  held while `run` runs
//
// The first enrolment has the suffix "", every further one "-<tenant id>": each tenant's collector
// sees another agent. All private files have mode 0600 and are refused otherwise.
// Errors: kNotFound, kInvalid (permissions), kCorrupt, kIo; with path and remedy.
#pragma once

#include <memory>
#include <string>

#include "agent/app/config.h"
#include "agent/state/state_rows.h"
#include "common/base/result.h"
#include "common/ports/random.h"
#include "common/ports/signer.h"

namespace meldevakt::agent {

struct StateFiles {
  std::string folder;
  [[nodiscard]] std::string state() const { return folder + "/state.db"; }
  [[nodiscard]] std::string lock() const { return folder + "/agent.lock"; }
  [[nodiscard]] std::string secret() const { return folder + "/agent.secret"; }
  [[nodiscard]] std::string signing_key(const std::string& suffix) const {
    return folder + "/signing" + suffix + ".key";
  }
  [[nodiscard]] std::string tls_key(const std::string& suffix) const {
    return folder + "/tls" + suffix + ".key";
  }
  [[nodiscard]] std::string tls_certificate(const std::string& suffix) const {
    return folder + "/tls" + suffix + ".crt";
  }
  [[nodiscard]] std::string authority(const std::string& suffix) const {
    return folder + "/authority" + suffix + ".crt";
  }
  [[nodiscard]] std::string enrolment(const std::string& suffix) const {
    return folder + "/enrolment" + suffix + ".json";
  }
  [[nodiscard]] std::string holds() const { return folder + "/hold"; }
  // Of the log hold: the public half of a key that somebody keeps, or the host's own.
  [[nodiscard]] std::string hold_public_key(const std::string& tenant) const {
    return folder + "/hold-" + tenant + ".pub";
  }
  [[nodiscard]] std::string hold_own_key(const std::string& tenant) const {
    return folder + "/hold-" + tenant + ".key";
  }
  [[nodiscard]] std::string tenant_key(const std::string& tenant) const {
    return folder + "/tenant-" + tenant + ".key";
  }
};

// A secret of 32 bytes in a file; made when it is not there and `random` is given.
[[nodiscard]] Result<std::string> read_secret(const std::string& path);
[[nodiscard]] Status write_secret(const std::string& path, std::string_view secret);
[[nodiscard]] Result<std::string> read_or_make_secret(const std::string& path, Random& random);

// What one tenant's pipelines and chain work with.
struct TenantKeys {
  std::unique_ptr<Signer> signer;
  std::string tenant_key;  // "" when this agent does not have it
  std::string fact_key;    // 32 bytes
};
[[nodiscard]] Result<TenantKeys> load_tenant_keys(const StateFiles& files, const TenantRow& tenant,
                                                  Random& random);

}  // namespace meldevakt::agent
