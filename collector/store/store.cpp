#include "collector/store/store.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace meldevakt::collector {

Alarm found_again(Alarm alarm, const std::vector<Alarm>& stored, Instant now) {
  const bool was_told = std::any_of(stored.begin(), stored.end(), [&](const Alarm& one) {
    return one.tenant == alarm.tenant && one.agent == alarm.agent && one.kind == alarm.kind &&
           one.detail == alarm.detail;
  });
  if (was_told) alarm.detail += ", found again at " + to_rfc3339(now);
  return alarm;
}

Result<TenantInput> Store::tenant_input(const std::string& tenant,
                                        std::vector<Alarm>& alarms_found) {
  TenantInput all;
  all.tenant = tenant;
  const auto append = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  const Status done = read_input(
      tenant,
      [&](TenantInput&& part) {
        append(all.facts, part.facts);
        append(all.coverage, part.coverage);
        append(all.receipts, part.receipts);
        append(all.rows_ahead, part.rows_ahead);
        append(all.receipt_coverage, part.receipt_coverage);
        all.lost_facts.merge(part.lost_facts);
      },
      alarms_found);
  if (!done) return done.error();
  return all;
}

}  // namespace meldevakt::collector
