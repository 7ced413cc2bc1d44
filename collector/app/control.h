// The commands that write: one JSON line in, one JSON line out, the same whether `serve` runs and
// takes them over data/control.sock or the command has the database to itself.
//
//   {"command":"invite","tenant":NAME,"organisation":NR,"token_hash":HEX,"expires":MS}
//     -> {"ok":true,"tenant":ID,"collector":"https://...","created":BOOL}
//   {"command":"import","tenant":NAME,"receipts":[[portal,id,sent,confirmed,form,channel,district]
//     ...],"coverage":[portal,from,until] or null}
//     -> {"ok":true,"added":N,"changed":N,"unchanged":N}
//   {"command":"register","tenant":NAME,"entries":[[kind,value,label,from,until] ...]}
//     -> {"ok":true,"added":N}
//   {"command":"control","tenant":NAME or ID,"period":[from,until] or null}
//     -> {"ok":true,"record":{...}}     (collector/report/control_record.h)
//   {"command":"tell","tenant":NAME,"entry":{...}}     (collector/incidents/ledger_entry.h)
//     -> {"ok":true,"number":N}
//   any refusal -> {"ok":false,"code":"invalid","error":"..."}
//
// Thread-safety: a ControlActions belongs to the store's strand. Errors: are answers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/app/config.h"
#include "collector/app/standing_control.h"
#include "collector/store/store.h"
#include "common/ports/clock.h"
#include "common/ports/random.h"

namespace meldevakt::collector {

inline constexpr std::size_t kControlLineBytesMax = 4 * 1024 * 1024;
inline constexpr std::size_t kReceiptsPerLineMax = 5'000;

// Who hears of what was committed. Each may be empty.
struct ControlEvents {
  std::function<void(const std::string& tenant, const std::optional<ReceiptCoverage>& coverage,
                     const ImportResult& result)>
      imported;
  std::function<void()> registered;
  std::function<void(const std::string& tenant)> told{};  // by a person
};

class ControlActions {
 public:
  // `url`: where agents reach this collector, or why that is not known.
  // `control` may be null: then that command is refused.
  ControlActions(Store& store, Clock& clock, Random& random, Result<std::string> url,
                 StandingControl* control = nullptr)
      : store_{store}, clock_{clock}, random_{random}, url_{std::move(url)}, control_{control} {}

  void tell(ControlEvents events) { events_ = std::move(events); }
  [[nodiscard]] std::string handle(std::string_view line);

 private:
  Store& store_;
  Clock& clock_;
  Random& random_;
  Result<std::string> url_;
  StandingControl* control_;
  ControlEvents events_;
};

// The other end: sends one line, returns the answer's line.
using ControlCall = std::function<Result<std::string>(const std::string& line)>;

// The answer's line when it says ok, else its error.
[[nodiscard]] Result<std::string> ask_line(const ControlCall& call, const std::string& request);

struct Invited {
  std::string tenant;
  std::string collector;
  bool created = false;  // the tenant is new
};
[[nodiscard]] Result<Invited> call_invite(const ControlCall& call, const std::string& tenant_name,
                                          const std::string& organisation, const Sha256& token_hash,
                                          Instant expires);
// In lines of at most kReceiptsPerLineMax rows and half of kControlLineBytesMax; the coverage goes
// with the last, so that it is never claimed before its rows are there.
[[nodiscard]] Result<ImportResult> call_import(const ControlCall& call,
                                               const std::string& tenant_name,
                                               const std::vector<Receipt>& receipts,
                                               const std::optional<ReceiptCoverage>& coverage);

// "https://host:port" for invitations; kInvalid when the port is not known yet.
[[nodiscard]] Result<std::string> agents_url(const Config& config, std::uint16_t port);

}  // namespace meldevakt::collector
