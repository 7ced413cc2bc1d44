// Zip files, by Poco::Zip. Private to agent/unpack.
#pragma once

#include <memory>

#include "agent/unpack/unpacker.h"

namespace meldevakt::agent {

[[nodiscard]] Result<std::unique_ptr<Unpacker>> open_zip(Unpacker::ReadRaw read_raw);

}  // namespace meldevakt::agent
