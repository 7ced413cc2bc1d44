// data/control.sock (mode 0600): how commands reach the one process that writes.
//
// Server: one line a connection at a time, bounded connections and line length, handled on the
// store's strand. Client: connects, sends, waits. Whoever may open the socket may act: it lies in a
// folder of mode 0700. Thread-safety: the server belongs to the thread that runs its io_context.
// Errors: kNotFound (no server listens), kUnavailable (it went away), kLimit (path or line too
// long).
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "collector/app/control.h"
#include "collector/http/message.h"
#include "collector/http/strand.h"

namespace meldevakt::collector {

inline constexpr std::size_t kControlConnectionsMax = 8;
inline constexpr Duration kControlIdle = seconds(60);
inline constexpr Duration kControlAcceptPause = milliseconds(200);

class ControlServer {
 public:
  // Replaces a socket that an earlier process left behind; the caller holds collector.lock.
  [[nodiscard]] static Result<std::unique_ptr<ControlServer>> open(boost::asio::io_context& io,
                                                                   StoreStrand& strand,
                                                                   ControlActions& actions,
                                                                   const std::string& path);
  ~ControlServer();
  void stop();  // and removes the socket

  struct Shared;

 private:
  explicit ControlServer(std::shared_ptr<Shared> shared) : shared_{std::move(shared)} {}
  std::shared_ptr<Shared> shared_;
};

// A connected client as a ControlCall.
[[nodiscard]] Result<ControlCall> connect_control(const std::string& path);

}  // namespace meldevakt::collector
