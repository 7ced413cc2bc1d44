#include "agent/app/hold_keys.h"

#include <algorithm>
#include <iostream>
#include <utility>

#include "common/platform/disk.h"
#include "common/platform/passphrase.h"
#include "common/ports/sealed_box.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kPemBytesMax = 16 * 1024;

Result<std::string> own_public_key(const std::string& path) {
  auto pem = read_secret_file(path, kPemBytesMax);
  if (!pem) return std::move(pem).error();
  auto key = box_key_from_pem(pem.value(), "");
  cleanse(pem.value());
  if (!key) return std::move(key).error().in(path);
  auto out = public_box_key(key.value());
  cleanse(key.value());
  return out;
}

Result<std::string> make_own_key(const std::string& path) {
  MELDEVAKT_TRY_ASSIGN(BoxKeys keys, make_box_keys());
  MELDEVAKT_TRY_ASSIGN(std::string pem, box_key_to_pem(keys.private_key, ""));
  cleanse(keys.private_key);
  const Status written = write_file_atomically(path, pem, FileMode::kOwnerOnly, Replace::kNever);
  cleanse(pem);
  if (!written) return written.error();
  return keys.public_key;
}

Result<std::string> first_line(const std::string& file) {
  std::string text;
  if (file == "-") {
    std::getline(std::cin, text);
  } else {
    MELDEVAKT_TRY_ASSIGN(text, read_secret_file(file, kPemBytesMax));
  }
  text.resize(std::min(text.size(), text.find('\n')));
  if (!text.empty() && text.back() == '\r') text.pop_back();
  return text;
}

}  // namespace

Result<std::string> hold_public_key(const StateFiles& files, const std::string& tenant) {
  const std::string path = files.hold_public_key(tenant);
  auto pem = read_file(path, kPemBytesMax);
  if (pem) {
    auto key = public_box_key_from_pem(pem.value());
    if (!key) return std::move(key).error().in(path);
    return key;
  }
  if (pem.error().code() != Errc::kNotFound) return std::move(pem).error();
  auto own = own_public_key(files.hold_own_key(tenant));
  if (own || own.error().code() != Errc::kNotFound) return own;
  return make_own_key(files.hold_own_key(tenant));
}

std::string describe_hold_key(const HoldSettings& settings, const StateFiles& files,
                              const std::string& tenant, const std::string& config) {
  if (!settings.enabled) {
    return "off ([hold] enabled = false): the log around a finding goes with its rotation";
  }
  auto pem = read_file(files.hold_public_key(tenant), kPemBytesMax);
  if (pem) {
    const auto key = public_box_key_from_pem(pem.value());
    if (!key) return files.hold_public_key(tenant) + ": " + key.error().message();
    return "the log around findings is kept for " + std::to_string(settings.keep.ms / days(1).ms) +
           " days, sealed to key " + box_key_id(key.value()) +
           ", whose private half is not on this host";
  }
  return "the log around findings is kept under a key that lies on this host too: who can read " +
         files.folder +
         " can read it. To keep the key elsewhere: meldevakt-agent hold key "
         "--config " +
         config + " --to FILE";
}

Result<std::string> take_passphrase(const std::string& file, Confirm confirm) {
  std::string out;
  if (file.empty()) {
    MELDEVAKT_TRY_ASSIGN(out, read_passphrase("Passphrase of the hold key: "));
    if (confirm == Confirm::kYes) {
      MELDEVAKT_TRY_ASSIGN(const std::string again, read_passphrase("The same again: "));
      if (again != out) return Error{Errc::kInvalid, "the two passphrases are not the same"};
    }
  } else {
    MELDEVAKT_TRY_ASSIGN(out, first_line(file));
  }
  if (out.size() > kPassphraseBytesMax) return Error{Errc::kInvalid, "the passphrase is too long"};
  if (confirm == Confirm::kYes && out.size() < kPassphraseBytesMin) {
    return Error{Errc::kInvalid, "a passphrase needs at least " +
                                     std::to_string(kPassphraseBytesMin) +
                                     " characters; four words that do not belong together do well"};
  }
  return out;
}

}  // namespace meldevakt::agent
