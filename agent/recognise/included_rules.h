// Rules that several packs share: `include = ["mssql-client"]` in a pack adds the [[rule]]s of
// mssql-client.shared.toml behind its own, so that the same database error is written down once and
// read in five layouts (PACK.md, "Shared rules").
//
//   MELDEVAKT_TRY(include_rules(pack_text, find, hashed));   // pack_text.rules grows
//
// A shared file shows its samples without a layout; `include_sample` of the pack says how a record
// of its own would hold them, and each sample is tried in each pack. Private to agent/recognise;
// load_pack() uses it. Thread-safety: pure. Bounds: kIncludesMax files of kSharedBytesMax bytes.
// Errors: kInvalid, with file and line; of a mistake inside a shared file, its file and line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "agent/recognise/pack.h"
#include "agent/recognise/pack_toml.h"
#include "common/base/result.h"

namespace meldevakt::agent {

inline constexpr std::size_t kIncludesMax = 16;
inline constexpr std::size_t kSharedBytesMax = 1024 * 1024;

// `hashed` grows by the bytes of each shared file: a pack's hash names all that it reads by.
Status include_rules(PackText& pack, const FindSharedRules& find, std::string& hashed);

// `sample` as `layout` holds it: {sample} as it is; {sample:json} {sample:csv} {sample:xml}
// escaped, without quotes around it; {sample:indented} with six blanks before each further line;
// {sample.2}, {sample.2:csv} only its second line (1 to 9).
// A layout without any of them is an error.
[[nodiscard]] Result<std::string> laid_out(std::string_view layout, std::string_view sample);

}  // namespace meldevakt::agent
