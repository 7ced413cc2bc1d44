// One component of names as lives: build_lives() for a small part of an archive, by other means.
//
//   Components parts{archive, mentions};
//   const Component& part = parts.of(archive.root_of(name));
//   ComponentLives lives = parts.lives_of(root, nameless);
//
// What is cached is valid until the archive changes: clear(). Pure. Thread-safety: none. Cost:
// linear in the component, its facts, and the components its unclear steps could belong to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "collector/correlate/archive.h"
#include "collector/correlate/judge.h"
#include "collector/correlate/lives.h"

namespace meldevakt::collector {

// Which facts name a name only as a candidate.
using Mentions = std::unordered_map<std::uint32_t, std::vector<std::uint32_t>>;

// Steps that name nobody, of one signal, in event order.
struct NamelessKey {
  Instant time;
  Key16 id;
  std::uint32_t slot = kNobody;
  auto operator<=>(const NamelessKey&) const = default;
};
struct Nameless {
  std::set<NamelessKey> commits;
  std::set<NamelessKey> failures;
  std::set<std::uint32_t> in_doubt;  // of both: whose own time is
};

struct Component {
  std::vector<std::uint32_t> members;  // sorted
  // The names that stand for messages, sorted: the first of the members, or each portal id where
  // there are several (a group).
  std::vector<std::uint32_t> lives;
  bool group = false;
  std::vector<std::uint32_t> steps;    // that name a member
  std::vector<std::uint32_t> aliases;  // likewise
  std::vector<std::uint32_t> mentions;
  std::map<Signal, std::uint32_t> shared_first;  // of a group: the first step that all share
};

// Whom a step points at.
struct Owners {
  std::vector<std::uint32_t> lives;   // sorted by number, each once
  std::vector<std::uint32_t> groups;  // roots, likewise
  bool own = false;                   // certainly that of the one life
};

struct ComponentLives {
  std::vector<LedgerFact> facts;  // that lives.steps point into
  std::vector<std::uint32_t> slots;
  std::vector<Owners> owners;  // per step
  Lives lives;                 // `all`: one a name of Component::lives, in that order
};

class Components {
 public:
  Components(Archive& archive, const Mentions& mentions) : archive_{archive}, mentions_{mentions} {}

  [[nodiscard]] const Component& of(std::uint32_t root);
  [[nodiscard]] ComponentLives lives_of(std::uint32_t root, const Nameless& nameless,
                                        Duration nearby);
  // Names of messages that a step could belong to, as correlate() lists them.
  [[nodiscard]] Candidates candidates_of(const Owners& owners, std::uint32_t slot);
  void clear() { known_.clear(); }
  // The same, when more than so many are known.
  void trim(std::size_t known_max) {
    if (known_.size() > known_max) known_.clear();
  }

 private:
  [[nodiscard]] Owners owners_of(std::uint32_t slot);
  void find_shared(std::uint32_t root, Component& part);
  // Where it stands among the part's messages.
  [[nodiscard]] std::optional<std::size_t> index_of(const Component& part,
                                                    std::uint32_t name) const;
  void attach_aliases(const Component& part, Lives& lives);
  void place(std::uint32_t root, const Component& part, ComponentLives& out);
  void add_nameless(const Component& part, const Nameless& nameless, Duration nearby,
                    std::vector<std::uint32_t>& slots);
  [[nodiscard]] std::vector<Interval> times_of(const Component& part,
                                               const std::vector<std::uint32_t>& slots);

  Archive& archive_;
  const Mentions& mentions_;
  std::unordered_map<std::uint32_t, Component> known_;
};

}  // namespace meldevakt::collector
