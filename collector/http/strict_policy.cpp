#include "collector/http/strict_policy.h"

#include <algorithm>

#include "common/base/text.h"

namespace meldevakt::collector {
namespace {

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), ascii_lower);
  return out;
}

bool is_token_char(char c) {
  if ((c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z')) return true;
  return std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

// "" or what is wrong. `line` is without its CRLF.
std::string_view fault_of_field(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return "a folded header line";
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return "a header line without a colon";
  if (colon == 0) return "a header line without a name";
  const std::string_view name = line.substr(0, colon);
  if (!std::all_of(name.begin(), name.end(), is_token_char)) return "a bad header name";
  return {};
}

std::string_view fault_of_line(std::string_view line, bool is_request_line) {
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\r') return "a bare line end";
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) return "a control character";
  }
  return is_request_line ? std::string_view{} : fault_of_field(line);
}

HeaderScan bad(std::string_view reason) {
  return {HeaderScan::State::kBad, 0, reason};
}

std::vector<std::string_view> values_of(const RequestHead& head, std::string_view name) {
  std::vector<std::string_view> values;
  for (const auto& [field, value] : head.fields) {
    if (lowered(field) == name) values.push_back(value);
  }
  return values;
}

Error refuse(std::string message) {
  return Error{Errc::kInvalid, std::move(message)};
}

Status check_target(const RequestHead& head, const HttpLimits& limits) {
  if (head.version != 11) return refuse("only HTTP/1.1 is spoken here");
  if (head.target.empty() || head.target.front() != '/') {
    return refuse("the request target must be a path");
  }
  if (head.target.size() > limits.target_bytes_max) return refuse("the request target is too long");
  if (head.fields.size() > limits.header_fields_max) return refuse("too many header fields");
  return {};
}

}  // namespace

HeaderScan scan_header(std::string_view bytes, const HttpLimits& limits) {
  const std::string_view window = bytes.substr(0, limits.header_bytes_max);
  std::size_t at = 0;
  for (bool first = true;; first = false) {
    const std::size_t end = window.find('\n', at);
    if (end == std::string_view::npos) break;
    if (end == at || window[end - 1] != '\r') return bad("a bare line end");
    const std::string_view line = window.substr(at, end - 1 - at);
    if (line.empty()) {
      if (first) return bad("an empty request line");
      return {HeaderScan::State::kComplete, end + 1, {}};
    }
    if (const std::string_view fault = fault_of_line(line, first); !fault.empty()) {
      return bad(fault);
    }
    at = end + 1;
  }
  if (bytes.size() >= limits.header_bytes_max) return bad("the header is too long");
  // The line still coming: one CR may be the first half of its end.
  std::string_view rest = window.substr(at);
  if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
  const std::string_view fault = fault_of_line(rest, true);
  return fault.empty() ? HeaderScan{} : bad(fault);
}

HostPolicy::HostPolicy(const std::vector<std::string>& names, std::uint16_t port) {
  for (const std::string& name : names) {
    const bool is_ipv6 = name.find(':') != std::string::npos && name.front() != '[';
    const std::string host = is_ipv6 ? "[" + name + "]" : name;
    allow(host);
    allow(host + ":" + std::to_string(port));
  }
}

void HostPolicy::allow(std::string_view authority) {
  authorities_.push_back(lowered(authority));
}

bool HostPolicy::accepts(std::string_view host) const {
  const std::string wanted = lowered(host);
  return std::find(authorities_.begin(), authorities_.end(), wanted) != authorities_.end();
}

Result<std::uint64_t> check_head(const RequestHead& head, const HostPolicy& hosts,
                                 const HttpLimits& limits, std::size_t body_bytes_max) {
  MELDEVAKT_TRY(check_target(head, limits));
  if (!values_of(head, "transfer-encoding").empty()) {
    return refuse("Transfer-Encoding is not accepted; send Content-Length");
  }
  const auto host = values_of(head, "host");
  if (host.size() != 1) return refuse("exactly one Host is needed");
  if (!hosts.accepts(host.front())) return refuse("this is not the host that was asked for");
  if (!values_of(head, "expect").empty()) return refuse("Expect is not accepted");
  if (!values_of(head, "upgrade").empty()) return refuse("Upgrade is not accepted");

  const auto lengths = values_of(head, "content-length");
  if (lengths.size() > 1) return refuse("Content-Length was given more than once");
  const bool has_body = head.method == "POST" || head.method == "PUT" || head.method == "PATCH";
  if (lengths.empty()) {
    if (has_body) return refuse("Content-Length is missing");
    return std::uint64_t{0};
  }
  const std::optional<std::uint64_t> length = parse_u64(lengths.front());
  if (!length) return refuse("Content-Length is not a number");
  if (*length > 0 && !has_body) return refuse("this method takes no body");
  if (*length > body_bytes_max) {
    return Error{Errc::kLimit,
                 "the body is longer than " + std::to_string(body_bytes_max) + " bytes"};
  }
  return *length;
}

}  // namespace meldevakt::collector
