// Stop requests from the service manager: SIGTERM and SIGINT become a flag and a readable
// descriptor. install() once, early in main, before threads start. Thread-safety: requested() is
// safe anywhere.
#pragma once

namespace meldevakt {

class StopSignal {
 public:
  static void install();
  [[nodiscard]] static bool requested();
  // Becomes readable when a stop is requested; for poll(2). Owned by StopSignal.
  [[nodiscard]] static int descriptor();
  static void request();  // as if a signal had come (tests, service control)
};

}  // namespace meldevakt
