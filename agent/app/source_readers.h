// Which reader belongs to which kind of source.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/app/config.h"
#include "agent/source/source_reader.h"

namespace meldevakt::agent {

// `known`: the source's rows of the state. `read_before`: an earlier run has read the source.
[[nodiscard]] std::unique_ptr<SourceReader> make_source_reader(const SourceConfig& config,
                                                               std::vector<KnownFile> known,
                                                               bool read_before);

// As the coverage says it (FORMAT.md).
[[nodiscard]] std::string kind_of(SourceKind kind);

}  // namespace meldevakt::agent
