#include "common/summary/signal.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/summary/fact.h"
#include "common/summary/forms.h"
#include "common/summary/statement.h"

namespace meldevakt {
namespace {

template <typename Enum>
void check_words(std::size_t count, std::optional<Enum> (*from_string)(std::string_view)) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<Enum>(i);
    CAPTURE(to_string(value));
    CHECK(from_string(to_string(value)) == value);
    CHECK(seen.insert(to_string(value)).second);
  }
  for (const std::string_view other : {"", "?", "x", "Named", "message.received "}) {
    CHECK_FALSE(from_string(other).has_value());
  }
  CHECK_FALSE(from_string(to_string(static_cast<Enum>(count))).has_value());
}

TEST_CASE("signal: each word of each list leads back to its value, and nothing else does") {
  check_words<Signal>(kSignalCount, signal_from_string);
  check_words<Outcome>(3, outcome_from_string);
  check_words<FormType>(3, form_from_string);
  check_words<ReferenceType>(5, reference_type_from_string);
  check_words<Attribution>(5, attribution_from_string);
  check_words<ReadState>(4, read_state_from_string);
  CHECK(all_signal_names().size() == kSignalCount);
  CHECK(all_reference_type_names().size() == 5);
}

// Spelled out once more, with its enumerator: a list in another order would say something else.
TEST_CASE("signal: the words are those of FORMAT.md, each at its place") {
  const std::vector<std::string> signals{"message.received",
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
                                         "portal.receipt_failed"};
  CHECK(all_signal_names() == signals);
  const std::vector<std::string> types{"portal_message_id", "transport_id", "client_id",
                                       "shipment_id", "case_id"};
  CHECK(all_reference_type_names() == types);
  CHECK(to_string(Signal::kMessageSaveFailed) == "message.save_failed");
  CHECK(to_string(Signal::kMessageRetried) == "message.retried");
  CHECK(to_string(Signal::kDbLogFull) == "db.log_full");
  CHECK(to_string(Signal::kInfraMemory) == "infra.memory");
  CHECK(to_string(Outcome::kFailed) == "failed");
  CHECK(to_string(Outcome::kRolledBack) == "rolled_back");
  CHECK(to_string(Outcome::kUnknown) == "unknown");
  CHECK(to_string(FormType::kPrivate) == "PRIVAT");
  CHECK(to_string(FormType::kPublic) == "OFFENTLIG");
  CHECK(to_string(ReferenceType::kShipmentId) == "shipment_id");
  CHECK(to_string(Attribution::kNamed) == "named");
  CHECK(to_string(Attribution::kScope) == "scope");
  CHECK(to_string(Attribution::kLookBack) == "look_back");
  CHECK(to_string(Attribution::kAmbiguous) == "ambiguous");
  CHECK(to_string(ReadState::kRead) == "read");
  CHECK(to_string(ReadState::kGap) == "gap");
  CHECK(to_string(ReadState::kAbsent) == "absent");
}

TEST_CASE("signal: a signal of a message says so in its name") {
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    const auto signal = static_cast<Signal>(i);
    CAPTURE(to_string(signal));
    CHECK(is_message_signal(signal) == (to_string(signal).substr(0, 8) == "message."));
  }
  CHECK(to_string(Signal::kDbConnectionsRefused) == "db.connections_refused");
  CHECK(to_string(Signal::kLogBlind) == "log.blind");
}

TEST_CASE("Reference: a portal id is a lower-case UUID of version 4, the others 32 digits") {
  struct Case {
    std::string_view value;
    bool portal;
    bool keyed;
  };
  const std::vector<Case> cases{
      {"5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10", true, false},
      {"5B0C8F0E-6F0E-4A44-9A39-1D6F0C1B7A10", false, false},
      {"5b0c8f0e-6f0e-1a44-9a39-1d6f0c1b7a10", false, false},  // version 1
      {"5b0c8f0e-6f0e-4a44-7a39-1d6f0c1b7a10", false, false},  // another variant
      {"5b0c8f0e-6f0e-4a44-ca39-1d6f0c1b7a10", false, false},
      {"5b0c8f0e-6f0e-4a44-ba39-1d6f0c1b7a10", true, false},
      {"5b0c8f0e6f0e4a449a391d6f0c1b7a10", false, true},
      {"5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a1", false, false},
      {"5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a1g", false, false},
      {"5b0c8f0e-6f0e-4a44-9a39_1d6f0c1b7a10", false, false},
      {"5b0c8f0e-6f0e-4a4-49a39-1d6f0c1b7a10", false, false},
      {"", false, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.value);
    CHECK(is_well_formed({ReferenceType::kPortalMessageId, std::string{c.value}}) == c.portal);
    for (const auto type : {ReferenceType::kTransportId, ReferenceType::kClientId,
                            ReferenceType::kShipmentId, ReferenceType::kCaseId}) {
      CHECK(is_well_formed({type, std::string{c.value}}) == c.keyed);
    }
  }
  CHECK_FALSE(is_well_formed({static_cast<ReferenceType>(9), std::string(32, 'a')}));
}

TEST_CASE("forms: names may be Norwegian, codes have no room for a sentence") {
  const std::string longest(64, 'x');
  struct Case {
    std::string text;
    bool name;
    bool code;
  };
  const std::vector<Case> cases{{"pg/55P03", true, true},
                                {"Fagsystem på nær å", true, false},
                                {"", false, false},
                                {longest, true, true},
                                {longest + "x", false, false},
                                {"a\nb", false, false},
                                {"a\x7f", false, false},
                                {"a\xc2\x85", false, false},
                                {"\xff", false, false},
                                {std::string{"a\0b", 3}, false, false},
                                {"lock wait", true, false},
                                {"~", true, true},
                                {"å", true, false}};
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(is_name(c.text) == c.name);
    CHECK(is_code(c.text) == c.code);
  }
  CHECK(is_wire_time({0}));
  CHECK_FALSE(is_wire_time({-1}));
  CHECK(is_wire_time(from_rfc3339("9999-12-31T23:59:59.999Z").value()));
  CHECK_FALSE(is_wire_time({kWireTimeMax.ms + 1}));
}

}  // namespace
}  // namespace meldevakt
