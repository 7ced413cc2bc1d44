#include "common/summary/signal.h"

#include <array>
#include <cstddef>

#include "common/summary/fact.h"
#include "common/summary/forms.h"
#include "common/summary/statement.h"

namespace meldevakt {
namespace {

// Texts in the order of the enumerators. A table and not a switch: both directions and the list of
// all names come from one place.
constexpr std::array<std::string_view, kSignalCount> kSignals{
    "message.received",
    "message.save_failed",
    "message.committed",
    "message.acknowledged",
    "message.rejected",
    "message.retried",
    "db.timeout",
    "db.lock_wait",
    "db.deadlock",
    "db.slow",
    "db.log_full",
    "db.storage_full",
    "db.connections_refused",
    "db.connection_lost",
    "db.restarted",
    "infra.disk_slow",
    "infra.disk_full",
    "infra.memory",
    "infra.cpu",
    "backup.started",
    "backup.finished",
    "backup.failed",
    "process.started",
    "process.stopped",
    "log.blind",
    "db.committed",
    "db.data_error",
    "db.transaction_failed",
    "db.login_failed",
    "db.maintenance",
    "infra.disk_error",
    "portal.polled",
    "portal.unavailable",
    "portal.receipt_failed",
};
static_assert(!kSignals.back().empty(), "a signal without a text");

constexpr std::array<std::string_view, 3> kOutcomes{"failed", "rolled_back", "unknown"};
constexpr std::array<std::string_view, 3> kForms{"PRIVAT", "OFFENTLIG", "UKJENT"};
constexpr std::array<std::string_view, 5> kReferenceTypes{"portal_message_id", "transport_id",
                                                          "client_id", "shipment_id", "case_id"};
constexpr std::array<std::string_view, 5> kAttributions{"named", "scope", "look_back", "ambiguous",
                                                        "none"};
constexpr std::array<std::string_view, 4> kReadStates{"read", "gap", "absent", "unknown"};

template <typename Enum, std::size_t n>
std::string_view text_of(const std::array<std::string_view, n>& table, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < n ? table[index] : std::string_view{"?"};
}

template <typename Enum, std::size_t n>
std::optional<Enum> value_of(const std::array<std::string_view, n>& table, std::string_view text) {
  for (std::size_t i = 0; i < n; ++i) {
    if (table[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

template <std::size_t n>
std::vector<std::string> names_of(const std::array<std::string_view, n>& table) {
  return {table.begin(), table.end()};
}

// RFC 9562 in lower case: 8-4-4-4-12 digits, version 4, variant 10.
bool is_lower_uuid_v4(std::string_view text) {
  if (text.size() != 36 || text[14] != '4') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? text[i] != '-' : !is_hex(text.substr(i, 1), 1)) return false;
  }
  return std::string_view{"89ab"}.find(text[19]) != std::string_view::npos;
}

}  // namespace

std::string_view to_string(Signal signal) {
  return text_of(kSignals, signal);
}
std::optional<Signal> signal_from_string(std::string_view text) {
  return value_of<Signal>(kSignals, text);
}
std::vector<std::string> all_signal_names() {
  return names_of(kSignals);
}
bool is_message_signal(Signal signal) {
  return signal <= Signal::kMessageRetried;
}

std::string_view to_string(Outcome outcome) {
  return text_of(kOutcomes, outcome);
}
std::optional<Outcome> outcome_from_string(std::string_view text) {
  return value_of<Outcome>(kOutcomes, text);
}

std::string_view to_string(FormType form) {
  return text_of(kForms, form);
}
std::optional<FormType> form_from_string(std::string_view text) {
  return value_of<FormType>(kForms, text);
}

std::string_view to_string(ReferenceType type) {
  return text_of(kReferenceTypes, type);
}
std::optional<ReferenceType> reference_type_from_string(std::string_view text) {
  return value_of<ReferenceType>(kReferenceTypes, text);
}
std::vector<std::string> all_reference_type_names() {
  return names_of(kReferenceTypes);
}

std::string_view to_string(Attribution attribution) {
  return text_of(kAttributions, attribution);
}
std::optional<Attribution> attribution_from_string(std::string_view text) {
  return value_of<Attribution>(kAttributions, text);
}

std::string_view to_string(ReadState state) {
  return text_of(kReadStates, state);
}
std::optional<ReadState> read_state_from_string(std::string_view text) {
  return value_of<ReadState>(kReadStates, text);
}

bool is_well_formed(const Reference& reference) {
  if (reference.type == ReferenceType::kPortalMessageId) return is_lower_uuid_v4(reference.value);
  return text_of(kReferenceTypes, reference.type) != "?" && is_hex(reference.value, 32);
}

}  // namespace meldevakt
