#pragma once
// History: a run's events on disk, one JSON line each, in <run directory>/events.jsonl. A listener of the bus, so
// secrets are masked already. Losing the file's last lines to a kill is all that can be lost.

#include <cstdio>
#include <memory>
#include <string>

#include "executors/base/events.h"
#include "executors/base/result.h"

namespace drydock::runner {

class History {
 public:
  static Result<std::unique_ptr<History>> open(const std::string& run_directory);
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;
  /// Writing errors (a full disk) end the history, never the run.
  void on_event(const Event& event);

 private:
  explicit History(std::FILE* file) : file_(file) {}
  std::FILE* file_;
};

}  // namespace drydock::runner
