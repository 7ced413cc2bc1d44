#include "collector/correlate/relaxed.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "collector/correlate/lives.h"
#include "common/summary/forms.h"

namespace meldevakt::collector {
namespace {

// A message that may be waiting for a commit. Both times are the same where it has only a receipt.
struct Waiting {
  const MessageVerdict* message = nullptr;
  std::string_view district;  // its number; "" when nobody says
  Instant first;              // of its receipt and its failure
  Instant last;
};

bool may_wait_for_a_commit(const MessageVerdict& message) {
  return message.receipted && !message.committed && message.verdict != Verdict::kFallback &&
         message.verdict != Verdict::kRecovered;
}

// What the logs or the portal's rows say, as a number.
std::string_view number_of(const std::string& district, const DistrictNumbers& numbers) {
  if (is_district_number(district)) return district;
  const auto at = numbers.find(district);
  return at == numbers.end() ? std::string_view{} : std::string_view{at->second};
}

std::vector<Waiting> waiting_of(const Correlation& all, const DistrictNumbers& numbers) {
  std::vector<Waiting> out;
  for (const MessageVerdict& message : all.messages) {
    if (!may_wait_for_a_commit(message)) continue;
    const Instant receipted = *message.receipted;
    const Instant failed = message.failed.value_or(receipted);
    out.push_back({&message, number_of(message.district, numbers), std::min(receipted, failed),
                   std::max(receipted, failed)});
  }
  return out;
}

// What is not told agrees with anything: so each thing is filed under what it says, and under
// "any", and what agrees with another is found under at most four kinds that have nothing in
// common.
struct Kind {
  std::optional<FormType> form;              // nullopt: any
  std::optional<std::string_view> district;  // nullopt: any
  auto operator<=>(const Kind&) const = default;
};

std::array<Kind, 4> filed_under(FormType form, std::string_view district) {
  return {Kind{form, district}, Kind{form, std::nullopt}, Kind{std::nullopt, district}, Kind{}};
}

std::vector<Kind> agreeing_with(FormType form, std::string_view district) {
  std::vector<std::optional<FormType>> forms{form, FormType::kUnknown};
  if (form == FormType::kUnknown) forms = {std::nullopt};
  std::vector<std::optional<std::string_view>> districts{district, std::string_view{}};
  if (district.empty()) districts = {std::nullopt};
  std::vector<Kind> out;
  for (const auto& f : forms) {
    for (const auto& d : districts) out.push_back({f, d});
  }
  return out;
}

struct Point {
  Instant time;
  const Waiting* of = nullptr;
};

// Those of one kind, twice: each way they are walked, of two at one time the first by name comes
// first.
struct Points {
  std::vector<Point> later;     // by time
  std::vector<Point> earlier;   // the latest first
  std::vector<Interval> pairs;  // of messages with two times
};

class WaitingIndex {
 public:
  WaitingIndex(const std::vector<Waiting>& waiting, std::uint64_t& looked_at)
      : looked_at_{looked_at} {
    std::vector<Point> points;
    for (const Waiting& one : waiting) {
      points.push_back({one.first, &one});
      if (one.last != one.first) points.push_back({one.last, &one});
    }
    std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) {
      return std::tie(a.time, a.of->message->message) < std::tie(b.time, b.of->message->message);
    });
    for (const Point& point : points) file(point, [&](Points& its) { its.later.push_back(point); });
    std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) {
      return std::tie(b.time, a.of->message->message) < std::tie(a.time, b.of->message->message);
    });
    for (const Point& point : points) {
      file(point, [&](Points& its) { its.earlier.push_back(point); });
    }
    for (const Waiting& one : waiting) {
      if (one.last == one.first) continue;
      file({one.first, &one}, [&](Points& its) { its.pairs.push_back({one.first, one.last}); });
    }
  }

  [[nodiscard]] const Points* of(const Kind& kind) const {
    const auto at = kinds_.find(kind);
    return at == kinds_.end() ? nullptr : &at->second;
  }

  // The first kListedCandidatesMax that fit, nearest first.
  [[nodiscard]] std::vector<const Waiting*> nearest(const RelaxedMatch& commit,
                                                    Duration reach) const {
    std::vector<Walk> walks;
    for (const Kind& kind : agreeing_with(commit.form, commit.district)) {
      if (const Points* const points = of(kind); points != nullptr) begin(*points, commit, walks);
    }
    std::vector<const Waiting*> out;
    while (out.size() < kListedCandidatesMax) {
      Walk* best = nullptr;
      for (Walk& walk : walks) {
        ++looked_at_;
        if (walk.at == walk.end || distance(*walk.at, commit) > reach) continue;
        if (best == nullptr || nearer(*walk.at, *best->at, commit)) best = &walk;
      }
      if (best == nullptr) break;
      const Waiting* const found = (best->at++)->of;
      if (std::find(out.begin(), out.end(), found) == out.end()) out.push_back(found);
    }
    return out;
  }

 private:
  struct Walk {
    std::vector<Point>::const_iterator at;
    std::vector<Point>::const_iterator end;
  };

  template <typename Use>
  void file(const Point& point, const Use& use) {
    for (const Kind& kind : filed_under(point.of->message->form, point.of->district)) {
      use(kinds_[kind]);
    }
  }

  static Duration distance(const Point& point, const RelaxedMatch& commit) {
    return point.time < commit.time ? commit.time - point.time : point.time - commit.time;
  }
  static bool nearer(const Point& a, const Point& b, const RelaxedMatch& commit) {
    const Duration to_a = distance(a, commit);
    const Duration to_b = distance(b, commit);
    return std::tie(to_a, a.of->message->message) < std::tie(to_b, b.of->message->message);
  }
  static void begin(const Points& points, const RelaxedMatch& commit, std::vector<Walk>& walks) {
    const auto later =
        std::lower_bound(points.later.begin(), points.later.end(), commit.time,
                         [](const Point& point, Instant t) { return point.time < t; });
    walks.push_back({later, points.later.end()});
    const auto earlier =
        std::lower_bound(points.earlier.begin(), points.earlier.end(), commit.time,
                         [](const Point& point, Instant t) { return point.time >= t; });
    walks.push_back({earlier, points.earlier.end()});
  }

  std::map<Kind, Points> kinds_;
  std::uint64_t& looked_at_;
};

