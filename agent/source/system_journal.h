// The journal of this host, or of a folder, by libsystemd.
//
//   JournalSource source{{.name = "os", .filter = filter, .open = open_system_journal("")}, known};
//
// The library is loaded when the journal is first opened (dlopen of libsystemd.so.0), so that the
// agent starts on a host that has none; then opening is refused with kNotFound and says so.
//
// `folder`: "" is this host's own journal, volatile and persistent, of all users. A folder is a
// read-only copy, or one that systemd-journal-remote writes for one host.
//
// New files are noticed by inotify; where the system has no watch left, refresh() refuses and the
// journal is opened anew, once a second at most.
//
// Known limit of libsystemd: it maps files. A file that is cut short while it is read (nobody does,
// journald only gives back room that it never used) would end the process with SIGBUS.
//
// Thread-safety: one object belongs to one thread. Errors: Journal's.
#pragma once

#include <string>

#include "agent/source/journal.h"

namespace meldevakt::agent {

// `library`: another name for tests.
[[nodiscard]] OpenJournal open_system_journal(std::string folder,
                                              std::string library = "libsystemd.so.0");

}  // namespace meldevakt::agent
