#include "agent/app/enrol.h"

#include <unistd.h>

#include <utility>

#include "agent/app/collector_connection.h"
#include "agent/app/enrolment_file.h"
#include "agent/ship/collector_answers.h"
#include "agent/ship/https.h"
#include "agent/state/state.h"
#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/platform/disk.h"
#include "common/ports/sha256.h"
#include "common/seal/dsse.h"
#include "common/summary/json.h"
#include "common/summary/json_reader.h"
#include "common/summary/statement.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kInvitationBytesMax = 64 * 1024;
constexpr std::size_t kTokenBytes = 32;

Result<const TenantConfig*> find_tenant(const Config& config, const std::string& name) {
  if (name.empty() && config.tenants.size() == 1) return &config.tenants.front();
  std::vector<std::string> names;
  for (const TenantConfig& tenant : config.tenants) {
    if (tenant.name == name) return &tenant;
    names.push_back(tenant.name);
  }
  if (name.empty()) {
    return Error{Errc::kInvalid,
                 config.file_name + " has several tenants; say which: --tenant NAME"};
  }
  std::string what =
      "there is no [[tenant]] named '" + meldevakt::quoted(name) + "' in " + config.file_name;
  if (const auto near = nearest_name(name, names)) what += "; did you mean '" + *near + "'?";
  return Error{Errc::kInvalid, what};
}

// Keys of an enrolment that was never asked for: nobody knows them.
void remove_unfinished(const StateFiles& files, const std::string& suffix) {
  for (const std::string& path :
       {files.enrolment(suffix), files.signing_key(suffix), files.tls_key(suffix),
        files.tls_certificate(suffix), files.authority(suffix)}) {
    ::unlink(path.c_str());
  }
}

// What the collector is asked, and who asks.
struct Question {
  EnrolmentRequest request;
  std::string agent;
  Sha256 link;  // of the enrolment, the first of the chain
};

// The question that was asked with this invitation before: its answer may have got lost.
Result<Question> asked_before(const StateFiles& files, const std::string& suffix,
                              const InvitationFile& invitation) {
  Question out;
  MELDEVAKT_TRY_ASSIGN(out.request, read_enrolment(files.enrolment(suffix)));
  MELDEVAKT_TRY_ASSIGN(const Envelope envelope, parse_envelope(out.request.envelope));
  MELDEVAKT_TRY_ASSIGN(const Enrolment enrolment, decode_enrolment(envelope.payload));
  MELDEVAKT_TRY_ASSIGN(const std::string token, from_base64url(invitation.token));
  MELDEVAKT_TRY_ASSIGN(const auto signer, load_signer(files.signing_key(suffix)));
  const bool same = enrolment.invitation == sha256(token) &&
                    enrolment.tenant == invitation.tenant &&
                    enrolment.signing_key == to_base64(signer->public_key()) &&
                    read_secret_file(files.tls_key(suffix), kPemBytesMax);
  if (!same) return Error{Errc::kNotFound, "another invitation was asked with"};
  out.agent = enrolment.agent;
  out.link = link_hash(envelope.payload_type, envelope.payload);
  return out;
}

// The first tenant's keys would be lost, and its invitation with them.
Status nobody_else_waits(const StateFiles& files, const std::string& suffix,
                         const InvitationFile& invitation) {
  const std::string path = files.enrolment(suffix);
  const Result<EnrolmentRequest> request = read_enrolment(path);
  const auto envelope = request ? parse_envelope(request.value().envelope) : request.error();
  const auto other = envelope ? decode_enrolment(envelope.value().payload) : envelope.error();
  if (!other || other.value().tenant == invitation.tenant) return {};
  return Error{Errc::kExists, "tenant " + other.value().tenant +
                                  " was asked for on this host and has had no answer yet: run its "
                                  "enroll again, with its invitation; or, to give it up, delete " +
                                  path};
}

