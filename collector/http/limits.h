// Every bound of the two listeners. Reaching one is an ordinary outcome: an answer, or a closed
// connection, and a line or a count in the log; never more memory. PROTOCOL.md says what a client
// sees.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/limits.h"
#include "common/base/time.h"

namespace meldevakt::collector {

struct HttpLimits {
  std::size_t header_bytes_max = 8 * 1024;
  std::size_t header_fields_max = 64;
  std::size_t target_bytes_max = 1024;
  std::size_t body_bytes_max = limits::kFrameBytesMax;
  // A peer without a client certificate can only enrol.
  std::size_t anonymous_body_bytes_max = 64 * 1024;
  // Of all connections of one listener together.
  std::size_t body_bytes_in_flight_max = 256 * 1024 * 1024;

  std::size_t connections_max = 1024;
  std::size_t connections_per_address_max = 64;
  std::size_t queue_max = 256;  // requests that wait for the store

  Duration handshake = seconds(10);
  Duration header = seconds(10);  // from its first byte to its last
  Duration body = seconds(60);
  Duration write = seconds(30);
  Duration idle = seconds(180);  // between requests; agents ship every 60 s
  Duration farewell = seconds(5);
  Duration accept_pause = milliseconds(200);  // after accept(2) failed, e.g. no descriptor left
};

}  // namespace meldevakt::collector
