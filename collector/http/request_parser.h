// The header of a request, from its raw bytes to a RequestHead, by Beast's parser. Comes after
// scan_header and before check_head. Pure. Errors: kInvalid.
#pragma once

#include <string>
#include <string_view>

#include "collector/http/strict_policy.h"

namespace meldevakt::collector {

struct ParsedHeader {
  RequestHead head;
  std::string content_type;
  bool keep_alive = false;
};
// `bytes`: exactly one header, its empty line included.
[[nodiscard]] Result<ParsedHeader> parse_header(std::string_view bytes, const HttpLimits& limits);

}  // namespace meldevakt::collector
