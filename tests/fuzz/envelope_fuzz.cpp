// What is accepted as an envelope has the parts it must have; writing them gives an envelope with
// the same parts.
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/seal/dsse.h"
#include "common/summary/json.h"
#include "tests/fuzz/input.h"

int fuzz_envelope(const std::uint8_t* data, std::size_t size) {
  const auto parsed = meldevakt::parse_envelope(meldevakt::fuzz::text_of(data, size));
  if (!parsed) return 0;
  const meldevakt::Envelope& envelope = parsed.value();
  MELDEVAKT_CHECK(envelope.signature.size() == 64 && !envelope.payload_type.empty());
  meldevakt::JsonWriter json;
  json.begin_object().member("payload", meldevakt::to_base64(envelope.payload));
  json.member("payloadType", envelope.payload_type).name("signatures").begin_array();
  json.begin_object().member("keyid", envelope.key_id);
  json.member("sig", meldevakt::to_base64(envelope.signature)).end_object().end_array();
  json.end_object();
  const auto again = meldevakt::parse_envelope(std::move(json).take());
  MELDEVAKT_CHECK(again && again.value().payload == envelope.payload &&
                  again.value().payload_type == envelope.payload_type &&
                  again.value().key_id == envelope.key_id &&
                  again.value().signature == envelope.signature);
  return 0;
}
