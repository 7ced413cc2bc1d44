// A tenant's facts and portal rows, kept small: 32 bytes a fact, 20 a row, 44 a name, and what
// repeats (agents, sources, rules, codes) once. Knows which names belong together and which facts
// speak of which name; decides nothing.
//
//   Archive archive;
//   auto slot = archive.find_fact(id);
//   std::uint32_t slot = archive.add_fact(ledger_fact);      archive.fact(slot)   // as it was
//
// Names that one fact ties together are a *component*: a circle of names with one root. Only adding
// joins circles; retie() takes one apart again when a fact that tied it says something else now.
//
// REQUIRES everywhere: ids and references as decode_body leaves them, times is_wire_time(); see
// check_storable. Pure. Thread-safety: none. Bounds: 2^31 of each.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "collector/correlate/correlate.h"
#include "collector/correlate/key16.h"
#include "collector/correlate/paged_vector.h"
#include "collector/correlate/slot_index.h"
#include "common/receipts/counting_rows.h"

namespace meldevakt::collector {

inline constexpr std::uint32_t kNobody = 0xffff'ffff;  // no slot, no name

// kInvalid, with what is wrong: the fact or row could not have come off the wire or out of a file.
[[nodiscard]] Status check_storable(const LedgerFact& fact);
[[nodiscard]] Status check_storable(const Receipt& row);

class Archive {
 public:
  struct NameRow {
    Key16 value;
    std::array<std::uint32_t, 2> fingerprint{};  // of what was last said of it; zeros: nothing
    std::uint32_t parent = kNobody;              // towards the component's root
    std::uint32_t next_member = kNobody;         // around the component's circle
    std::uint32_t first_fact = kNobody;          // facts whose first reference it is
    std::uint32_t first_row = kNobody;
    std::uint8_t type = 0;
    // The owner's (correlator_state.h):
    bool touched = false;
    std::uint8_t verdict = 0;
    std::uint8_t across_clocks = 0;
  };

  // --- facts
  [[nodiscard]] std::optional<std::uint32_t> find_fact(const std::string& id) const;
  std::uint32_t add_fact(const LedgerFact& fact);             // REQUIRES: its id is new
  void set_fact(std::uint32_t slot, const LedgerFact& fact);  // the same id with other contents
  [[nodiscard]] LedgerFact fact(std::uint32_t slot) const;
  [[nodiscard]] Signal signal_of(std::uint32_t slot) const;  // REQUIRES: a StepFact
  [[nodiscard]] bool is_step(std::uint32_t slot) const;      // a StepFact, of any signal
  [[nodiscard]] bool is_alias(std::uint32_t slot) const;     // an AliasFact
  // The fact where it is neither, else nullptr. Valid until the next fact is added.
  [[nodiscard]] const LedgerFact* plain(std::uint32_t slot) const;
  [[nodiscard]] const Key16& id_of(std::uint32_t slot) const { return facts_[slot].id; }
  [[nodiscard]] std::string id_text(std::uint32_t slot) const;
  [[nodiscard]] Instant time_of(std::uint32_t slot) const;         // of a step or an alias
  [[nodiscard]] Duration time_error_of(std::uint32_t slot) const;  // of a step
  // Event order: time, signal, id. REQUIRES: both are StepFacts.
  [[nodiscard]] bool earlier(std::uint32_t a, std::uint32_t b) const;
  [[nodiscard]] std::vector<std::uint32_t> references_of(std::uint32_t slot) const;
  [[nodiscard]] std::vector<std::uint32_t> candidates_of(std::uint32_t slot) const;
  [[nodiscard]] std::uint32_t fact_count() const { return facts_.size(); }

  // --- names
  std::uint32_t name_of(const Reference& reference);  // adds it when it is new
  [[nodiscard]] std::optional<std::uint32_t> find_name(const Reference& reference) const;
  [[nodiscard]] Reference reference(std::uint32_t name) const;
  [[nodiscard]] std::string message_name(std::uint32_t name) const;  // MessageVerdict::message
  [[nodiscard]] bool is_portal_id(std::uint32_t name) const { return names_[name].type == 0; }
  [[nodiscard]] bool less(std::uint32_t a, std::uint32_t b) const;  // as Reference's own order
  [[nodiscard]] NameRow& name(std::uint32_t name) { return names_[name]; }
  [[nodiscard]] const NameRow& name(std::uint32_t name) const { return names_[name]; }
  [[nodiscard]] std::uint32_t name_count() const { return names_.size(); }

