#include "collector/http/strict_policy.h"

#include <doctest/doctest.h>

#include "collector/http/request_parser.h"
#include "tests/unit/collector/http/vectors.h"

namespace meldevakt::collector {
namespace {

using State = HeaderScan::State;

// From raw bytes to the length of the body, as the session does it; an error is a refusal.
Result<std::uint64_t> judge(std::string_view bytes, const HostPolicy& hosts) {
  const HttpLimits limits;
  const HeaderScan scan = scan_header(bytes, limits);
  if (scan.state != State::kComplete) return Error{Errc::kInvalid, std::string(scan.reason)};
  MELDEVAKT_TRY_ASSIGN(const ParsedHeader parsed,
                       parse_header(bytes.substr(0, scan.bytes), limits));
  return check_head(parsed.head, hosts, limits, limits.body_bytes_max);
}

RequestHead head_of(std::string method, std::vector<std::pair<std::string, std::string>> fields) {
  return {11, std::move(method), "/v1/frames", std::move(fields)};
}

TEST_CASE("scan_header: complete, bad or not yet, whatever the borders of the reads") {
  struct Case {
    std::string bytes;
    State state;
    std::string_view reason;
  };
  const std::string start = "GET / HTTP/1.1\r\n";
  const Case cases[] = {
      {start + "Host: x\r\n\r\n", State::kComplete, ""},
      {start + "Host: x\r\n\r\nbody", State::kComplete, ""},
      {start + "A: \ttab is white space\r\n\r\n", State::kComplete, ""},
      {start + "A:\r\n\r\n", State::kComplete, ""},
      {"", State::kNeedMore, ""},
      {start + "Host: x\r\n", State::kNeedMore, ""},
      {start + "Host: x\r\n\r", State::kNeedMore, ""},
      {"\r\n" + start, State::kBad, "an empty request line"},
      {"GET / HTTP/1.1\nHost: x\n\n", State::kBad, "a bare line end"},
      {start + "Host: x\n", State::kBad, "a bare line end"},
      {start + "Host: x\ry\r\n\r\n", State::kBad, "a bare line end"},
      {start + "Ho\rst: x", State::kBad, "a bare line end"},
      {start + std::string("A: \0\r\n\r\n", 8), State::kBad, "a control character"},
      {start + "A: \x7f\r\n\r\n", State::kBad, "a control character"},
      {start + "A: x\r\n folded\r\n\r\n", State::kBad, "a folded header line"},
      {start + "A: x\r\n\tfolded\r\n\r\n", State::kBad, "a folded header line"},
      {start + "A : x\r\n\r\n", State::kBad, "a bad header name"},
      {start + "no colon\r\n\r\n", State::kBad, "a header line without a colon"},
      {start + ": x\r\n\r\n", State::kBad, "a header line without a name"},
      {start + "\xc3\xa5: x\r\n\r\n", State::kBad, "a bad header name"},
  };
  const HttpLimits limits;
  for (const Case& test : cases) {
    CAPTURE(test.bytes);
    const HeaderScan whole = scan_header(test.bytes, limits);
    CHECK(whole.state == test.state);
    CHECK(whole.reason == test.reason);
    if (test.state == State::kComplete) CHECK(whole.bytes == test.bytes.find("\r\n\r\n") + 4);
    // However few bytes have come, a good header is never called bad, and a bad one never whole.
    for (std::size_t n = 0; n < test.bytes.size(); ++n) {
      const State early = scan_header(std::string_view{test.bytes}.substr(0, n), limits).state;
      if (test.state != State::kBad) CHECK(early != State::kBad);
      if (test.state != State::kComplete) CHECK(early != State::kComplete);
    }
  }
}

TEST_CASE("scan_header: a header of the limit passes, one byte more does not") {
  const HttpLimits limits;
  const std::string start = "GET / HTTP/1.1\r\nA: ";
  const std::string fits =
      start + std::string(limits.header_bytes_max - start.size() - 4, 'x') + "\r\n\r\n";
  REQUIRE(fits.size() == limits.header_bytes_max);
  CHECK(scan_header(fits, limits).state == State::kComplete);
  CHECK(scan_header(start + "x" + fits.substr(start.size()), limits).state == State::kBad);
  CHECK(scan_header(std::string(limits.header_bytes_max - 1, 'x'), limits).state ==
        State::kNeedMore);
  CHECK(scan_header(std::string(limits.header_bytes_max, 'x'), limits).state == State::kBad);
}

TEST_CASE("check_head: what each header may say") {
  struct Case {
    RequestHead head;
    std::optional<std::uint64_t> length;  // nullopt: refused
    Errc code = Errc::kInvalid;
  };
  const auto with = [](std::string name, std::string value) {
    return head_of("POST", {{"Host", "k.example"}, {std::move(name), std::move(value)}});
  };
  RequestHead old = with("Content-Length", "5");
  old.version = 10;
  RequestHead absolute = with("Content-Length", "5");
  absolute.target = "https://k.example/v1/frames";
  RequestHead endless = with("Content-Length", "5");
  endless.target = "/" + std::string(2000, 'x');
  RequestHead crowded = with("Content-Length", "5");
  for (int i = 0; i < 63; ++i) crowded.fields.emplace_back("X", "y");
  const std::vector<Case> cases = {
      {with("Content-Length", "5"), 5},
      {with("content-length", "0"), 0},
      {head_of("GET", {{"Host", "k.example"}}), 0},
      {head_of("GET", {{"hOsT", "K.EXAMPLE:8443"}}), 0},
      {head_of("GET", {{"Host", "[::1]:8443"}}), 0},
      {head_of("GET", {{"Host", "public.example:443"}}), 0},
      {head_of("GET", {{"Host", "k.example"}, {"Content-Length", "0"}}), 0},
      {head_of("GET", {{"Host", "k.example"}, {"Content-Length", "1"}}), std::nullopt},
      {head_of("GET", {}), std::nullopt},
      {head_of("GET", {{"Host", ""}}), std::nullopt},
      {head_of("GET", {{"Host", "k.example"}, {"Host", "k.example"}}), std::nullopt},
      {head_of("GET", {{"Host", "k.example:1"}}), std::nullopt},
      {head_of("GET", {{"Host", "k.example.evil"}}), std::nullopt},
      {head_of("GET", {{"Host", "k.example, evil"}}), std::nullopt},
      {head_of("POST", {{"Host", "k.example"}}), std::nullopt},
      {with("Content-Length", "+5"), std::nullopt},
      {with("Content-Length", "-5"), std::nullopt},
      {with("Content-Length", "5, 5"), std::nullopt},
      {with("Content-Length", "0x5"), std::nullopt},
      {with("Content-Length", ""), std::nullopt},
      {with("Content-Length", "99999999999999999999"), std::nullopt},
      {with("Content-Length", "4194304"), 4194304},
      {with("Content-Length", "4194305"), std::nullopt, Errc::kLimit},
      {head_of("POST", {{"Host", "k.example"}, {"Content-Length", "5"}, {"Content-Length", "5"}}),
       std::nullopt},
      {with("Transfer-Encoding", "chunked"), std::nullopt},
      {with("TRANSFER-ENCODING", "identity"), std::nullopt},
      {head_of("POST",
               {{"Host", "k.example"}, {"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}),
       std::nullopt},
      {head_of("GET", {{"Host", "k.example"}, {"Transfer-Encoding", "identity"}}), std::nullopt},
      {head_of("GET", {{"Host", "k.example"}, {"Expect", "100-continue"}}), std::nullopt},
      {head_of("GET", {{"Host", "k.example"}, {"Upgrade", "h2c"}}), std::nullopt},
      {with("Expect", "100-continue"), std::nullopt},
      {with("Upgrade", "h2c"), std::nullopt},
      {old, std::nullopt},
      {absolute, std::nullopt},
      {endless, std::nullopt},
      {crowded, std::nullopt},
  };
  HostPolicy hosts{{"k.example", "::1"}, 8443};
  hosts.allow("public.example:443");
  const HttpLimits limits;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(i);
    const auto length = check_head(cases[i].head, hosts, limits, limits.body_bytes_max);
    CHECK(length.has_value() == cases[i].length.has_value());
    if (length && cases[i].length) CHECK(length.value() == *cases[i].length);
    if (!length) CHECK(length.error().code() == cases[i].code);
  }
}

TEST_CASE(
    "the 32 vectors: nothing that must be refused gets past the header but for short bodies") {
  const auto vectors = testing::http_vectors();
  if (vectors.empty()) {
    MESSAGE("skipped: ../shared/data/vectors/http is not here");
    return;
  }
  REQUIRE(vectors.size() == 32);
  HostPolicy hosts{{"x"}, 8443};
  for (const auto& vector : vectors) {
    CAPTURE(vector.file);
    CAPTURE(vector.name);
    const auto length = judge(vector.bytes, hosts);
    if (vector.refuse && length) {
      // Only a body that never comes can still make it bad; the session waits for all of it.
      const std::size_t body = vector.bytes.size() - vector.bytes.find("\r\n\r\n") - 4;
      CHECK(body < length.value());
    }
  }
}

}  // namespace
}  // namespace meldevakt::collector
