#include "collector/correlate/archive.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/base/check.h"
#include "common/summary/forms.h"

namespace meldevakt::collector {
namespace {

constexpr std::size_t kIdDigits = 32;

bool well_formed(const std::vector<Reference>& references) {
  return std::all_of(references.begin(), references.end(),
                     [](const Reference& r) { return is_well_formed(r); });
}

Error unstorable(std::string_view what) {
  return {Errc::kInvalid, std::string{what}};
}

}  // namespace

Status check_storable(const LedgerFact& ledger) {
  if (!is_hex(ledger.fact.id, kIdDigits)) {
    return unstorable("a fact's id is not 32 hexadecimal digits");
  }
  if (const auto* step = std::get_if<StepFact>(&ledger.fact.what)) {
    if (!is_wire_time(step->time)) return unstorable("a step's time is out of bounds");
    if (!well_formed(step->references) || !well_formed(step->candidates)) {
      return unstorable("a step's reference is malformed");
    }
  } else if (const auto* alias = std::get_if<AliasFact>(&ledger.fact.what)) {
    if (!is_wire_time(alias->time)) return unstorable("an alias's time is out of bounds");
    if (!well_formed(alias->references)) return unstorable("an alias's reference is malformed");
  }
  return {};
}

Status check_storable(const Receipt& row) {
  if (!is_well_formed({ReferenceType::kPortalMessageId, row.message_id})) {
    return unstorable("a portal row's message id is no lower-case UUID");
  }
  if ((row.sent && !is_wire_time(*row.sent)) || (row.confirmed && !is_wire_time(*row.confirmed))) {
    return unstorable("a portal row's time is out of bounds");
  }
  return {};
}

// --- small things

Archive::Time48 Archive::packed(std::optional<Instant> time) {
  const auto ms = time ? static_cast<std::uint64_t>(time->ms) : ~std::uint64_t{0};
  return {static_cast<std::uint16_t>(ms >> 32), static_cast<std::uint16_t>(ms >> 16),
          static_cast<std::uint16_t>(ms)};
}

std::optional<Instant> Archive::unpacked(const Time48& time) {
  const std::uint64_t ms =
      std::uint64_t{time[0]} << 32 | std::uint64_t{time[1]} << 16 | std::uint64_t{time[2]};
  if (ms == 0xffff'ffff'ffff) return std::nullopt;
  return Instant{static_cast<std::int64_t>(ms)};
}

std::uint32_t Archive::text(const std::string& text) {
  const auto [at, added] = text_index_.try_emplace(text, static_cast<std::uint32_t>(texts_.size()));
  if (added) texts_.push_back(text);
  return at->second;
}

const Archive::Shape& Archive::shape_of(std::uint32_t slot) const {
  const std::uint16_t shape = facts_[slot].shape;
  return shapes_[shape == kWide ? wide_.at(slot) : shape];
}

void Archive::set_shape(std::uint32_t slot, const Shape& shape) {
  const auto [at, added] =
      shape_index_.try_emplace(shape, static_cast<std::uint32_t>(shapes_.size()));
  if (added) shapes_.push_back(shape);
  const bool wide = at->second >= kWide;
  facts_[slot].shape = wide ? kWide : static_cast<std::uint16_t>(at->second);
  if (wide) wide_[slot] = at->second;
}

// --- facts

std::optional<std::uint32_t> Archive::find_fact(const std::string& id) const {
  const Key16 key = key_of(id);
  return fact_index_.find(hash_of(key, 0),
                          [&](std::uint32_t slot) { return facts_[slot].id == key; });
}

std::uint32_t Archive::add_fact(const LedgerFact& fact) {
  FactRow row;
  row.id = key_of(fact.fact.id);
  const std::uint32_t slot = facts_.push_back(row);
  fact_index_.insert(hash_of(row.id, 0), slot,
                     [this](std::uint32_t s) { return hash_of(facts_[s].id, 0); });
  fill(slot, fact, true);
  return slot;
}

void Archive::set_fact(std::uint32_t slot, const LedgerFact& fact) {
  fill(slot, fact, false);
}

void Archive::fill(std::uint32_t slot, const LedgerFact& ledger, bool is_new) {
  const Fact& fact = ledger.fact;
  Shape shape;
  shape.agent = text(ledger.agent);
  shape.source = text(fact.source);
  shape.rule = text(fact.rule);
  shape.revision = fact.revision;
  FactRow& row = facts_[slot];
  if (const auto* step = std::get_if<StepFact>(&fact.what)) {
    shape.code = text(step->code);
    shape.district = text(step->district);
    shape.records = step->records;
    shape.time_error = step->time_error.ms;
    shape.signal = step->signal;
    shape.attribution = step->attribution;
    if (step->outcome) shape.outcome = static_cast<std::int8_t>(*step->outcome);
    if (step->form) shape.form = static_cast<std::int8_t>(*step->form);
    row.time = packed(step->time);
    fill_refs(row, shape, step->references, step->candidates);
  } else if (const auto* alias = std::get_if<AliasFact>(&fact.what)) {
    shape.alias = true;
    row.time = packed(alias->time);
    fill_refs(row, shape, alias->references, {});
  } else {
    shape.refs = Refs::kPlain;
    if (is_new || shape_of(slot).refs != Refs::kPlain) {
      row.refs = static_cast<std::uint32_t>(plain_.size());
      plain_.push_back(ledger);
    } else {
      plain_[row.refs] = ledger;
    }
  }
  set_shape(slot, shape);
}

void Archive::fill_refs(FactRow& row, Shape& shape, const std::vector<Reference>& references,
                        const std::vector<Reference>& candidates) {
  if (candidates.empty() && references.size() < 2) {
    shape.refs = references.empty() ? Refs::kNone : Refs::kOne;
    row.refs = references.empty() ? 0 : name_of(references.front());
    return;
  }
  shape.refs = Refs::kPool;
  row.refs = pool_.push_back(static_cast<std::uint32_t>(references.size()));
  pool_.push_back(static_cast<std::uint32_t>(candidates.size()));
  for (const Reference& reference : references) pool_.push_back(name_of(reference));
  for (const Reference& reference : candidates) pool_.push_back(name_of(reference));
}

LedgerFact Archive::fact(std::uint32_t slot) const {
  const Shape& shape = shape_of(slot);
  const FactRow& row = facts_[slot];
  if (shape.refs == Refs::kPlain) return plain_[row.refs];
  LedgerFact out;
  out.agent = texts_[shape.agent];
  out.fact.id = hex_of(row.id);
  out.fact.revision = shape.revision;
  out.fact.source = texts_[shape.source];
  out.fact.rule = texts_[shape.rule];
  const Instant time = unpacked(row.time).value_or(Instant{});
  if (shape.alias) {
    out.fact.what = AliasFact{time, texts_of(references_of(slot))};
    return out;
  }
  StepFact step;
  step.signal = shape.signal;
  step.time = time;
  step.attribution = shape.attribution;
  step.references = texts_of(references_of(slot));
  step.candidates = texts_of(candidates_of(slot));
  if (shape.outcome >= 0) step.outcome = static_cast<Outcome>(shape.outcome);
  if (shape.form >= 0) step.form = static_cast<FormType>(shape.form);
  step.code = texts_[shape.code];
  step.district = texts_[shape.district];
  step.records = shape.records;
  step.time_error = milliseconds(shape.time_error);
  out.fact.what = std::move(step);
  return out;
}

bool Archive::is_alias(std::uint32_t slot) const {
  return shape_of(slot).alias;
}

const LedgerFact* Archive::plain(std::uint32_t slot) const {
  return shape_of(slot).refs == Refs::kPlain ? &plain_[facts_[slot].refs] : nullptr;
}

std::string Archive::id_text(std::uint32_t slot) const {
  return hex_of(facts_[slot].id);
}

Instant Archive::time_of(std::uint32_t slot) const {
  return unpacked(facts_[slot].time).value_or(Instant{});
}

Duration Archive::time_error_of(std::uint32_t slot) const {
  return milliseconds(shape_of(slot).time_error);
}

Signal Archive::signal_of(std::uint32_t slot) const {
  return shape_of(slot).signal;
}

bool Archive::is_step(std::uint32_t slot) const {
  const Shape& shape = shape_of(slot);
  return shape.refs != Refs::kPlain && !shape.alias;
}

bool Archive::earlier(std::uint32_t a, std::uint32_t b) const {
  const FactRow& x = facts_[a];
  const FactRow& y = facts_[b];
  if (x.time != y.time) return x.time < y.time;
  const Signal sx = signal_of(a);
  const Signal sy = signal_of(b);
  return sx != sy ? sx < sy : x.id < y.id;
}

std::vector<std::uint32_t> Archive::references_of(std::uint32_t slot) const {
  const Refs refs = shape_of(slot).refs;
  const std::uint32_t at = facts_[slot].refs;
  if (refs == Refs::kOne) return {at};
  std::vector<std::uint32_t> out;
  if (refs != Refs::kPool) return out;
  for (std::uint32_t i = 0; i < pool_[at]; ++i) out.push_back(pool_[at + 2 + i]);
  return out;
}

std::vector<std::uint32_t> Archive::candidates_of(std::uint32_t slot) const {
  std::vector<std::uint32_t> out;
  if (shape_of(slot).refs != Refs::kPool) return out;
  const std::uint32_t at = facts_[slot].refs;
  const std::uint32_t from = at + 2 + pool_[at];
  for (std::uint32_t i = 0; i < pool_[at + 1]; ++i) out.push_back(pool_[from + i]);
  return out;
}

std::vector<Reference> Archive::texts_of(const std::vector<std::uint32_t>& names) const {
  std::vector<Reference> out;
  out.reserve(names.size());
  for (const std::uint32_t name : names) out.push_back(reference(name));
  return out;
}

}  // namespace meldevakt::collector
