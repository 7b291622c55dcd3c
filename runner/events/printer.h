#pragma once
// Printers: listeners that show a run: one event a line as JSON, plain text for logs, a live view for a terminal.
// They own no state of the run. Called by the bus, one event at a time; the live view has a clock thread of its own.

#include <cstdio>
#include <memory>
#include <string>

#include "executors/base/events.h"
#include "executors/base/result.h"

namespace drydock::runner {

enum class ProgressMode { automatic, tty, plain, json, quiet };
/// "auto", "tty", "plain", "json", "quiet"; code usage otherwise.
Result<ProgressMode> parse_progress(const std::string& text);

class Printer {
 public:
  virtual ~Printer() = default;
  virtual void on_event(const Event& event) = 0;
  /// Prints what is held back and leaves the terminal as it was.
  virtual void finish() {}
  /// Leaves the terminal to somebody else until resume(): nothing is drawn by itself meanwhile.
  virtual void suspend() {}
  virtual void resume() {}
};

/// Automatic is tty where `out` is a terminal, else plain. JSON goes to `out` too.
std::unique_ptr<Printer> make_printer(ProgressMode mode, std::FILE* out);

/// "1.2s", "2m03s", "1h02m".
std::string format_elapsed(std::chrono::milliseconds elapsed);

}  // namespace drydock::runner
