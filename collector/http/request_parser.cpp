#include "collector/http/request_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace meldevakt::collector {

namespace http = boost::beast::http;

Result<ParsedHeader> parse_header(std::string_view bytes, const HttpLimits& limits) {
  http::request_parser<http::empty_body> parser;
  parser.eager(false);
  parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
  parser.body_limit(boost::none);  // check_head bounds it
  boost::system::error_code error;
  const std::size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (error || used != bytes.size() || !parser.is_header_done()) {
    return Error{Errc::kInvalid, "the header cannot be read"};
  }
  const auto& request = parser.get();
  ParsedHeader parsed;
  parsed.head.version = request.version();
  parsed.head.method = std::string(request.method_string());
  parsed.head.target = std::string(request.target());
  for (const auto& field : request.base()) {
    parsed.head.fields.emplace_back(field.name_string(), field.value());
  }
  parsed.content_type = std::string(request[http::field::content_type]);
  parsed.keep_alive = request.keep_alive();
  return parsed;
}

}  // namespace meldevakt::collector
