// The texts of a transparency log: what is accepted as one, written again, is the same bytes. All
// of them see each input, since each refuses the others' at once.
#include "common/base/check.h"
#include "common/seal/checkpoint.h"
#include "common/seal/note.h"
#include "common/seal/tiles.h"
#include "tests/fuzz/input.h"

namespace meldevakt {
namespace {

void check_texts(std::string_view text) {
  if (const auto note = parse_note(text)) {
    MELDEVAKT_CHECK(to_text(note.value()) == text);
    if (const auto checkpoint = parse_checkpoint_text(note.value().text)) {
      MELDEVAKT_CHECK(checkpoint_text(checkpoint.value()) == note.value().text);
    }
  }
  if (const auto proof = parse_tlog_proof(text)) MELDEVAKT_CHECK(to_text(proof.value()) == text);
  if (const auto added = parse_add_checkpoint(text)) {
    MELDEVAKT_CHECK(to_text(added.value()) == text);
  }
  if (const auto key = parse_note_key(text)) MELDEVAKT_CHECK(to_text(key.value()) == text);
  if (const auto path = parse_tile_path(text)) {
    MELDEVAKT_CHECK((path->entries ? bundle_path(path->tile) : tile_path(path->tile)) == text);
  }
}

void check_bundle(std::string_view bytes) {
  const auto entries = decode_bundle(bytes);
  if (!entries) return;
  const auto again = encode_bundle(entries.value());
  MELDEVAKT_CHECK(again && again.value() == bytes);
}

}  // namespace
}  // namespace meldevakt

int fuzz_log_texts(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = meldevakt::fuzz::text_of(data, size);
  meldevakt::check_texts(text);
  meldevakt::check_bundle(text);
  return 0;
}
