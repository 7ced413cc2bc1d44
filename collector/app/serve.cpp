#include "collector/app/serve.h"

#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>

#include "collector/app/authority.h"
#include "collector/app/clock_watch.h"
#include "collector/app/control_socket.h"
#include "collector/app/control_watch.h"
#include "collector/app/live_thread.h"
#include "collector/app/log_keys.h"
#include "collector/app/silence.h"
#include "collector/app/standing_control.h"
#include "collector/http/listener.h"
#include "collector/http/routes.h"
#include "collector/http/tls.h"
#include "collector/store/sqlite_store.h"
#include "common/platform/disk.h"
#include "common/platform/signals.h"

namespace meldevakt::collector {
namespace {

namespace net = boost::asio;
using boost::system::error_code;

// Everything that serves, in the order in which it must be destroyed last to first.
class Service {
 public:
  Service(const Config& config, Clock& clock, LogSink log)
      : config_{config}, clock_{clock}, log_{std::move(log)} {}

  [[nodiscard]] Status start();
  void run_until_stopped();

 private:
  [[nodiscard]] Status open_listeners();
  [[nodiscard]] Status open_control();
  [[nodiscard]] Status open_live();
  [[nodiscard]] Status write_listening() const;
  void watch_controls();
  void post_next_control();
  void run_control(const Tenant& tenant);
  void watch_missed_controls();
  void watch_silence();
  void watch_clocks();
  void on_stop();

