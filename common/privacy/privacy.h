// The privacy step: the one gate between what a log says and what may leave the house (invariant
// 2).
//
//   PrivacyStep privacy{tenant_key};
//   auto ref = privacy.reference(ReferenceType::kPortalMessageId,
//   "5B0C8F0E-6F0E-4A44-9A39-1D6F0C1B7A10");
//
// A portal message id passes as it is when it is a UUID by the portal's rules (RFC 9562: version 4,
// variant 10); every other reference becomes HMAC-SHA-256 under the tenant's key, cut to 32
// hexadecimal digits. The type is part of the input, so equal texts of two types stay apart.
// Without a key, keyed references are dropped, and counted by the caller.
//
// Thread-safety: const and pure. Bounds: raw references over kRawReferenceBytesMax are dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/summary/signal.h"

namespace meldevakt {

class PrivacyStep {
 public:
  static constexpr std::size_t kRawReferenceBytesMax = 256;

  // `tenant_key`: 32 bytes, or "" when this agent does not have it.
  explicit PrivacyStep(std::string tenant_key) : tenant_key_{std::move(tenant_key)} {}

  [[nodiscard]] std::optional<Reference> reference(ReferenceType type, std::string_view raw) const;

 private:
  std::string tenant_key_;
};

// True for a UUID of version 4, variant 10, in any letter case.
[[nodiscard]] bool is_portal_uuid(std::string_view text);

// The guard behind all guards: true when the text of a field that is about to leave holds a run of
// exactly eleven digits, also when written with blanks, dots or hyphens between them ("010170
// 12345"), or twelve (DUF). UUID and hash fields are checked by their own form instead.
// DOMAIN.md 4.4.
[[nodiscard]] bool holds_identity_number(std::string_view text);

// Which kind of number eleven digits are, for tests and `explain` (labelling, never deciding).
enum class IdentityNumber : std::uint8_t {
  kNone,
  kBirthNumber,
  kDNumber,
  kHNumber,
  kFhNumber,
  kSynthetic,
  kDuf
};
[[nodiscard]] IdentityNumber classify_identity_number(std::string_view digits);

}  // namespace meldevakt
