#include "common/platform/passphrase.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "common/platform/posix/descriptor.h"
#include "common/platform/posix/system_error.h"

namespace meldevakt {
namespace {

class NoEcho {
 public:
  explicit NoEcho(int terminal) : terminal_{terminal} {
    good_ = ::tcgetattr(terminal_, &before_) == 0;
    if (!good_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    good_ = ::tcsetattr(terminal_, TCSAFLUSH, &quiet) == 0;
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() {
    if (good_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
  }
  [[nodiscard]] bool good() const { return good_; }

 private:
  int terminal_;
  termios before_{};
  bool good_ = false;
};

}  // namespace

Result<std::string> read_passphrase(std::string_view prompt) {
  const posix::Descriptor terminal{::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)};
  if (!terminal.is_open()) {
    return Error{Errc::kInvalid,
                 "there is no terminal to ask for the passphrase; use --passphrase-file"};
  }
  const NoEcho quiet{terminal.get()};
  if (!quiet.good()) return posix::system_error("cannot quiet the terminal", "/dev/tty", errno);
  static_cast<void>(!::write(terminal.get(), prompt.data(), prompt.size()));
  std::string out;
  for (;;) {
    char c = 0;
    const ssize_t got = ::read(terminal.get(), &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return posix::system_error("cannot read", "/dev/tty", errno);
    if (got == 0 || c == '\n') break;
    out.push_back(c);
    if (out.size() > kTypedBytesMax) return Error{Errc::kLimit, "the passphrase is too long"};
  }
  static_cast<void>(!::write(terminal.get(), "\n", 1));
  return out;
}

}  // namespace meldevakt
