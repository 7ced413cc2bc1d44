// The packs an agent works with: those built in, and those of the configuration, which replace a
// built-in one of the same id.
//
// Errors: kInvalid and kNotFound, naming file, line and remedy.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/app/config.h"
#include "agent/recognise/pack.h"
#include "common/base/result.h"
#include "common/ports/time_zone.h"

namespace meldevakt::agent {

inline constexpr std::size_t kPackBytesMax = 4 * 1024 * 1024;

struct LoadedPack {
  std::shared_ptr<const Pack> pack;
  std::string origin;  // path, or "built in"
};
using Packs = std::map<std::string, LoadedPack>;  // by id

[[nodiscard]] Result<LoadedPack> load_pack_file(const std::string& path);
[[nodiscard]] Result<Packs> load_packs(const Config& config);
// The same, but of those built in only what the configuration's sources name: starting takes as
// long as that.
[[nodiscard]] Result<Packs> load_used_packs(const Config& config);
[[nodiscard]] Result<Packs> built_in_packs();

// That the samples of every pack loaded from disk hold; of those built in the build has seen to it.
// kInvalid with file and line of the first that does not.
[[nodiscard]] Status check_pack_samples(const Packs& packs);
// That every source's pack and zone exist, and that it has a zone where its pack needs one.
[[nodiscard]] Status check_sources(const Config& config, const Packs& packs, TimeZones& zones);
// The zone a source is read in: its own, its pack's, UTC.
[[nodiscard]] std::string zone_of(const SourceConfig& source, const Pack& pack);

}  // namespace meldevakt::agent
