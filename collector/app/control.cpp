#include "collector/app/control.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "collector/app/control_register.h"
#include "collector/app/control_tell.h"
#include "collector/app/view.h"
#include "common/base/text.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kTenantIdBytes = 8;  // random, as 16 hexadecimal digits
constexpr std::size_t kNameBytesMax = 200;

std::string refusal(const Error& error) {
  return Json{{"ok", false}, {"code", to_string(error.code())}, {"error", error.message()}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
}

std::string line_of(const Result<std::string>& answer) {
  return answer ? answer.value() : refusal(answer.error());
}

Error malformed() {
  return Error{Errc::kCorrupt, "the control line has no such form"};
}

std::string text_member(const Json& json, const char* name) {
  return json.contains(name) && json[name].is_string() ? json[name].get<std::string>() : "";
}

Result<std::optional<Instant>> instant_or_null(const Json& json) {
  if (json.is_null()) return std::optional<Instant>{};
  if (!json.is_number_integer()) return malformed();
  return std::optional<Instant>{Instant{json.get<std::int64_t>()}};
}

// By its name, or what the register calls it now: an invitation for a name that looks like an id
// makes a tenant of that name.
Result<std::optional<Tenant>> tenant_named(Store& store, const std::string& name, Instant now) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, store.tenants());
  for (const Tenant& tenant : tenants) {
    if (tenant.name == name) return std::optional<Tenant>{tenant};
  }
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> registered,
                       tenants_registered_as(store, name, now));
  if (registered.size() == 1) return std::optional<Tenant>{registered.front()};
  if (registered.size() > 1) {
    return Error{Errc::kInvalid, "the register calls several tenants '" + meldevakt::quoted(name) +
                                     "'; correct it first"};
  }
  return std::optional<Tenant>{};
}

// --- invite --------------------------------------------------------------------------------------

Result<Tenant> existing_or_new(Store& store, Random& random, const std::string& name,
                               const std::string& organisation, Instant now, bool& created) {
  MELDEVAKT_TRY_ASSIGN(const std::optional<Tenant> known, tenant_named(store, name, now));
  if (known) {
    if (!organisation.empty() && known->organisation != organisation) {
      return Error{Errc::kInvalid, "tenant '" + name + "' has the organisation number '" +
                                       known->organisation + "'"};
    }
    return *known;
  }
  const Tenant tenant{to_hex(random.bytes(kTenantIdBytes)), name, organisation, now};
  MELDEVAKT_TRY(store.add_tenant(tenant));
  created = true;
  return tenant;
}

Result<Json> invite(Store& store, Random& random, Instant now, const Result<std::string>& url,
                    const Json& request) {
  if (!url) return url.error();
  const std::string name = text_member(request, "tenant");
  const std::string organisation = text_member(request, "organisation");
  if (name.empty() || name.size() > kNameBytesMax || !is_utf8(name)) {
    return Error{Errc::kInvalid, "the tenant's name must have 1 to 200 bytes of UTF-8"};
  }
  MELDEVAKT_TRY_ASSIGN(const Sha256 token_hash,
                       Sha256::from_hex_text(text_member(request, "token_hash")));
  if (!request.contains("expires") || !request["expires"].is_number_integer()) return malformed();
  const Instant expires{request["expires"].get<std::int64_t>()};
  if (expires <= now) return Error{Errc::kInvalid, "the invitation would expire at once"};
  bool created = false;
  MELDEVAKT_TRY_ASSIGN(const Tenant tenant,
                       existing_or_new(store, random, name, organisation, now, created));
  MELDEVAKT_TRY(store.add_invitation({token_hash, tenant.id, expires}));
  return Json{
      {"ok", true}, {"tenant", tenant.id}, {"collector", url.value()}, {"created", created}};
}

// --- import --------------------------------------------------------------------------------------

