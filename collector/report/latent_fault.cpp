#include "collector/report/latent_fault.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "collector/report/table.h"

namespace meldevakt::collector {
namespace {

struct Stored {
  Instant receipted;
  bool after_receipt = false;
};

}  // namespace

bool shows_fault(Verdict verdict) {
  return verdict == Verdict::kStoredAfterReceipt || verdict == Verdict::kRecovered;
}

bool is_sound(const MessageVerdict& message) {
  return message.verdict == Verdict::kStored && message.receipted && message.stored_first;
}

std::optional<LatentFault> latent_fault(const Correlation& correlation,
                                        std::optional<Instant> fixed_since) {
  std::vector<Stored> stored;
  for (const MessageVerdict& message : correlation.messages) {
    if (!message.receipted) continue;
    const bool after_receipt = shows_fault(message.verdict);
    if (!after_receipt && !is_sound(message)) continue;
    stored.push_back({*message.receipted, after_receipt});
  }
  std::sort(stored.begin(), stored.end(), [](const Stored& a, const Stored& b) {
    // Of two at one time the faulty one counts as the later: it is not over before it is.
    if (a.receipted != b.receipted) return a.receipted < b.receipted;
    return !a.after_receipt && b.after_receipt;
  });
  std::optional<LatentFault> out;
  for (const Stored& one : stored) {
    if (one.after_receipt) {
      if (!out) out = LatentFault{one.receipted, one.receipted, 0, 0, true};
      out->last = one.receipted;
      out->since_then = 0;
      ++out->messages;
    } else if (out) {
      ++out->since_then;
    }
  }
  if (!out) return std::nullopt;
  // A loss shows the fault as well: what ends it must have come after the last of both.
  Instant latest = out->last;
  for (const MessageVerdict& message : correlation.messages) {
    const bool loss = message.verdict == Verdict::kLost || message.verdict == Verdict::kMissing;
    if (loss && message.receipted) latest = std::max(latest, *message.receipted);
  }
  const auto sound = std::count_if(stored.begin(), stored.end(), [&](const Stored& one) {
    return !one.after_receipt && latest < one.receipted;
  });
  const bool fixed =
      static_cast<std::size_t>(sound) >= kSoundMessages || (fixed_since && latest < *fixed_since);
  out->present = !fixed;
  return out;
}

std::string latent_fault_json(const LatentFault& fault, std::string_view tenant) {
  const nlohmann::ordered_json json{{"tenant", tenant},
                                    {"kind", "receipt_before_commit"},
                                    {"first", to_rfc3339(fault.first)},
                                    {"last", to_rfc3339(fault.last)},
                                    {"messages", fault.messages},
                                    {"sound_since", fault.since_then},
                                    {"present", fault.present}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string latent_fault_text(const LatentFault& fault, std::string_view name,
                              const TimeZone& zone) {
  std::string out =
      "LATENT FAULT at " + printable(std::string{name}) + ": the case system receipts messages ";
  out += "before it has stored them; ";
  out +=
      fault.messages == 1 ? "1 message, on " : std::to_string(fault.messages) + " messages since ";
  out += local_time(fault.first, zone);
  if (fault.messages > 1) out += ", last on " + local_time(fault.last, zone);
  return out + ". A save that fails loses a message: have it corrected.\n";
}

}  // namespace meldevakt::collector
