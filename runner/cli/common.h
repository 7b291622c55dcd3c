#pragma once
// What several commands share: the run's bus with its printer, the user's configuration, NAME=VALUE arguments.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "executors/base/events.h"
#include "executors/base/masker.h"
#include "executors/base/result.h"
#include "runner/config/config.h"
#include "runner/events/printer.h"

namespace drydock::runner {

/// A bus whose events are printed. Finish it before anything else is written to the same stream.
class Console {
 public:
  Console(ProgressMode mode, std::FILE* out)
      : masker_(std::make_shared<Masker>()), bus_(masker_), printer_(make_printer(mode, out)) {
    bus_.listen([this](const Event& event) { show(event); });
  }
  ~Console() { finish(); }
  Bus& bus() { return bus_; }
  Masker& masker() { return *masker_; }
  void finish() { printer_->finish(); }
  /// Between them the terminal is somebody else's; what happens meanwhile is shown afterwards.
  void suspend();
  void resume();

 private:
  void show(const Event& event);

  std::shared_ptr<Masker> masker_;
  Bus bus_;
  std::unique_ptr<Printer> printer_;
  std::mutex mutex_;
  bool suspended_ = false;
  std::vector<Event> held_;
};

/// "NAME=VALUE" texts; a text without "=" takes the value of that environment variable, an error when it is unset.
Result<std::map<std::string, std::string>> assignments(const std::vector<std::string>& texts, const char* flag);
/// Lines NAME=VALUE; empty lines and those that begin with # are passed over, quotes around a value are dropped.
Result<std::map<std::string, std::string>> read_env_file(const std::string& path);

}  // namespace drydock::runner