Json row_of(const Receipt& receipt) {
  const auto time = [](const std::optional<Instant>& instant) {
    return instant ? Json(instant->ms) : Json(nullptr);
  };
  return Json::array({receipt.portal, receipt.message_id, time(receipt.sent),
                      time(receipt.confirmed), to_string(receipt.form), receipt.channel,
                      receipt.district});
}

Result<Receipt> receipt_of(const Json& row) {
  if (!row.is_array() || row.size() != 7) return malformed();
  for (const std::size_t text : {0U, 1U, 4U, 5U, 6U}) {
    if (!row[text].is_string()) return malformed();
  }
  Receipt receipt;
  receipt.portal = row[0].get<std::string>();
  receipt.message_id = row[1].get<std::string>();
  MELDEVAKT_TRY_ASSIGN(receipt.sent, instant_or_null(row[2]));
  MELDEVAKT_TRY_ASSIGN(receipt.confirmed, instant_or_null(row[3]));
  const auto form = form_from_string(row[4].get<std::string>());
  if (!form) return malformed();
  receipt.form = *form;
  receipt.channel = row[5].get<std::string>();
  receipt.district = row[6].get<std::string>();
  return receipt;
}

// A list that is made now holds nothing that is sent later, whatever its file is called.
Result<std::optional<ReceiptCoverage>> coverage_of(const Json& request, Instant now) {
  if (!request.contains("coverage") || request["coverage"].is_null()) {
    return std::optional<ReceiptCoverage>{};
  }
  const Json& json = request["coverage"];
  if (!json.is_array() || json.size() != 3 || !json[0].is_string() ||
      !json[1].is_number_integer() || !json[2].is_number_integer()) {
    return malformed();
  }
  Interval span{{json[1].get<std::int64_t>()}, {json[2].get<std::int64_t>()}};
  if (span.empty()) return Error{Errc::kInvalid, "--until must be later than --from"};
  span.to = std::min(span.to, now);
  if (span.empty()) {
    return Error{Errc::kInvalid,
                 "--from is still to come: a list holds nothing that is sent later"};
  }
  return std::optional<ReceiptCoverage>{ReceiptCoverage{json[0].get<std::string>(), span}};
}

Result<Json> import(Store& store, Instant now, const Json& request, const ControlEvents& events) {
  const std::string name = text_member(request, "tenant");
  if (name.empty()) return malformed();
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> chosen, chosen_tenants(store, name, now));
  const Tenant& tenant = chosen.front();
  if (!request.contains("receipts") || !request["receipts"].is_array()) return malformed();
  std::vector<Receipt> receipts;
  for (const Json& row : request["receipts"]) {
    MELDEVAKT_TRY_ASSIGN(Receipt receipt, receipt_of(row));
    receipts.push_back(std::move(receipt));
  }
  MELDEVAKT_TRY_ASSIGN(const std::optional<ReceiptCoverage> coverage, coverage_of(request, now));
  MELDEVAKT_TRY_ASSIGN(const ImportResult result,
                       store.import_receipts(tenant.id, receipts, coverage, now));
  if (events.imported) events.imported(tenant.id, coverage, result);
  return Json{{"ok", true},
              {"added", result.added},
              {"changed", result.changed},
              {"unchanged", result.unchanged}};
}

// --- the other end -------------------------------------------------------------------------------

Errc code_named(std::string_view name) {
  for (const Errc code : {Errc::kInvalid, Errc::kNotFound, Errc::kExists, Errc::kCorrupt,
                          Errc::kLimit, Errc::kIo, Errc::kUnavailable, Errc::kRejected}) {
    if (to_string(code) == name) return code;
  }
  return Errc::kIo;
}

Result<Json> ask(const ControlCall& call, const Json& request) {
  MELDEVAKT_TRY_ASSIGN(
      const std::string line,
      ask_line(call, request.dump(-1, ' ', false, Json::error_handler_t::replace)));
  return Json::parse(line, nullptr, false);
}

