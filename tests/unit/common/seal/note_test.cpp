#include "common/seal/note.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/crypto/crypto.h"

namespace meldevakt {
namespace {

constexpr std::string_view kText = "Ei melding er mottatt,\n\nmen er ho lagra?\n";

std::unique_ptr<Signer> signer(char seed) {
  return signer_from_seed(std::string(32, seed)).value();
}

NoteKey key_of(std::string_view name, NoteKeyType type, char seed) {
  return make_note_key(name, type, signer(seed)->public_key());
}

Note signed_note(std::string_view name, char seed) {
  const auto by = signer(seed);
  return {std::string{kText}, {sign_note(kText, name, *by).value()}};
}

TEST_CASE("note: a published note verifies under its published key") {
  // The example in the documentation of Go's package golang.org/x/mod/sumdb/note.
  const auto key =
      parse_note_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
  REQUIRE_MESSAGE(key, (key ? "" : key.error().message()));
  CHECK(key.value().id == 0xc74f20a3);
  CHECK(to_text(key.value()) ==
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
  const std::string whole =
      "If you think cryptography is the answer to your problem,\n"
      "then you don't know what your problem is.\n"
      "\n"
      "\xE2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
      "KvqfqdngotpRZb6KE6RyyBwJnAM=\n";
  const auto parsed = parse_note(whole);
  REQUIRE_MESSAGE(parsed, (parsed ? "" : parsed.error().message()));
  CHECK(to_text(parsed.value()) == whole);
  const OpenSslVerifier verifier;
  CHECK(verify_note(parsed.value(), {key.value()}, verifier));
  Note changed = parsed.value();
  changed.text[0] = 'i';
  CHECK(verify_note(changed, {key.value()}, verifier).error().code() == Errc::kRejected);
}

TEST_CASE("note: who signed") {
  const OpenSslVerifier verifier;
  const NoteKey log = key_of("logg.example/t1", NoteKeyType::kEd25519, 'a');
  const NoteKey other = key_of("logg.example/t1", NoteKeyType::kEd25519, 'b');
  const NoteKey renamed = key_of("logg.example/t2", NoteKeyType::kEd25519, 'a');
  const Note note = signed_note("logg.example/t1", 'a');

  const auto by = verify_note(note, {other, log}, verifier);
  REQUIRE(by);
  REQUIRE(by.value().size() == 1);
  CHECK(by.value()[0].key == log);
  CHECK_FALSE(by.value()[0].at.has_value());
  CHECK(verify_note(note, {other}, verifier).error().code() == Errc::kRejected);
  CHECK(verify_note(note, {renamed}, verifier).error().code() == Errc::kRejected);
  CHECK(verify_note(note, {}, verifier).error().code() == Errc::kRejected);

  SUBCASE("a signature of an unknown key is ignored") {
    Note more = note;
    more.signatures.push_back({"vitne.example", 7, "nonsense"});
    CHECK(verify_note(more, {log}, verifier));
  }
  SUBCASE("one bad signature of a known key refuses the note, beside a good one too") {
    Note more = note;
    NoteSignature bad = note.signatures[0];
    bad.bytes[5] ^= 1;
    more.signatures.push_back(bad);
    CHECK(verify_note(more, {log}, verifier).error().code() == Errc::kRejected);
  }
  SUBCASE("the text is what was signed") {
    Note changed = note;
    changed.text += "\n";
    CHECK(verify_note(changed, {log}, verifier).error().code() == Errc::kRejected);
  }
}

TEST_CASE("note: a cosignature says when, and is no plain signature") {
  const OpenSslVerifier verifier;
  const auto by = signer('w');
  const NoteKey witness = key_of("vitne.example/w1", NoteKeyType::kCosignature, 'w');
  const NoteKey plain = key_of("vitne.example/w1", NoteKeyType::kEd25519, 'w');
  CHECK(witness.id != plain.id);
  Note note{std::string{kText}, {}};
  note.signatures.push_back(
      cosign_note(kText, "vitne.example/w1", *by, Instant{1'679'315'147'999}).value());
  const auto verified = verify_note(note, {witness}, verifier);
  REQUIRE(verified);
  CHECK(verified.value()[0].at == Instant{1'679'315'147'000});
  CHECK(verify_note(note, {plain}, verifier).error().code() == Errc::kRejected);

  // Under its own id, as a plain signature over the same text: not what was signed.
  Note disguised = note;
  disguised.signatures[0].key_id = plain.id;
  CHECK(verify_note(disguised, {plain}, verifier).error().code() == Errc::kRejected);
  Note later = note;
  later.signatures[0].bytes[7] ^= 1;  // the time
  CHECK(verify_note(later, {witness}, verifier).error().code() == Errc::kRejected);
  later.signatures[0].bytes = std::string(72, '\xFF');
  CHECK(verify_note(later, {witness}, verifier).error().code() == Errc::kRejected);

  note.signatures.push_back(
      cosign_note(kText, "vitne.example/w1", *by, Instant{1'679'400'000'000}).value());
  CHECK(verify_note(note, {witness}, verifier).value()[0].at == Instant{1'679'400'000'000});
  CHECK_FALSE(cosign_note(kText, "w", *by, Instant{-1}));
}

TEST_CASE("note: read strictly, and written back byte for byte") {
  const std::string good = to_text(signed_note("logg.example/t1", 'a'));
  const auto back = parse_note(good);
  REQUIRE(back);
  CHECK(back.value().text == kText);  // with its own empty line
  CHECK(to_text(back.value()) == good);
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const std::size_t at = text.rfind(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  const std::string dash = "\xE2\x80\x94 ";
  struct Case {
    const char* what;
    std::string bytes;
    Errc code;
  };
  for (const Case& c :
       {Case{"empty", "", Errc::kCorrupt},
        Case{"no signature", std::string{kText} + "\n", Errc::kCorrupt},
        Case{"no blank line", "tekst\n" + dash + "a AAAAAAA=\n", Errc::kCorrupt},
        Case{"last line without end", good.substr(0, good.size() - 1), Errc::kCorrupt},
        Case{"hyphen", changed(dash, "- "), Errc::kCorrupt},
        Case{"no name", changed("logg.example/t1 ", " "), Errc::kCorrupt},
        Case{"plus in the name", changed("logg.example/t1", "logg+t1"), Errc::kCorrupt},
        Case{"two spaces", changed("t1 ", "t1  "), Errc::kCorrupt},
        Case{"no Base64", changed("=\n", "*\n"), Errc::kCorrupt},
        Case{"too short", changed("\n", "\n" + dash + "a AAAA\n"), Errc::kCorrupt},
        Case{"tabulator", changed("melding", "mel\tding"), Errc::kCorrupt},
        Case{"carriage return", changed("mottatt,\n", "mottatt,\r\n"), Errc::kCorrupt},
        Case{"not UTF-8", changed("lagra", "lagr\xE5"), Errc::kCorrupt},
        Case{"too large", std::string(kNoteBytesMax, 'x') + good, Errc::kLimit}}) {
    CAPTURE(c.what);
    const auto parsed = parse_note(c.bytes);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code() == c.code);
  }
  std::string many = good;
  const std::string line = to_line(back.value().signatures[0]);
  for (std::size_t i = 1; i < kNoteSignaturesMax; ++i) many += line;
  CHECK(parse_note(many).value().signatures.size() == kNoteSignaturesMax);
  CHECK(parse_note(many + line).error().code() == Errc::kLimit);
}

TEST_CASE("note: names of keys") {
  for (const char* good : {"a", "logg.example/t1", "bokmål.example", "oid/1.3.6.1"}) {
    CAPTURE(good);
    CHECK(is_note_key_name(good));
  }
  for (const char* bad : {"", " ", "a b", "a+b", "a\tb", "a\x7F",
                          "a\xC2\xA0"
                          "b",
                          "a\xE2\x80\x83", "a\xE2\x80\x8A", "\xE3\x80\x80", "a\xE1\x9A\x80",
                          "a\xE2\x81\x9F", "\xFF"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_note_key_name(bad));
  }
  CHECK(
      is_note_key_name("a\xE2\x80\x93"
                       "b"));  // an en dash is no space
}

TEST_CASE("note: keys as text") {
  for (const NoteKeyType type : {NoteKeyType::kEd25519, NoteKeyType::kCosignature}) {
    const NoteKey key = key_of("logg.example/t1", type, 'k');
    CHECK(parse_note_key(to_text(key)).value() == key);
  }
  const std::string good = to_text(key_of("logg.example/t1", NoteKeyType::kEd25519, 'k'));
  const auto plus = good.find('+');
  for (const std::string& bad :
       {std::string{}, std::string{"a"}, std::string{"a+b"}, good.substr(0, good.size() - 4),
        "x" + good, good.substr(0, plus) + "+00000000" + good.substr(good.find('+', plus + 1)),
        std::string{"a+c74f20a3+AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}}) {
    CAPTURE(bad);
    CHECK(parse_note_key(bad).error().code() == Errc::kCorrupt);
  }
}

}  // namespace
}  // namespace meldevakt
