#include "tests/sim/history.h"

#include <algorithm>

#include "common/testing/doubles.h"
#include "tests/sim/log_text.h"

namespace meldevakt::sim {
namespace {

using testing::SeededRandom;

constexpr Duration kHeartbeat = hours(3);
constexpr Duration kCheckpoint = hours(6);
constexpr Duration kLogBeginsBefore = minutes(20);  // before the agent does
constexpr Duration kOverloadAfter = seconds(20);

class Chronicle {
 public:
  Chronicle(const ServicePlan& service, const Interval& span, const TimeZone& zone)
      : service_{service},
        span_{span},
        zone_{zone},
        clocks_{clocks_of(service)},
        random_{service.seed},
        handled_(service.nodes) {}

  ServiceHistory run() {
    add_quiet_life();
    for (const PlannedMessage& message : service_.messages) handle(message);
    for (const Instant overload : service_.overloads) overload_at(overload, any_trouble());
    sort();
    return std::move(out_);
  }

 private:
  Duration some(std::int64_t from_ms, std::int64_t to_ms) {
    return milliseconds(from_ms + static_cast<std::int64_t>(
                                      random_.below(static_cast<std::uint64_t>(to_ms - from_ms))));
  }
  Trouble any_trouble() { return static_cast<Trouble>(random_.below(kTroubles)); }

  // Of the application's host.
  [[nodiscard]] Instant shown(Instant time) const { return clocks_.application.host_time(time); }
  void trace(Instant time, unsigned node, int thread, std::string_view level,
             const std::string& text) {
    out_.trace.push_back({time, trace_line(shown(time), thread, level, text, zone_), node});
  }
  void database(Instant time, int process, std::string_view application, std::string_view text) {
    const Instant shown = clocks_.database.host_time(time);
    out_.database.push_back({time, database_line(shown, process, application, text, zone_)});
  }
  void busy(Instant time) { out_.busy.push_back(time); }

  void add_quiet_life() {
    const Instant begin = span_.from - kLogBeginsBefore;
    for (unsigned node = 0; node < service_.nodes; ++node) {
      trace(begin, node, 1, "INFO", "Program - Fagsystem startet, versjon 4.2.1");
    }
    database(begin, 812, "", "LOG:  database system is ready to accept connections");
    for (unsigned node = 0; node < service_.nodes; ++node) {
      for (Instant at = begin + some(0, kHeartbeat.ms); at < span_.to; at = at + kHeartbeat) {
        trace(at, node, 4, "DEBUG", "Innboks - Ingen nye meldinger");
      }
    }
    for (Instant at = begin + some(0, kCheckpoint.ms); at < span_.to; at = at + kCheckpoint) {
      database(at, 815, "", "LOG:  checkpoint starting: time");
    }
    unsigned restarted = 0;
    for (const Instant restart : service_.restarts) {
      trace(restart, restarted++ % service_.nodes, 1, "INFO",
            "Program - Fagsystem startet, versjon 4.2.1");
    }
  }