std::uint64_t number_member(const Json& json, const char* name) {
  return json.contains(name) && json[name].is_number_unsigned() ? json[name].get<std::uint64_t>()
                                                                : 0;
}

}  // namespace

Result<std::string> ask_line(const ControlCall& call, const std::string& request) {
  MELDEVAKT_TRY_ASSIGN(std::string line, call(request));
  const Json answer = Json::parse(line, nullptr, false);
  if (!answer.is_object() || !answer.contains("ok") || !answer["ok"].is_boolean()) {
    return Error{Errc::kCorrupt, "the server's answer has no such form"};
  }
  if (answer["ok"].get<bool>()) return line;
  return Error{code_named(text_member(answer, "code")), text_member(answer, "error")};
}

std::string ControlActions::handle(std::string_view line) {
  const Json request = Json::parse(line, nullptr, false);
  if (!request.is_object()) return refusal(malformed());
  const std::string command = text_member(request, "command");
  if (command == "register") {
    const Result<std::string> answer = answer_register(store_, clock_.now(), line);
    if (answer && events_.registered) events_.registered();
    return line_of(answer);
  }
  if (command == "control") return line_of(answer_control(store_, control_, line));
  if (command == "tell") return line_of(answer_tell(store_, clock_.now(), line, events_.told));
  Result<Json> answer = Error{Errc::kInvalid, "no such command"};
  if (command == "invite") answer = invite(store_, random_, clock_.now(), url_, request);
  if (command == "import") answer = import(store_, clock_.now(), request, events_);
  if (!answer) return refusal(answer.error());
  return answer.value().dump();
}

Result<Invited> call_invite(const ControlCall& call, const std::string& tenant_name,
                            const std::string& organisation, const Sha256& token_hash,
                            Instant expires) {
  MELDEVAKT_TRY_ASSIGN(const Json answer, ask(call, {{"command", "invite"},
                                                     {"tenant", tenant_name},
                                                     {"organisation", organisation},
                                                     {"token_hash", token_hash.hex()},
                                                     {"expires", expires.ms}}));
  return Invited{text_member(answer, "tenant"), text_member(answer, "collector"),
                 answer.contains("created") && answer["created"] == true};
}

Result<ImportResult> call_import(const ControlCall& call, const std::string& tenant_name,
                                 const std::vector<Receipt>& receipts,
                                 const std::optional<ReceiptCoverage>& coverage) {
  ImportResult total;
  std::size_t at = 0;
  do {
    Json rows = Json::array();
    std::size_t bytes = 0;
    for (; at < receipts.size() && rows.size() < kReceiptsPerLineMax &&
           bytes < kControlLineBytesMax / 2;
         ++at) {
      rows.push_back(row_of(receipts[at]));
      bytes += rows.back().dump().size() + 1;
    }
    Json request{{"command", "import"},
                 {"tenant", tenant_name},
                 {"receipts", std::move(rows)},
                 {"coverage", nullptr}};
    if (coverage && at == receipts.size()) {
      request["coverage"] =
          Json::array({coverage->portal, coverage->span.from.ms, coverage->span.to.ms});
    }
    MELDEVAKT_TRY_ASSIGN(const Json answer, ask(call, request));
    total.added += number_member(answer, "added");
    total.changed += number_member(answer, "changed");
    total.unchanged += number_member(answer, "unchanged");
  } while (at < receipts.size());
  return total;
}

Result<std::string> agents_url(const Config& config, std::uint16_t port) {
  if (!config.agents_url.empty()) return config.agents_url;
  if (port == 0) {
    return Error{Errc::kInvalid,
                 "[agents] listen has port 0, which is only known while serve runs: start serve "
                 "first, or set [agents] url"};
  }
  const std::string& name = config.names.front();
  const bool is_ipv6 = name.find(':') != std::string::npos && name.front() != '[';
  return "https://" + (is_ipv6 ? "[" + name + "]" : name) + ":" + std::to_string(port);
}

}  // namespace meldevakt::collector