Result<Question> new_question(const StateFiles& files, const std::string& suffix,
                              const InvitationFile& invitation, Instant now,
                              std::string_view software_version) {
  remove_unfinished(files, suffix);
  MELDEVAKT_TRY_ASSIGN(const auto signer, create_signer(files.signing_key(suffix)));
  Question out;
  out.agent = agent_id_of(signer->public_key());
  MELDEVAKT_TRY_ASSIGN(const KeyAndRequest tls, make_tls_key_and_request(out.agent));
  MELDEVAKT_TRY(write_file_atomically(files.tls_key(suffix), tls.private_key_pem,
                                      FileMode::kOwnerOnly, Replace::kNever));
  MELDEVAKT_TRY_ASSIGN(const std::string token, from_base64url(invitation.token));
  Enrolment enrolment;
  enrolment.tenant = invitation.tenant;
  enrolment.agent = out.agent;
  enrolment.signing_key = to_base64(signer->public_key());
  enrolment.tls_key = tls.public_key_hash;
  enrolment.invitation = sha256(token);
  enrolment.time = now;
  enrolment.software_version = software_version;
  const std::string payload = encode_enrolment(enrolment);
  out.link = link_hash(kEnrolmentType, payload);
  out.request.certificate_request = tls.request_pem;
  MELDEVAKT_TRY_ASSIGN(out.request.envelope, seal(kEnrolmentType, payload, *signer));
  MELDEVAKT_TRY(keep_enrolment(files.enrolment(suffix), out.request));
  return out;
}

// The tenant's key: made by its first agent; the others get it as a file from that one.
Result<std::string> keep_tenant_key(const StateFiles& files, const std::string& tenant,
                                    bool first_agent, Random& random) {
  const std::string path = files.tenant_key(tenant);
  if (first_agent) {
    MELDEVAKT_TRY_ASSIGN(const std::string key, read_or_make_secret(path, random));
    return path;
  }
  const auto there = read_secret(path);
  if (there) return path;
  if (there.error().code() == Errc::kNotFound) return std::string{};
  return there.error();
}

Status check_invitation(const Config& config, const InvitationFile& invitation, Instant now) {
  if (now >= invitation.expires) {
    return Error{Errc::kInvalid, "the invitation expired at " + to_rfc3339(invitation.expires) +
                                     "; ask for a new one"};
  }
  if (!config.collector.empty() && config.collector != invitation.collector) {
    return Error{Errc::kInvalid, "the invitation is for " + invitation.collector + ", and " +
                                     config.file_name + " says collector = \"" + config.collector +
                                     "\""};
  }
  return {};
}

Status not_enrolled_yet(const State::Loaded& loaded, const std::string& name,
                        const std::string& id) {
  for (const TenantRow& row : loaded.tenants) {
    if (row.name != name && row.id != id) continue;
    return Error{Errc::kExists,
                 "the tenant '" + row.name + "' is enrolled already (agent " + row.agent + ")"};
  }
  return {};
}

bool is_token(std::string_view text) {
  const auto token = from_base64url(text);
  return token && token.value().size() == kTokenBytes;
}

// The tenant's id becomes part of file names.
bool is_tenant_id(std::string_view text) {
  constexpr std::string_view letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !text.empty() && text.size() <= limits::kIdentifierBytesMax &&
         text.find_first_not_of(letters) == std::string_view::npos;
}

Result<InvitationFile> read_invitation_members(std::string_view json) {
  MELDEVAKT_TRY_ASSIGN(const JsonValue value,
                       parse_json(json, {.depth_max = 1, .members_max = 8, .values_max = 9}));
  JsonReader reader{value, "invitation"};
  InvitationFile out;
  static_cast<void>(reader.integer("v", 1, 1));
  out.collector = reader.text("collector", [](std::string_view text) { return !text.empty(); });
  out.tenant = reader.text("tenant", is_tenant_id);
  out.token = reader.text("token", is_token);
  out.expires = reader.instant("expires");
  out.authority_pem = reader.text("authority", [](std::string_view text) { return !text.empty(); });
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<InvitationFile> read_invitation(const std::string& path) {
  MELDEVAKT_TRY_ASSIGN(const std::string text, read_secret_file(path, kInvitationBytesMax));
  auto parsed = parse_invitation(text);
  if (!parsed) return std::move(parsed).error().in(path);
  return parsed;
}

Result<EnrolAnswer> ask_collector(const InvitationFile& invitation, const Question& question) {
  HttpsTransport::Settings settings;
  MELDEVAKT_TRY_ASSIGN(settings.collector, parse_collector_url(invitation.collector));
  settings.authority_pem = invitation.authority_pem;
  MELDEVAKT_TRY_ASSIGN(const std::unique_ptr<HttpsTransport> transport,
                       HttpsTransport::create(std::move(settings)));
  Result<EnrolAnswer> asked = enrol(*transport, invitation.token, question.request.envelope,
                                    question.request.certificate_request);
  if (!asked) {
    Error error = std::move(asked).error().in(invitation.collector);
    if (error.code() != Errc::kUnavailable) return error;
    return Error{error.code(), error.message() +
                                   "; is the collector there (name, port, firewall)? Then run the "
                                   "same command again, with the same invitation"};
  }
  const EnrolAnswer& answer = asked.value();
  if (answer.agent == question.agent && answer.tenant == invitation.tenant) return asked;
  return Error{Errc::kRejected, "the collector enrolled somebody else: agent " +
                                    meldevakt::quoted(answer.agent) + " tenant " +
                                    meldevakt::quoted(answer.tenant)};
}

Status keep_certificates(const StateFiles& files, const std::string& suffix,
                         const InvitationFile& invitation, const EnrolAnswer& answer) {
  MELDEVAKT_TRY(write_file_atomically(files.tls_certificate(suffix), answer.certificate_pem,
                                      FileMode::kEveryoneReads, Replace::kAllowed));
  // The authority of the invitation, which came by a way the operator trusts, not of the answer.
  return write_file_atomically(files.authority(suffix), invitation.authority_pem,
                               FileMode::kEveryoneReads, Replace::kAllowed);
}

// From now on the collector can show this agent no other log. Not shown is not lost: the first
// statement that is acknowledged asks again.
std::string keep_log_key(const Config& config, const StateFiles& files, const TenantRow& row,
                         State& state) {
  const OpenSslVerifier verifier;
  const auto transport = connect_collector(config, files, row);
  if (!transport) return "";
  Result<std::string> key = get_log_key(*transport.value(), verifier);
  if (!key || !state.keep_log_key(row.id, key.value())) return "";
  return std::move(key).value();
}

}  // namespace

