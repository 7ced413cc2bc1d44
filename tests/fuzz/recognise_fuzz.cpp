// A record with any text, read by every pack we ship: the events say nothing but typed fields.
#include <memory>
#include <string>
#include <vector>

#include "agent/recognise/recogniser.h"
#include "agent/rules/shipped_packs.h"
#include "common/base/check.h"
#include "common/base/limits.h"
#include "tests/fuzz/input.h"

namespace {

using meldevakt::PrivacyStep;
using meldevakt::agent::Recogniser;

std::vector<Recogniser> recognisers() {
  std::vector<Recogniser> out;
  for (const auto& shipped : meldevakt::agent::shipped_packs()) {
    auto pack = meldevakt::agent::load_pack(shipped.text, shipped.file_name,
                                            meldevakt::agent::find_shipped_shared_rules);
    MELDEVAKT_CHECK(pack.has_value());
    out.emplace_back(pack.value(), nullptr, PrivacyStep{std::string(32, 'f')});
  }
  return out;
}

}  // namespace

int fuzz_recognise(const std::uint8_t* data, std::size_t size) {
  static std::vector<Recogniser> all = recognisers();
  meldevakt::agent::Record record;
  record.text = meldevakt::fuzz::text_of(data, size);
  record.bytes = size;
  for (Recogniser& recogniser : all) {
    (void)recogniser.starts_record(record.text.substr(0, record.text.find('\n')));
    const auto got = recogniser.recognise(record);
    MELDEVAKT_CHECK(got.events.empty() || (got.known && !got.limited && got.time));
    for (const auto& event : got.events) {
      MELDEVAKT_CHECK(!meldevakt::holds_identity_number(event.code));
      MELDEVAKT_CHECK(event.code.size() <= meldevakt::limits::kIdentifierBytesMax);
      MELDEVAKT_CHECK(event.references.size() <= meldevakt::limits::kReferencesPerFactMax);
      for (const auto& reference : event.references) {
        MELDEVAKT_CHECK(meldevakt::is_well_formed(reference));
      }
    }
  }
  return 0;
}
