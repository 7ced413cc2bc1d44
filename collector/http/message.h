// A request and a response as values: what the routes see, without sockets.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.h"

namespace meldevakt::collector {

// Who the client certificate says is there. Only ever made from one that our own authority issued
// and TLS has verified.
struct Peer {
  std::string common_name;
  Sha256 public_key;  // SHA-256 of its SubjectPublicKeyInfo, DER
};

struct HttpRequest {
  std::string method;
  std::string target;
  std::string content_type;
  std::string body;
  std::string address;       // the peer's IP address
  std::optional<Peer> peer;  // nullopt: no client certificate
};

struct HttpResponse {
  unsigned status = 200;
  std::string body;
  bool close = false;  // after this answer
  std::string_view content_type = "application/json";
};

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

// Our own log: "2026-11-26T10:00:00.000Z INFO collector: text key=value" is what the sink writes.
enum class LogLevel : std::uint8_t { kInfo, kWarn, kError };
using LogSink = std::function<void(LogLevel, const std::string&)>;

}  // namespace meldevakt::collector
