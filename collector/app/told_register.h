// What was told to whom, across restarts: data/told.db, of the running collector alone. Nothing in
// it is evidence: if it is lost, what is open is told once more.
//
//   MELDEVAKT_TRY_ASSIGN(auto told, ToldRegister::open(path, for_program));
//   MELDEVAKT_TRY(told->add(findings, now));              // one transaction, synced
//   while (auto next = told->waiting()) { ...; told->given(next->number); }
//
// A finding waits for the operator's program from the transaction that says it was told until the
// program has taken it: a stop in between loses none. At most kWaitingMax wait; what comes beyond
// is refused by number, and stays in `incidents list` all the same.
//
// Of what it names nothing is kept for ever: a finding that needs no action leaves kClosedKept
// after its last change, one that does kOpenKept after it, and is then told once more if it is
// still open; what waits for a program that never takes it, kClosedKept after it was told.
//
// Thread-safety: none. Errors: as of collector/store/sqlite.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/app/live_finding.h"
#include "collector/store/sqlite.h"
#include "common/base/result.h"

namespace meldevakt::collector {

class ToldRegister {
 public:
  static constexpr std::uint64_t kWaitingMax = 10'000;
  static constexpr Duration kClosedKept = days(30);
  static constexpr Duration kOpenKept = days(400);
  static constexpr Duration kForgetEvery = hours(24);

  // `for_program`: findings are kept for it. What waited of an earlier run is dropped otherwise.
  [[nodiscard]] static Result<std::unique_ptr<ToldRegister>> open(const std::string& path,
                                                                  bool for_program);

  // By message; "": the latent fault. Of tenant "": systemic incidents, by their ids.
  using OfTenant = std::unordered_map<std::string, Told>;
  [[nodiscard]] Result<OfTenant> of(const std::string& tenant);

  // Returns how many do not wait for the program because too many do.
  [[nodiscard]] Result<std::uint64_t> add(const std::vector<LiveFinding>& findings, Instant now);

  // Drops what is older than is kept. Looks once in kForgetEvery, however often it is called.
  [[nodiscard]] Status forget_old(Instant now);

  struct Waiting {
    std::int64_t number = 0;
    std::string json;
  };
  // The one that waits longest.
  [[nodiscard]] Result<std::optional<Waiting>> waiting();
  [[nodiscard]] Status given(std::int64_t number);

 private:
  ToldRegister(std::unique_ptr<sql::Connection> database, bool for_program)
      : database_{std::move(database)}, for_program_{for_program} {}
  [[nodiscard]] Status add_one(const LiveFinding& finding, Instant now, std::uint64_t& waiting);

  std::unique_ptr<sql::Connection> database_;
  bool for_program_;
  std::optional<Instant> forgot_;
};

}  // namespace meldevakt::collector
