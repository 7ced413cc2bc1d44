// The program that runs, as bytes: what a statement says of the software that made it.
// POSIX: /proc/self/exe, so it is what was started, also when the file has been replaced since.
// Thread-safety: safe for concurrent use. Read in pieces; memory does not grow with the program.
// Errors: kNotFound, kIo; where /proc is hidden from us, say.
#pragma once

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace meldevakt {

[[nodiscard]] Result<Sha256> own_executable_sha256();

}  // namespace meldevakt
