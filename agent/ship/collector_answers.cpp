#include "agent/ship/collector_answers.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "common/base/text.h"

namespace meldevakt::agent {
namespace {

using Json = nlohmann::json;

std::optional<std::string> text_member(const Json& json, const char* name) {
  if (!json.is_object() || !json.contains(name) || !json[name].is_string()) return std::nullopt;
  return json[name].get<std::string>();
}

std::optional<std::uint64_t> number_member(const Json& json, const char* name) {
  if (!json.is_object() || !json.contains(name) || !json[name].is_number_unsigned()) {
    return std::nullopt;
  }
  return json[name].get<std::uint64_t>();
}

// What a refusing answer says, fit for a log line.
std::string words_of(const HttpAnswer& answer) {
  const Json json = Json::parse(answer.body, nullptr, false);
  std::string words = "HTTP " + std::to_string(answer.status);
  if (const auto error = text_member(json, "error")) words += " " + meldevakt::quoted(*error);
  if (const auto detail = text_member(json, "detail"))
    words += ": " + meldevakt::quoted(*detail, 200);
  return words;
}

Error refusal(const HttpAnswer& answer) {
  const bool later = answer.status == 429 || answer.status >= 500;
  return {later ? Errc::kUnavailable : Errc::kRejected, "the collector says " + words_of(answer)};
}

}  // namespace

Result<EnrolAnswer> enrol(HttpTransport& transport, std::string_view token,
                          std::string_view envelope, std::string_view request_pem) {
  const Json question{{"token", token}, {"envelope", envelope}, {"request", request_pem}};
  MELDEVAKT_TRY_ASSIGN(const HttpAnswer answer,
                       transport.request("POST", "/v1/enrol", "application/json", question.dump()));
  if (answer.status != 200) return refusal(answer);
  const Json json = Json::parse(answer.body, nullptr, false);
  const auto agent = text_member(json, "agent");
  const auto tenant = text_member(json, "tenant");
  const auto certificate = text_member(json, "certificate");
  const auto authority = text_member(json, "authority");
  if (!agent || !tenant || !certificate || !authority || !json.contains("first_agent") ||
      !json["first_agent"].is_boolean()) {
    return Error{Errc::kCorrupt, "the collector's answer to the enrolment is not understood"};
  }
  return EnrolAnswer{*agent, *tenant, *certificate, *authority, json["first_agent"].get<bool>()};
}

Result<HeadAnswer> get_head(HttpTransport& transport) {
  MELDEVAKT_TRY_ASSIGN(const HttpAnswer answer, transport.request("GET", "/v1/head", "", ""));
  if (answer.status != 200) return refusal(answer);
  const Json json = Json::parse(answer.body, nullptr, false);
  const auto epoch = number_member(json, "epoch");
  const auto next = number_member(json, "next_sequence");
  const auto link = text_member(json, "link");
  if (!epoch || !next || !link) {
    return Error{Errc::kCorrupt, "the collector's answer on its head is not understood"};
  }
  MELDEVAKT_TRY_ASSIGN(const Sha256 hash, Sha256::from_hex_text(*link));
  return HeadAnswer{*epoch, *next, hash};
}

HandoverResult HttpsSender::send(const OutgoingFrame& frame) {
  const auto answer = transport_->request("POST", "/v1/frames", kFrameMediaType, frame.bytes);
  if (!answer) return {Handover::kRetry, 0, answer.error().message()};
  const HttpAnswer& got = answer.value();
  const Json json = Json::parse(got.body, nullptr, false);
  if (got.status == 200) {
    // Only an answer that names this very statement lets the outbox go.
    if (number_member(json, "epoch") == frame.epoch &&
        number_member(json, "sequence") == frame.sequence) {
      return {Handover::kStored, 0, ""};
    }
    return {Handover::kRetry, 0, "the collector's answer is not understood"};
  }
  if (got.status == 409) {
    if (text_member(json, "error") != "ahead") return {Handover::kFork, 0, words_of(got)};
    if (const auto next = number_member(json, "next_sequence")) {
      return {Handover::kAhead, *next, ""};
    }
    const auto head = get_head(*transport_);
    if (head) return {Handover::kAhead, head.value().next_sequence, ""};
    return {Handover::kRetry, 0, head.error().message()};
  }
  const bool later = got.status == 429 || got.status >= 500;
  return {later ? Handover::kRetry : Handover::kRefused, 0, words_of(got)};
}

}  // namespace meldevakt::agent
