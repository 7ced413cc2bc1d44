// Rule packs (`*.rules.toml`): what a product's log looks like and what its records mean. PACK.md
// beside this file is the format's page.
//
//   MELDEVAKT_TRY_ASSIGN(std::shared_ptr<const Pack> pack, load_pack(text,
//   "familia-like.rules.toml")); for (const SampleFailure& f : check_samples(*pack)) ...
//
// A pack that cannot be run in bounded time and memory is refused with the reason: back-references,
// recursion, nested unbounded repetition, a rule without a literal, an unknown field type. Every
// error names file, line and remedy, and for a misspelt key the nearest one. Thread-safety: a
// loaded Pack is const and may be shared. Errors: kInvalid.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/decode/encoding.h"
#include "agent/frame/record_shape.h"
#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/summary/signal.h"
#include "common/summary/statement.h"

namespace meldevakt::agent {

struct PackProgram;  // compiled patterns; agent/recognise only

struct Pack {
  PackIdentity identity;
  std::string product;
  std::vector<Signal> observes;     // sorted
  std::vector<Encoding> encodings;  // tried in order; a BOM decides
  RecordShape shape;
  // The literals of a structured kind may stand in names, or be written otherwise in the file: no
  // record may be left out because its raw bytes hold none.
  bool every_record = false;
  std::uint32_t record_lines_max = 400;
  std::uint32_t record_bytes_max = 256 * 1024;
  Duration record_idle = seconds(2);  // the last record is complete after this
  Duration flush_lag = seconds(1);    // how late the product may write a record
  Duration scope_age_max =
      seconds(30);  // a scope names a message no longer than this after its last record
  Duration look_back_max = seconds(5);
  std::uint32_t look_back_signals_max = 16;
  std::string default_zone;  // "" when the time stamps carry their own
  std::shared_ptr<const PackProgram> program;
};

// Rules that a pack includes by name (PACK.md, "Shared rules"): the text of NAME.shared.toml and
// where it comes from, for messages; nullopt when there is none.
struct SharedRules {
  std::string text;
  std::string file_name;
};
using FindSharedRules = std::function<std::optional<SharedRules>(std::string_view name)>;

[[nodiscard]] Result<std::shared_ptr<const Pack>> load_pack(
    std::string_view toml, std::string_view file_name, const FindSharedRules& find_shared = {});

struct SampleFailure {
  std::string rule;
  std::string message;  // names file, line, the sample and what went wrong
};
// Every `match` sample must match its own rule (and give its fields), every `no_match` must not;
// and no other rule of the pack may read a `match` sample as another signal, unless one of the two
// names the other in `also`.
[[nodiscard]] std::vector<SampleFailure> check_samples(const Pack& pack);
// What another pack's rules read into a sample of a pack must be what that pack itself says of it,
// as far as message.* and db.* are concerned; packs named in its `read_by` may say more.
[[nodiscard]] std::vector<SampleFailure> check_samples_across(
    const std::vector<std::shared_ptr<const Pack>>& packs);

}  // namespace meldevakt::agent