Result<InvitationFile> parse_invitation(std::string_view json) {
  Result<InvitationFile> read = read_invitation_members(json);
  if (!read) {
    return Error{Errc::kInvalid,
                 "is no invitation; ask for a new one (" + read.error().message() + ")"};
  }
  return read;
}

Result<Enrolled> enrol_agent(const Config& config, const std::string& invitation_path,
                             const std::string& tenant_name, Clock& clock, Random& random,
                             std::string_view software_version) {
  MELDEVAKT_TRY_ASSIGN(const TenantConfig* tenant, find_tenant(config, tenant_name));
  MELDEVAKT_TRY_ASSIGN(const InvitationFile invitation, read_invitation(invitation_path));
  const Instant now = clock.now();
  MELDEVAKT_TRY(check_invitation(config, invitation, now));

  const StateFiles files{config.state};
  MELDEVAKT_TRY(make_private_directory(config.state));
  auto lock = ProcessLock::acquire(files.lock());
  if (!lock) return std::move(lock).error().in("the agent runs; stop it first");
  MELDEVAKT_TRY_ASSIGN(const std::unique_ptr<State> state, State::open(files.state(), {}));
  MELDEVAKT_TRY_ASSIGN(const State::Loaded loaded, state->load());
  MELDEVAKT_TRY(not_enrolled_yet(loaded, tenant->name, invitation.tenant));

  const std::string suffix = loaded.tenants.empty() ? "" : "-" + invitation.tenant;
  Result<Question> question = asked_before(files, suffix, invitation);
  if (!question) {
    MELDEVAKT_TRY(nobody_else_waits(files, suffix, invitation));
    question = new_question(files, suffix, invitation, now, software_version);
  }
  if (!question) return std::move(question).error();
  const std::string& agent = question.value().agent;
  MELDEVAKT_TRY_ASSIGN(const EnrolAnswer answer, ask_collector(invitation, question.value()));
  MELDEVAKT_TRY(keep_certificates(files, suffix, invitation, answer));
  MELDEVAKT_TRY_ASSIGN(const std::string secret, read_or_make_secret(files.secret(), random));
  Enrolled out{agent, invitation.tenant, invitation.collector, answer.first_agent, "", ""};
  MELDEVAKT_TRY_ASSIGN(out.tenant_key_file,
                       keep_tenant_key(files, invitation.tenant, answer.first_agent, random));

  TenantRow row;
  row.id = invitation.tenant;
  row.name = tenant->name;
  row.agent = agent;
  row.collector = invitation.collector;
  row.files = suffix;
  row.enrolled = now;
  row.enrolment_link = question.value().link;
  row.head = {0, 0, row.enrolment_link, Instant{}};
  row.boot_id = clock.boot_id();
  row.boot_ns = clock.boot_ns();
  MELDEVAKT_TRY(state->add_tenant(row));
  out.log_key = keep_log_key(config, files, row, *state);
  return out;
}

}  // namespace meldevakt::agent
