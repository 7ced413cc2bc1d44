#include "collector/app/control_socket.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>

namespace meldevakt::collector {

namespace net = boost::asio;
using boost::system::error_code;
using Local = net::local::stream_protocol;

struct ControlServer::Shared {
  Shared(net::io_context& context, StoreStrand& store_strand, ControlActions& given,
         std::string socket_path)
      : io{context},
        strand{store_strand},
        actions{given},
        path{std::move(socket_path)},
        acceptor{context},
        pause{context} {}

  net::io_context& io;
  StoreStrand& strand;
  ControlActions& actions;
  std::string path;
  Local::acceptor acceptor;
  net::steady_timer pause;
  std::size_t connections = 0;
  bool stopping = false;
};

namespace {

class ControlSession : public std::enable_shared_from_this<ControlSession> {
 public:
  ControlSession(Local::socket socket, std::shared_ptr<ControlServer::Shared> shared)
      : shared_{std::move(shared)}, socket_{std::move(socket)}, timer_{shared_->io} {
    ++shared_->connections;
  }
  ~ControlSession() { --shared_->connections; }
  ControlSession(const ControlSession&) = delete;
  ControlSession& operator=(const ControlSession&) = delete;

  void read_line();

 private:
  void handle(std::size_t bytes);
  void answer(std::string line);

  std::shared_ptr<ControlServer::Shared> shared_;
  Local::socket socket_;
  net::steady_timer timer_;
  std::string buffer_;
  std::string reply_;
};

void ControlSession::read_line() {
  if (shared_->stopping) return;
  timer_.expires_after(std::chrono::milliseconds{kControlIdle.ms});
  timer_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    error_code ignored;
    if (!error && self) self->socket_.close(ignored);
  });
  net::async_read_until(socket_, net::dynamic_buffer(buffer_, kControlLineBytesMax), '\n',
                        [self = shared_from_this()](error_code error, std::size_t bytes) {
                          self->timer_.cancel();
                          if (!error) self->handle(bytes);
                        });
}

void ControlSession::handle(std::size_t bytes) {
  auto line = std::make_shared<std::string>(buffer_.substr(0, bytes - 1));
  buffer_.erase(0, bytes);
  auto busy = net::make_work_guard(shared_->io);
  const bool taken = shared_->strand.post([self = shared_from_this(), line, busy]() mutable {
    std::string reply = self->shared_->actions.handle(*line);
    net::io_context& io = self->shared_->io;
    net::post(io, [self = std::move(self), made = std::move(reply)]() mutable {
      self->answer(std::move(made));
    });
  });
  if (!taken) answer(R"({"ok":false,"code":"unavailable","error":"the server is busy"})");
}

void ControlSession::answer(std::string line) {
  reply_ = std::move(line) + "\n";
  net::async_write(socket_, net::buffer(reply_),
                   [self = shared_from_this()](error_code error, std::size_t) {
                     if (!error) self->read_line();
                   });
}

void accept_next(const std::shared_ptr<ControlServer::Shared>& shared);

void accept_after_pause(const std::shared_ptr<ControlServer::Shared>& shared) {
  shared->pause.expires_after(std::chrono::milliseconds{kControlAcceptPause.ms});
  shared->pause.async_wait([shared](error_code error) {
    if (!error && !shared->stopping) accept_next(shared);
  });
}

void accept_next(const std::shared_ptr<ControlServer::Shared>& shared) {
  shared->acceptor.async_accept([shared](error_code error, Local::socket socket) {
    if (shared->stopping) return;
    if (error) return accept_after_pause(shared);
    if (shared->connections < kControlConnectionsMax) {
      std::make_shared<ControlSession>(std::move(socket), shared)->read_line();
    }
    accept_next(shared);
  });
}

Result<Local::endpoint> endpoint_of(const std::string& path) {
  constexpr std::size_t kPathMax = sizeof(sockaddr_un{}.sun_path) - 1;
  if (path.size() > kPathMax) {
    return Error{Errc::kInvalid, path + " is too long for a socket (" +
                                     std::to_string(path.size()) + " bytes, at most " +
                                     std::to_string(kPathMax) + "): choose a shorter 'data'"};
  }
  return Local::endpoint{path};
}

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::open(net::io_context& io, StoreStrand& strand,
                                                           ControlActions& actions,
                                                           const std::string& path) {
  MELDEVAKT_TRY_ASSIGN(const Local::endpoint endpoint, endpoint_of(path));
  auto shared = std::make_shared<Shared>(io, strand, actions, path);
  ::unlink(path.c_str());
  error_code error;
  shared->acceptor.open(endpoint.protocol(), error);
  // The mode is set before anyone can connect: bind makes the file, listen opens the door.
  if (!error) shared->acceptor.bind(endpoint, error);
  if (!error && ::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0) {
    error = error_code{errno, boost::system::system_category()};
  }
  if (!error) shared->acceptor.listen(net::socket_base::max_listen_connections, error);
  if (error) return Error{Errc::kIo, path + ": " + error.message()};
  accept_next(shared);
  return std::unique_ptr<ControlServer>{new ControlServer{std::move(shared)}};
}

ControlServer::~ControlServer() {
  stop();
}

void ControlServer::stop() {
  if (shared_->stopping) return;
  shared_->stopping = true;
  error_code ignored;
  shared_->acceptor.close(ignored);
  shared_->pause.cancel();
  ::unlink(shared_->path.c_str());
}

namespace {

struct Client {
  net::io_context io;
  Local::socket socket{io};
  std::string buffer;
};

Result<std::string> exchange(Client& client, const std::string& line) {
  if (line.size() + 1 > kControlLineBytesMax) {
    return Error{Errc::kLimit, "the control line is too long"};
  }
  error_code error;
  net::write(client.socket, net::buffer(line + "\n"), error);
  std::size_t bytes = 0;
  if (!error) {
    bytes = net::read_until(client.socket, net::dynamic_buffer(client.buffer, kControlLineBytesMax),
                            '\n', error);
  }
  if (error) return Error{Errc::kUnavailable, "the server went away: " + error.message()};
  std::string answer = client.buffer.substr(0, bytes - 1);
  client.buffer.erase(0, bytes);
  return answer;
}

}  // namespace

Result<ControlCall> connect_control(const std::string& path) {
  MELDEVAKT_TRY_ASSIGN(const Local::endpoint endpoint, endpoint_of(path));
  const auto client = std::make_shared<Client>();
  error_code error;
  client->socket.connect(endpoint, error);
  if (error == net::error::connection_refused ||
      error == boost::system::errc::no_such_file_or_directory) {
    return Error{Errc::kNotFound, "no server listens at " + path};
  }
  if (error) return Error{Errc::kIo, path + ": " + error.message()};
  return ControlCall{[client](const std::string& line) { return exchange(*client, line); }};
}

}  // namespace meldevakt::collector
