// What one record of a log can say: the closed vocabulary of signals, outcomes and references.
//
// LOGS.md section 10 classes map onto these as follows (packs name signals by text; which rule
// gives which of its 168 signals stands in agent/rules/signals.csv):
//   received -> message.received            committed -> message.committed (db.committed
//     where only the database layer says it: a program's other saves are no message's)
//   acknowledged -> message.acknowledged    rejected -> message.rejected, db.login_failed
//   failed_commit -> message.save_failed when an application says it, else what the database or the
//     host says: db.data_error (the data's fault: never overload), db.transaction_failed,
//     infra.disk_error, or the db.* of its cause
//   retry -> message.retried                overload -> db.timeout db.lock_wait db.deadlock db.slow
//     db.log_full db.maintenance infra.disk_slow infra.cpu portal.unavailable
//   resource_exhaustion -> db.storage_full db.connections_refused infra.memory infra.disk_full
//   backup -> backup.started .finished .failed    restart -> db.restarted process.started .stopped
//   blind -> log.blind                      (heartbeat) -> portal.polled
//
// Wire form: the texts of to_string(). A reader meeting an unknown text refuses the body
// (FORMAT.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace meldevakt {

enum class Signal : std::uint8_t {
  kMessageReceived,
  kMessageSaveFailed,
  kMessageCommitted,
  kMessageAcknowledged,  // the case system's own receipt
  kMessageRejected,      // the case system told the sender that it failed: the portal prints
  kMessageRetried,       // a failed attempt that the program itself tries again
  kDbTimeout,
  kDbLockWait,
  kDbDeadlock,
  kDbSlow,
  kDbLogFull,
  kDbStorageFull,
  kDbConnectionsRefused,
  kDbConnectionLost,
  kDbRestarted,
  kInfraDiskSlow,
  kInfraDiskFull,
  kInfraMemory,
  kInfraCpu,
  kBackupStarted,
  kBackupFinished,
  kBackupFailed,
  kProcessStarted,
  kProcessStopped,
  kLogBlind,
  kDbCommitted,          // the database layer says so, and not of which message
  kDbDataError,          // a constraint, a bad value, a missing right or table: not overload
  kDbTransactionFailed,  // the server gave a transaction or session up
  kDbLoginFailed,
  kDbMaintenance,  // work of the database's own that explains load: DBCC CHECKDB, ...
  kInfraDiskError,
  kPortalPolled,         // the receiver asked the portal: it is alive
  kPortalUnavailable,    // the portal, or the queue in front of it, did not answer
  kPortalReceiptFailed,  // the receiver could not tell the portal how a message ended
};
inline constexpr std::size_t kSignalCount =
    static_cast<std::size_t>(Signal::kPortalReceiptFailed) + 1;

[[nodiscard]] std::string_view to_string(Signal signal);
[[nodiscard]] std::optional<Signal> signal_from_string(std::string_view text);
[[nodiscard]] std::vector<std::string> all_signal_names();
[[nodiscard]] bool is_message_signal(Signal signal);

// How a save ended, as far as the log tells.
enum class Outcome : std::uint8_t {
  kFailed,      // the statement failed; nothing of it can have been committed
  kRolledBack,  // the log says that the transaction was rolled back
  kUnknown,     // the commit call got no answer: it may or may not have been committed
};
[[nodiscard]] std::string_view to_string(Outcome outcome);
[[nodiscard]] std::optional<Outcome> outcome_from_string(std::string_view text);

enum class FormType : std::uint8_t { kPrivate, kPublic, kUnknown };  // PRIVAT, OFFENTLIG, UKJENT
[[nodiscard]] std::string_view to_string(FormType form);
[[nodiscard]] std::optional<FormType> form_from_string(std::string_view text);

enum class ReferenceType : std::uint8_t {
  kPortalMessageId,  // bekymringsmeldingId: the only one that leaves as it is (a UUID)
  kTransportId,      // Fiks IO melding-id: changes with each send. Keyed hash.
  kClientId,         // klientMeldingId: the same on resend. Keyed hash.
  kShipmentId,       // SvarUt forsendelse id. Keyed hash.
  kCaseId,           // the case system's own number. Keyed hash.
};
inline constexpr std::size_t kReferenceTypeCount =
    static_cast<std::size_t>(ReferenceType::kCaseId) + 1;
[[nodiscard]] std::string_view to_string(ReferenceType type);  // "portal_message_id", ...
[[nodiscard]] std::optional<ReferenceType> reference_type_from_string(std::string_view text);
[[nodiscard]] std::vector<std::string> all_reference_type_names();

// Some of them.
class ReferenceTypes {
 public:
  void add(ReferenceType type) {
    bits_ = static_cast<std::uint8_t>(bits_ | 1U << static_cast<unsigned>(type));
  }
  void add(const ReferenceTypes& others) {
    bits_ = static_cast<std::uint8_t>(bits_ | others.bits_);
  }
  [[nodiscard]] bool empty() const { return bits_ == 0; }
  [[nodiscard]] bool has_any_of(const ReferenceTypes& others) const {
    return (bits_ & others.bits_) != 0;
  }
  auto operator<=>(const ReferenceTypes&) const = default;

 private:
  std::uint8_t bits_ = 0;
};

// One name of a message, after the privacy step: a lower-case UUID for kPortalMessageId, else 32
// hexadecimal digits of a keyed hash (common/privacy).
struct Reference {
  ReferenceType type = ReferenceType::kPortalMessageId;
  std::string value;
  auto operator<=>(const Reference&) const = default;
};
[[nodiscard]] bool is_well_formed(const Reference& reference);

}  // namespace meldevakt
