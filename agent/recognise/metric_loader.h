// Makes the metrics of a pack from what its file says. Private to agent/recognise; load_pack() uses
// it. Thread-safety: pure. Errors: kInvalid, with file, line and remedy.
#pragma once

#include "agent/recognise/pack.h"
#include "agent/recognise/pack_toml.h"
#include "agent/recognise/program.h"
#include "common/base/result.h"

namespace meldevakt::agent {

inline constexpr std::size_t kMetricsMax = 64;

// `pack` and `program`: with [record] and all rules loaded.
[[nodiscard]] Status load_metrics(const PackText& text, const Pack& pack, PackProgram& program);

}  // namespace meldevakt::agent
