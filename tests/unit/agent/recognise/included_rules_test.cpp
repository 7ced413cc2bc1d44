#include "agent/recognise/included_rules.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

#include "agent/recognise/pack.h"
#include "agent/recognise/program.h"

namespace meldevakt::agent {
namespace {

constexpr std::string_view kShared = R"(
[[rule]]
id       = "busy"
signal   = "db.timeout"
literal  = "busy now"
match    = ["it is busy now", "first\nbusy now"]
no_match = ["it is idle"]
)";

std::string pack_text(std::string_view top, std::string_view rules = "") {
  return "pack = \"p\"\nversion = \"1.0.0\"\nobserves = [\"db.timeout\"]\n" + std::string{top} +
         "\n[record]\nstarts = '\\d{4}-'\ntime = \"%Y-%m-%d %H:%M:%S\"\n" + std::string{rules};
}

FindSharedRules finder(std::string_view text) {
  return [text](std::string_view name) -> std::optional<SharedRules> {
    if (name != "busy") return std::nullopt;
    return SharedRules{std::string{text}, "busy.shared.toml"};
  };
}

constexpr std::string_view kTop =
    "include = [\"busy\"]\ninclude_sample = '2023-02-01 09:14:22 {sample}'";

std::string failure(std::string_view pack, std::string_view shared = kShared) {
  const auto loaded = load_pack(pack, "p.rules.toml", finder(shared));
  return loaded ? "" : loaded.error().message();
}

TEST_CASE("included rules: are the pack's, behind its own, with samples in its layout") {
  const std::string own =
      "[[rule]]\nid = \"own\"\nsignal = \"db.slow\"\nliteral = \"slow\"\n"
      "match = [\"2023-02-01 09:14:22 slow\"]\nno_match = []\n";
  const auto pack = load_pack(pack_text(kTop, own), "p.rules.toml", finder(kShared));
  REQUIRE_MESSAGE(pack, (pack ? "" : pack.error().message()));
  const auto& rules = pack.value()->program->rules;
  REQUIRE(rules.size() == 2);
  CHECK(rules[0].id == "own");
  CHECK(rules[0].file.empty());
  CHECK(rules[1].id == "busy");
  CHECK(rules[1].file == "busy.shared.toml");
  REQUIRE(rules[1].match.size() == 2);
  CHECK(rules[1].match[0].text == "2023-02-01 09:14:22 it is busy now");
  CHECK(rules[1].match[1].text == "2023-02-01 09:14:22 first\nbusy now");
  CHECK(check_samples(*pack.value()).empty());
}

TEST_CASE("included rules: a pack's hash is of all that it reads by") {
  const std::string text = pack_text(kTop);
  const auto hash = [&](std::string_view shared) {
    const auto pack = load_pack(text, "p.rules.toml", finder(shared));
    REQUIRE(pack);
    return pack.value()->identity.sha256;
  };
  const std::string other = std::string{kShared} + "# the same rules\n";
  CHECK(hash(kShared) == hash(kShared));
  CHECK_FALSE(hash(kShared) == hash(other));
}

TEST_CASE("included rules: a sample that fails is told with both files") {
  std::string shared{kShared};
  shared.replace(shared.find("it is busy now"), 14, "it is busy not");
  const auto pack = load_pack(pack_text(kTop), "p.rules.toml", finder(shared));
  REQUIRE(pack);
  const auto failures = check_samples(*pack.value());
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].message.find("busy.shared.toml:6: rule 'busy' (included by p.rules.toml): ") ==
        0);
}

TEST_CASE("included rules: mistakes name file and line") {
  const std::string one = "include = [\"busy\"]\n";
  const auto with_layout = [&](std::string_view layout) {
    return failure(pack_text(one + "include_sample = '" + std::string{layout} + "'"));
  };
  CHECK(failure(pack_text(one)).find("p.rules.toml:4: 'include' needs 'include_sample'") == 0);
  CHECK(failure(pack_text("include_sample = 'x'"))
            .find("p.rules.toml:4: 'include_sample' without 'include'") == 0);
  CHECK(with_layout("2023- no place").find("p.rules.toml:5: include_sample: it has no place") == 0);
  CHECK(with_layout("2023- {sample:yaml}").find("unknown place '{sample:yaml}'") !=
        std::string::npos);
  CHECK(with_layout("2023- {sample.2}").find("or a line that the sample has not") !=
        std::string::npos);
  CHECK(failure(pack_text("include = [\"none\"]\ninclude_sample = '{sample}'"))
            .find("p.rules.toml:4: there is no file 'none.shared.toml' beside the pack") == 0);
  CHECK(failure(pack_text("include = [\"../etc\"]\ninclude_sample = '{sample}'"))
            .find("p.rules.toml:4: a shared file's name has") == 0);
  CHECK(failure(pack_text("include = [\"busy\", \"busy\"]\ninclude_sample = '{sample}'"))
            .find("p.rules.toml:4: 'busy' is included twice") == 0);
  CHECK(failure(pack_text(kTop), "[[rule]]\nid = \"x\"\nlitteral = \"abcd\"\n")
            .find("busy.shared.toml:3: unknown key 'litteral'") == 0);
  CHECK(failure(pack_text(kTop), "pack = \"x\"\n").find("busy.shared.toml:1: unknown key 'pack'") ==
        0);
  CHECK(failure(pack_text(kTop), "[[rule]]\nid = \"x\"\nliteral = \"abcd\"\npattern = '('\n")
            .find("busy.shared.toml:4: rule 'x'") == 0);
  CHECK(failure(pack_text(kTop),
                "[[rule]]\nid = \"x\"\nliteral = \"abcd\"\nsignal = \"message.committed\"\n")
            .find("busy.shared.toml:4: signal 'message.committed' is not in 'observes' of "
                  "p.rules.toml") == 0);
  CHECK(failure(pack_text(kTop), std::string(kSharedBytesMax + 1, '#'))
            .find("busy.shared.toml: a shared file has at most") == 0);
  std::string many;
  for (std::size_t i = 0; i <= kIncludesMax; ++i) many += "\"f" + std::to_string(i) + "\",";
  CHECK(failure(pack_text("include = [" + many + "]\ninclude_sample = '{sample}'"))
            .find("p.rules.toml:4: more than 16 included files") == 0);
}

