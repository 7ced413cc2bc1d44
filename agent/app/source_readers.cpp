#include "agent/app/source_readers.h"

#include <utility>

#include "agent/source/file_source.h"

namespace meldevakt::agent {

std::unique_ptr<SourceReader> make_source_reader(const SourceConfig& config,
                                                 std::vector<KnownFile> known, bool read_before) {
  switch (config.kind) {
    case SourceKind::kFiles: break;
  }
  return std::make_unique<FileSource>(
      FileSource::Settings{.name = config.name, .globs = config.files}, std::move(known),
      read_before);
}

}  // namespace meldevakt::agent
