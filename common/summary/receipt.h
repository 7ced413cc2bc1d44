// The portal's word of a message, and for which time its words are complete. Imported at the
// collector, or told by an agent that reads the portal's CSV where a municipality drops it.
// Thread-safety: plain values. Source of the fields: DOMAIN.md 1.1.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/time.h"
#include "common/summary/signal.h"

namespace meldevakt {

// The words of Receipt::channel. "other": the portal says something else; "": it says nothing.
inline constexpr std::string_view kCaseSystemChannel = "case_system";  // over Fiks IO
inline constexpr std::string_view kSvarUtChannel = "svarut";           // SvarUt, SvarInn
inline constexpr std::string_view kManualChannel = "manual";           // downloaded by a person
inline constexpr std::string_view kPrintChannel = "print";             // printed and posted
inline constexpr std::string_view kOtherChannel = "other";
[[nodiscard]] bool is_channel(std::string_view text);  // one of these, or ""

struct Receipt {
  std::string portal;                // "npb": the name in the configuration
  std::string message_id;            // lower-case UUID
  std::optional<Instant> sent;       // innsendt
  std::optional<Instant> confirmed;  // bekreftet: the receipt proper
  FormType form = FormType::kUnknown;
  std::string channel;   // kanal: a word of the list above
  std::string district;  // bydelRessursId, opaque: a code; "" when absent
  auto operator<=>(const Receipt&) const = default;
};

// Portal P's rows hold every message sent in the interval: the receipts' own coverage.
struct ReceiptCoverage {
  std::string portal;
  Interval span;
  auto operator<=>(const ReceiptCoverage&) const = default;
};

}  // namespace meldevakt
