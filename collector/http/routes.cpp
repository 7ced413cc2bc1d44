#include "collector/http/routes.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "collector/admit/admit.h"
#include "collector/http/enrol_request.h"
#include "common/base/text.h"
#include "common/seal/tiles.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kLogPath = "/v1/log/";

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

HttpResponse ok(const Json& json) {
  return {200, text_of(json), false};
}

// Errors of reading and verifying what an agent sent.
HttpResponse refusal_of(const Error& error) {
  switch (error.code()) {
    case Errc::kLimit: return error_response(413, "too_large", error.message());
    case Errc::kRejected: return error_response(403, "rejected", error.message());
    default: return error_response(400, "corrupt", error.message());
  }
}

}  // namespace

HttpResponse error_response(unsigned status, std::string_view error, std::string_view detail) {
  Json json{{"error", error}};
  if (!detail.empty()) json["detail"] = detail;
  return {status, text_of(json), status == 400 || status == 413};
}

HttpResponse handle_people(const HttpRequest& request) {
  if (request.method == "GET" && request.target == "/healthz") return ok({{"status", "ok"}});
  return error_response(404, "not_found");
}

HttpResponse AgentRoutes::handle(const HttpRequest& request) {
  if (request.method == "POST" && request.target == "/v1/enrol") return enrol(request);
  HttpResponse refusal;
  const Result<AgentRecord> agent = known_agent(request, refusal);
  if (!agent) return refusal;
  if (request.method == "POST" && request.target == "/v1/frames") {
    return frames(request, agent.value());
  }
  if (request.method == "GET" && request.target == "/v1/head") return head(agent.value());
  if (request.method == "GET" && request.target.substr(0, kLogPath.size()) == kLogPath) {
    return log(std::string_view{request.target}.substr(kLogPath.size()), agent.value());
  }
  return error_response(404, "not_found");
}

// The log of the agent's own tenant, as C2SP tlog-tiles lays it out, and proofs from it.
HttpResponse AgentRoutes::log(std::string_view path, const AgentRecord& agent) {
  constexpr std::string_view proof = "proof/";
  if (path.substr(0, proof.size()) == proof) return log_proof(path.substr(proof.size()), agent);
  if (path == "key") return log_key(agent);
  const bool checkpoint = path == "checkpoint";
  const std::optional<TilePath> tile = parse_tile_path(path);
  if (!checkpoint && !tile) return error_response(404, "not_found");
  const Result<std::string> bytes = checkpoint ? parts_.store.log_checkpoint(agent.key.tenant)
                                               : parts_.store.log_tile(agent.key.tenant, *tile);
  if (!bytes && bytes.error().code() == Errc::kNotFound) return error_response(404, "not_found");
  if (!bytes) return store_failed(bytes.error());
  return {200, bytes.value(), false,
          checkpoint ? "text/plain; charset=utf-8" : "application/octet-stream"};
}

HttpResponse AgentRoutes::log_key(const AgentRecord& agent) {
  const Result<std::string> key = parts_.store.log_key(agent.key.tenant);
  if (!key && key.error().code() == Errc::kNotFound) return error_response(404, "not_found");
  if (!key) return store_failed(key.error());
  return ok({{"key", key.value()}});
}

// EPOCH/SEQUENCE/SEEN
HttpResponse AgentRoutes::log_proof(std::string_view path, const AgentRecord& agent) {
  std::array<std::uint64_t, 3> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::size_t slash = path.find('/');
    const bool last = i + 1 == numbers.size();
    const auto number = parse_u64(path.substr(0, slash));
    if (!number || last != (slash == std::string_view::npos)) {
      return error_response(404, "not_found");
    }
    numbers[i] = *number;
    if (!last) path.remove_prefix(slash + 1);
  }
  const Result<LogProof> proof =
      parts_.store.log_proof(agent.key.agent, numbers[0], numbers[1], numbers[2]);
  if (!proof && proof.error().code() == Errc::kNotFound) return error_response(404, "not_found");
  if (!proof && proof.error().code() == Errc::kInvalid) {
    return error_response(409, "log_is_shorter", proof.error().message());
  }
  if (!proof) return store_failed(proof.error());
  Json consistency = Json::array();
  for (const Sha256& hash : proof.value().consistency) {
    consistency.push_back(to_base64(hash.view()));
  }
  return ok({{"proof", proof.value().proof}, {"consistency", std::move(consistency)}});
}

Result<AgentRecord> AgentRoutes::known_agent(const HttpRequest& request, HttpResponse& refusal) {
  if (!request.peer) {
    refusal = error_response(403, "no_certificate", "this path needs the agent's certificate");
    return Error{Errc::kRejected, "no certificate"};
  }
  Result<AgentRecord> agent = parts_.store.agent(request.peer->common_name);
  if (!agent) {
    refusal = agent.error().code() == Errc::kNotFound
                  ? error_response(403, "unknown_agent", "no such agent is enrolled here")
                  : store_failed(agent.error());
    return agent;
  }
  if (agent.value().tls_key != request.peer->public_key) {
    parts_.log(LogLevel::kWarn, "refused: the certificate's key is not the one that agent " +
                                    agent.value().key.agent + " enrolled with");
    refusal = error_response(403, "wrong_key", "the certificate's key is not the enrolled one");
    return Error{Errc::kRejected, "wrong key"};
  }
  return agent;
}

