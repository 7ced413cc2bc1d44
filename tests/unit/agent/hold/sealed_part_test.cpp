// The format of a part: what is sealed opens, and nothing else does.
#include "agent/hold/hold_part.h"

#include <doctest/doctest.h>

#include <string>

#include "common/platform/disk.h"
#include "common/ports/sealed_box.h"
#include "common/ports/sha256.h"
#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

HoldPart example(std::size_t bytes) {
  HoldPart part;
  part.hold = "20230201T091452Z-3fa09c";
  part.number = 7;
  part.source = "trace";
  part.key = "00112233445566778899aabbccddeeff";
  part.path = "/var/log/fagsystem/Integrasjon.log";
  part.from = 4096;
  part.to = part.from + bytes;
  return part;
}

std::string log_of(std::size_t bytes) {
  std::string out;
  for (int line = 0; out.size() < bytes; ++line) {
    out += "2023-02-01 09:14:52,380 [23] ERROR Lagring - prøve nr. " + std::to_string(line) + "\n";
  }
  out.resize(bytes);
  return out;
}

TEST_CASE("hold part: a part opens with its key, whatever its size") {
  const BoxKeys keys = make_box_keys().value();
  meldevakt::testing::SeededRandom random{11};
  for (const std::size_t size : {0U, 1U, 100U, 65535U, 65536U, 65537U, 300'000U, 1024U * 1024U}) {
    CAPTURE(size);
    for (const std::string& bytes : {log_of(size), random.bytes(size)}) {
      const auto file = encode_part(example(size), "t1", bytes, keys.public_key);
      REQUIRE(file.has_value());
      CHECK(file.value().size() <= kPartFileBytesMax);
      const auto head = read_part_head(file.value());
      REQUIRE(head.has_value());
      CHECK(head.value().key_id == box_key_id(keys.public_key));
      CHECK(head.value().part.path == example(size).path);
      const auto opened = decode_part(file.value(), keys.private_key);
      REQUIRE(opened.has_value());
      CHECK(opened.value() == bytes);
    }
  }
  CHECK(encode_part(example(3), "t1", "1234", keys.public_key).error().code() == Errc::kInvalid);
}

TEST_CASE("hold part: every flipped bit, every cut and every other key is refused") {
  const BoxKeys keys = make_box_keys().value();
  const BoxKeys other = make_box_keys().value();
  const std::string bytes = log_of(300);
  const std::string file = encode_part(example(300), "t1", bytes, keys.public_key).value();
  CHECK_FALSE(decode_part(file, other.private_key).has_value());
  CHECK_FALSE(decode_part(file + "x", keys.private_key).has_value());
  for (std::size_t at = 0; at < file.size(); ++at) {
    CAPTURE(at);
    CHECK_FALSE(decode_part(file.substr(0, at), keys.private_key).has_value());
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = file;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      CHECK_FALSE(decode_part(changed, keys.private_key).has_value());
    }
  }
}

TEST_CASE("hold part: chunks of a box are neither moved nor left out nor repeated") {
  const BoxKeys keys = make_box_keys().value();
  meldevakt::testing::SeededRandom random{12};
  const std::string plain = random.bytes(kBoxChunkBytes * 3);
  const std::string box = seal_box(keys.public_key, "context", plain).value();
  REQUIRE(box.size() == box_bytes(plain.size()));
  REQUIRE(open_box(keys.private_key, "context", box).value() == plain);
  CHECK_FALSE(open_box(keys.private_key, "contex", box).has_value());
  const std::size_t chunk = kBoxChunkBytes + kBoxTagBytes;
  const std::string head = box.substr(0, kBoxKeyBytes);
  const auto piece = [&](std::size_t n) { return box.substr(kBoxKeyBytes + n * chunk, chunk); };
  const struct {
    const char* name;
    std::string box;
  } cases[] = {
      {"the last is missing", head + piece(0) + piece(1)},
      {"the first is missing", head + piece(1) + piece(2)},
      {"two are swapped", head + piece(1) + piece(0) + piece(2)},
      {"one is repeated", head + piece(0) + piece(0) + piece(1) + piece(2)},
      {"the last is repeated", box + piece(2)},
      {"the last comes first", head + piece(2) + piece(0) + piece(1)},
      {"nothing but the key", head},
      {"an empty chunk behind", box + std::string(kBoxTagBytes, '\0')},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    CHECK_FALSE(open_box(keys.private_key, "context", one.box).has_value());
  }
}

TEST_CASE("hold part: weak public keys are refused") {
  CHECK_FALSE(seal_box(std::string(32, '\0'), "", "x").has_value());
  CHECK_FALSE(seal_box("short", "", "x").has_value());
}

TEST_CASE("hold part: a private key goes through PEM, with and without a passphrase") {
  const BoxKeys keys = make_box_keys().value();
  const std::string plain = box_key_to_pem(keys.private_key, "").value();
  CHECK_FALSE(needs_passphrase(plain));
  CHECK(box_key_from_pem(plain, "").value() == keys.private_key);
  const std::string locked = box_key_to_pem(keys.private_key, "fire ord som ikke hører").value();
  CHECK(needs_passphrase(locked));
  CHECK(box_key_from_pem(locked, "fire ord som ikke hører").value() == keys.private_key);
  CHECK(box_key_from_pem(locked, "feil").error().code() == Errc::kRejected);
  CHECK(box_key_from_pem(locked, "").error().code() == Errc::kRejected);
  CHECK(box_key_from_pem("tull", "").error().code() == Errc::kCorrupt);
  const std::string pem = public_box_key_to_pem(keys.public_key).value();
  CHECK(public_box_key_from_pem(pem).value() == keys.public_key);
}

// Written once by this very code; a change of the format breaks it, as it would break what lies in
// municipalities. The key opens nothing else.
TEST_CASE("hold part: a part of the first version opens for ever") {
  const std::string folder = std::string{MELDEVAKT_TESTS_DIR} + "/golden/hold/";
  const auto file = read_file(folder + "part-000007.hold", kPartFileBytesMax);
  const auto pem = read_file(folder + "key.pem", 16 * 1024);
  REQUIRE(file.has_value());
  REQUIRE(pem.has_value());
  const std::string key = box_key_from_pem(pem.value(), "golden hold key").value();
  CHECK(decode_part(file.value(), key).value() == log_of(2000));
}

}  // namespace
}  // namespace meldevakt::agent
