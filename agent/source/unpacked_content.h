// The content of a compressed file, read at any offset. Forward is cheap; the last kKeptBytes are
// at hand, for positions are set a little behind where reading is; further back unpacks from the
// start.
//
//   MELDEVAKT_TRY_ASSIGN(auto content, UnpackedContent::open(compression, read_raw, raw_size));
//   content->read(offset, buffer, size);
//
// Thread-safety: none. Memory: kKeptBytes and the unpacker's. Errors: Unpacker's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "agent/unpack/unpacker.h"
#include "common/base/result.h"

namespace meldevakt::agent {

class UnpackedContent {
 public:
  static constexpr std::size_t kKeptBytes = 1024 * 1024;

  // Unpacks once from front to back: whole, or an error.
  [[nodiscard]] static Result<std::unique_ptr<UnpackedContent>> open(Compression compression,
                                                                     ReadRaw read_raw,
                                                                     std::uint64_t raw_size);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  // Up to `size` bytes; fewer only at the end.
  [[nodiscard]] Result<std::size_t> read(std::uint64_t offset, char* buffer, std::size_t size);

 private:
  UnpackedContent(Compression compression, ReadRaw read_raw, std::uint64_t raw_size)
      : compression_{compression}, read_raw_{std::move(read_raw)}, raw_size_{raw_size} {}
  [[nodiscard]] Status restart();
  [[nodiscard]] Result<std::size_t> forward();

  Compression compression_;
  ReadRaw read_raw_;
  std::uint64_t raw_size_;
  std::unique_ptr<Unpacker> unpacker_;
  std::string kept_;  // content [kept_from_, kept_from_ + kept_.size())
  std::uint64_t kept_from_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace meldevakt::agent
