// What the tests of FileSource share: a sink that remembers, and files of a log in a temporary
// folder.
#pragma once

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/source/file_source.h"
#include "tests/unit/agent/temp_folder.h"

namespace meldevakt::agent {

// Keeps what a pipeline would: one letter a file, in the order files were begun.
class Recorder : public FileSink {
 public:
  void name_file(const std::string&, const std::string&, const std::string& log) override {
    logs.push_back(log.substr(log.rfind('/') + 1));
  }
  void unread(const UnreadFiles& unread) override {
    std::string said = unread.several_logs ? "several" : "one";
    if (unread.refused) said += " refused";
    for (const UnreadFiles::File& file : unread.files) {
      said += " " + file.log.substr(file.log.rfind('/') + 1);
    }
    unreads.push_back(said);
  }
  void begin_file(const std::string& key, std::uint64_t offset) override {
    if (!letters_.contains(key)) {
      letters_[key] = static_cast<char>('A' + letters_.size());
      keys.push_back(key);
    }
    told += std::string{"+"} + letters_[key];
    if (offset > 0) told += "@" + std::to_string(offset);
    told += " ";
    at_[key] = offset;
  }
  void feed(const std::string& key, std::string_view bytes) override {
    REQUIRE(at_.contains(key));
    told += std::string{letters_[key]} + ":" + std::string{bytes} + " ";
    at_[key] += bytes.size();
    all += bytes;
  }
  void end_file(const std::string& key, FileEnd end) override {
    REQUIRE(at_.contains(key));
    told += std::string{letters_[key]} + (end == FileEnd::kComplete ? "$ "
                                          : end == FileEnd::kCut    ? "~ "
                                                                    : "! ");
    at_.erase(key);
  }
  [[nodiscard]] std::uint64_t low_water(const std::string& key) const { return at_.at(key); }

  std::string told;
  std::string all;
  std::vector<std::string> keys;  // in the order they were begun
  std::vector<std::string> logs;  // ... and named
  std::vector<std::string> unreads;

 private:
  std::map<std::string, char> letters_;
  std::map<std::string, std::uint64_t> at_;
};

// An agent's use of one source, with the stored rows between runs.
class Play {
 public:
  explicit Play(std::vector<std::string> globs) {
    for (std::string& glob : globs) globs_.push_back(folder / glob);
    start();
  }
  void start() {
    std::vector<KnownFile> known;
    for (const auto& [key, file] : stored_) known.push_back(file);
    source_ = std::make_unique<FileSource>(FileSource::Settings{.name = "trace",
                                                                .globs = globs_,
                                                                .known_files_max = known_files_max,
                                                                .open_files_max = open_files_max},
                                           known, ran_before_);
  }
  // One turn and its commit. Returns what the sink was told since the last call.
  std::string turn() {
    last = source_->poll(sink, now_, bytes_max);
    now_ = now_ + milliseconds(100);
    return std::exchange(sink.told, {});
  }
  void commit() {
    FileChanges changes =
        source_->changes([&](const std::string& key) { return sink.low_water(key); });
    for (const std::string& key : changes.forgotten) stored_.erase(key);
    for (KnownFile& file : changes.changed) stored_[file.key] = file;
    ran_before_ = true;
  }
  std::string run(int turns = 2) {
    std::string told;
    for (int i = 0; i < turns; ++i) {
      told += turn();
      commit();
    }
    return told;
  }
  void restart() {
    commit();
    crash();
  }
  void crash() {
    sink.told.clear();
    start();
  }
  std::string notes() {
    std::string out;
    for (const SourceNote& note : source_->take_notes()) {
      std::string text = note.text;
      for (auto at = text.find(folder.path()); at != std::string::npos;
           at = text.find(folder.path())) {
        text.erase(at, folder.path().size() + 1);
      }
      out += (note.warning ? "W " : "I ") + text + "\n";
    }
    return out;
  }
  void pass(Duration time) { now_ = now_ + time; }
  [[nodiscard]] FileSource& reader() { return *source_; }
  [[nodiscard]] std::size_t stored() const { return stored_.size(); }

  testing::TempFolder folder;
  Recorder sink;
  FileSource::Turn last;
  std::size_t bytes_max = 1 << 20;
  std::size_t known_files_max = kKnownFilesMax;  // from the next start() on
  std::size_t open_files_max = kOpenFilesMax;

 private:
  std::vector<std::string> globs_;
  std::map<std::string, KnownFile> stored_;
  bool ran_before_ = false;
  Instant now_{1'600'000'000'000};
  std::unique_ptr<FileSource> source_;
};

inline std::string block(char c, std::size_t size) {
  std::string out(size, c);
  out.back() = '\n';
  return out;
}

// Names in time-stamp order: writes within one tick of the file system's clock would be a tie.
inline void age(const Play& play, std::string_view name, int seconds_ago) {
  const auto time =
      std::filesystem::file_time_type::clock::now() - std::chrono::seconds(seconds_ago);
  std::filesystem::last_write_time(play.folder / name, time);
}

}  // namespace meldevakt::agent
