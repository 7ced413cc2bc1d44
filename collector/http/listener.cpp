#include "collector/http/listener.h"

#include "collector/http/listener_shared.h"
#include "collector/http/session.h"

namespace meldevakt::collector {
namespace {

namespace net = boost::asio;
using tcp = net::ip::tcp;
using boost::system::error_code;

void accept_next(const std::shared_ptr<Listener::Shared>& shared);

void accept_after_pause(const std::shared_ptr<Listener::Shared>& shared) {
  shared->pause.expires_after(chrono_of(shared->options.limits.accept_pause));
  shared->pause.async_wait([shared](error_code error) {
    if (!error && !shared->stopping) accept_next(shared);
  });
}

void take(const std::shared_ptr<Listener::Shared>& shared, tcp::socket socket) {
  error_code error;
  const std::string address = socket.remote_endpoint(error).address().to_string();
  const HttpLimits& limits = shared->options.limits;
  const auto of_address = shared->per_address.find(address);
  const std::size_t open = of_address == shared->per_address.end() ? 0 : of_address->second;
  if (error || shared->sessions.size() >= limits.connections_max ||
      open >= limits.connections_per_address_max) {
    // No handshake for those: it is the dearest thing a stranger can ask of us.
    if (++shared->counts.turned_away == 1 || shared->counts.turned_away % 1000 == 0) {
      shared->log(LogLevel::kWarn, "connections turned away, too many are open: count=" +
                                       std::to_string(shared->counts.turned_away) +
                                       " address=" + address);
    }
    return;
  }
  ++shared->counts.accepted;
  start_session(std::move(socket), address, shared);
}

void accept_next(const std::shared_ptr<Listener::Shared>& shared) {
  shared->acceptor.async_accept([shared](error_code error, tcp::socket socket) {
    if (shared->stopping) return;
    if (error) {
      shared->log(LogLevel::kWarn, "accept failed: " + error.message());
      accept_after_pause(shared);
      return;
    }
    take(shared, std::move(socket));
    accept_next(shared);
  });
}

Status bind(Listener::Shared& shared) {
  error_code error;
  const ListenerOptions& options = shared.options;
  const net::ip::address address = net::ip::make_address(options.address, error);
  if (error) {
    return Error{Errc::kInvalid, "'" + options.address + "' is not the address of an interface"};
  }
  const tcp::endpoint endpoint{address, options.port};
  shared.acceptor.open(endpoint.protocol(), error);
  if (!error) shared.acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) shared.acceptor.bind(endpoint, error);
  if (!error) shared.acceptor.listen(net::socket_base::max_listen_connections, error);
  if (error) {
    return Error{Errc::kIo, "cannot listen on " + options.address + ":" +
                                std::to_string(options.port) + ": " + error.message()};
  }
  shared.hosts = HostPolicy{options.hosts, shared.acceptor.local_endpoint(error).port()};
  for (const std::string& authority : options.authorities) shared.hosts.allow(authority);
  return {};
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(net::io_context& io, StoreStrand& strand,
                                                 ListenerOptions options) {
  auto shared = std::make_shared<Shared>(io, strand, std::move(options));
  MELDEVAKT_TRY(bind(*shared));
  accept_next(shared);
  return std::unique_ptr<Listener>{new Listener{std::move(shared)}};
}

Listener::~Listener() {
  stop();
}

std::uint16_t Listener::port() const {
  error_code error;
  return shared_->acceptor.local_endpoint(error).port();
}

const ListenerCounts& Listener::counts() const {
  return shared_->counts;
}

void Listener::stop() {
  if (shared_->stopping) return;
  shared_->stopping = true;
  error_code ignored;
  shared_->acceptor.close(ignored);
  shared_->pause.cancel();
  // A session that stops takes itself out of the set.
  const std::set<Stoppable*> sessions = shared_->sessions;
  for (Stoppable* session : sessions) session->stop();
}

}  // namespace meldevakt::collector
