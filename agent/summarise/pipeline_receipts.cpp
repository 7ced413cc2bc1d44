// The part of a SourcePipeline that reads receipts: rows become facts as they are, and a file whose
// name says a period, and all of whose rows could be read, is complete for it.
#include <algorithm>
#include <utility>

#include "agent/summarise/pipeline_state.h"
#include "common/receipts/period.h"

namespace meldevakt::agent {
namespace {

// A file that did not grow for so long is taken to be whole.
constexpr Duration kWholeAfter = seconds(10);
// Facts that make a statement urgent: the memory they take is bounded by it, not by the file.
constexpr std::size_t kReceiptsUrgent = 10'000;
constexpr std::size_t kSavedPerBody = 10'000;
constexpr std::size_t kNotesMax = 20;  // between two calls of take_notes()
constexpr std::string_view kRowRule = "row";
constexpr std::string_view kCompleteRule = "complete";

}  // namespace

void SourcePipeline::name_file(const std::string& key, std::string_view name,
                               std::string_view log) {
  State::File& file = state_->files[key];
  if (state_->receipt_rows) file.name = name;
  if (file.log.empty()) file.log = log;
}

std::vector<std::string> SourcePipeline::take_notes() {
  std::vector<std::string> out = std::exchange(state_->notes, {});
  if (const std::uint64_t more = std::exchange(state_->more_notes, 0); more > 0) {
    out.push_back("and " + std::to_string(more) + " more rows are no receipts");
  }
  return out;
}

bool SourcePipeline::State::receipts_are_urgent() const {
  return receipts.size() >= kReceiptsUrgent;
}

void SourcePipeline::State::read_receipt(const Record& record, File& file,
                                         std::uint64_t kept_bytes) {
  const std::uint64_t row = ++file.rows;
  if (record.context) {  // it names the columns
    bytes.recognised += kept_bytes;
    return;
  }
  Result<Receipt> receipt = receipt_rows->read(record);
  if (!receipt) {
    ++file.bad_rows;
    bytes.unrecognised += kept_bytes;
    if (notes.size() == kNotesMax) {
      ++more_notes;
    } else {
      notes.push_back((file.name.empty() ? "a file" : file.name) + ": row " + std::to_string(row) +
                      " is no receipt: " + receipt.error().message());
    }
    return;
  }
  bytes.recognised += kept_bytes;
  if (receipt.value().sent) {
    file.newest_sent = std::max(file.newest_sent.value_or(Instant{}), *receipt.value().sent);
  }
  Fact fact;
  fact.id = receipt_fact_id(settings.fact_key, receipt.value());
  fact.source = settings.name;
  fact.rule = kRowRule;
  fact.what = std::move(receipt).value();
  receipts.push_back(std::move(fact));
}

// A file that is dropped whole may have no line end behind its last row: when it rests, that row is
// taken as it is. Should it go on all the same, its rest is a bad row, and is told.
void SourcePipeline::State::take_last_row(File& file, Instant now) {
  if (!receipt_rows || !file.framer || file.framer->pending_bytes() == 0) return;
  if (now - file.fed_at < kWholeAfter) return;
  file.framer->finish();
  take_records(file, now);
  const std::string carried = file.framer->carried();
  const std::optional<Encoding> encoding = file.framer->encoding();
  const std::uint64_t end = file.framer->low_water();
  file.framer.emplace(framer_settings(*settings.pack), recogniser.line_tests(), end);
  if (encoding) file.framer->set_encoding(*encoding);
  file.framer->set_carried(carried);
}

// Claimed only up to the newest message in the file: when on the last day it was exported nobody
// knows.
void SourcePipeline::State::tell_complete(File& file, Instant now) {
  if (!receipt_rows || !file.framer || file.bad_rows != 0 || !file.newest_sent) return;
  if (file.complete_told == file.newest_sent || file.framer->pending_bytes() != 0) return;
  if (now - file.fed_at < kWholeAfter) return;
  const ReceiptSettings& portal = receipt_rows->settings();
  std::optional<Interval> period = period_in_name(file.name, *portal.zone);
  file.complete_told = file.newest_sent;
  if (!period) return;
  period->to = std::min({period->to, *file.newest_sent, now});
  if (period->to <= period->from) return;
  const ReceiptCoverage complete{portal.portal, *period};
  Fact fact;
  fact.id = receipt_fact_id(settings.fact_key, complete);
  fact.source = settings.name;
  fact.rule = kCompleteRule;
  fact.what = complete;
  receipts.push_back(std::move(fact));
}

// What waits for the next take, for the snapshot: the bodies it would be told in.
std::vector<std::string> SourcePipeline::State::saved_receipts() const {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < receipts.size(); at += kSavedPerBody) {
    const std::size_t end = std::min(receipts.size(), at + kSavedPerBody);
    Body body;
    body.salt = std::string(32, '\0');
    body.facts.assign(receipts.begin() + static_cast<std::ptrdiff_t>(at),
                      receipts.begin() + static_cast<std::ptrdiff_t>(end));
    out.push_back(encode_body(body));
  }
  return out;
}

Status SourcePipeline::State::restore_receipts(const std::vector<std::string>& saved) {
  for (const std::string& text : saved) {
    MELDEVAKT_TRY_ASSIGN(Body body, decode_body(text));
    for (Fact& fact : body.facts) receipts.push_back(std::move(fact));
  }
  return {};
}

}  // namespace meldevakt::agent
