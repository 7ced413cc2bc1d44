// What a Listener and its connections share. Private to collector/http.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "collector/http/listener.h"
#include "collector/http/strict_policy.h"

namespace meldevakt::collector {

class Stoppable {
 public:
  virtual ~Stoppable() = default;
  virtual void stop() = 0;
};

struct Listener::Shared {
  Shared(boost::asio::io_context& context, StoreStrand& store_strand, ListenerOptions given)
      : io{context},
        strand{store_strand},
        options{std::move(given)},
        acceptor{context},
        pause{context},
        hosts{{}, 0} {}

  void log(LogLevel level, const std::string& text) const {
    options.log(level, "listener=" + options.name + " " + text);
  }

  boost::asio::io_context& io;
  StoreStrand& strand;
  ListenerOptions options;
  boost::asio::ip::tcp::acceptor acceptor;
  boost::asio::steady_timer pause;
  HostPolicy hosts;
  ListenerCounts counts;
  std::set<Stoppable*> sessions;
  std::map<std::string, std::size_t> per_address;
  std::size_t body_bytes_in_flight = 0;
  bool stopping = false;
};

[[nodiscard]] inline std::chrono::milliseconds chrono_of(Duration duration) {
  return std::chrono::milliseconds{duration.ms};
}

}  // namespace meldevakt::collector
