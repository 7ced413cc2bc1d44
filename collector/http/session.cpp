#include "collector/http/session.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl.hpp>
#include <optional>

#include "collector/http/routes.h"
#include "collector/http/strict_policy.h"

namespace meldevakt::collector {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

class Session : public Stoppable, public std::enable_shared_from_this<Session> {
 public:
  Session(net::ip::tcp::socket socket, std::string address,
          std::shared_ptr<Listener::Shared> shared)
      : shared_{std::move(shared)},
        address_{std::move(address)},
        stream_{std::move(socket), *shared_->options.tls} {
    shared_->sessions.insert(this);
    ++shared_->per_address[address_];
  }
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start();
  void stop() override;

 private:
  using Parser = http::request_parser<http::string_body>;
  using Response = http::response<http::string_body>;

  void deadline(Duration after) {
    beast::get_lowest_layer(stream_).expires_after(chrono_of(after));
  }
  void next_request();
  void read_header();
  void on_header_bytes(error_code error, std::size_t bytes);
  void parse_header(std::size_t header_bytes);
  [[nodiscard]] Result<std::uint64_t> checked_head(std::size_t body_bytes_max) const;
  void read_body(std::uint64_t length);
  void dispatch();
  void answer(const HttpResponse& response);
  void refuse(unsigned status, std::string_view error, std::string_view why);
  void on_written(error_code error);
  void say_goodbye();
  void release_body();
  [[nodiscard]] bool is_first_byte_awaited() const { return buffer_.size() == 0; }

  std::shared_ptr<Listener::Shared> shared_;
  std::string address_;
  beast::ssl_stream<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
  std::optional<Peer> peer_;
  std::optional<Parser> parser_;
  std::optional<Response> response_;
  std::size_t body_bytes_ = 0;  // counted in shared_->body_bytes_in_flight
  bool idle_ = true;            // nothing of a request has come since the last answer
};

Session::~Session() {
  release_body();
  shared_->sessions.erase(this);
  const auto of_address = shared_->per_address.find(address_);
  if (of_address != shared_->per_address.end() && --of_address->second == 0) {
    shared_->per_address.erase(of_address);
  }
}

void Session::release_body() {
  shared_->body_bytes_in_flight -= body_bytes_;
  body_bytes_ = 0;
}

void Session::start() {
  deadline(shared_->options.limits.handshake);
  stream_.async_handshake(net::ssl::stream_base::server,
                          [self = shared_from_this()](error_code error) {
                            if (error) {
                              ++self->shared_->counts.handshakes_failed;
                              return;
                            }
                            self->peer_ = peer_of(self->stream_.native_handle());
                            self->next_request();
                          });
}

void Session::stop() {
  if (idle_) beast::get_lowest_layer(stream_).close();
}

void Session::next_request() {
  parser_.reset();
  response_.reset();
  idle_ = true;
  if (shared_->stopping) return say_goodbye();
  // Nobody who has not shown a certificate holds a connection for long.
  const HttpLimits& limits = shared_->options.limits;
  deadline(peer_ ? limits.idle : limits.header);
  read_header();
}

void Session::read_header() {
  const std::size_t room = shared_->options.limits.header_bytes_max;
  stream_.async_read_some(buffer_.prepare(room),
                          [self = shared_from_this()](error_code error, std::size_t bytes) {
                            self->on_header_bytes(error, bytes);
                          });
}

void Session::on_header_bytes(error_code error, std::size_t bytes) {
  const bool was_first = is_first_byte_awaited();
  buffer_.commit(bytes);
  if (error) {
    // Gone, or silent for too long. Half a request is answered, no request is not.
    if (was_first || error == beast::error::timeout) return say_goodbye();
    return refuse(400, "bad_request", "the request ends in the middle");
  }
  if (was_first) deadline(shared_->options.limits.header);
  idle_ = false;
  const auto data = buffer_.cdata();
  const HeaderScan scan =
      scan_header({static_cast<const char*>(data.data()), data.size()}, shared_->options.limits);
  switch (scan.state) {
    case HeaderScan::State::kNeedMore: return read_header();
    case HeaderScan::State::kBad: return refuse(400, "bad_request", scan.reason);
    case HeaderScan::State::kComplete: return parse_header(scan.bytes);
  }
}

void Session::parse_header(std::size_t header_bytes) {
  const HttpLimits& limits = shared_->options.limits;
  const std::size_t body_max = peer_ ? limits.body_bytes_max : limits.anonymous_body_bytes_max;
  parser_.emplace();
  parser_->eager(false);
  parser_->header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
  parser_->body_limit(boost::none);  // check_head bounds it, and is asked first
  error_code error;
  const std::size_t used = parser_->put(net::buffer(buffer_.cdata().data(), header_bytes), error);
  if (error || used != header_bytes || !parser_->is_header_done()) {
    return refuse(400, "bad_request", "the header cannot be read");
  }
  buffer_.consume(used);
  const Result<std::uint64_t> length = checked_head(body_max);
  if (!length) {
    const bool is_long = length.error().code() == Errc::kLimit;
    return refuse(is_long ? 413 : 400, is_long ? "too_large" : "bad_request",
                  length.error().message());
  }
  read_body(length.value());
}

Result<std::uint64_t> Session::checked_head(std::size_t body_bytes_max) const {
  const auto& request = parser_->get();
  RequestHead head;
  head.version = request.version();
  head.method = std::string(request.method_string());
  head.target = std::string(request.target());
  for (const auto& field : request.base()) {
    head.fields.emplace_back(field.name_string(), field.value());
  }
  return check_head(head, shared_->hosts, shared_->options.limits, body_bytes_max);
}

void Session::read_body(std::uint64_t length) {
  const HttpLimits& limits = shared_->options.limits;
  if (buffer_.size() > length) {
    return refuse(400, "bad_request", "more bytes came than the request has");
  }
  if (shared_->body_bytes_in_flight + length > limits.body_bytes_in_flight_max) {
    return refuse(503, "busy", "too many bodies are on their way");
  }
  body_bytes_ = static_cast<std::size_t>(length);
  shared_->body_bytes_in_flight += body_bytes_;
  if (length == 0) return dispatch();
  deadline(limits.body);
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this(), length](error_code error, std::size_t) {
                     if (error == beast::error::timeout) return self->say_goodbye();
                     if (error || self->parser_->get().body().size() != length) {
                       return self->refuse(400, "bad_request", "the body ends in the middle");
                     }
                     if (self->buffer_.size() > 0) {
                       return self->refuse(400, "bad_request",
                                           "more bytes came than the request has");
                     }
                     self->dispatch();
                   });
}

