// The privacy step, switched off: for the counter-proof of the privacy test and for nothing else.
// Linked instead of common/privacy into meldevakt-agent-privacy-off, which no package and no script
// installs. The test that searches every byte that left must fail with it; if it does not, it
// searches nothing.
#include "common/privacy/privacy.h"

namespace meldevakt {

std::optional<Reference> PrivacyStep::reference(ReferenceType type, std::string_view raw) const {
  return Reference{type, std::string{raw}};
}

bool is_portal_uuid(std::string_view) {
  return true;
}
bool holds_identity_number(std::string_view) {
  return false;
}
IdentityNumber classify_identity_number(std::string_view) {
  return IdentityNumber::kNone;
}

}  // namespace meldevakt