  // The database's log around an overload that is at its worst at `peak`.
  void overload_at(Instant peak, Trouble trouble, bool in_trace = false) {
    const bool is_backup = random_.below(2) == 0;
    const Instant begin = peak - seconds(30);
    const Instant started = peak - some(60'000, 90'000);
    if (is_backup) backup_started(started);
    for (std::int64_t n = 0; n < 3; ++n) {
      const Instant at = begin + seconds(8 * n) + some(0, 4'000);
      database(
          at, 4711, "Fagsystem",
          "LOG:  process 4711 still waiting for ShareLock on transaction 811 after 1000.119 ms");
    }
    const std::string error = "ERROR:  " + std::string{words_of(trouble)};
    database(peak, 4712, "Fagsystem", error);
    database(peak, 4712, "Fagsystem", "STATEMENT:  UPDATE journalteller SET siste = siste + 1");
    const Instant end = peak + kOverloadAfter + some(0, 10'000);
    database(end, 4713, "Fagsystem", error);
    if (is_backup) backup_finished(end + seconds(5));
    // A full disk says why others wait; three waits for a lock say more than two deadlocks.
    const char* const without = trouble == Trouble::kStorageFull ? "storage_full" : "lock_wait";
    if (is_backup) {  // it lasts as long as the backup runs
      const bool confirmed = in_trace || service_.backup_apart;
      out_.overloads.push_back({{started, end + seconds(5)}, "backup", confirmed});
    } else {
      out_.overloads.push_back({{begin, end}, without, in_trace});
    }
    busy(end + seconds(5));
    busy(end + seconds(75));  // by then its window is over
  }

  void backup_started(Instant time) {
    if (service_.backup_apart) {
      out_.backup.push_back({time, backup_line(shown(time), 110, zone_), 0});
    } else {
      database(
          time, 5120, "pg_dump",
          "LOG:  connection authorized: user=postgres database=arkiv application_name=pg_dump");
    }
  }

  void backup_finished(Instant time) {
    if (service_.backup_apart) {
      out_.backup.push_back({time, backup_line(shown(time), 190, zone_), 0});
    } else {
      database(time, 5120, "pg_dump",
               "LOG:  disconnection: session time: 0:01:44.903 user=postgres database=arkiv "
               "host=[local]");
    }
  }

  void handle(const PlannedMessage& message) {
    const auto node = static_cast<unsigned>(service_.nodes > 1 ? random_.below(service_.nodes) : 0);
    const int inbox = 10 + handled_[node] % 8;
    const int worker = 20 + handled_[node]++ % 8;
    const bool patched = message.sent >= service_.patched;
    TrueMessage truth{message.id, message.fate, message.sent, {}, {}, {}, {}, {}, {}};
    const Instant received = message.sent + some(300, 3'000);
    const std::string form = message.form == FormType::kPublic ? "OFFENTLIG" : "PRIVAT";
    trace(received, node, inbox, "INFO",
          "Innboks - Mottatt melding " + message.id + " skjema=" + form + " bydel=00");
    Instant at = received + some(40, 90);
    if (!patched) truth.receipted = receipt(message.id, node, inbox, at);
    at = save(message, node, worker, at + some(10, 40), truth);
    if (patched) truth.receipted = receipt(message.id, node, worker, at + some(5, 30));
    trace(at + milliseconds(31), node, worker, "INFO",
          "Lagring - Ferdig med melding " + message.id);
    busy(at + milliseconds(31));
    truth.confirmed = truth.receipted + some(40, 400);
    out_.rows.push_back({message.id, message.sent, truth.confirmed, message.form});
    if (message.sent_again) truth.again = handle_again(message);
    out_.truth.push_back(std::move(truth));
  }

  // The portal delivers it once more, and it is stored. By threads that nothing else runs on: what
  // is drawn for it shifts nothing else of the history.
  SentAgain handle_again(const PlannedMessage& message) {
    constexpr int kInbox = 30;
    constexpr int kWorker = 31;
    const bool patched = *message.sent_again >= service_.patched;
    SentAgain again{*message.sent_again + seconds(2), {}, {}};
    trace(again.received, 0, kInbox, "INFO", "Innboks - Mottatt melding " + message.id);
    const Instant before = again.received + milliseconds(60);
    if (!patched) receipt(message.id, 0, kInbox, before);
    again.committed = before + milliseconds(700);
    trace(again.committed, 0, kWorker, "INFO",
          "Lagring - Melding " + message.id + " er lagret (journalpost 2023/1234)");
    const Instant after = again.committed + milliseconds(20);
    if (patched) receipt(message.id, 0, kWorker, after);
    again.confirmed = (patched ? after : before) + milliseconds(200);
    busy(after + milliseconds(31));
    out_.rows.push_back({message.id, message.sent, again.confirmed, message.form});
    return again;
  }

  Instant receipt(const std::string& id, unsigned node, int thread, Instant at) {
    trace(at, node, thread, "INFO", "Kvittering - Sendte kvittering mottatt for melding " + id);
    return at;
  }

  // Returns when the save ended, one way or the other.
  Instant save(const PlannedMessage& message, unsigned node, int worker, Instant at,
               TrueMessage& truth) {
    const std::string starts = "Lagring - Starter lagring av melding " + message.id + " forsøk ";
    trace(at, node, worker, "DEBUG", starts + "1");
    at = at + some(120, 2'500);
    if (message.fate != Fate::kStored) {
      const Trouble trouble = any_trouble();
      overload_at(at, trouble, message.fate != Fate::kLostSilently);
      truth.overload = at;
      if (message.fate == Fate::kLostSilently) return at;
      out_.trace.push_back({at, failed_save(shown(at), worker, trouble, zone_), node});
      truth.failure = code_of(trouble);
      if (message.fate == Fate::kLost) return at;
      trace(at + milliseconds(1), node, worker, "WARN", "Lagring - Prøver på nytt om 200 ms");
      at = at + milliseconds(202);
      trace(at, node, worker, "DEBUG", starts + "2");
      at = at + some(120, 2'500);
    }
    if (message.id != service_.hidden_commit) {
      trace(at, node, worker, "INFO",
            "Lagring - Melding " + message.id + " er lagret (journalpost 2023/1234)");
    }
    truth.committed = at;
    return at;
  }

  void sort() {
    const auto earlier = [](const auto& a, const auto& b) { return a.time < b.time; };
    std::stable_sort(out_.trace.begin(), out_.trace.end(), earlier);
    std::stable_sort(out_.database.begin(), out_.database.end(), earlier);
    std::stable_sort(out_.backup.begin(), out_.backup.end(), earlier);
    std::stable_sort(out_.overloads.begin(), out_.overloads.end(),
                     [](const auto& a, const auto& b) { return a.span < b.span; });
    std::stable_sort(out_.rows.begin(), out_.rows.end(),
                     [](const auto& a, const auto& b) { return a.confirmed < b.confirmed; });
    std::sort(out_.busy.begin(), out_.busy.end());
  }

  const ServicePlan& service_;
  Interval span_;
  const TimeZone& zone_;
  ServiceClocks clocks_;
  SeededRandom random_;
  std::vector<int> handled_;  // by each node
  ServiceHistory out_;
};

}  // namespace

ServiceClocks clocks_of(const ServicePlan& service) {
  if (!service.database_apart) return {};
  return {HostClock{service.seed}, HostClock{service.seed / 7919}};
}

ServiceHistory live_through(const ServicePlan& service, const Interval& span,
                            const TimeZone& zone) {
  return Chronicle{service, span, zone}.run();
}

std::string portal_csv(const std::vector<PortalRow>& rows, const TimeZone& zone) {
  std::string out = "bekymringsmeldingId;innsendt;bekreftet;kanal;skjemaType\n";
  for (const PortalRow& row : rows) {
    out += row.id + ";" + portal_time(row.sent, zone) + ";" + portal_time(row.confirmed, zone) +
           ";FAGSYSTEM;" + (row.form == FormType::kPublic ? "OFFENTLIG" : "PRIVAT") + "\n";
  }
  return out;
}

}  // namespace meldevakt::sim
