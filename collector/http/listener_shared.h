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

// Refusals told a minute; more are counted. A stranger must not be able to fill the disk with our
// log.
inline constexpr std::uint32_t kRefusalLinesPerMinute = 30;

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

  void log_refusal(const std::string& text) {
    const auto now = std::chrono::steady_clock::now();
    if (now - refusals_since >= std::chrono::minutes{1}) {
      if (refusals > kRefusalLinesPerMinute) {
        log(LogLevel::kWarn, "requests refused and not told one by one: count=" +
                                 std::to_string(refusals - kRefusalLinesPerMinute));
      }
      refusals_since = now;
      refusals = 0;
    }
    if (++refusals <= kRefusalLinesPerMinute) log(LogLevel::kWarn, text);
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
  std::chrono::steady_clock::time_point refusals_since;
  std::uint32_t refusals = 0;  // since then
};

[[nodiscard]] inline std::chrono::milliseconds chrono_of(Duration duration) {
  return std::chrono::milliseconds{duration.ms};
}

}  // namespace meldevakt::collector
