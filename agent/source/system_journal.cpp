#include "agent/source/system_journal.h"

#include <dirent.h>
#include <dlfcn.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace meldevakt::agent {
namespace {

// What is used of the library, by its own types.
struct Library {
  decltype(&sd_journal_open) open = nullptr;
  decltype(&sd_journal_open_directory) open_directory = nullptr;
  decltype(&sd_journal_close) close = nullptr;
  decltype(&sd_journal_set_data_threshold) set_data_threshold = nullptr;
  decltype(&sd_journal_get_fd) get_fd = nullptr;
  decltype(&sd_journal_process) process = nullptr;
  decltype(&sd_journal_seek_head) seek_head = nullptr;
  decltype(&sd_journal_seek_cursor) seek_cursor = nullptr;
  decltype(&sd_journal_next) next = nullptr;
  decltype(&sd_journal_get_cursor) get_cursor = nullptr;
  decltype(&sd_journal_restart_data) restart_data = nullptr;
  decltype(&sd_journal_enumerate_available_data) enumerate_data = nullptr;
};

template <typename Function>
bool find(void* handle, const char* name, Function& out) {
  out = reinterpret_cast<Function>(::dlsym(handle, name));
  return out != nullptr;
}

// It stays loaded until the process ends.
Result<Library> load(const std::string& name) {
  void* const handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return Error{Errc::kNotFound, "there is no " + name +
                                      " on this host, so no systemd journal can be read: install "
                                      "the package libsystemd0, or take the source out"};
  }
  Library out;
  const bool all = find(handle, "sd_journal_open", out.open) &&
                   find(handle, "sd_journal_open_directory", out.open_directory) &&
                   find(handle, "sd_journal_close", out.close) &&
                   find(handle, "sd_journal_set_data_threshold", out.set_data_threshold) &&
                   find(handle, "sd_journal_get_fd", out.get_fd) &&
                   find(handle, "sd_journal_process", out.process) &&
                   find(handle, "sd_journal_seek_head", out.seek_head) &&
                   find(handle, "sd_journal_seek_cursor", out.seek_cursor) &&
                   find(handle, "sd_journal_next", out.next) &&
                   find(handle, "sd_journal_get_cursor", out.get_cursor) &&
                   find(handle, "sd_journal_restart_data", out.restart_data) &&
                   find(handle, "sd_journal_enumerate_available_data", out.enumerate_data);
  if (!all) {
    return Error{Errc::kNotFound,
                 name + " is older than systemd 246, so no systemd journal can be read"};
  }
  return out;
}

Error failed(std::string_view doing, int result) {
  const Errc code = result == -ENOENT ? Errc::kNotFound : Errc::kIo;
  return {code, "the systemd journal: " + std::string{doing} + ": " +
                    std::generic_category().message(-result)};
}

bool is_journal_file(std::string_view name) {
  return name.ends_with(".journal") || name.ends_with(".journal~");
}

void look_at(const std::string& folder, JournalAccess& out) {
  DIR* const opened = ::opendir(folder.c_str());
  if (opened == nullptr) {
    if (errno == EACCES && out.refused.empty()) out.refused = folder;
    return;
  }
  while (const dirent* const entry = ::readdir(opened)) {
    const std::string_view name{entry->d_name};
    if (!is_journal_file(name)) continue;
    const std::string path = folder + "/" + std::string{name};
    if (::access(path.c_str(), R_OK) == 0) {
      ++out.files;
    } else if (errno == EACCES && out.refused.empty()) {
      out.refused = path;
    }
  }
  ::closedir(opened);
}

std::vector<std::string> folders_of(const std::string& folder) {
  if (!folder.empty()) return {folder};
  std::string machine;
  std::ifstream{"/etc/machine-id"} >> machine;
  return {"/var/log/journal/" + machine, "/run/log/journal/" + machine};
}

class SystemJournal final : public Journal {
 public:
  SystemJournal(const Library& library, sd_journal* journal, std::vector<std::string> folders)
      : library_{library}, journal_{journal}, folders_{std::move(folders)} {
    watched_ = library_.get_fd(journal_) >= 0;
    // A little more than is used, so that what is longer is seen to be.
    library_.set_data_threshold(journal_, kJournalFieldBytesMax + 1024);
  }
  ~SystemJournal() override { library_.close(journal_); }
  SystemJournal(const SystemJournal&) = delete;
  SystemJournal& operator=(const SystemJournal&) = delete;

  JournalAccess access() override {
    JournalAccess out;
    for (const std::string& folder : folders_) look_at(folder, out);
    return out;
  }

  Status refresh() override {
    if (!watched_) {
      if (std::exchange(fresh_, false)) return {};
      return Error{Errc::kUnavailable,
                   "the systemd journal cannot be watched and is opened again and again: raise "
                   "fs.inotify.max_user_instances and max_user_watches"};
    }
    const int result = library_.process(journal_);
    return result < 0 ? Status{failed("watching it", result)} : Status{};
  }

  Status seek_head() override {
    const int result = library_.seek_head(journal_);
    return result < 0 ? Status{failed("going to its oldest entry", result)} : Status{};
  }

  Status seek(const JournalCursor& cursor) override {
    const int result = library_.seek_cursor(journal_, to_string(cursor).c_str());
    return result < 0 ? Status{failed("going to where it was read to", result)} : Status{};
  }

  Result<bool> next() override {
    const int result = library_.next(journal_);
    if (result < 0) return failed("going to the next entry", result);
    return result > 0;
  }

  Result<JournalCursor> cursor() override {
    char* text = nullptr;
    const int result = library_.get_cursor(journal_, &text);
    if (result < 0) return failed("reading a cursor", result);
    auto out = parse_journal_cursor(text);
    std::free(text);
    return out;
  }

  Result<JournalEntry> entry() override {
    JournalEntry out;
    MELDEVAKT_TRY_ASSIGN(out.cursor, cursor());
    library_.restart_data(journal_);
    while (true) {
      const void* data = nullptr;
      std::size_t size = 0;
      const int result = library_.enumerate_data(journal_, &data, &size);
      if (result < 0) return failed("reading an entry", result);
      if (result == 0 || out.fields.size() == kFieldsReadMax) return out;
      const std::string_view field{static_cast<const char*>(data), size};
      const std::size_t equals = field.find('=');
      if (equals == std::string_view::npos) continue;
      if (!is_used_journal_field(field.substr(0, equals))) continue;
      const std::string_view value = field.substr(equals + 1, kJournalFieldBytesMax + 4);
      out.fields.push_back({std::string{field.substr(0, equals)}, std::string{value}});
    }
  }

 private:
  static constexpr std::size_t kFieldsReadMax = 1024;

  const Library library_;
  sd_journal* journal_;
  std::vector<std::string> folders_;
  bool watched_ = false;
  bool fresh_ = true;
};

Result<std::unique_ptr<Journal>> open(const std::string& folder, const std::string& name) {
  MELDEVAKT_TRY_ASSIGN(const Library library, load(name));
  sd_journal* journal = nullptr;
  const int result = folder.empty() ? library.open(&journal, SD_JOURNAL_LOCAL_ONLY)
                                    : library.open_directory(&journal, folder.c_str(), 0);
  if (result < 0) {
    return failed(folder.empty() ? std::string{"opening it"} : "opening " + folder, result);
  }
  return std::unique_ptr<Journal>{
      std::make_unique<SystemJournal>(library, journal, folders_of(folder))};
}

}  // namespace

OpenJournal open_system_journal(std::string folder, std::string library) {
  return
      [folder = std::move(folder), library = std::move(library)] { return open(folder, library); };
}

}  // namespace meldevakt::agent