// --- how many there are in all

struct Asked {
  Interval span;  // both ends count
  std::size_t match = 0;
};

std::size_t points_within(const std::vector<Point>& by_time, const Interval& span) {
  const auto from = std::lower_bound(by_time.begin(), by_time.end(), span.from,
                                     [](const Point& point, Instant t) { return point.time < t; });
  const auto to = std::upper_bound(from, by_time.end(), span.to,
                                   [](Instant t, const Point& point) { return t < point.time; });
  return static_cast<std::size_t>(to - from);
}

// Counts of a growing set of places, by a tree of partial sums (Fenwick).
class Places {
 public:
  Places(std::size_t size, std::uint64_t& looked_at) : sums_(size + 1), looked_at_{looked_at} {}
  void add(std::size_t place) {
    for (std::size_t i = place + 1; i < sums_.size(); i += i & (~i + 1)) ++sums_[i], ++looked_at_;
    ++all_;
  }
  [[nodiscard]] std::size_t not_before(std::size_t place) const {
    std::size_t before = 0;
    for (std::size_t i = place; i > 0; i -= i & (~i + 1)) before += sums_[i], ++looked_at_;
    return all_ - before;
  }

 private:
  std::vector<std::size_t> sums_;
  std::size_t all_ = 0;
  std::uint64_t& looked_at_;
};

// Takes from the count of each match the messages that were counted twice: by both of their times.
void take_pairs(std::vector<Interval> pairs, std::vector<Asked> asked,
                std::vector<std::size_t>& counts, std::uint64_t& looked_at) {
  std::vector<Instant> firsts;
  for (const Interval& pair : pairs) firsts.push_back(pair.from);
  std::sort(firsts.begin(), firsts.end());
  const auto place_of = [&](Instant first) {
    return static_cast<std::size_t>(std::lower_bound(firsts.begin(), firsts.end(), first) -
                                    firsts.begin());
  };
  const auto by_end = [](const auto& a, const auto& b) { return a.to < b.to; };
  std::sort(pairs.begin(), pairs.end(), by_end);
  std::sort(asked.begin(), asked.end(),
            [&](const Asked& a, const Asked& b) { return by_end(a.span, b.span); });
  Places places{firsts.size(), looked_at};
  auto next = pairs.begin();
  for (const Asked& one : asked) {
    for (; next != pairs.end() && next->to <= one.span.to; ++next) places.add(place_of(next->from));
    counts[one.match] -= places.not_before(place_of(one.span.from));
  }
}

// --- which commits could be a message's