  const Config& config_;
  Clock& clock_;
  LogSink log_;
  OpenSslVerifier verifier_;
  OpenSslRandom random_;
  std::unique_ptr<AuthorityDesk> desk_;
  KeyAndCertificate server_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<LiveThread> live_;
  std::unique_ptr<AgentRoutes> routes_;
  std::unique_ptr<ControlActions> actions_;
  net::io_context io_{1};
  net::posix::stream_descriptor stop_{io_};
  StoreStrand strand_{HttpLimits{}.queue_max};
  std::unique_ptr<Listener> agents_;
  std::unique_ptr<Listener> people_;
  std::unique_ptr<ControlServer> control_;
  std::unique_ptr<StandingControl> standing_;
  std::unique_ptr<ControlWatch> missed_;
  std::unique_ptr<SilenceWatch> silence_;
  std::unique_ptr<ClockWatch> clocks_;
  net::steady_timer control_timer_{io_};
  std::deque<Tenant> due_controls_;  // the strand's
  std::atomic<bool> stopping_ = false;
};

Status Service::start() {
  const Instant now = clock_.now();
  MELDEVAKT_TRY_ASSIGN(KeyAndCertificate authority, load_authority(config_));
  MELDEVAKT_TRY_ASSIGN(server_, renew_server_certificate(config_, authority, now));
  desk_ = std::make_unique<AuthorityDesk>(std::move(authority));
  MELDEVAKT_TRY_ASSIGN(std::shared_ptr<const LogKey> log_key, open_log_key(config_));
  MELDEVAKT_TRY_ASSIGN(
      store_, SqliteStore::open({config_.in_data("collector.db"), "", false, std::move(log_key),
                                 std::make_shared<OpenSslRandom>()}));
  MELDEVAKT_TRY(open_live());
  routes_ = std::make_unique<AgentRoutes>(AgentRoutes::Parts{
      *store_, verifier_, *desk_, clock_, log_,
      [this](const VerifiedFrame& frame, Instant received) { live_->frame(frame, received); }});
  MELDEVAKT_TRY(open_listeners());
  MELDEVAKT_TRY(open_control());
  MELDEVAKT_TRY(write_listening());
  watch_controls();
  log_(LogLevel::kInfo, "ready agents=" + config_.agents.address + ":" +
                            std::to_string(agents_->port()) + " people=" + config_.people.address +
                            ":" + std::to_string(people_->port()) + " data=" + config_.data);
  return {};
}

Status Service::open_listeners() {
  MELDEVAKT_TRY_ASSIGN(TlsContext agents_tls,
                       make_server_context({server_.certificate_pem, server_.private_key_pem,
                                            desk_->authority_pem()}));
  MELDEVAKT_TRY_ASSIGN(TlsContext people_tls,
                       make_server_context({server_.certificate_pem, server_.private_key_pem, ""}));
  ListenerOptions agents{"agents",
                         config_.agents.address,
                         config_.agents.port,
                         config_.names,
                         {},
                         std::move(agents_tls),
                         [this](const HttpRequest& request) { return routes_->handle(request); },
                         log_,
                         {}};
  constexpr std::string_view kScheme = "https://";
  if (!config_.agents_url.empty()) {
    agents.authorities.push_back(config_.agents_url.substr(kScheme.size()));
  }
  MELDEVAKT_TRY_ASSIGN(agents_, Listener::open(io_, strand_, std::move(agents)));
  MELDEVAKT_TRY_ASSIGN(people_, Listener::open(io_, strand_,
                                               {"people",
                                                config_.people.address,
                                                config_.people.port,
                                                config_.names,
                                                {},
                                                std::move(people_tls),
                                                handle_people,
                                                log_,
                                                {}}));
  return {};
}

Status Service::open_live() {
  MELDEVAKT_TRY(store_->tenants());  // there is a database for another connection to read
  MELDEVAKT_TRY_ASSIGN(
      live_, LiveThread::start({config_.in_data("collector.db"), config_.in_data("told.db"),
                                config_.on_finding, config_.policy, clock_, log_}));
  return {};
}

Status Service::open_control() {
  MELDEVAKT_TRY_ASSIGN(standing_, make_standing_control(*store_, config_, clock_));
  missed_ = std::make_unique<ControlWatch>(*store_, config_.control.schedule, standing_->zone());
  const Listening listening = listening_since(config_.in_data("listened.json"), clock_.now());
  silence_ = std::make_unique<SilenceWatch>(*store_, config_.silent_after, listening);
  clocks_ = std::make_unique<ClockWatch>(*store_);
  actions_ = std::make_unique<ControlActions>(
      *store_, clock_, random_, agents_url(config_, agents_->port()), standing_.get());
  actions_->tell({[this](const std::string& tenant, const std::optional<ReceiptCoverage>& coverage,
                         const ImportResult& result) { live_->rows(tenant, result, coverage); },
                  [this] { live_->registered(); },
                  [this](const std::string& tenant) { live_->told(tenant); }});
  MELDEVAKT_TRY_ASSIGN(
      control_, ControlServer::open(io_, strand_, *actions_, config_.in_data("control.sock")));
  return {};
}

Status Service::write_listening() const {
  const nlohmann::ordered_json json{{"agents", agents_->port()}, {"people", people_->port()}};
  return write_file_atomically(config_.in_data("listening.json"), json.dump() + "\n",
                               FileMode::kEveryoneReads, Replace::kAllowed);
}

// Looks every kControlLook which daily controls are due. They run one at a time, each behind what
// has come in meanwhile: no agent waits for more than one of them.
void Service::watch_controls() {
  (void)strand_.post([this] {
    watch_missed_controls();
    if (!due_controls_.empty()) return;
    const StandingControl::Due due = standing_->due();
    if (!due.done) log_(LogLevel::kError, "standing control: " + due.done.error().message());
    due_controls_.assign(due.tenants.begin(), due.tenants.end());
    post_next_control();
  });
  (void)strand_.post([this] {
    watch_silence();
    watch_clocks();
  });
  control_timer_.expires_after(std::chrono::milliseconds{kControlLook.ms});
  control_timer_.async_wait([this](error_code error) {
    if (!error) watch_controls();
  });
}

// What the queue has no room for, or a stop leaves over, is due again at the next look.
void Service::post_next_control() {
  if (due_controls_.empty()) return;
  const bool taken = !stopping_ && strand_.post([this] {
    if (!stopping_) run_control(due_controls_.front());
    due_controls_.pop_front();
    post_next_control();
  });
  if (!taken) due_controls_.clear();
}

void Service::run_control(const Tenant& tenant) {
  // Somebody may have asked for it while it waited.
  const auto due = standing_->is_due(tenant);
  if (!due) return log_(LogLevel::kError, "standing control: " + due.error().message());
  if (!due.value()) return;
  const auto record = standing_->run(tenant, {}, false);
  if (!record) {
    return log_(LogLevel::kError,
                "standing control of " + tenant.id + ": " + record.error().message());
  }
  log_(record.value().agrees ? LogLevel::kInfo : LogLevel::kWarn,
       "standing control of " + tenant.id + ": " +
           control_sentence(record.value(), standing_->zone()));
  std::vector<Alarm> missed;
  // What cannot be closed now is at the next look.
  if (const Status closed = missed_->look_at(tenant.id, clock_.now(), missed); !closed) {
    log_(LogLevel::kError, "standing control: " + closed.error().message());
  }
}

void Service::watch_missed_controls() {
  const ControlWatch::Looked looked = missed_->look(clock_.now());
  if (!looked.done) log_(LogLevel::kError, "standing control: " + looked.done.error().message());
  for (const Alarm& alarm : looked.missed) {
    log_(LogLevel::kWarn, "tenant " + alarm.tenant + ": " + alarm.detail);
  }
}

void Service::watch_silence() {
  const SilenceWatch::Looked looked = silence_->look(clock_.now());
  if (!looked.done) log_(LogLevel::kError, "silence: " + looked.done.error().message());
  if (const Status noted = silence_->note(config_.in_data("listened.json")); !noted) {
    log_(LogLevel::kError, "silence: " + noted.error().message());
  }
  for (const Alarm& alarm : looked.silent) {
    log_(LogLevel::kWarn,
         "tenant " + alarm.tenant + " agent " + alarm.agent + " is silent: " + alarm.detail);
  }
}

void Service::watch_clocks() {
  const ClockWatch::Looked looked = clocks_->look(clock_.now());
  if (!looked.done) log_(LogLevel::kError, "clocks: " + looked.done.error().message());
  for (const Alarm& alarm : looked.wrong) {
    log_(LogLevel::kWarn, "tenant " + alarm.tenant + " agent " + alarm.agent + ": " + alarm.detail);
  }
}

void Service::on_stop() {
  log_(LogLevel::kInfo, "stopping");
  stopping_ = true;
  control_timer_.cancel();
  agents_->stop();
  people_->stop();
  control_->stop();
  io_.stop();  // ends run(); what is still being worked out gets its time below
}

void Service::run_until_stopped() {
  error_code error;
  stop_.assign(::dup(StopSignal::descriptor()), error);
  stop_.async_wait(net::posix::stream_descriptor::wait_read, [this](error_code) { on_stop(); });
  io_.run();
  io_.restart();
  io_.run_for(std::chrono::milliseconds{kStopGrace.ms});
  strand_.finish();
  live_->stop();
}

}  // namespace

Status serve(const Config& config, Clock& clock, const LogSink& log) {
  StopSignal::install();
  MELDEVAKT_TRY(make_private_directory(config.data));
  Result<ProcessLock> lock = ProcessLock::acquire(config.in_data("collector.lock"));
  if (!lock) {
    if (lock.error().code() != Errc::kExists) return lock.error();
    return Error{Errc::kExists, "another meldevakt-collector has " + config.data + " open"};
  }
  {
    Service service{config, clock, log};
    MELDEVAKT_TRY(service.start());
    service.run_until_stopped();
  }
  ::unlink(config.in_data("listening.json").c_str());
  log(LogLevel::kInfo, "stopped");
  return {};
}

}  // namespace meldevakt::collector
