// What a pack's table [record] says, checked and compiled: how records are cut out, where their
// time is and what scope they are in. Private to agent/recognise; load_pack() uses it.
//
//   MELDEVAKT_TRY(load_record(text, pack, program));
//   MELDEVAKT_TRY(check_literals(file_name, pack, program));     // when the rules are loaded
//
// Thread-safety: pure functions. Errors: kInvalid, with file, line and remedy.
#pragma once

#include "agent/recognise/pack.h"
#include "agent/recognise/pack_toml.h"
#include "agent/recognise/program.h"
#include "common/base/result.h"

namespace meldevakt::agent {

Status load_record(const PackText& text, Pack& pack, PackProgram& program);

// A structured kind's literals are looked for in the raw bytes and in the field view: they must be
// text that stands in both (PACK.md, "Structured kinds").
[[nodiscard]] Status check_literals(const std::string& file, const Pack& pack,
                                    const PackProgram& program);

}  // namespace meldevakt::agent
