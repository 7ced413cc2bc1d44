#include "common/summary/receipt.h"

#include <algorithm>
#include <array>

namespace meldevakt {

bool is_channel(std::string_view text) {
  constexpr std::array words{kCaseSystemChannel, kSvarUtChannel, kManualChannel, kPrintChannel,
                             kOtherChannel};
  return text.empty() || std::find(words.begin(), words.end(), text) != words.end();
}

}  // namespace meldevakt
