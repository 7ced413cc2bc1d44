#include "agent/summarise/statement_builder.h"

#include <algorithm>
#include <utility>

#include "agent/summarise/coverage.h"
#include "common/base/limits.h"
#include "common/pack/pack.h"
#include "common/ports/sha256.h"
#include "common/seal/dsse.h"
#include "common/summary/fact.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kSaltBytes = 32;
// So many facts are tried as one body first: far within the bounds with facts as they mostly are,
// and enough for zstd to find what repeats.
constexpr std::size_t kFactsPerBody = 5000;
// Of a frame: its magic and lengths, beside envelope and bodies.
constexpr std::size_t kFrameOverhead = 256;
constexpr std::size_t kBodiesBytesMax =
    limits::kFrameBytesMax - limits::kEnvelopeBytesMax - kFrameOverhead;
constexpr std::string_view kSeveral = "several";

struct PackedBody {
  std::string plain;
  std::string packed;
  std::uint64_t facts = 0;
};

Status add_bodies(std::vector<Fact> facts, Random& random, std::vector<PackedBody>& out) {
  if (facts.empty()) return {};
  Body body{random.bytes(kSaltBytes), std::move(facts)};
  PackedBody packed{encode_body(body), "", body.facts.size()};
  if (packed.plain.size() <= limits::kBodyPlainBytesMax) {
    packed.packed = pack(packed.plain);
    if (packed.packed.size() <= limits::kBodyPackedBytesMax) {
      out.push_back(std::move(packed));
      return {};
    }
  }
  if (body.facts.size() == 1) {
    return Error{Errc::kLimit, "fact " + body.facts.front().id + " is larger than a body may be"};
  }
  const auto half = body.facts.begin() + static_cast<std::ptrdiff_t>(body.facts.size() / 2);
  std::vector<Fact> second{std::make_move_iterator(half),
                           std::make_move_iterator(body.facts.end())};
  body.facts.erase(half, body.facts.end());
  MELDEVAKT_TRY(add_bodies(std::move(body.facts), random, out));
  return add_bodies(std::move(second), random, out);
}

Result<std::vector<PackedBody>> pack_facts(std::vector<SourceYield>& yields, Random& random) {
  std::vector<PackedBody> out;
  std::vector<Fact> some;
  for (SourceYield& yield : yields) {
    for (Fact& fact : yield.facts) {
      some.push_back(std::move(fact));
      if (some.size() < kFactsPerBody) continue;
      MELDEVAKT_TRY(add_bodies(std::exchange(some, {}), random, out));
    }
  }
  MELDEVAKT_TRY(add_bodies(std::move(some), random, out));
  return out;
}

// --- making a statement small enough ------------------------------------------------------------

// Each step says less than the one before and nothing that is not true; false: no step is left.

bool join_ranges(SourceCoverage& source) {
  std::vector<ContentRange> joined;
  for (const ContentRange& range : source.ranges) {
    const auto same = std::find_if(joined.begin(), joined.end(),
                                   [&](const auto& other) { return other.file == range.file; });
    if (same == joined.end()) {
      joined.push_back(range);
    } else {
      same->from = std::min(same->from, range.from);
      same->to = std::max(same->to, range.to);
    }
  }
  const bool fewer = joined.size() < source.ranges.size();
  source.ranges = std::move(joined);
  return fewer;
}

// All of it in the worst state there was.
bool join_readings(SourceCoverage& source) {
  if (source.reading.size() < 2) return false;
  ReadingInterval all = source.reading.front();
  for (const ReadingInterval& reading : source.reading) {
    if (reading.state == ReadState::kGap || all.state == ReadState::kRead) {
      all.state = reading.state;
    }
  }
  all.reason = all.state == ReadState::kRead ? "" : kSeveral;
  all.span.to = source.reading.back().span.to;
  source.reading = {std::move(all)};
  return true;
}

bool join_gaps(SourceCoverage& source) {
  if (source.event_gaps.size() < 2) return false;
  EventGap all = source.event_gaps.front();
  for (const EventGap& gap : source.event_gaps) {
    all.span.from = std::min(all.span.from, gap.span.from);
    all.span.to = std::max(all.span.to, gap.span.to);
  }
  all.reason = kSeveral;
  source.event_gaps = {std::move(all)};
  return true;
}

bool drop_ranges(SourceCoverage& source) {
  if (source.ranges.empty()) return false;
  source.ranges.clear();
  return true;
}

// What is observed stays; when it was last seen can be read from the facts.
bool drop_last_seen(SourceCoverage& source) {
  bool changed = false;
  for (Observed& observed : source.observes) {
    changed = changed || observed.last_seen.has_value();
    observed.last_seen.reset();
  }
  return changed;
}

std::string encode_small(Statement& statement) {
  std::string payload = encode_statement(statement);
  for (bool (*const step)(SourceCoverage&) :
       {join_ranges, join_readings, join_gaps, drop_ranges, drop_last_seen}) {
    if (payload.size() <= limits::kStatementBytesMax) break;
    bool changed = false;
    for (SourceCoverage& source : statement.sources) changed = step(source) || changed;
    if (changed) payload = encode_statement(statement);
  }
  return payload;
}

// --- the statements -----------------------------------------------------------------------------

