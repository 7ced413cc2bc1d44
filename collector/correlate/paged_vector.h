// A vector that grows by pages and never moves what it holds: no peak of memory when it grows.
// Pure. Thread-safety: none. Bounds: 2^31 elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace meldevakt::collector {

template <typename T>
class PagedVector {
 public:
  static constexpr std::size_t kPage = 1024;

  std::uint32_t push_back(const T& value) {
    if (size_ % kPage == 0) pages_.push_back(std::make_unique<T[]>(kPage));
    pages_.back()[size_ % kPage] = value;
    return static_cast<std::uint32_t>(size_++);
  }
  [[nodiscard]] T& operator[](std::size_t i) { return pages_[i / kPage][i % kPage]; }
  [[nodiscard]] const T& operator[](std::size_t i) const { return pages_[i / kPage][i % kPage]; }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(size_); }

 private:
  std::vector<std::unique_ptr<T[]>> pages_;
  std::size_t size_ = 0;
};

}  // namespace meldevakt::collector
