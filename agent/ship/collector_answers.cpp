#include "agent/ship/collector_answers.h"

#include <optional>
#include <utility>

#include "common/base/text.h"
#include "common/summary/json.h"
#include "common/summary/json_reader.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kWordsBytesMax = 200;  // of a refusal, in a log line

// An answer is one flat object.
constexpr JsonLimits kAnswerLimits{.depth_max = 1, .members_max = 8, .values_max = 9};

// But for a proof's hashes.
constexpr JsonLimits kProofLimits{
    .depth_max = 2, .members_max = 2, .values_max = 4 + kProofHashesMax};

bool any_text(std::string_view) {
  return true;
}
bool some_text(std::string_view text) {
  return !text.empty();
}

// An answer that says no: {"error":CODE}, and of `detail` and `next_sequence` what belongs to it.
struct Refusal {
  std::string error;
  std::string detail;
  std::optional<std::uint64_t> next_sequence;
};

// nullopt when it is not of this form: a proxy's page, say.
std::optional<Refusal> read_refusal(std::string_view body) {
  const Result<JsonValue> value = parse_json(body, kAnswerLimits);
  if (!value) return std::nullopt;
  JsonReader reader{value.value(), "answer"};
  Refusal out;
  out.error = reader.text("error", some_text);
  if (reader.has("detail")) out.detail = reader.text("detail", any_text);
  if (reader.has("next_sequence")) out.next_sequence = reader.count("next_sequence");
  if (!reader.finish()) return std::nullopt;
  return out;
}

// What a refusing answer says, fit for a log line.
std::string words_of(const HttpAnswer& answer) {
  std::string words = "HTTP " + std::to_string(answer.status);
  const std::optional<Refusal> refusal = read_refusal(answer.body);
  if (!refusal) return words;
  words += " " + meldevakt::quoted(refusal->error);
  if (!refusal->detail.empty()) {
    words += ": " + meldevakt::quoted(refusal->detail, kWordsBytesMax);
  }
  return words;
}

bool is_for_later(const HttpAnswer& answer) {
  return answer.status == 429 || answer.status >= 500;
}

Error refusal(const HttpAnswer& answer) {
  return {is_for_later(answer) ? Errc::kUnavailable : Errc::kRejected,
          "the collector says " + words_of(answer)};
}

Error not_understood(std::string_view what, const Error& error) {
  return {Errc::kCorrupt,
          "the collector's answer" + std::string{what} + " is not understood: " + error.message()};
}

