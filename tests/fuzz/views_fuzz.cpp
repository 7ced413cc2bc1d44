// Field views of records that nobody vouches for: well-formed UTF-8 within their bounds, one line a
// field, and every line a name and a value. The first byte of the input chooses the kind.
#include <string>

#include "agent/decode/encoding.h"
#include "agent/frame/csv.h"
#include "agent/frame/field_view.h"
#include "agent/frame/w3c_log.h"
#include "common/base/check.h"
#include "common/base/text.h"
#include "tests/fuzz/input.h"

namespace {

using meldevakt::agent::FieldView;
using meldevakt::agent::W3cLog;

FieldView view_of(std::size_t kind, const std::string& record) {
  switch (kind) {
    case 0: return meldevakt::agent::json_view(record, {"MESSAGE", "a.b"});
    case 1: return meldevakt::agent::xml_view(record, "msg");
    case 2: return meldevakt::agent::csv_view(record, ',', {{"a"}, {"a", "b"}, {"a", "b", "c"}});
    default: break;
  }
  // Directives and lines, so that names come from the input too.
  W3cLog log;
  FieldView last;
  for (std::size_t at = 0; at <= record.size();) {
    const std::size_t end = std::min(record.find('\n', at), record.size());
    const std::string line = record.substr(at, end - at);
    if (W3cLog::is_directive(line)) {
      log.direct(line);
    } else {
      last = log.view(line);
    }
    at = end + 1;
  }
  W3cLog again;
  again.restore(log.saved());
  MELDEVAKT_CHECK(again.saved().size() == log.saved().size());
  return last;
}

}  // namespace

int fuzz_views(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes = meldevakt::fuzz::text_of(data + 1, size - 1);
  // Framing decodes before it makes views.
  std::uint64_t undecodable = 0;
  const std::string record = meldevakt::agent::decode(
      meldevakt::agent::Encoding::kUtf8, {meldevakt::agent::Encoding::kUtf8}, bytes, undecodable);
  const FieldView view = view_of(data[0] % 4U, record);
  MELDEVAKT_CHECK(meldevakt::is_utf8(view.text));
  MELDEVAKT_CHECK(view.fields <= FieldView::kFieldsMax);
  MELDEVAKT_CHECK(view.text.size() <=
                  2 * record.size() + view.fields * (2 * FieldView::kNameBytesMax + 32));
  std::size_t lines = 0;
  for (std::size_t at = 0; !view.text.empty() && at <= view.text.size(); ++lines) {
    const std::size_t end = std::min(view.text.find('\n', at), view.text.size());
    MELDEVAKT_CHECK(view.text.substr(at, end - at).find('=') != std::string::npos);
    at = end + 1;
  }
  MELDEVAKT_CHECK(lines == view.fields);
  return 0;
}