class CommitIndex {
 public:
  void add(const RelaxedMatch& commit, const Interval& span) {
    for (const Kind& kind : filed_under(commit.form, commit.district)) {
      auto& [froms, tos] = kinds_[kind];
      froms.push_back(span.from);
      tos.push_back(span.to);
    }
  }
  void sort() {
    for (auto& [kind, spans] : kinds_) {
      std::sort(spans.first.begin(), spans.first.end());
      std::sort(spans.second.begin(), spans.second.end());
    }
  }
  // Whether another commit than this one, which could be its, could be its too.
  [[nodiscard]] bool others(const Waiting& message, const Interval& own) const {
    std::size_t all = 0;
    for (const Kind& kind : agreeing_with(message.message->form, message.district)) {
      const auto at = kinds_.find(kind);
      if (at == kinds_.end()) continue;
      all += over(at->second, message.first);
      if (message.last != message.first) all += over(at->second, message.last);
    }
    const auto holds = [&](Instant time) { return own.from <= time && time <= own.to; };
    const std::size_t its = (holds(message.first) ? 1U : 0U) +
                            (message.last != message.first && holds(message.last) ? 1U : 0U);
    return all > its;
  }

 private:
  using Spans = std::pair<std::vector<Instant>, std::vector<Instant>>;  // beginnings and ends
  static std::size_t over(const Spans& spans, Instant time) {
    const auto begun = std::upper_bound(spans.first.begin(), spans.first.end(), time);
    const auto ended = std::lower_bound(spans.second.begin(), spans.second.end(), time);
    return static_cast<std::size_t>(begun - spans.first.begin()) -
           static_cast<std::size_t>(ended - spans.second.begin());
  }
  std::map<Kind, Spans> kinds_;
};

RelaxedMatch match_of(const Step& step) {
  RelaxedMatch out;
  out.fact_id = step.id();
  out.agent = step.ledger->agent;
  out.source = step.ledger->fact.source;
  out.time = step.what->time;
  out.form = step.what->form.value_or(FormType::kUnknown);
  out.district = step.what->district;
  return out;
}

// Of those that fit more messages than are listed: how many more.
void count_more(const WaitingIndex& index, const std::vector<Interval>& spans,
                std::vector<RelaxedMatch>& matches, std::uint64_t& looked_at) {
  std::vector<std::size_t> counts(matches.size());
  std::map<Kind, std::vector<Asked>> asked;
  for (std::size_t i = 0; i < matches.size(); ++i) {
    if (matches[i].messages.size() < kListedCandidatesMax) continue;
    for (const Kind& kind : agreeing_with(matches[i].form, matches[i].district)) {
      const Points* const points = index.of(kind);
      if (points == nullptr) continue;
      counts[i] += points_within(points->later, spans[i]);
      if (!points->pairs.empty()) asked[kind].push_back({spans[i], i});
    }
  }
  for (auto& [kind, its] : asked) {
    take_pairs(index.of(kind)->pairs, std::move(its), counts, looked_at);
  }
  for (std::size_t i = 0; i < matches.size(); ++i) {
    if (counts[i] > 0) matches[i].more = counts[i] - matches[i].messages.size();
  }
}

}  // namespace

std::vector<RelaxedMatch> relaxed_matches(const Correlation& all, const TenantInput& input,
                                          const DistrictNumbers& numbers,
                                          std::uint64_t* looked_at) {
  std::uint64_t work = 0;
  const std::vector<Waiting> waiting = waiting_of(all, numbers);
  const WaitingIndex index{waiting, work};
  std::vector<RelaxedMatch> out;
  std::vector<Interval> spans;  // that a message's time must lie in
  for (const Step& step : nameless_commits_of(input)) {
    out.push_back(match_of(step));
    const Duration reach = input.policy.nearby + step.what->time_error;
    spans.push_back({out.back().time - reach, out.back().time + reach});
  }
  CommitIndex commits;                    // keeps views into `out`, which is as long as it will be
  std::vector<const Waiting*> only_fits;  // the one message that fits, or null
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto found = index.nearest(out[i], spans[i].to - out[i].time);
    for (const Waiting* one : found) out[i].messages.push_back(one->message->message);
    only_fits.push_back(found.size() == 1 ? found.front() : nullptr);
    commits.add(out[i], spans[i]);
  }
  commits.sort();
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].only = only_fits[i] != nullptr && !commits.others(*only_fits[i], spans[i]);
  }
  count_more(index, spans, out, work);
  if (looked_at != nullptr) *looked_at = work;
  return out;
}

}  // namespace meldevakt::collector
