// Holds in a folder of the agent's state: folders have mode 0700, files 0600.
//
//   FolderHoldDisk disk{"/var/lib/meldevakt-agent/hold"};
//
// Thread-safety, errors: see HoldDisk.
#pragma once

#include <string>
#include <utility>

#include "agent/hold/hold_disk.h"

namespace meldevakt::agent {

class FolderHoldDisk final : public HoldDisk {
 public:
  explicit FolderHoldDisk(std::string folder) : folder_{std::move(folder)} {}
  [[nodiscard]] Status write(const std::string& hold, const std::string& name,
                             std::string_view bytes) override;
  [[nodiscard]] Result<std::string> read(const std::string& hold, const std::string& name,
                                         std::size_t bytes_max) override;
  [[nodiscard]] bool has(const std::string& hold, const std::string& name) override;
  [[nodiscard]] std::vector<std::string> names(const std::string& hold) override;
  [[nodiscard]] Status remove(const std::string& hold, const std::string& name) override;
  [[nodiscard]] Result<std::uint64_t> free_bytes() override;

 private:
  [[nodiscard]] std::string path(const std::string& hold, const std::string& name) const;
  std::string folder_;
};

}  // namespace meldevakt::agent
