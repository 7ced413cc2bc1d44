#include "agent/source/unpacked_content.h"

#include <algorithm>
#include <utility>

namespace meldevakt::agent {

Result<std::unique_ptr<UnpackedContent>> UnpackedContent::open(Compression compression,
                                                               ReadRaw read_raw,
                                                               std::uint64_t raw_size) {
  std::unique_ptr<UnpackedContent> out{
      new UnpackedContent{compression, std::move(read_raw), raw_size}};
  MELDEVAKT_TRY(out->restart());
  while (true) {
    MELDEVAKT_TRY_ASSIGN(const std::size_t got, out->forward());
    if (got == 0) break;
    out->size_ += got;
  }
  return out;
}

Status UnpackedContent::restart() {
  MELDEVAKT_TRY_ASSIGN(unpacker_, Unpacker::open(compression_, read_raw_, raw_size_));
  kept_.clear();
  kept_from_ = 0;
  return {};
}

Result<std::size_t> UnpackedContent::forward() {
  constexpr std::size_t kStep = 128 * 1024;
  if (kept_.size() >= 2 * kKeptBytes) {
    const std::size_t drop = kept_.size() - kKeptBytes;
    kept_.erase(0, drop);
    kept_from_ += drop;
  }
  const std::size_t before = kept_.size();
  kept_.resize(before + kStep);
  Result<std::size_t> got = unpacker_->read(kept_.data() + before, kStep);
  kept_.resize(before + (got ? got.value() : 0));
  return got;
}

Result<std::size_t> UnpackedContent::read(std::uint64_t offset, char* buffer, std::size_t size) {
  if (offset >= size_) return std::size_t{0};
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, size_ - offset));
  if (offset < kept_from_) MELDEVAKT_TRY(restart());
  std::size_t done = 0;
  while (done < size) {
    const std::uint64_t at = offset + done;
    const std::uint64_t kept_to = kept_from_ + kept_.size();
    if (at >= kept_to) {
      MELDEVAKT_TRY_ASSIGN(const std::size_t got, forward());
      // It was whole when it was opened.
      if (got == 0) return Error{Errc::kCorrupt, "it was changed while it was read"};
      continue;
    }
    const auto from = static_cast<std::size_t>(at - kept_from_);
    const std::size_t take = std::min(size - done, kept_.size() - from);
    std::copy_n(kept_.data() + from, take, buffer + done);
    done += take;
  }
  return done;
}

}  // namespace meldevakt::agent
