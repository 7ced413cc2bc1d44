// Where holds lie: one folder a hold, in it its parts. agent/app/hold_folder.h is the real one;
// tests have one in memory that fails.
//
//   MELDEVAKT_TRY(disk.write("20230201T091452Z-3fa09c", "part-000001.hold", bytes));
//
// write() is durable when it returns and replaces what is there, whole or not at all.
// Thread-safety: none. Errors: kNotFound, kIo, kLimit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace meldevakt::agent {

class HoldDisk {
 public:
  virtual ~HoldDisk() = default;
  [[nodiscard]] virtual Status write(const std::string& hold, const std::string& name,
                                     std::string_view bytes) = 0;
  [[nodiscard]] virtual Result<std::string> read(const std::string& hold, const std::string& name,
                                                 std::size_t bytes_max) = 0;
  [[nodiscard]] virtual bool has(const std::string& hold, const std::string& name) = 0;
  // Names in the hold's folder; none when it is not there. `hold` "": the holds.
  [[nodiscard]] virtual std::vector<std::string> names(const std::string& hold) = 0;
  // What is not there is no error. `name` "": the hold's empty folder.
  [[nodiscard]] virtual Status remove(const std::string& hold, const std::string& name) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> free_bytes() = 0;
};

}  // namespace meldevakt::agent