  [[nodiscard]] std::uint32_t root_of(std::uint32_t name);
  void tie(std::uint32_t a, std::uint32_t b);
  [[nodiscard]] std::vector<std::uint32_t> members_of(std::uint32_t name) const;  // sorted
  // Takes the component apart and ties it again by the facts that are linked to its names.
  void retie(std::uint32_t name);

  void link(std::uint32_t name, std::uint32_t slot);
  void unlink(std::uint32_t name, std::uint32_t slot);
  [[nodiscard]] std::vector<std::uint32_t> facts_of(std::uint32_t name) const;

  // --- rows
  // Whether that says something new.
  bool add_row(const Receipt& row, const RowTelling& telling = {});
  // Those that count, sorted.
  [[nodiscard]] std::vector<Receipt> rows_of(std::uint32_t name) const;

 private:
  using Time48 = std::array<std::uint16_t, 3>;
  struct FactRow {
    Key16 id;
    std::uint32_t refs = 0;  // by Shape::refs: a name, a place in pool_, or in plain_
    std::uint32_t next = kNobody;
    Time48 time{};
    std::uint16_t shape = 0;
  };
  static_assert(sizeof(FactRow) == 32);
  struct PortalRow {
    std::uint32_t shape = 0;
    std::uint32_t next = kNobody;
    Time48 sent{};
    Time48 confirmed{};
  };
  static_assert(sizeof(PortalRow) == 20);
  static_assert(sizeof(NameRow) == 44);

  enum class Refs : std::uint8_t { kNone, kOne, kPool, kPlain };
  // What many facts have in common.
  struct Shape {
    std::uint32_t agent = 0, source = 0, rule = 0, code = 0, district = 0, revision = 0,
                  records = 0;
    std::int64_t time_error = 0;
    Signal signal = Signal::kMessageReceived;
    Attribution attribution = Attribution::kNone;
    std::int8_t outcome = -1, form = -1;
    Refs refs = Refs::kNone;
    bool alias = false;
    auto operator<=>(const Shape&) const = default;
  };
  struct RowShape {
    std::uint32_t portal = 0, channel = 0, district = 0;
    FormType form = FormType::kUnknown;
    RowTelling telling{};
    auto operator<=>(const RowShape&) const = default;
    [[nodiscard]] bool says_the_same(const RowShape& other) const {
      return std::tie(portal, channel, district, form) ==
             std::tie(other.portal, other.channel, other.district, other.form);
    }
  };

  static constexpr std::uint16_t kWide = 0xffff;  // the shape stands in wide_
  [[nodiscard]] static Time48 packed(std::optional<Instant> time);
  [[nodiscard]] static std::optional<Instant> unpacked(const Time48& time);

  std::uint32_t text(const std::string& text);
  void fill(std::uint32_t slot, const LedgerFact& fact, bool is_new);
  void fill_refs(FactRow& row, Shape& shape, const std::vector<Reference>& references,
                 const std::vector<Reference>& candidates);
  void set_shape(std::uint32_t slot, const Shape& shape);
  [[nodiscard]] const Shape& shape_of(std::uint32_t slot) const;
  [[nodiscard]] std::uint32_t row_shape_of(const Receipt& row, const RowTelling& telling);
  [[nodiscard]] std::uint32_t index_of(const RowShape& shape);
  [[nodiscard]] Receipt receipt_of(std::uint32_t name, const PortalRow& row) const;
  [[nodiscard]] std::vector<Reference> texts_of(const std::vector<std::uint32_t>& names) const;

  PagedVector<FactRow> facts_;
  SlotIndex fact_index_;
  PagedVector<NameRow> names_;
  SlotIndex name_index_;
  PagedVector<PortalRow> rows_;
  PagedVector<std::uint32_t> pool_;  // count of references, of candidates, then the names
  std::vector<LedgerFact> plain_;    // facts that are no step and no alias
  std::vector<Shape> shapes_;
  std::map<Shape, std::uint32_t> shape_index_;
  std::unordered_map<std::uint32_t, std::uint32_t> wide_;  // slot -> shape, where there are many
  std::vector<RowShape> row_shapes_;
  std::map<RowShape, std::uint32_t> row_shape_index_;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::uint32_t> text_index_;
};

}  // namespace meldevakt::collector
