// Stop requests from the service manager: SIGTERM and SIGINT become a readable descriptor. SIGPIPE
// is ignored: a peer that hangs up is an error of one write, not our end.
// install() once, early in main, before threads start: it blocks both signals in the calling thread
// and in every thread that this one starts (again does no harm). A program that is started later
// inherits that, so who starts one, or forks, sets the signal mask (FedProgram and evtx_render do).
// Thread-safety: requested() is safe anywhere; request() even in a signal handler.
#pragma once

namespace meldevakt {

class StopSignal {
 public:
  static void install();
  // A system call: for once a turn, not for once a line.
  [[nodiscard]] static bool requested();
  // Becomes readable when a stop is requested and stays so; for poll(2), do not read it. Owned by
  // StopSignal. -1 before install(), which poll(2) passes over.
  [[nodiscard]] static int descriptor();
  static void request();  // as if a signal had come (tests, service control)
};

}  // namespace meldevakt
