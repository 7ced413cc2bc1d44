// `hold open`: what a hold has, verified and decrypted into a folder.
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/app/hold_keys.h"
#include "agent/app/hold_place.h"
#include "agent/hold/hold_opening.h"
#include "common/crypto/crypto.h"
#include "common/platform/disk.h"
#include "common/ports/sealed_box.h"

namespace meldevakt::agent {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kPemBytesMax = 16 * 1024;

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

struct Found {
  Hold hold;
  std::vector<HoldPart> parts;
  std::string manifest;  // as JSON
  std::vector<std::string> problems;
  std::vector<std::string> remarks;
};

Result<HoldManifest> manifest_by_any_key(HoldPlace& place, const std::string& id,
                                         const Hold* expected) {
  Error refused{Errc::kNotFound, "there is no signing key to verify the manifest with"};
  std::vector<std::string> suffixes{""};
  for (const TenantRow& row : place.tenants) suffixes.push_back(row.files);
  for (const std::string& suffix : suffixes) {
    const auto signer = load_signer(place.files.signing_key(suffix));
    if (!signer) {
      refused = signer.error();
      continue;
    }
    auto manifest =
        read_manifest(place.disk, id, expected == nullptr ? nullptr : &expected->manifest,
                      signer.value()->public_key(), OpenSslVerifier{});
    if (manifest) return manifest;
    refused = std::move(manifest).error();
  }
  return refused;
}

Result<Found> find_hold(HoldPlace& place, const std::string& begin) {
  MELDEVAKT_TRY_ASSIGN(const std::string id, find_hold_id(place, begin));
  Found out;
  const Hold* known = place.stored_hold(id);
  if (known != nullptr && known->state == HoldState::kErased) {
    return Error{Errc::kNotFound, "hold " + id + " is erased: " + known->erased_why};
  }
  if (known != nullptr) {
    out.hold = *known;
    MELDEVAKT_TRY_ASSIGN(out.parts, read_hold_parts(*place.db, id));
    HoldManifest said{out.hold, out.parts, {}, "", kSoftwareVersion};
    if (known->state == HoldState::kClosed) {
      auto manifest = manifest_by_any_key(place, id, known);
      if (manifest) {
        said = std::move(manifest).value();
      } else {
        out.problems.push_back("manifest.json: " + manifest.error().message());
      }
    } else {
      out.remarks.emplace_back("the hold is still collecting: more may come");
    }
    out.manifest = encode_manifest(said);
    return out;
  }
  auto manifest = manifest_by_any_key(place, id, nullptr);
  if (!manifest)
    return std::move(manifest).error().in("hold " + id + ", which the state does not know");
  out.hold = manifest.value().hold;
  out.parts = manifest.value().parts;
  out.manifest = encode_manifest(manifest.value());
  out.remarks.emplace_back(
      "the state does not know this hold: it is verified by its own signed "
      "manifest alone" +
      (place.problem.empty() ? "" : " (" + place.problem + ")"));
  return out;
}

Result<std::map<std::string, std::string>> load_keys(const HoldOptions& options,
                                                     const HoldPlace& place,
                                                     const std::string& tenant) {
  std::map<std::string, std::string> out;
  const auto add = [&](const std::string& path, bool asked) -> Status {
    MELDEVAKT_TRY_ASSIGN(std::string pem, read_secret_file(path, kPemBytesMax));
    std::string passphrase;
    if (asked && needs_passphrase(pem)) {
      MELDEVAKT_TRY_ASSIGN(passphrase, take_passphrase(options.passphrase_file, Confirm::kNo));
    }
    auto key = box_key_from_pem(pem, passphrase);
    cleanse(pem);
    cleanse(passphrase);
    if (!key) return Error{Errc::kInvalid, path + ": " + key.error().message()};
    MELDEVAKT_TRY_ASSIGN(const std::string public_key, public_box_key(key.value()));
    out[box_key_id(public_key)] = key.value();
    return {};
  };
  for (const std::string& path : options.keys) MELDEVAKT_TRY(add(path, true));
  const Status own = add(place.files.hold_own_key(tenant), false);
  if (!own && own.error().code() != Errc::kNotFound && options.keys.empty()) return own.error();
  return out;
}

class FolderWriter final : public RunWriter {
 public:
  explicit FolderWriter(std::string folder) : folder_{std::move(folder)} {}

