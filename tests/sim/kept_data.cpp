#include "tests/sim/kept_data.h"

#include <filesystem>
#include <fstream>

#include "collector/app/authority.h"
#include "collector/app/commands.h"
#include "collector/app/config.h"
#include "common/platform/clock.h"
#include "common/platform/disk.h"

namespace meldevakt::sim {
namespace {

constexpr std::string_view kConfig =
    "# Left by scripts/replay-2023. Try: meldevakt-collector incidents list --config "
    "collector.toml\n"
    "# Nothing was read after it: ask 'fleet report' with the --until that the replay printed.\n"
    "data  = \"data\"\n"
    "names = [\"localhost\", \"127.0.0.1\"]\n"
    "\n"
    "[agents]\n"
    "listen = \"127.0.0.1:0\"\n"
    "\n"
    "[people]\n"
    "listen = \"127.0.0.1:0\"\n"
    "\n"
    "[[portal]]\n"
    "name = \"npb\"\n"
    "zone = \"Europe/Oslo\"\n";

}  // namespace

Result<std::string> make_kept_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Error{Errc::kIo, folder + ": " + error.message()};
  if (!std::filesystem::is_empty(folder, error)) {
    return Error{Errc::kExists, folder + " is not empty; name a folder that is, or a new one"};
  }
  const std::string path = folder + "/collector.toml";
  MELDEVAKT_TRY(write_file_atomically(path, kConfig, FileMode::kEveryoneReads, Replace::kNever));
  MELDEVAKT_TRY_ASSIGN(const collector::Config config, collector::load_config(path));
  SystemClock clock;
  MELDEVAKT_TRY(make_private_directory(config.data));
  MELDEVAKT_TRY(collector::create_authority(config, clock.now()));
  return config.data;
}

}  // namespace meldevakt::sim
