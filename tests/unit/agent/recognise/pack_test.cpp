#include "agent/recognise/pack.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/ports/sha256.h"

namespace meldevakt::agent {
namespace {

// A small pack; `${x}` places are where the cases below put their mistakes.
std::string pack_text(std::string_view head, std::string_view record, std::string_view rule) {
  std::string text =
      "pack = \"prove\"\nversion = \"1.0.0\"\nobserves = [\"message.committed\", "
      "\"message.save_failed\"]\n";
  text.append(head).append("\n[record]\nstarts = '\\d{4}-'\ntime = \"%Y-%m-%d %H:%M:%S\"\n");
  text.append(record)
      .append("\n[[rule]]\nid = \"a\"\nliteral = \"er lagret\"\n")
      .append(rule)
      .append("\n");
  return text;
}

std::string failure_of(const std::string& text) {
  const auto pack = load_pack(text, "prove.rules.toml");
  return pack ? "" : pack.error().message();
}

TEST_CASE("pack: a small one loads, with the documented defaults") {
  const std::string text = pack_text("", "", "");
  const auto loaded = load_pack(text, "prove.rules.toml");
  REQUIRE(failure_of(text) == "");
  const Pack& pack = *loaded.value();
  CHECK(pack.identity.id == "prove");
  CHECK(pack.identity.version == "1.0.0");
  CHECK(pack.identity.sha256 == sha256(text));
  CHECK(pack.observes ==
        std::vector<Signal>{Signal::kMessageSaveFailed, Signal::kMessageCommitted});
  CHECK(pack.encodings == std::vector<Encoding>{Encoding::kUtf8});
  CHECK(pack.record_lines_max == 400);
  CHECK(pack.record_idle == seconds(2));
  CHECK(pack.scope_age_max == seconds(30));
  CHECK(pack.default_zone.empty());
}

TEST_CASE("pack: everything that can be said is read") {
  const auto loaded = load_pack(
      "product = \"prøve\"\nencoding = [\"utf-16le\", \"windows-1252\"]\n" +
          pack_text(
              "[scope]\nage_max = \"1m\"\nlook_back = \"500 ms\"\nlook_back_signals_max = 3",
              "zone = \"Europe/Oslo\"\nlines_max = 7\nbytes_max = 2048\nidle = \"3s\"\nflush_lag = "
              "\"4s\"\n"
              "scope = { request = 'r=(\\d+)', thread = '\\[(\\d+)\\]' }\nprocess = 'pid=(\\d+)'\n"
              "time_at = '(\\d{4}-)'\nbody = '[^-]*-(x)'",
              "signal = \"message.save_failed\"\noutcome = \"rolled_back\"\nform = \"PRIVAT\"\n"
              "any_literal = [\"abc\", \"def\"]\npattern = 'feil (?<number>{number}) (?<ms>{ms})'\n"
              "code_prefix = \"x/\"\nms_min = 10\nopens = \"overload\"\ndriver = \"backup\"\n"
              "ends_scope = true\nrestarts_process = true\nstop = true\nmatch = []\nno_match = "
              "[\"x\"]"),
      "prove.rules.toml");
  REQUIRE(loaded.has_value());
  const Pack& pack = *loaded.value();
  CHECK(pack.product == "prøve");
  CHECK(pack.encodings == std::vector<Encoding>{Encoding::kUtf16Le, Encoding::kWindows1252});
  CHECK(pack.record_lines_max == 7);
  CHECK(pack.record_bytes_max == 2048);
  CHECK(pack.record_idle == seconds(3));
  CHECK(pack.flush_lag == seconds(4));
  CHECK(pack.scope_age_max == minutes(1));
  CHECK(pack.look_back_max == milliseconds(500));
  CHECK(pack.look_back_signals_max == 3);
  CHECK(pack.default_zone == "Europe/Oslo");
}

TEST_CASE("pack: each mistake is named with file, line and remedy") {
  struct Case {
    std::string_view name;
    std::string text;
    std::string_view want;
  };
  const std::string fails = "signal = \"message.save_failed\"\n";
  const std::vector<Case> cases{
      {"not TOML", "pack = \n", "prove.rules.toml:1: "},
      {"unknown key", pack_text("verison = \"1\"", "", ""),
       "prove.rules.toml:4: unknown key 'verison' in the pack; did you mean 'version'?"},
      {"unknown key in a table", pack_text("", "strats = 'x'", ""),
       "prove.rules.toml:8: unknown key 'strats' in [record]; did you mean 'starts'?"},
      {"unknown key in a rule", pack_text("", "", "litteral = \"x\""),
       "prove.rules.toml:12: unknown key 'litteral' in [[rule]]; did you mean 'literal'?"},
      {"unknown key in [scope]", pack_text("[scope]\nage = \"1s\"", "", ""),
       "unknown key 'age' in [scope]"},
      {"wrong type", pack_text("", "lines_max = \"many\"", ""),
       ":8: a whole number is needed here"},
      {"text wanted", pack_text("product = 1", "", ""), ":4: a string is needed here"},
      {"flag wanted", pack_text("", "", "stop = 1"), ":12: true or false is needed here"},
      {"list of texts wanted", pack_text("", "", "match = [1]"), "a string is needed here"},
      {"table wanted", pack_text("", "scope = 'x'", ""), "a table of patterns is needed here"},
      {"no pack", "version = \"1\"\n", "the key 'pack' is missing"},
      {"no record", "pack = \"p\"\nversion = \"1\"\nobserves = [\"db.slow\"]\n",
       "[record] is missing"},
      {"no observes", "pack = \"p\"\nversion = \"1\"\n", "'observes' is missing"},
      {"no rule",
       "pack = \"p\"\nversion = \"1\"\nobserves = "
       "[\"db.slow\"]\n[record]\nstarts='x'\ntime=\"%Y%m%d%H%M\"\n",
       "no [[rule]]"},
      {"bad name", "pack = \"P p\"\nversion = \"1\"\n", ":1: a name has"},
      {"a number in disguise", "pack = \"p-01017012345\"\nversion = \"1\"\n", ":1: a name has"},
      {"unknown signal", pack_text("", "", "signal = \"message.comitted\""),
       ":12: unknown signal 'message.comitted'; did you mean 'message.committed'?"},
      {"unobserved signal", pack_text("", "", "signal = \"message.received\""),
       "not in 'observes'"},
      {"unknown encoding", pack_text("encoding = \"utf8\"", "", ""), "did you mean 'utf-8'?"},
      {"bad time", pack_text("", "", "").replace(pack_text("", "", "").find("%M"), 2, "%Q"),
       ":7: unknown conversion %Q"},
      {"bad duration", pack_text("", "idle = \"soon\"", ""), ":8: "},
      {"long duration", pack_text("", "idle = \"24h\"", ""), ":8: must be at most 600s"},
      {"out of bounds", pack_text("", "lines_max = 0", ""), ":8: must be between 1 and 100000"},
      {"scope without a group", pack_text("", "scope = { thread = '\\d' }", ""),
       ":8: scope thread: the pattern has 0"},
      {"bad pattern", pack_text("", "", "pattern = '(a+)+'"),
       ":12: rule 'a': unbounded repetition inside"},
      {"field without a type", pack_text("", "", "pattern = '(?<navn>x)'"),
       ":12: rule 'a': unknown field 'navn'"},
      {"short literal", pack_text("", "", "any_literal = \"ab\""),
       ":12: a literal has at least 3 bytes"},
      {"no literal", pack_text("", "", "[[rule]]\nid = \"b\"\npattern = 'abc'"),
       "rule 'b' has no literal"},
      {"no id", pack_text("", "", "[[rule]]\nliteral = \"abc\""), "a rule without 'id'"},
      {"twice the id", pack_text("", "", "[[rule]]\nid = \"a\"\nliteral = \"abc\""),
       "two rules with the id 'a'"},
      {"failure without outcome", pack_text("", "", fails), "rule 'a' needs 'outcome'"},
      {"unknown outcome", pack_text("", "", fails + "outcome = \"lost\""),
       "unknown outcome 'lost'"},
      {"outcome of a commit",
       pack_text("", "", "signal = \"message.committed\"\noutcome = \"failed\""),
       "only message.save_failed has an outcome"},
      {"prefix without a field", pack_text("", "", "code_prefix = \"pg/\""),
       "'code_prefix' needs a field"},
      {"field without a prefix", pack_text("", "", "pattern = '(?<number>{number})'"),
       "needs 'code_prefix'"},
      {"code and prefix",
       pack_text("", "", "code = \"x\"\ncode_prefix = \"pg/\"\npattern='(?<number>{number})'"),
       "not both"},
      {"code with blanks", pack_text("", "", "code = \"a b\""), "a code has at most 48"},
      {"ms_min without ms", pack_text("", "", "ms_min = 5"), "'ms_min' needs a field"},
      {"opens what", pack_text("", "", "signal = \"db.slow\"\nopens = \"door\""),
       "only \"overload\""},
      {"opens without a signal", pack_text("", "", "opens = \"overload\""),
       "'opens' needs a signal"},
      {"bad form", pack_text("", "", "form = \"HEMMELIG\""), "unknown form"},
      {"too big", std::string(2 * 1024 * 1024, '#'), "at most 1048576 bytes"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const std::string got = failure_of(c.text);
    CAPTURE(got);
    CHECK(got.find(c.want) != std::string::npos);
    CHECK(got.find("prove.rules.toml") == 0);
  }
}

TEST_CASE("pack: bytes that are no pack are refused, never worse") {
  const std::string good = pack_text("", "", "match = [\"2023-02-01 09:14:22 er lagret\"]");
  for (std::size_t cut = 0; cut < good.size(); ++cut) (void)failure_of(good.substr(0, cut));
  for (std::size_t at = 0; at < good.size(); at += 3) {
    std::string bad = good;
    bad[at] = '\0';
    CHECK_FALSE(failure_of(bad).empty());
  }
  CHECK_FALSE(failure_of(std::string(100'000, '[')).empty());
}

std::vector<std::string> sample_failures(const std::string& rule) {
  const auto pack = load_pack(pack_text("", "", rule), "prove.rules.toml");
  REQUIRE(pack.has_value());
  std::vector<std::string> out;
  for (const SampleFailure& failure : check_samples(*pack.value())) out.push_back(failure.message);
  return out;
}

TEST_CASE("pack: samples are held to what they promise") {
  struct Case {
    std::string_view name;
    std::string rule;
    std::string_view want;  // "" = they hold
  };
  const std::string commit =
      "signal = \"message.committed\"\npattern = '(?<ref:portal_message_id>{uuid}) er lagret'\n";
  const std::string id = "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";
  const std::vector<Case> cases{
      {"holds",
       commit + "match = [\"2023-02-01 09:14:22 " + id +
           " er lagret\"]\nno_match = [\"2023-02-01 09:14:22 x er lagret\"]",
       ""},
      {"several lines",
       commit + "match = [\"\"\"\n2023-02-01 09:14:22 x\n " + id + " er lagret\n\"\"\"]", ""},
      {"does not match", commit + "match = [\"2023-02-01 09:14:22 alt er lagret\"]",
       ":14: rule 'a': sample '2023-02-01 09:14:22 alt er lagret': the rule does not match"},
      {"matches and must not", commit + "no_match = [\"2023-02-01 09:14:22 " + id + " er lagret\"]",
       "the rule matches, and must not"},
      {"no header", commit + "match = [\"kl. 9 " + id + " er lagret\"]", "does not match 'starts'"},
      {"two records",
       commit + "match = [\"\"\"\n2023-02-01 09:14:22 x\n2023-02-01 09:14:22 " + id +
           " er lagret\"\"\"]",
       "its line 2 starts a record"},
      {"no time", commit + "match = [\"2023-02-31 09:14:22 " + id + " er lagret\"]",
       "its time cannot be read"},
      {"not the portal's id",
       commit + "match = [\"2023-02-01 09:14:22 5b0c8f0e-6f0e-1a44-9a39-1d6f0c1b7a10 er lagret\"]",
       "not of its type"},
      {"shadowed",
       commit +
           "[[rule]]\nid = \"b\"\nsignal = \"message.committed\"\nliteral = \"lagret\"\nmatch = "
           "[\"2023-02-01 09:14:22 " +
           id + " er lagret\"]",
       "rule 'a' matched before it"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const std::vector<std::string> got = sample_failures(c.rule);
    if (c.want.empty()) {
      CHECK(got.empty());
      continue;
    }
    REQUIRE(got.size() == 1);
    CAPTURE(got.front());
    CHECK(got.front().find(c.want) != std::string::npos);
  }
}

TEST_CASE("pack: another pack must not read a sample as another step of a message") {
  const std::string sample = "match = [\"2023-02-01 09:14:22 alt er lagret\"]";
  const auto commits =
      load_pack(pack_text("", "", "signal = \"message.committed\"\n" + sample), "one.rules.toml");
  const auto fails = load_pack(
      pack_text("", "", "signal = \"message.save_failed\"\noutcome = \"failed\"\n" + sample),
      "two.rules.toml");
  const auto mute = load_pack(pack_text("", "", ""), "three.rules.toml");
  REQUIRE((commits.has_value() && fails.has_value() && mute.has_value()));
  CHECK(check_samples_across({commits.value(), mute.value()}).empty());
  const auto failures = check_samples_across({commits.value(), fails.value()});
  REQUIRE(failures.size() == 2);
  CHECK(failures.front().message.find("one.rules.toml") != std::string::npos);
  CHECK(failures.front().message.find("message.save_failed") != std::string::npos);
  CHECK(failures.back().message.find("two.rules.toml") != std::string::npos);
  CHECK(failures.back().message.find("message.committed") != std::string::npos);
}

}  // namespace
}  // namespace meldevakt::agent
