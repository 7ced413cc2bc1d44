#include "collector/http/session.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <optional>

#include "collector/http/request_parser.h"
#include "collector/http/routes.h"
#include "collector/http/strict_policy.h"

namespace meldevakt::collector {
namespace {

namespace net = boost::asio;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 64 * 1024;

std::string_view reason_of(unsigned status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 429: return "Too Many Requests";
    case 503: return "Service Unavailable";
    default: return "Status";
  }
}

std::string bytes_of(const HttpResponse& response, bool keep_alive) {
  return "HTTP/1.1 " + std::to_string(response.status) + " " +
         std::string(reason_of(response.status)) +
         "\r\nContent-Type: " + std::string(response.content_type) +
         "\r\nCache-Control: no-store\r\nContent-Length: " + std::to_string(response.body.size()) +
         (keep_alive ? "" : "\r\nConnection: close") + "\r\n\r\n" + response.body;
}

class Session : public Stoppable, public std::enable_shared_from_this<Session> {
 public:
  Session(net::ip::tcp::socket socket, std::string address,
          std::shared_ptr<Listener::Shared> shared)
      : shared_{std::move(shared)},
        address_{std::move(address)},
        stream_{std::move(socket), *shared_->options.tls},
        timer_{shared_->io} {
    shared_->sessions.insert(this);
    ++shared_->per_address[address_];
  }
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start();
  void stop() override;

 private:
  // One type for all completions: each more would compile Asio's TLS machinery once more.
  using Done = std::function<void(error_code, std::size_t)>;

  void deadline(Duration after);
  void close();
  void read_some(std::size_t bytes_max, Done done);
  void next_request();
  void read_header();
  void on_header_bytes(error_code error);
  void on_header(std::string_view header);
  void read_body();
  void dispatch();
  void answer(const HttpResponse& response);
  void refuse(unsigned status, std::string_view error, std::string_view why);
  void say_goodbye();
  void release_body();