TEST_CASE("included rules: a layout's places") {
  const std::string sample = "a \"b\" <c>\n\\d";
  const auto at = [&](std::string_view layout) {
    auto text = laid_out(layout, sample);
    REQUIRE_MESSAGE(text, layout);
    return std::move(text).value();
  };
  CHECK(at("x {sample} y") == "x a \"b\" <c>\n\\d y");
  CHECK(at("{sample:json}") == "a \\\"b\\\" <c>\\n\\\\d");
  CHECK(at("{sample:csv}") == "a \"\"b\"\" <c>\n\\d");
  CHECK(at("{sample:xml}") == "a \"b\" &lt;c&gt;\n\\d");
  CHECK(at("{sample:indented}") == "a \"b\" <c>\n      \\d");
  CHECK(at("{sample.1}|{sample.2}") == "a \"b\" <c>|\\d");
  CHECK(at("{sample.1:csv} {x}") == "a \"\"b\"\" <c> {x}");
  CHECK_FALSE(laid_out("nothing", sample));
  CHECK_FALSE(laid_out("{sample.3}", sample));
  CHECK_FALSE(laid_out("{sample", sample));
}

// One record of which two rules speak; `also` decides whether that is right.
TEST_CASE("samples: another rule may read a sample only where one of the two says so") {
  const auto rule = [](std::string_view id, std::string_view signal, std::string_view also) {
    return "[[rule]]\nid = \"" + std::string{id} + "\"\nsignal = \"" + std::string{signal} +
           "\"\nliteral = \"busy\"\n" + std::string{also} +
           "match = [\"2023-02-01 09:14:22 busy\"]\nno_match = []\n";
  };
  const auto failures = [&](std::string_view first, std::string_view second) {
    const auto pack =
        load_pack(pack_text("", rule("a-one", "db.slow", first) + rule("b", "infra.cpu", second)),
                  "p.rules.toml");
    REQUIRE_MESSAGE(pack, (pack ? "" : pack.error().message()));
    return check_samples(*pack.value());
  };
  const auto both = failures("", "");
  REQUIRE(both.size() == 2);
  CHECK(both[0].message.find("rule 'b' reads it too, as infra.cpu; if that is right, write also = "
                             "[\"b\"]") != std::string::npos);
  CHECK(failures("also = [\"b\"]\n", "").empty());
  CHECK(failures("", "also = [\"a-*\"]\n").empty());
  CHECK(failures("", "also = [\"b-*\"]\n").size() == 2);
}

TEST_CASE("samples: what another pack reads into a sample, its own pack must say too") {
  const auto pack = [](std::string_view id, std::string_view signal, std::string_view read_by) {
    std::string text =
        pack_text(read_by, "[[rule]]\nid = \"r\"\nsignal = \"" + std::string{signal} +
                               "\"\nliteral = \"busy\"\nmatch = [\"2023-02-01 09:14:22 "
                               "busy\"]\nno_match = []\n");
    text.replace(text.find("\"p\""), 3, "\"" + std::string{id} + "\"");
    auto loaded = load_pack(text, std::string{id} + ".rules.toml");
    REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().message()));
    return loaded.value();
  };
  const auto count = [&](std::string_view a, std::string_view b, std::string_view read_by = "") {
    return check_samples_across({pack("one", a, read_by), pack("two", b, "")}).size();
  };
  CHECK(count("db.slow", "db.slow") == 0);
  CHECK(count("db.slow", "db.timeout") == 2);
  CHECK(count("infra.cpu", "infra.memory") == 0);
  CHECK(count("infra.cpu", "db.slow") == 1);
  CHECK(count("db.slow", "db.timeout", "read_by = [\"two\"]") == 1);
}

}  // namespace
}  // namespace meldevakt::agent
