#include "agent/app/source_readers.h"

#include <utility>

#include "agent/source/evtx_source.h"
#include "agent/source/file_source.h"
#include "agent/source/host_metrics_source.h"
#include "agent/source/journal_source.h"
#include "agent/source/system_journal.h"
#include "common/platform/clock.h"

namespace meldevakt::agent {

std::string kind_of(SourceKind kind) {
  switch (kind) {
    case SourceKind::kFiles: return "file";
    case SourceKind::kMetrics: return "metrics";
    case SourceKind::kReceipts: return "receipts";
    case SourceKind::kJournal: return "journal";
    case SourceKind::kEvents: return "events";
  }
  return "file";
}

std::unique_ptr<SourceReader> make_source_reader(const SourceConfig& config,
                                                 std::vector<KnownFile> known, bool read_before) {
  switch (config.kind) {
    case SourceKind::kFiles:
    case SourceKind::kReceipts: break;
    case SourceKind::kMetrics:
      return std::make_unique<HostMetricsSource>(
          HostMetricsSource::Settings{.groups = config.metrics.groups,
                                      .every = config.metrics.every,
                                      .roots = config.metrics.roots,
                                      .boot_ns = [] { return SystemClock{}.boot_ns(); },
                                      .awake_ns = awake_ns},
          std::move(known));
    case SourceKind::kEvents:
      return std::make_unique<EvtxSource>(
          EvtxSource::Settings{.name = config.name, .globs = config.files}, known);
    case SourceKind::kJournal:
      // The configuration was checked when it was read.
      return std::make_unique<JournalSource>(
          JournalSource::Settings{
              .name = config.name,
              .filter = parse_journal_filter(config.journal, config.identifiers).value(),
              .open = open_system_journal(config.journal_folder)},
          known);
  }
  return std::make_unique<FileSource>(
      FileSource::Settings{.name = config.name, .globs = config.files}, std::move(known),
      read_before);
}

}  // namespace meldevakt::agent
