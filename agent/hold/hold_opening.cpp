#include "agent/hold/hold_opening.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "agent/hold/hold_part.h"
#include "common/ports/sha256.h"
#include "common/seal/dsse.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kManifestBytesMax = 64 * 1024 * 1024;

// The part's own head must say what the state says: what was moved or renamed does not pass.
Result<std::string> open_part(HoldDisk& disk, const Hold& hold, const HoldPart& part,
                              const KeyFor& key_for) {
  MELDEVAKT_TRY_ASSIGN(const std::string file,
                       disk.read(hold.id, part_file_name(part.number), kPartFileBytesMax));
  if (sha256(file) != part.stored || file.size() != part.stored_bytes) {
    return Error{Errc::kCorrupt, "was changed since it was stored"};
  }
  MELDEVAKT_TRY_ASSIGN(const PartHead head, read_part_head(file));
  HoldPart said = head.part;
  said.stored = part.stored;
  said.stored_bytes = part.stored_bytes;
  if (said != part || head.tenant != hold.tenant) {
    return Error{Errc::kCorrupt, "is another part than the one the hold names"};
  }
  MELDEVAKT_TRY_ASSIGN(const std::string key, key_for(head.key_id));
  return decode_part(file, key);
}

std::string free_name(const HoldPart& part, std::set<std::string>& taken) {
  std::string name = harmless_name(part.path);
  if (taken.insert(part.source + "/" + name).second) return name;
  name += ".at-" + std::to_string(part.from);
  while (!taken.insert(part.source + "/" + name).second) name += "x";
  return name;
}

}  // namespace

std::string harmless_name(std::string_view path) {
  std::string out;
  for (const char c : path.substr(path.find_last_of('/') + 1)) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(byte < 0x20 || byte == 0x7f || c == '\\' || c == ':' ? '_' : c);
  }
  if (out.empty() || out == "." || out == "..") out = "log" + out;
  return out.size() > 200 ? out.substr(out.size() - 200) : out;
}

Result<OpenReport> open_hold(HoldDisk& disk, const Hold& hold, std::vector<HoldPart> parts,
                             const KeyFor& key_for, RunWriter& writer) {
  std::sort(parts.begin(), parts.end(), [](const HoldPart& a, const HoldPart& b) {
    return std::tie(a.source, a.key, a.from) < std::tie(b.source, b.key, b.from);
  });
  OpenReport out;
  std::set<std::string> taken;
  Sha256Stream hash;
  const auto end_run = [&] {
    if (!out.runs.empty()) out.runs.back().hash = hash.finish();
  };
  for (const HoldPart& part : parts) {
    const auto bytes = open_part(disk, hold, part, key_for);
    if (!bytes) {
      out.problems.push_back(part_file_name(part.number) + " (" + part.path + ", bytes " +
                             std::to_string(part.from) + " to " + std::to_string(part.to) +
                             "): " + bytes.error().message());
      continue;
    }
    const bool goes_on = !out.runs.empty() && out.runs.back().source == part.source &&
                         out.runs.back().key == part.key && out.runs.back().to == part.from;
    if (!goes_on) {
      end_run();
      OpenedRun run;
      run.source = part.source;
      run.name = free_name(part, taken);
      run.path = part.path;
      run.key = part.key;
      run.from = part.from;
      run.to = part.from;
      MELDEVAKT_TRY(writer.begin(run));
      out.runs.push_back(std::move(run));
    }
    MELDEVAKT_TRY(writer.append(bytes.value()));
    hash.update(bytes.value());
    out.runs.back().to = part.to;
    ++out.parts;
    out.bytes += bytes.value().size();
  }
  end_run();
  return out;
}

Result<HoldManifest> read_manifest(HoldDisk& disk, const std::string& hold, const Sha256* expected,
                                   std::string_view signing_key, const Verifier& verifier) {
  MELDEVAKT_TRY_ASSIGN(const std::string text, disk.read(hold, kManifestFile, kManifestBytesMax));
  MELDEVAKT_TRY_ASSIGN(const Envelope envelope, parse_envelope(text));
  MELDEVAKT_TRY(verify_envelope(envelope, kHoldManifestType, signing_key, verifier));
  if (expected != nullptr && sha256(envelope.payload) != *expected) {
    return Error{Errc::kCorrupt, "is not the manifest this hold was closed with"};
  }
  MELDEVAKT_TRY_ASSIGN(HoldManifest manifest, decode_manifest(envelope.payload));
  if (manifest.hold.id != hold) return Error{Errc::kCorrupt, "is another hold's"};
  return manifest;
}

}  // namespace meldevakt::agent
