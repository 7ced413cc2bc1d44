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

bool is_sound(const MessageVerdict& message) {
  return message.verdict == Verdict::kStored && message.receipted && message.stored_first;
}

std::optional<LatentFault> latent_fault(const Correlation& correlation,
                                        std::optional<Instant> fixed_since) {
  std::vector<Stored> stored;
  for (const MessageVerdict& message : correlation.messages) {
    if (!message.receipted) continue;
    const bool after_receipt = message.verdict == Verdict::kStoredAfterReceipt;
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
  const bool lost_since =
      std::any_of(correlation.messages.begin(), correlation.messages.end(), [&](const auto& m) {
        const bool loss = m.verdict == Verdict::kLost || m.verdict == Verdict::kMissing;
        return loss && m.receipted && out->last < *m.receipted;
      });
  const bool fixed = out->since_then >= kSoundMessages || (fixed_since && out->last < *fixed_since);
  out->present = !fixed || lost_since;
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
