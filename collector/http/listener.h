// One TLS port: accepts, counts, bounds, and turns connections into calls of a handler.
//
//   MELDEVAKT_TRY_ASSIGN(auto listener, Listener::open(io, strand, options));
//   ... listener->port() ...     // the real one when 0 was asked for
//   io.run();
//
// The handler runs on the store's strand; everything else on the thread that runs `io`. A request
// reaches the handler only when it is whole and passed strict_policy.h; anything else is answered
// 400 (or nothing) and the connection is closed, so that no second request is ever read after it.
//
// Thread-safety: call everything from the thread that runs `io`, or before it runs.
// Errors: kInvalid (no such address), kIo (cannot bind), with the address.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "collector/http/limits.h"
#include "collector/http/message.h"
#include "collector/http/strand.h"
#include "collector/http/tls.h"

namespace meldevakt::collector {

struct ListenerOptions {
  std::string name;     // "agents": in the log
  std::string address;  // of an interface, e.g. "127.0.0.1" or "::"
  std::uint16_t port = 0;
  std::vector<std::string> hosts;        // names this listener answers to, with or without its port
  std::vector<std::string> authorities;  // exact further values of Host
  TlsContext tls;
  HttpHandler handler;
  LogSink log;
  HttpLimits limits;
};

// Only grow; for the log and for tests.
struct ListenerCounts {
  std::uint64_t accepted = 0;
  std::uint64_t turned_away = 0;  // too many connections
  std::uint64_t handshakes_failed = 0;
  std::uint64_t requests = 0;  // that reached the handler
  std::uint64_t refused = 0;   // malformed, too large, or the queue was full
};

class Listener {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Listener>> open(boost::asio::io_context& io,
                                                              StoreStrand& strand,
                                                              ListenerOptions options);
  ~Listener();

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] const ListenerCounts& counts() const;
  // Accepts nothing more and closes idle connections; busy ones close after their answer.
  void stop();

  struct Shared;  // lives as long as its last connection

 private:
  explicit Listener(std::shared_ptr<Shared> shared) : shared_{std::move(shared)} {}
  std::shared_ptr<Shared> shared_;
};

}  // namespace meldevakt::collector