Result<EnrolAnswer> read_enrol_answer(std::string_view body) {
  MELDEVAKT_TRY_ASSIGN(const JsonValue value, parse_json(body, kAnswerLimits));
  JsonReader reader{value, "answer"};
  EnrolAnswer out;
  out.agent = reader.text("agent", some_text);
  out.tenant = reader.text("tenant", some_text);
  out.certificate_pem = reader.text("certificate", some_text);
  out.authority_pem = reader.text("authority", some_text);
  out.first_agent = reader.boolean("first_agent");
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<HeadAnswer> read_head_answer(std::string_view body) {
  MELDEVAKT_TRY_ASSIGN(const JsonValue value, parse_json(body, kAnswerLimits));
  JsonReader reader{value, "answer"};
  HeadAnswer out;
  out.epoch = reader.count("epoch");
  out.next_sequence = reader.count("next_sequence");
  out.link = reader.sha256("link");
  if (reader.has("time")) out.time = reader.instant("time");
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<std::string> read_key_answer(std::string_view body, const Verifier& verifier) {
  MELDEVAKT_TRY_ASSIGN(const JsonValue value, parse_json(body, kAnswerLimits));
  JsonReader reader{value, "answer"};
  std::string text = reader.text("key", some_text);
  MELDEVAKT_TRY(reader.finish());
  MELDEVAKT_TRY_ASSIGN(const NoteKey key, parse_note_key(text));
  if (key.type != NoteKeyType::kEd25519 || !verifier.is_acceptable_key(key.public_key)) {
    return Error{Errc::kCorrupt, "no log signs with that key"};
  }
  return text;
}

Result<ShownProof> read_proof_answer(std::string_view body) {
  MELDEVAKT_TRY_ASSIGN(const JsonValue value, parse_json(body, kProofLimits));
  JsonReader reader{value, "answer"};
  ShownProof out;
  out.proof = reader.text("proof", some_text);
  out.consistency = reader.list<Sha256>(
      "consistency", kProofHashesMax, [](const JsonValue& item) -> Result<Sha256> {
        if (item.kind != JsonValue::Kind::kString) return Error{Errc::kCorrupt, "no text"};
        MELDEVAKT_TRY_ASSIGN(const std::string bytes, from_base64(item.text));
        return Sha256::from_bytes(bytes);
      });
  MELDEVAKT_TRY(reader.finish());
  return out;
}

// Only an answer that names this very statement lets the outbox go. What the collector's clock
// says, where it does.
Result<std::optional<Instant>> names_this(const OutgoingFrame& frame, std::string_view body) {
  MELDEVAKT_TRY_ASSIGN(const JsonValue value, parse_json(body, kAnswerLimits));
  JsonReader reader{value, "answer"};
  const std::uint64_t epoch = reader.count("epoch");
  const std::uint64_t sequence = reader.count("sequence");
  static_cast<void>(reader.count("index"));
  std::optional<Instant> time;
  if (reader.has("time")) time = reader.instant("time");
  MELDEVAKT_TRY(reader.finish());
  if (epoch == frame.epoch && sequence == frame.sequence) return time;
  return Error{Errc::kCorrupt, "it names another statement"};
}

}  // namespace

Result<EnrolAnswer> enrol(HttpTransport& transport, std::string_view token,
                          std::string_view envelope, std::string_view request_pem) {
  JsonWriter question;
  question.begin_object().member("token", token).member("envelope", envelope);
  question.member("request", request_pem).end_object();
  MELDEVAKT_TRY_ASSIGN(
      const HttpAnswer answer,
      transport.request("POST", "/v1/enrol", "application/json", std::move(question).take()));
  if (answer.status != 200) return refusal(answer);
  Result<EnrolAnswer> read = read_enrol_answer(answer.body);
  if (!read) return not_understood(" to the enrolment", read.error());
  return read;
}

Result<HeadAnswer> get_head(HttpTransport& transport) {
  MELDEVAKT_TRY_ASSIGN(const HttpAnswer answer, transport.request("GET", "/v1/head", "", ""));
  if (answer.status != 200) return refusal(answer);
  Result<HeadAnswer> read = read_head_answer(answer.body);
  if (!read) return not_understood(" on its head", read.error());
  return read;
}

Result<std::string> get_log_key(HttpTransport& transport, const Verifier& verifier) {
  MELDEVAKT_TRY_ASSIGN(const HttpAnswer answer, transport.request("GET", "/v1/log/key", "", ""));
  if (answer.status == 404) return Error{Errc::kNotFound, "the collector shows no log"};
  if (answer.status != 200) return refusal(answer);
  Result<std::string> read = read_key_answer(answer.body, verifier);
  if (!read) return not_understood(" on its log's key", read.error());
  return read;
}

Result<ShownProof> get_log_proof(HttpTransport& transport, std::uint64_t epoch,
                                 std::uint64_t sequence, std::uint64_t seen) {
  const std::string path = "/v1/log/proof/" + std::to_string(epoch) + "/" +
                           std::to_string(sequence) + "/" + std::to_string(seen);
  MELDEVAKT_TRY_ASSIGN(const HttpAnswer answer, transport.request("GET", path, "", ""));
  if (answer.status == 404) {
    return Error{Errc::kNotFound, "the collector has no proof of statement " +
                                      std::to_string(sequence) + ", which it says is stored"};
  }
  const std::optional<Refusal> said =
      answer.status == 409 ? read_refusal(answer.body) : std::optional<Refusal>{};
  if (said && said->error == "log_is_shorter") return Error{Errc::kExists, words_of(answer)};
  if (answer.status != 200) return refusal(answer);
  Result<ShownProof> read = read_proof_answer(answer.body);
  if (!read) return not_understood(" with a log proof", read.error());
  return read;
}

Instant HttpsSender::now() const {
  return clocks_.comparison ? clocks_.ours->now() : Instant{};
}

void HttpsSender::compare(Instant asked, const std::optional<Instant>& theirs) const {
  if (clocks_.comparison && theirs) clocks_.comparison->note(asked, clocks_.ours->now(), *theirs);
}

// Whether anything came of it the first frame tells.
bool HttpsSender::begin() {
  if (!clocks_.comparison) return false;
  const Instant asked = now();
  const Result<HeadAnswer> head = get_head(*transport_);
  if (head) compare(asked, head.value().time);
  return head && head.value().time;
}

HandoverResult HttpsSender::send(const OutgoingFrame& frame) {
  const Instant asked = now();
  const auto answer = transport_->request("POST", "/v1/frames", kFrameMediaType, frame.bytes);
  if (!answer) return {Handover::kRetry, 0, answer.error().message()};
  const HttpAnswer& got = answer.value();
  if (got.status == 200) {
    const auto named = names_this(frame, got.body);
    if (!named) return {Handover::kRetry, 0, not_understood("", named.error()).message()};
    compare(asked, named.value());
    return proofs_.after_stored(*transport_, frame);
  }
  if (got.status == 409) return conflict(got);
  return {is_for_later(got) ? Handover::kRetry : Handover::kRefused, 0, words_of(got)};
}

// A conflict that is neither of the two stops nothing: no collector of ours said it.
HandoverResult HttpsSender::conflict(const HttpAnswer& answer) {
  const std::optional<Refusal> refusal = read_refusal(answer.body);
  if (!refusal) return {Handover::kRefused, 0, words_of(answer) + ", which is not understood"};
  if (refusal->error == "fork") return {Handover::kFork, 0, words_of(answer)};
  if (refusal->error != "ahead") return {Handover::kRefused, 0, words_of(answer)};
  if (refusal->next_sequence) return {Handover::kAhead, *refusal->next_sequence, ""};
  const auto head = get_head(*transport_);
  if (head) return {Handover::kAhead, head.value().next_sequence, ""};
  return {Handover::kRetry, 0, head.error().message()};
}

}  // namespace meldevakt::agent
