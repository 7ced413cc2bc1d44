#include "agent/app/identity.h"

#include "common/crypto/crypto.h"
#include "common/platform/disk.h"
#include "common/ports/sha256.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kSecretBytes = 32;

}  // namespace

Result<std::string> read_secret(const std::string& path) {
  MELDEVAKT_TRY_ASSIGN(std::string text, read_secret_file(path, 1024));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  auto secret = from_base64(text);
  if (!secret || secret.value().size() != kSecretBytes) {
    return Error{Errc::kCorrupt, path + ": is no key: 32 bytes in Base64 are expected"};
  }
  return secret;
}

Status write_secret(const std::string& path, std::string_view secret) {
  return write_file_atomically(path, to_base64(secret) + "\n", FileMode::kOwnerOnly,
                               Replace::kNever);
}

Result<std::string> read_or_make_secret(const std::string& path, Random& random) {
  auto there = read_secret(path);
  if (there || there.error().code() != Errc::kNotFound) return there;
  const std::string secret = random.bytes(kSecretBytes);
  MELDEVAKT_TRY(write_secret(path, secret));
  return secret;
}

Result<TenantKeys> load_tenant_keys(const StateFiles& files, const TenantRow& tenant,
                                    Random& random) {
  TenantKeys out;
  MELDEVAKT_TRY_ASSIGN(out.signer, load_signer(files.signing_key(tenant.files)));
  // Agents of one tenant that have its key give the same facts the same ids; without it, the
  // agent's own secret keeps them stable over restarts.
  auto key = read_secret(files.tenant_key(tenant.id));
  if (key) {
    out.tenant_key = std::move(key).value();
  } else if (key.error().code() != Errc::kNotFound) {
    return std::move(key).error();
  }
  std::string base = out.tenant_key;
  if (base.empty()) {
    MELDEVAKT_TRY_ASSIGN(base, read_or_make_secret(files.secret(), random));
  }
  out.fact_key = std::string{hmac_sha256(base, "fact").view()};
  return out;
}

}  // namespace meldevakt::agent
