// What the names of log files tell: globs, rotated siblings, dated names, compressed ones. Names
// never identify a file (file_identity.h does); they only say where to look and in which order to
// read what was written at the same moment.
//
// Thread-safety: pure functions.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meldevakt::agent {

// "app.log" -> "app.log.1", "app.log-20230201", "app.log.2023-02-01", "app.log.old", "app.1.log",
// "app-20230201.log". Both without folder. A name is no sibling of itself.
[[nodiscard]] bool is_rotated_sibling(std::string_view name, std::string_view of);

// Every name that `name` could be a rotated sibling of: is_rotated_sibling(name, of) holds exactly
// for these. So that a folder of ten thousand names is looked through once.
[[nodiscard]] std::vector<std::string> rotated_from(std::string_view name);

// The name with its date (and a time after it) replaced by '#': files that differ only there follow
// each other. nullopt when there is no date in it. "postgresql-2023-02-01_091422.log" ->
// "postgresql-#.log"
[[nodiscard]] std::optional<std::string> dated_name_mask(std::string_view name);

// The log that a file is a part of, by its path: files of one log follow each other, as rotation
// makes them; others may be written at the same time. "/l/app.log.2.gz" -> "/l/app.log",
// "/l/app-2023-02-01.log" -> "/l/app-#.log". Two nodes may well write app-1.log and app-2.log, so
// that a number before the ending is a rotation's only where the name without it `is_there`.
[[nodiscard]] std::string log_of_path(std::string_view path,
                                      const std::function<bool(const std::string& path)>& is_there);

// ".gz", ".zip", ".zst" and the like, in any letter case.
[[nodiscard]] bool is_compressed_name(std::string_view name);
// The name without such an ending: what the file was called before it was compressed.
[[nodiscard]] std::string_view uncompressed_name(std::string_view name);

// Which of two names of files written at the same moment is older: "app.log.2" before "app.log.1"
// before "app.log"; otherwise by name (dates sort so). Compares whole paths.
[[nodiscard]] bool older_by_name(std::string_view a, std::string_view b);

// Shell wildcards '*', '?' and '[...]' in one path component; a leading dot must be written.
[[nodiscard]] bool has_wildcard(std::string_view component);
[[nodiscard]] bool matches(const std::string& pattern, const std::string& name);

[[nodiscard]] std::string_view folder_of(std::string_view path);  // "." when there is none
[[nodiscard]] std::string_view name_of(std::string_view path);
[[nodiscard]] std::string joined(std::string_view folder, std::string_view name);

}  // namespace meldevakt::agent