  std::shared_ptr<Listener::Shared> shared_;
  std::string address_;
  net::ssl::stream<net::ip::tcp::socket> stream_;
  net::steady_timer timer_;
  std::uint64_t deadlines_ = 0;  // tells a timer that rang too late to be stopped
  bool timed_out_ = false;
  std::optional<Peer> peer_;
  std::string chunk_;     // where the next bytes are read to
  std::string received_;  // bytes not yet used
  ParsedHeader header_;
  std::string body_;
  std::size_t body_bytes_ = 0;  // of the whole; counted in shared_->body_bytes_in_flight
  std::string reply_;
  bool idle_ = true;  // nothing of a request has come since the last answer
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

void Session::deadline(Duration after) {
  const std::uint64_t number = ++deadlines_;
  timer_.expires_after(chrono_of(after));
  timer_.async_wait([weak = weak_from_this(), number](error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->deadlines_ != number) return;
    self->timed_out_ = true;
    self->close();
  });
}

// Whatever is being waited for ends with an error.
void Session::close() {
  error_code ignored;
  stream_.lowest_layer().close(ignored);
}

void Session::start() {
  deadline(shared_->options.limits.handshake);
  stream_.async_handshake(net::ssl::stream_base::server,
                          [self = shared_from_this()](error_code error) {
                            if (error) {
                              ++self->shared_->counts.handshakes_failed;
                              self->close();
                              return;
                            }
                            self->peer_ = peer_of(self->stream_.native_handle());
                            self->next_request();
                          });
}

void Session::stop() {
  if (idle_) close();
}

void Session::read_some(std::size_t bytes_max, Done done) {
  chunk_.resize(std::min(bytes_max, kReadBytes));
  stream_.async_read_some(net::buffer(chunk_),
                          Done{[self = shared_from_this(), next = std::move(done)](
                                   error_code error, std::size_t bytes) {
                            self->received_.append(self->chunk_, 0, bytes);
                            next(error, bytes);
                          }});
}

void Session::next_request() {
  header_ = {};
  body_.clear();
  idle_ = true;
  if (shared_->stopping) return say_goodbye();
  // Nobody who has not shown a certificate holds a connection for long.
  const HttpLimits& limits = shared_->options.limits;
  deadline(peer_ ? limits.idle : limits.header);
  read_header();
}

void Session::read_header() {
  read_some(shared_->options.limits.header_bytes_max,
            [this](error_code error, std::size_t) { on_header_bytes(error); });
}

void Session::on_header_bytes(error_code error) {
  if (error) {
    // Gone, or silent for too long. Half a request is answered, no request is not.
    if (received_.empty() || timed_out_) return say_goodbye();
    return refuse(400, "bad_request", "the request ends in the middle");
  }
  if (idle_) deadline(shared_->options.limits.header);
  idle_ = false;
  const HeaderScan scan = scan_header(received_, shared_->options.limits);
  switch (scan.state) {
    case HeaderScan::State::kNeedMore: return read_header();
    case HeaderScan::State::kBad: return refuse(400, "bad_request", scan.reason);
    case HeaderScan::State::kComplete: break;
  }
  const std::string header = received_.substr(0, scan.bytes);
  received_.erase(0, scan.bytes);
  on_header(header);
}

void Session::on_header(std::string_view header) {
  const HttpLimits& limits = shared_->options.limits;
  Result<ParsedHeader> parsed = parse_header(header, limits);
  if (!parsed) return refuse(400, "bad_request", parsed.error().message());
  header_ = std::move(parsed).value();
  const Result<std::uint64_t> length =
      check_head(header_.head, shared_->hosts, limits,
                 peer_ ? limits.body_bytes_max : limits.anonymous_body_bytes_max);
  if (!length) {
    const bool is_long = length.error().code() == Errc::kLimit;
    return refuse(is_long ? 413 : 400, is_long ? "too_large" : "bad_request",
                  length.error().message());
  }
  if (shared_->body_bytes_in_flight + length.value() > limits.body_bytes_in_flight_max) {
    return refuse(503, "busy", "too many bodies are on their way");
  }
  body_bytes_ = static_cast<std::size_t>(length.value());
  shared_->body_bytes_in_flight += body_bytes_;
  deadline(limits.body);
  read_body();
}

void Session::read_body() {
  const std::size_t wanted = body_bytes_ - body_.size();
  if (received_.size() > wanted) {
    return refuse(400, "bad_request", "more bytes came than the request has");
  }
  body_ += received_;
  received_.clear();
  if (body_.size() == body_bytes_) return dispatch();
  read_some(body_bytes_ - body_.size(), [this](error_code error, std::size_t) {
    if (!error) return read_body();
    if (timed_out_) return say_goodbye();
    refuse(400, "bad_request", "the body ends in the middle");
  });
}

void Session::dispatch() {
  auto request = std::make_shared<HttpRequest>();
  request->method = header_.head.method;
  request->target = header_.head.target;
  request->content_type = header_.content_type;
  request->body = std::move(body_);
  request->address = address_;
  request->peer = peer_;
  ++deadlines_;  // none while the store works: its time is not the client's
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
  shared_->log_refusal("request refused status=" + std::to_string(status) + " address=" + address_ +
                       ": " + std::string(why));
  HttpResponse response = error_response(status, error, why);
  response.close = true;
  answer(response);
}

void Session::answer(const HttpResponse& response) {
  release_body();
  const bool keep_alive = !response.close && header_.keep_alive && !shared_->stopping;
  reply_ = bytes_of(response, keep_alive);
  deadline(shared_->options.limits.write);
  net::async_write(stream_, net::buffer(reply_),
                   Done{[self = shared_from_this(), keep_alive](error_code error, std::size_t) {
                     if (!error && keep_alive) return self->next_request();
                     self->say_goodbye();
                   }});
}

void Session::say_goodbye() {
  idle_ = true;
  deadline(shared_->options.limits.farewell);
  stream_.async_shutdown([self = shared_from_this()](error_code) {
    ++self->deadlines_;
    self->close();
  });
}

}  // namespace

void start_session(net::ip::tcp::socket socket, std::string address,
                   std::shared_ptr<Listener::Shared> shared) {
  std::make_shared<Session>(std::move(socket), std::move(address), std::move(shared))->start();
}

}  // namespace meldevakt::collector