Statement base_of(const StatementContext& context) {
  Statement out;
  out.tenant = context.tenant;
  out.agent = context.agent;
  out.boot_id = context.boot_id;
  out.boottime_from_ns = context.boottime_from_ns;
  out.boottime_to_ns = context.boottime_from_ns;
  out.clock = context.clock;
  out.configuration = context.configuration;
  out.software_version = context.software_version;
  out.software_sha256 = context.software_sha256;
  out.log_seen_size = context.log_seen_size;
  out.log_seen_root = context.log_seen_root;
  out.span = {context.from, context.from};
  return out;
}

Result<Draft> draft(Statement statement, const ChainHead& head, std::vector<PackedBody> bodies) {
  statement.epoch = head.epoch;
  statement.sequence = head.next_sequence;
  statement.previous = head.link;
  Draft out;
  for (PackedBody& body : bodies) {
    statement.bodies.push_back({sha256(body.packed), body.packed.size(), sha256(body.plain),
                                body.plain.size(), 0, body.facts});
    out.bodies.push_back(std::move(body.packed));
    out.plain.push_back(std::move(body.plain));
  }
  MELDEVAKT_TRY(check_tiling(statement));
  out.payload = encode_small(statement);
  if (out.payload.size() > limits::kStatementBytesMax) {
    return Error{Errc::kLimit, "a statement over " + std::to_string(statement.sources.size()) +
                                   " sources is " + std::to_string(out.payload.size()) +
                                   " bytes, at most " + std::to_string(limits::kStatementBytesMax) +
                                   " are allowed: let one agent watch fewer sources"};
  }
  out.head = advance(statement, link_hash(kStatementType, out.payload));
  return out;
}

// As many of the bodies, from the front, as one frame holds.
std::vector<PackedBody> take_for_one(std::vector<PackedBody>& bodies) {
  std::size_t count = 0;
  std::size_t size = 0;
  while (count < bodies.size() && count < limits::kBodiesPerStatementMax) {
    size += bodies[count].packed.size() + sizeof(std::uint32_t);
    if (count > 0 && size > kBodiesBytesMax) break;
    ++count;
  }
  const auto end = bodies.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<PackedBody> out{std::make_move_iterator(bodies.begin()),
                              std::make_move_iterator(end)};
  bodies.erase(bodies.begin(), end);
  return out;
}

}  // namespace

std::size_t statement_bytes_needed(const std::vector<SourceCoverage>& sources) {
  // The longest forms there are of what is not known yet.
  constexpr std::int64_t kLatestMs = 253'402'300'799'999;     // the year 9999 ends
  constexpr std::uint64_t kCountMax = 9'007'199'254'740'991;  // 2^53 - 1
  const Interval span{Instant{kLatestMs}, Instant{kLatestMs}};
  Statement largest;
  largest.tenant = largest.boot_id = largest.software_version =
      std::string(limits::kIdentifierBytesMax, 'i');
  largest.agent = std::string(32, 'a');
  largest.epoch = largest.sequence = largest.log_seen_size = kCountMax;
  largest.span = span;
  largest.boottime_from_ns = largest.boottime_to_ns = static_cast<std::int64_t>(kCountMax);
  largest.clock = {"unsynchronised", -static_cast<std::int64_t>(kCountMax),
                   static_cast<std::int64_t>(kCountMax), false};
  largest.software_sha256 = largest.log_seen_root = std::string(64, '0');
  for (const SourceCoverage& source : sources) {
    SourceCoverage& one = largest.sources.emplace_back(source);
    drop_last_seen(one);
    one.reading = {{span, ReadState::kUnknown, std::string(kReasonBytesMax, 'r')}};
    one.complete = span;
    one.event_gaps = {{span, std::string(kReasonBytesMax, 'r')}};
    one.ranges.clear();
    one.bytes = {kCountMax, kCountMax, kCountMax, kCountMax, kCountMax};
    one.records = kCountMax;
    one.digest = std::string(64, '0');
  }
  const BodyHash body{{},         limits::kBodyPackedBytesMax, {}, limits::kBodyPlainBytesMax,
                      UINT32_MAX, limits::kFactsPerBodyMax};
  largest.bodies.assign(limits::kBodiesPerStatementMax, body);
  return encode_statement(largest).size();
}

Result<std::vector<Draft>> build_statements(const StatementContext& context, const ChainHead& head,
                                            std::vector<SourceYield> yields, Random& random) {
  if (context.to < context.from) {
    return Error{Errc::kInvalid, "statement: ends before it begins"};
  }
  if (head.next_sequence > 0 && head.until != context.from) {
    return Error{Errc::kInvalid, "statement: does not begin where the one before ended"};
  }
  MELDEVAKT_TRY_ASSIGN(std::vector<PackedBody> bodies, pack_facts(yields, random));
  std::vector<Draft> out;
  ChainHead at = head;
  while (true) {
    std::vector<PackedBody> some = take_for_one(bodies);
    const bool last = bodies.empty();
    Statement statement = base_of(context);
    if (last) {
      statement.span.to = context.to;
      statement.boottime_to_ns = context.boottime_to_ns;
      for (SourceYield& yield : yields) statement.sources.push_back(std::move(yield.coverage));
    }
    MELDEVAKT_TRY_ASSIGN(Draft next, draft(std::move(statement), at, std::move(some)));
    at = next.head;
    out.push_back(std::move(next));
    if (last) return out;
  }
}

}  // namespace meldevakt::agent