  [[nodiscard]] Status begin(const OpenedRun& run) override {
    const std::string folder = folder_ + "/" + harmless_name(run.source);
    MELDEVAKT_TRY(make_private_directory(folder));
    path_ = folder + "/" + run.name;
    return write_file_atomically(path_, "", FileMode::kOwnerOnly, Replace::kNever);
  }
  [[nodiscard]] Status append(std::string_view bytes) override {
    std::ofstream out{path_, std::ios::binary | std::ios::app};
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (out) return {};
    return Error{Errc::kIo, "cannot write '" + path_ + "'; is the disk full?"};
  }

 private:
  std::string folder_;
  std::string path_;
};

Json report_json(const Found& found, const OpenReport& report) {
  Json json{{"hold", found.hold.id},
            {"verified", report.problems.empty() && found.problems.empty()},
            {"complete", found.hold.complete()},
            {"parts", report.parts},
            {"log_bytes", report.bytes}};
  auto& files = json["files"] = Json::array();
  for (const OpenedRun& run : report.runs) {
    files.push_back({{"file", harmless_name(run.source) + "/" + run.name},
                     {"source", run.source},
                     {"path", run.path},
                     {"from", run.from},
                     {"to", run.to},
                     {"sha256", run.hash.hex()}});
  }
  json["problems"] = found.problems;
  for (const std::string& problem : report.problems) json["problems"].push_back(problem);
  json["remarks"] = found.remarks;
  auto& gaps = json["gaps"] = Json::array();
  for (const HoldSource& source : found.hold.sources) {
    for (const HoldGap& gap : source.gaps) {
      Json one{{"source", source.name}, {"reason", gap.reason}};
      if (!gap.key.empty()) {
        one["file"] = gap.path;
        one["from"] = gap.from;
        one["to"] = gap.to;
      }
      gaps.push_back(std::move(one));
    }
  }
  json["see_also"] = found.hold.shares;
  return json;
}

std::string report_text(const Json& json, const std::string& to) {
  std::string out = "hold " + json["hold"].get<std::string>() + ": " + json["parts"].dump() +
                    " part(s) verified, " + json["log_bytes"].dump() + " bytes of log in " + to +
                    "\n";
  for (const Json& file : json["files"]) {
    out += "  " + file["file"].get<std::string>() + "  bytes " + file["from"].dump() + " to " +
           file["to"].dump() + " of " + file["path"].get<std::string>() + "\n";
  }
  for (const Json& gap : json["gaps"]) out += "  missing: " + gap.dump() + "\n";
  for (const Json& remark : json["remarks"]) out += "  note: " + remark.get<std::string>() + "\n";
  for (const Json& one : json["problems"]) out += "  NOT VERIFIED " + one.get<std::string>() + "\n";
  return out;
}

Result<int> open_into(const HoldOptions& options) {
  MELDEVAKT_TRY_ASSIGN(HoldPlace place, look_at_holds(options.common));
  MELDEVAKT_TRY_ASSIGN(const Found found, find_hold(place, options.id));
  MELDEVAKT_TRY_ASSIGN(const auto keys, load_keys(options, place, found.hold.tenant));
  FolderHoldDisk target{options.to};
  if (!target.names("").empty()) {
    return Error{Errc::kInvalid, "'" + options.to + "' has something in it; name a new folder"};
  }
  MELDEVAKT_TRY(make_private_directory(options.to));
  const KeyFor key_for = [&](const std::string& id) -> Result<std::string> {
    const auto key = keys.find(id);
    if (key != keys.end()) return key->second;
    return Error{Errc::kNotFound, "is sealed to key " + id + "; give its file with --key"};
  };
  FolderWriter writer{options.to};
  MELDEVAKT_TRY_ASSIGN(const OpenReport report,
                       open_hold(place.disk, found.hold, found.parts, key_for, writer));
  const Json json = report_json(found, report);
  for (const auto& [name, text] :
       {std::pair{std::string{"hold-manifest.json"}, found.manifest + "\n"},
        std::pair{std::string{"hold-files.json"}, line_of(json)}}) {
    MELDEVAKT_TRY(write_file_atomically(options.to + "/" + name, text, FileMode::kOwnerOnly,
                                        Replace::kNever));
  }
  print(options.common.format == Format::kJson ? line_of(json) : report_text(json, options.to));
  return json["verified"].get<bool>() ? kExitDone : kExitFindings;
}

}  // namespace

int run_hold_open(const HoldOptions& options) {
  const auto done = open_into(options);
  return done ? done.value() : complain(done.error());
}

}  // namespace meldevakt::agent
