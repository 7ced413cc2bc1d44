// Which references are names of which message: the union-find behind lives.h.
//
// A message is a component of references that facts tie together. A component that holds several
// portal message ids is a *group*: each portal id is a message of its own there, and the references
// they share name none of them for certain. Pure. Cost: O(n log n).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "collector/correlate/correlate.h"

namespace meldevakt::collector {

// What a message is called after this reference: the portal message id, else "type:value".
[[nodiscard]] std::string message_name_of(const Reference& reference);

class Names {
 public:
  // `input`: its rows of portals are names, too.
  Names(const std::vector<const LedgerFact*>& facts, const TenantInput& input);

  struct Message {
    std::string name;                   // message_name_of() the first reference
    std::vector<Reference> references;  // sorted
  };
  [[nodiscard]] const std::vector<Message>& messages() const { return messages_; }  // by name

  // Whom references point at: messages (indices) and groups of which any message could be meant.
  struct Holders {
    std::vector<std::size_t> messages;  // sorted, each once
    std::vector<std::size_t> groups;    // sorted, each once
  };
  // The references are names of one message: a portal id among them decides.
  [[nodiscard]] Holders holders_of_one(const std::vector<Reference>& references) const;
  // Each reference may stand for a message of its own.
  [[nodiscard]] Holders holders_of_any(const std::vector<Reference>& references) const;

  [[nodiscard]] std::size_t group_count() const { return groups_.size(); }
  [[nodiscard]] const std::vector<std::size_t>& messages_of_group(std::size_t group) const {
    return groups_[group];
  }

 private:
  struct Holder {
    std::size_t index = 0;  // of a message or of a group
    bool is_group = false;
  };
  void collect(const std::vector<const LedgerFact*>& facts, const TenantInput& input);
  void tie_together(const std::vector<const LedgerFact*>& facts);
  void make_messages();
  void sort_messages();
  void add_to(Holders& out, const Reference& reference) const;
  [[nodiscard]] std::optional<std::size_t> index_of(const Reference& reference) const;
  [[nodiscard]] std::size_t root_of(std::size_t index);

  std::vector<Reference> references_;  // sorted, each once
  std::vector<std::size_t> parent_;    // union-find over references_
  std::vector<Holder> holder_;         // per reference
  std::vector<Message> messages_;
  std::vector<std::vector<std::size_t>> groups_;  // messages of each
};

}  // namespace meldevakt::collector
