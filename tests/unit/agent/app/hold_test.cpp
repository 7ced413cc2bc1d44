// Holds from end to end: an agent that reads a log that rotates, is killed, and the real program
// that lists, opens and erases what it kept.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/agent/app/holding.h"
#include "tests/unit/agent/app/program.h"

namespace meldevakt::agent {
namespace {

using testing::has;
using testing::Holding;
using testing::Ran;

TEST_CASE("hold: the log around a finding comes back byte for byte, after rotations and kills") {
  Holding w;
  w.live();
  const nlohmann::json holds = w.list();
  REQUIRE(holds.size() == 1);
  CAPTURE(holds[0].dump());
  CHECK(holds[0]["state"] == "closed");
  CHECK(holds[0]["complete"] == true);
  CHECK(holds[0]["findings"][0]["kind"] == "receipt_without_commit");
  const std::string id = holds[0]["id"];
  const Ran opened =
      w.hold({"open", id.substr(0, 12), "--to", w.folder / "ut", "--format", "json"});
  CHECK(opened.err.empty());
  REQUIRE(opened.status == kExitDone);
  CHECK_FALSE(has(opened.out, "Saksflyt"));
  const auto report = nlohmann::json::parse(opened.out);
  std::string together;
  std::uint64_t bytes = 0;
  for (const auto& file : report["files"]) {
    const std::string text = w.folder.read("ut/" + file["file"].get<std::string>());
    bytes += text.size();
    CHECK(has(w.all(), text));  // a stretch of what was written, as it was written
    together += text;
  }
  CHECK(bytes == report["log_bytes"]);
  for (int second = 0; second < 590; second += 4) {
    CHECK(has(together, "steg " + std::to_string(second) + " "));
  }
  CHECK(has(w.folder.read("ut/hold-manifest.json"), "meldevakt-hold-1"));
  const auto mode = std::filesystem::status(w.folder / ("state/hold/" + id)).permissions();
  CHECK(mode == std::filesystem::perms::owner_all);
  // A second time into the same folder: refused. A changed part: said, exit 1, the rest is given.
  CHECK(w.hold({"open", id, "--to", w.folder / "ut"}).status == kExitUsage);
  const std::string part = "state/hold/" + id + "/part-000001.hold";
  std::string damaged = w.folder.read(part);
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  w.folder.write(part, damaged);
  const Ran again = w.hold({"open", id, "--to", w.folder / "ut2"});
  CHECK(again.status == kExitFindings);
  CHECK(has(again.out, "NOT VERIFIED part-000001.hold"));
}

TEST_CASE("hold: without the private key nobody opens; erased by hand says why") {
  Holding w;
  w.start();
  w.folder.write("agent.toml", w.config_text());
  w.folder.write("pass", "fire ord som ikke hører sammen\n");
  std::filesystem::permissions(w.folder / "pass", std::filesystem::perms::owner_read);
  const Ran key =
      w.hold({"key", "--to", w.folder / "key.pem", "--passphrase-file", w.folder / "pass"});
  CAPTURE(key.err);
  REQUIRE(key.status == kExitDone);
  CHECK(has(w.folder.read("key.pem"), "ENCRYPTED PRIVATE KEY"));
  w.live();
  const std::string id = w.list()[0]["id"];
  const Ran closed = w.hold({"open", id, "--to", w.folder / "ut"});
  CHECK(closed.status == kExitFindings);
  CHECK(has(closed.out, "give its file with --key"));
  const Ran opened = w.hold({"open", id, "--to", w.folder / "ut2", "--key", w.folder / "key.pem",
                             "--passphrase-file", w.folder / "pass"});
  CHECK(opened.status == kExitDone);
  w.folder.write("wrong", "noe annet\n");
  std::filesystem::permissions(w.folder / "wrong", std::filesystem::perms::owner_read);
  CHECK(w.hold({"open", id, "--to", w.folder / "ut3", "--key", w.folder / "key.pem",
                "--passphrase-file", w.folder / "wrong"})
            .status == kExitUsage);
  CHECK(w.hold({"erase", id, "--reason", "krav om sletting"}).status == kExitDone);
  CHECK(w.list()[0]["state"] == "erased");
  w.run(seconds(65));
  CHECK(has(w.list()[0]["erased_why"], "krav om sletting"));
  CHECK_FALSE(std::filesystem::exists(w.folder / ("state/hold/" + id)));
  CHECK(w.hold({"open", id, "--to", w.folder / "ut4"}).status == kExitUsage);
  CHECK(w.hold({"open", "nothing", "--to", w.folder / "ut5"}).status == kExitUsage);
}

TEST_CASE("hold: off means off") {
  Holding w{"[hold]\nenabled = false\n"};
  w.live();
  CHECK(w.list().empty());
  CHECK_FALSE(std::filesystem::exists(w.folder / "state/hold"));
}

TEST_CASE("hold: an unreadable setting is refused with its line") {
  for (const auto& [text, what] : std::vector<std::pair<std::string, std::string>>{
           {"days = 0", "1 to 3650"},
           {"bytes = \"1 kB\"", "at least 10 MB"},
           {"before = \"3h\"", "between"},
           {"enabled = \"yes\"", "true or false"},
           {"byte = \"1 GB\"", "did you mean 'bytes'"}}) {
    CAPTURE(text);
    const auto config =
        parse_config("[hold]\n" + text +
                         "\n[[tenant]]\nname = \"A\"\n[[source]]\nname = "
                         "\"trace\"\nfiles = [\"/x.log\"]\npack = \"familia-like\"\n",
                     "agent.toml");
    REQUIRE_FALSE(config);
    CHECK(has(config.error().message(), "agent.toml:2: "));
    CHECK(has(config.error().message(), what));
  }
}

}  // namespace
}  // namespace meldevakt::agent
