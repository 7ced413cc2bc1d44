// Owns a file descriptor. close() tells whether the system closed it without a complaint.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace meldevakt::posix {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_{number} {}
  Descriptor(Descriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] int release() { return std::exchange(number_, -1); }

  // Never retried: Linux has given the number back even when it reports EINTR.
  [[nodiscard]] bool close() {
    const int result = ::close(std::exchange(number_, -1));
    return result == 0 || errno == EINTR;
  }

 private:
  int number_;
};

}  // namespace meldevakt::posix
