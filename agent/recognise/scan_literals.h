// What to look for in the raw bytes of a file, so that no record in which a rule of a pack could
// match is left out: the bridge from a pack's rules to LiteralScanner.
//
//   std::optional<std::vector<ScanLiteral>> literals = raw_literals(*pack, Encoding::kUtf16Le,
//   text);
//
// Of each rule one literal that must occur is enough, the rarest in the sample, or all of those of
// which one must. Each is given in every form in which the encoding, and what a line may fall back
// to, can store it. Line ends are stored otherwise than rules see them, so a literal over several
// lines counts by its longest part. Private to agent/recognise. Thread-safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/gram_plan.h"
#include "agent/recognise/pack.h"

namespace meldevakt::agent {

// nullopt when records must not be left out: a rule has nothing that must stand in the raw bytes,
// or the encoding is one that this cannot write. `sample`: raw text of the file, or "".
[[nodiscard]] std::optional<std::vector<ScanLiteral>> raw_literals(const Pack& pack,
                                                                   Encoding encoding,
                                                                   std::string_view sample);

// The forms in which `text` (UTF-8) may be stored; none when the encoding has no such character.
// nullopt as above.
[[nodiscard]] std::optional<std::vector<std::string>> raw_forms(
    std::string_view text, Encoding encoding, const std::vector<Encoding>& declared);

}  // namespace meldevakt::agent
