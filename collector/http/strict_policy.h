// What a request must look like before anything acts on it. Stricter than HTTP/1.1 allows servers
// to be, since every tolerance is a way to be read differently by two programs (EVIDENCE.md 6.3).
//
// scan_header looks at the raw bytes, before a parser does: where the header ends, and that it
// holds no bare LF or CR, no NUL or other control character, no folded line, no blank before a
// colon. check_head looks at the parsed fields: version, Host, Content-Length, Transfer-Encoding,
// count.
//
// Pure. Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/http/limits.h"
#include "common/base/result.h"

namespace meldevakt::collector {

struct HeaderScan {
  enum class State : std::uint8_t { kNeedMore, kBad, kComplete };
  State state = State::kNeedMore;
  std::size_t bytes = 0;      // kComplete: of the header, its empty line included
  std::string_view reason{};  // kBad: a literal
};
[[nodiscard]] HeaderScan scan_header(std::string_view bytes, const HttpLimits& limits);

// The authorities this listener answers to: each name alone and with the port, in lower case.
class HostPolicy {
 public:
  HostPolicy(const std::vector<std::string>& names, std::uint16_t port);
  void allow(std::string_view authority);  // one more, e.g. the public address behind a forwarder
  [[nodiscard]] bool accepts(std::string_view host) const;

 private:
  std::vector<std::string> authorities_;
};

struct RequestHead {
  unsigned version = 0;  // 11 = HTTP/1.1
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> fields;
};
// Returns the length of the body. kLimit: longer than `body_bytes_max` (413); kInvalid: refuse
// (400). The text is one of ours and holds nothing of the request.
[[nodiscard]] Result<std::uint64_t> check_head(const RequestHead& head, const HostPolicy& hosts,
                                               const HttpLimits& limits,
                                               std::size_t body_bytes_max);

}  // namespace meldevakt::collector
