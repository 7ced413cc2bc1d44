// One connection of a Listener: handshake, then request after request. Private to collector/http.
//
// Order: read and scan the header's raw bytes -> Beast parses them -> check_head -> read the body
// -> handler on the strand -> answer. Every step has its own deadline (limits.h). Thread-safety:
// only the thread that runs the listener's io_context.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "collector/http/listener_shared.h"

namespace meldevakt::collector {

// Takes the connection over; it lives until it is closed.
void start_session(boost::asio::ip::tcp::socket socket, std::string address,
                   std::shared_ptr<Listener::Shared> shared);

}  // namespace meldevakt::collector