HttpResponse AgentRoutes::enrol(const HttpRequest& request) {
  const std::int64_t now = parts_.clock.boot_ns();
  if (!enrol_failures_.allows(request.address, now)) {
    return error_response(429, "too_many_failures", "try again in a minute");
  }
  HttpResponse response = enrol_checked(request);
  if (response.status == 400 || response.status == 403) {
    enrol_failures_.failed(request.address, now);
    parts_.log(LogLevel::kWarn,
               "enrolment refused address=" + request.address + " " + response.body);
  }
  return response;
}

HttpResponse AgentRoutes::enrol_checked(const HttpRequest& request) {
  const Result<EnrolRequest> read = read_enrol_request(request.body, parts_.verifier, parts_.desk);
  if (!read) return refusal_of(read.error());
  const VerifiedEnrolment& verified = read.value().verified;
  const Instant now = parts_.clock.now();

  const Result<std::string> certificate =
      parts_.desk.issue(read.value().request_pem, verified.enrolment.agent, now);
  if (!certificate) return error_response(400, "corrupt", certificate.error().message());

  AgentRecord agent;
  agent.key = {verified.enrolment.tenant, verified.enrolment.agent, verified.public_key};
  agent.tls_key = verified.enrolment.tls_key;
  agent.head = {0, 0, verified.link, Instant{}};
  agent.enrolled = now;
  const Result<bool> first =
      parts_.store.enrol(agent, read.value().token_hash, read.value().envelope, now);
  if (!first) {
    if (first.error().code() == Errc::kRejected) return refusal_of(first.error());
    return store_failed(first.error());
  }
  store_worked();
  parts_.log(LogLevel::kInfo, "enrolled agent=" + agent.key.agent + " tenant=" + agent.key.tenant +
                                  (first.value() ? " first=yes" : " first=no"));
  return ok({{"agent", agent.key.agent},
             {"tenant", agent.key.tenant},
             {"certificate", certificate.value()},
             {"authority", parts_.desk.authority_pem()},
             {"first_agent", first.value()}});
}

HttpResponse AgentRoutes::head(const AgentRecord& agent) const {
  return ok({{"epoch", agent.head.epoch},
             {"next_sequence", agent.head.next_sequence},
             {"link", agent.head.link.hex()},
             {"time", parts_.clock.now().ms}});
}

HttpResponse AgentRoutes::frames(const HttpRequest& request, const AgentRecord& agent) {
  if (request.content_type != kFrameMediaType) {
    return error_response(415, "media_type", "send " + std::string(kFrameMediaType));
  }
  const Result<VerifiedFrame> verified = verify_frame(request.body, agent.key, parts_.verifier);
  if (!verified) {
    parts_.log(LogLevel::kWarn,
               "frame refused agent=" + agent.key.agent + ": " + verified.error().message());
    return refusal_of(verified.error());
  }
  const Instant received = parts_.clock.now();
  const Result<StoredFrame> stored = parts_.store.store_frame(verified.value(), received);
  if (!stored) {
    if (stored.error().code() == Errc::kLimit) return refusal_of(stored.error());
    return store_failed(stored.error());
  }
  store_worked();
  if (parts_.stored && stored.value().decision == ChainDecision::kExtends) {
    parts_.stored(verified.value(), received);
  }
  return answer_for(verified.value().statement, stored.value());
}

HttpResponse AgentRoutes::answer_for(const Statement& statement, const StoredFrame& stored) {
  const std::string who = "agent=" + statement.agent + " epoch=" + std::to_string(statement.epoch) +
                          " sequence=" + std::to_string(statement.sequence);
  switch (stored.decision) {
    case ChainDecision::kExtends:
    case ChainDecision::kDuplicate:
      return ok({{"epoch", statement.epoch},
                 {"sequence", statement.sequence},
                 {"index", stored.index},
                 {"time", parts_.clock.now().ms}});
    case ChainDecision::kAhead:
      parts_.log(LogLevel::kError, "alarm: statements are missing before " + who +
                                       " next=" + std::to_string(stored.next_sequence));
      break;
    case ChainDecision::kFork:
      parts_.log(LogLevel::kError, "alarm: other bytes under a number that is taken " + who);
      break;
  }
  return {409,
          text_of({{"error", to_string(stored.decision)}, {"next_sequence", stored.next_sequence}}),
          false};
}

HttpResponse AgentRoutes::store_failed(const Error& error) {
  if (!store_is_down_) {
    parts_.log(LogLevel::kError, error.message() +
                                     "; frames are refused with 503 and stay with their agents"
                                     " until this mends itself");
  }
  store_is_down_ = true;
  return error_response(503, "store");
}

void AgentRoutes::store_worked() {
  if (store_is_down_) parts_.log(LogLevel::kInfo, "the store works again");
  store_is_down_ = false;
}

}  // namespace meldevakt::collector
