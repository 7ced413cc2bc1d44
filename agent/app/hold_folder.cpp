#include "agent/app/hold_folder.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "common/platform/disk.h"

namespace meldevakt::agent {

namespace fs = std::filesystem;

std::string FolderHoldDisk::path(const std::string& hold, const std::string& name) const {
  std::string out = folder_;
  if (!hold.empty()) out += "/" + hold;
  if (!name.empty()) out += "/" + name;
  return out;
}

Status FolderHoldDisk::write(const std::string& hold, const std::string& name,
                             std::string_view bytes) {
  MELDEVAKT_TRY(make_private_directory(path(hold, "")));
  return write_file_atomically(path(hold, name), bytes, FileMode::kOwnerOnly, Replace::kAllowed);
}

Result<std::string> FolderHoldDisk::read(const std::string& hold, const std::string& name,
                                         std::size_t bytes_max) {
  return read_file(path(hold, name), bytes_max);
}

bool FolderHoldDisk::has(const std::string& hold, const std::string& name) {
  std::error_code refused;
  return fs::exists(path(hold, name), refused);
}

std::vector<std::string> FolderHoldDisk::names(const std::string& hold) {
  std::vector<std::string> out;
  std::error_code refused;
  for (fs::directory_iterator it{path(hold, ""), refused}, end; !refused && it != end;
       it.increment(refused)) {
    out.push_back(it->path().filename().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

Status FolderHoldDisk::remove(const std::string& hold, const std::string& name) {
  std::error_code refused;
  fs::remove(path(hold, name), refused);
  if (!refused) return {};
  return Error{Errc::kIo, "cannot remove '" + path(hold, name) + "': " + refused.message()};
}

Result<std::uint64_t> FolderHoldDisk::free_bytes() {
  MELDEVAKT_TRY(make_private_directory(folder_));
  std::error_code refused;
  const fs::space_info space = fs::space(folder_, refused);
  if (!refused) return static_cast<std::uint64_t>(space.available);
  return Error{Errc::kIo, "cannot ask how much room '" + folder_ + "' has: " + refused.message()};
}

}  // namespace meldevakt::agent