void Session::dispatch() {
  auto request = std::make_shared<HttpRequest>();
  auto& parsed = parser_->get();
  request->method = std::string(parsed.method_string());
  request->target = std::string(parsed.target());
  request->content_type = std::string(parsed[http::field::content_type]);
  request->body = std::move(parsed.body());
  request->address = address_;
  request->peer = peer_;
  beast::get_lowest_layer(stream_).expires_never();  // the store's time is not the client's
  // A stop waits for answers that are being worked out.
  auto busy = net::make_work_guard(shared_->io);
  const bool taken = shared_->strand.post([self = shared_from_this(), request, busy]() mutable {
    HttpResponse response = self->shared_->options.handler(*request);
    // The last reference must die where the session's io runs, never on the strand.
    net::io_context& io = self->shared_->io;
    net::post(io, [self = std::move(self), made = std::move(response)] { self->answer(made); });
  });
  if (!taken) return refuse(503, "busy", "too many requests wait");
  ++shared_->counts.requests;
}

void Session::refuse(unsigned status, std::string_view error, std::string_view why) {
  ++shared_->counts.refused;
  shared_->log(LogLevel::kWarn, "request refused status=" + std::to_string(status) +
                                    " address=" + address_ + ": " + std::string(why));
  HttpResponse response = error_response(status, error, why);
  response.close = true;
  answer(response);
}

void Session::answer(const HttpResponse& response) {
  release_body();
  const bool asked_to_close = !parser_ || !parser_->is_done() || !parser_->keep_alive();
  response_.emplace(static_cast<http::status>(response.status), 11);
  response_->set(http::field::content_type, "application/json");
  response_->set(http::field::cache_control, "no-store");
  response_->keep_alive(!response.close && !asked_to_close && !shared_->stopping);
  response_->body() = response.body;
  response_->prepare_payload();
  deadline(shared_->options.limits.write);
  http::async_write(
      stream_, *response_,
      [self = shared_from_this()](error_code error, std::size_t) { self->on_written(error); });
}

void Session::on_written(error_code error) {
  if (error) return;
  if (response_->keep_alive()) return next_request();
  say_goodbye();
}

void Session::say_goodbye() {
  idle_ = true;
  deadline(shared_->options.limits.farewell);
  stream_.async_shutdown([self = shared_from_this()](error_code) {
    error_code ignored;
    beast::get_lowest_layer(self->stream_)
        .socket()
        .shutdown(net::ip::tcp::socket::shutdown_both, ignored);
  });
}

}  // namespace

void start_session(net::ip::tcp::socket socket, std::string address,
                   std::shared_ptr<Listener::Shared> shared) {
  std::make_shared<Session>(std::move(socket), std::move(address), std::move(shared))->start();
}

}  // namespace meldevakt::collector
