#include "agent/app/enrolment_file.h"

#include <string_view>
#include <utility>

#include "common/platform/disk.h"
#include "common/summary/json.h"
#include "common/summary/json_reader.h"

namespace meldevakt::agent {
namespace {

bool is_there(std::string_view text) {
  return !text.empty();
}

Result<EnrolmentRequest> parse(std::string_view json) {
  MELDEVAKT_TRY_ASSIGN(const JsonValue value,
                       parse_json(json, {.depth_max = 1, .members_max = 4, .values_max = 5}));
  JsonReader reader{value, "enrolment"};
  EnrolmentRequest out;
  static_cast<void>(reader.integer("v", 1, 1));
  out.envelope = reader.text("envelope", is_there);
  out.certificate_request = reader.text("certificate_request", is_there);
  MELDEVAKT_TRY(reader.finish());
  return out;
}

}  // namespace

Status keep_enrolment(const std::string& path, const EnrolmentRequest& request) {
  JsonWriter json;
  json.begin_object()
      .member("v", 1)
      .member("envelope", request.envelope)
      .member("certificate_request", request.certificate_request)
      .end_object();
  return write_file_atomically(path, std::move(json).take() + "\n", FileMode::kOwnerOnly,
                               Replace::kAllowed);
}

Result<EnrolmentRequest> read_enrolment(const std::string& path) {
  MELDEVAKT_TRY_ASSIGN(const std::string text, read_file(path, kEnrolmentBytesMax));
  auto parsed = parse(text);
  if (!parsed) return Error{Errc::kCorrupt, path + ": " + parsed.error().message()};
  return parsed;
}

}  // namespace meldevakt::agent
