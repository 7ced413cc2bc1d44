#include <algorithm>
#include <utility>

#include "collector/correlate/correlator_state.h"

namespace meldevakt::collector {
namespace {

// Two numbers that differ when anything differs that a message says.
class Fingerprint {
 public:
  void add(std::string_view text) {
    add(std::hash<std::string_view>{}(text));
    add(text.size());
  }
  void add(std::uint64_t number) {
    value_ = (value_ ^ number) * 0x9e37'79b9'7f4a'7c15;
    value_ ^= value_ >> 29;
  }
  void add(const std::optional<Instant>& time) {
    add(time ? static_cast<std::uint64_t>(time->ms) : ~std::uint64_t{0});
  }
  void add(const std::vector<std::string>& texts) {
    add(texts.size());
    for (const std::string& text : texts) add(std::string_view{text});
  }
  // Never {0, 0}: that says that nothing was said.
  [[nodiscard]] std::array<std::uint32_t, 2> take() const {
    return {static_cast<std::uint32_t>(value_ >> 32), static_cast<std::uint32_t>(value_) | 1U};
  }

 private:
  std::uint64_t value_ = 1;
};

std::array<std::uint32_t, 2> fingerprint_of(const MessageVerdict& message) {
  Fingerprint out;
  out.add(std::string_view{message.message});
  for (const Reference& reference : message.references) {
    out.add(static_cast<std::uint64_t>(reference.type));
    out.add(std::string_view{reference.value});
  }
  for (const auto word :
       {static_cast<std::uint64_t>(message.verdict), static_cast<std::uint64_t>(message.category),
        static_cast<std::uint64_t>(message.form), std::uint64_t{message.stored_first},
        std::uint64_t{message.windows.size()}}) {
    out.add(word);
  }
  for (const std::string* text :
       {&message.explanation, &message.cause, &message.channel, &message.district}) {
    out.add(std::string_view{*text});
  }
  for (const auto* time : {&message.first_seen, &message.sent, &message.receipted,
                           &message.committed, &message.failed, &message.purge_deadline}) {
    out.add(*time);
  }
  for (const OverloadWindow& window : message.windows) {
    out.add(std::optional<Instant>{window.span.from});
    out.add(std::optional<Instant>{window.span.to});
    out.add(std::string_view{window.source});
    out.add(std::string_view{window.driver});
    out.add(std::string_view{window.fact_id});
    out.add(std::string_view{window.agent});
    out.add(window.metrics);
    out.add(window.signals.size());
    for (const WindowFact::Count& count : window.signals) {
      out.add(static_cast<std::uint64_t>(count.signal));
      out.add(count.count);
    }
  }
  out.add(message.candidates);
  out.add(message.evidence);
  return out.take();
}

constexpr std::array<std::uint32_t, 2> kNothingSaid{};
// The components of a rebuild are too many to be kept for one settle().
constexpr std::size_t kKnownMax = 4096;

void sort_unique(std::vector<std::uint32_t>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

class Correlator::State::Nearby : public Surroundings {
 public:
  Nearby(State& state, const ComponentLives& lives) : state_{state}, lives_{lives} {}
  [[nodiscard]] Candidates candidates_of(std::size_t step) const override {
    return state_.parts_.candidates_of(lives_.owners[step], lives_.slots[step]);
  }
  [[nodiscard]] std::vector<OverloadWindow> windows_over(const Interval& span) const override {
    return state_.windows_over(span);
  }

 private:
  State& state_;
  const ComponentLives& lives_;
};

void Correlator::State::settle(Instant now, const std::function<void(const Change&)>& tell) {
  undo_ties();
  wake(now);
  for (const std::uint32_t root : touched_roots()) decide(root, tell);
  parts_.clear();
}

void Correlator::State::undo_ties() {
  sort_unique(retie_);
  for (const std::uint32_t name : retie_) {
    for (const std::uint32_t member : archive_.members_of(name)) touch(member);
    archive_.retie(name);
  }
  retie_.clear();
}

void Correlator::State::wake(Instant now) {
  if (now < now_) disturb_all_unsettled();
  now_ = now;
  while (!timers_.empty() && timers_.top().first <= now) {
    if (!is_stale(timers_.top())) dirty_.push_back(timers_.top().second);
    timers_.pop();
  }
}

bool Correlator::State::is_stale(const std::pair<Instant, std::uint32_t>& timer) const {
  const auto at = unsettled_.find(timer.second);
  return at == unsettled_.end() || at->second.next != timer.first;
}

std::optional<Instant> Correlator::State::next_due() {
  while (!timers_.empty() && is_stale(timers_.top())) timers_.pop();
  if (timers_.empty()) return std::nullopt;
  return timers_.top().first;
}

std::vector<std::uint32_t> Correlator::State::touched_roots() {
  std::vector<std::uint32_t> roots = std::exchange(touched_, {});
  for (std::uint32_t& name : roots) {
    archive_.name(name).touched = false;
    name = archive_.root_of(name);
  }
  sort_unique(roots);
  // Whoever may own a step that may also be a touched name's hears of it.
  std::vector<std::uint32_t> all = roots;
  for (const std::uint32_t root : roots) {
    if (mentions_.empty()) break;
    for (const std::uint32_t slot : parts_.of(root).mentions) {
      for (const std::uint32_t name : archive_.candidates_of(slot)) {
        all.push_back(archive_.root_of(name));
      }
    }
    parts_.trim(kKnownMax);
  }
  if (std::exchange(all_unsettled_, false)) {
    for (const auto& [name, unsettled] : unsettled_) all.push_back(archive_.root_of(name));
  }
  for (const std::uint32_t name : dirty_) all.push_back(archive_.root_of(name));
  sort_unique(all);
  dirty_.clear();
  return all;
}

void Correlator::State::judge_each(
    std::uint32_t root, const std::function<void(std::uint32_t, std::optional<Judged>)>& use) {
  const ComponentLives part = parts_.lives_of(root, nameless_, policy_.nearby);
  const std::vector<std::uint32_t>& names = parts_.of(root).lives;
  const Bench bench{coverage_, portals_, policy_, now_};
  const Nearby nearby{*this, part};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Life& life = part.lives.all[i];
    if (is_message(life)) {
      use(names[i], judge(part.lives, life, bench, nearby));
    } else {
      use(names[i], std::nullopt);
    }
  }
}

void Correlator::State::decide(std::uint32_t root, const std::function<void(const Change&)>& tell) {
  const Component& part = parts_.of(root);
  for (const std::uint32_t name : part.members) {
    const bool stands = std::binary_search(part.lives.begin(), part.lives.end(), name,
                                           [this](auto a, auto b) { return archive_.less(a, b); });
    if (!stands) withdraw(name, tell);
  }
  judge_each(root, [&](std::uint32_t name, std::optional<Judged> judged) {
    if (judged && !judged->of_another) {
      publish(name, std::move(*judged), tell);
      return;
    }
    withdraw(name, tell);
    if (judged) remember(name, *judged);  // what makes it this tenant's may still come
  });
  parts_.trim(kKnownMax);
}

void Correlator::State::publish(std::uint32_t name, Judged judged,
                                const std::function<void(const Change&)>& tell) {
  ++decisions_;
  remember(name, judged);
  Archive::NameRow& row = archive_.name(name);
  const auto fingerprint = fingerprint_of(judged.message);
  if (row.fingerprint == fingerprint) return;
  Change change;
  if (row.fingerprint != kNothingSaid) {
    change.before = static_cast<Verdict>(row.verdict);
    --counts_[row.verdict];
  }
  row.fingerprint = fingerprint;
  row.verdict = static_cast<std::uint8_t>(judged.message.verdict);
  ++counts_[row.verdict];
  if (!tell) return;
  change.message = std::move(judged.message);
  tell(change);
}

void Correlator::State::withdraw(std::uint32_t name,
                                 const std::function<void(const Change&)>& tell) {
  Archive::NameRow& row = archive_.name(name);
  if (row.fingerprint == kNothingSaid) return;
  row.fingerprint = kNothingSaid;
  --counts_[row.verdict];
  unsettled_.erase(name);
  if (!tell) return;
  Change change;
  change.message.message = archive_.message_name(name);
  change.before = static_cast<Verdict>(row.verdict);
  change.gone = true;
  tell(change);
}

std::uint8_t Correlator::State::across_of(const std::optional<Duration>& apart) {
  if (!apart) return 0;
  const std::int64_t steps = std::max<std::int64_t>(apart->ms, 0) / kAcrossStep.ms;
  return static_cast<std::uint8_t>(std::min<std::int64_t>(steps, 254) + 1);
}

void Correlator::State::remember(std::uint32_t name, const Judged& judged) {
  if (judged.span) lives_.add(name, *judged.span);
  archive_.name(name).across_clocks = across_of(judged.first_across_clocks);
  if (!judged.sensitive && !judged.next) {
    unsettled_.erase(name);
    return;
  }
  const auto [at, added] = unsettled_.try_emplace(name);
  Unsettled& its = at->second;
  if (judged.sensitive && (added || its.sensitive != judged.sensitive)) {
    sensitive_.add(name, *judged.sensitive);
  }
  its.sensitive = judged.sensitive;
  if (judged.next && judged.next != its.next) timers_.emplace(*judged.next, name);
  its.next = judged.next;
}

OverloadWindow Correlator::State::window_of(std::uint32_t slot) const {
  const LedgerFact& ledger = *archive_.plain(slot);
  const auto& what = std::get<WindowFact>(ledger.fact.what);
  return {what.span,      ledger.fact.source, what.driver, what.signals,
          ledger.fact.id, ledger.agent,       what.metrics};
}

std::vector<OverloadWindow> Correlator::State::windows_over(const Interval& span) const {
  if (window_slots_.empty()) return {};
  struct Found {
    Interval span;
    Key16 id;
    std::uint32_t slot;
    auto operator<=>(const Found&) const = default;
  };
  std::vector<Found> found;
  windows_.find(span, [&](std::uint32_t slot) {
    const LedgerFact* const plain = archive_.plain(slot);
    if (plain == nullptr) return;  // a higher revision says that it is something else
    const Interval& its = std::get<WindowFact>(plain->fact.what).span;
    if (its.from <= span.to && span.from <= its.to)
      found.push_back({its, archive_.id_of(slot), slot});
  });
  const std::size_t kept = std::min(found.size(), kWindowsPerMessageMax);
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end());
  std::vector<OverloadWindow> out;
  for (std::size_t i = 0; i < kept; ++i) out.push_back(window_of(found[i].slot));
  return out;
}

void Correlator::State::visit(const std::function<void(const MessageVerdict&)>& use) {
  for (std::uint32_t name = 0; name < archive_.name_count(); ++name) {
    if (archive_.root_of(name) != name) continue;
    judge_each(name, [&](std::uint32_t, std::optional<Judged> judged) {
      if (judged && !judged->of_another) use(judged->message);
    });
    parts_.trim(0);
  }
}

Correlation Correlator::State::correlation() {
  Correlation out;
  out.tenant = tenant_;
  out.now = now_;
  visit([&](const MessageVerdict& message) { out.messages.push_back(message); });
  std::sort(out.messages.begin(), out.messages.end(),
            [](const auto& a, const auto& b) { return a.message < b.message; });
  for (const std::uint32_t slot : window_slots_) out.windows.push_back(window_of(slot));
  std::sort(out.windows.begin(), out.windows.end(), [](const auto& a, const auto& b) {
    return std::tie(a.span, a.fact_id) < std::tie(b.span, b.fact_id);
  });
  return out;
}

}  // namespace meldevakt::collector
