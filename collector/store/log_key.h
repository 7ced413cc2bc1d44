// What checkpoints of the tenants' logs are signed with.
//
// A writer without one keeps the logs as well; their newest heads are signed by the next writer
// that has one. Thread-safety: as the signer's.
#pragma once

#include <memory>
#include <string>

#include "common/ports/signer.h"
#include "common/seal/note.h"

namespace meldevakt::collector {

struct LogKey {
  std::string origin;              // of all logs here: a tenant's is "<origin>/<tenant>"
  std::string public_key;          // 32 raw bytes
  std::shared_ptr<Signer> signer;  // nullptr: of a reader, which only checks

  [[nodiscard]] std::string origin_of(const std::string& tenant) const {
    return origin + "/" + tenant;
  }
};

}  // namespace meldevakt::collector
