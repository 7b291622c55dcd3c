#pragma once
// `concurrency:` of a workflow between the runs of this machine: one at a time in a group, by a lock that the
// kernel gives back when its holder dies; with cancel-in-progress the holder is interrupted first.

#include <optional>
#include <stop_token>
#include <string>

#include "executors/base/events.h"
#include "executors/base/fs.h"
#include "executors/base/json.h"
#include "parser/workflow/model.h"
#include "runner/plan/expand.h"

namespace drydock::runner {

class ConcurrencyGroup {
 public:
  ConcurrencyGroup(const parser::workflow::Workflow& workflow, const OrderedJson& github, const OrderedJson& inputs,
                   const RunSettings& settings, std::string lock_dir, Bus& bus);
  /// Waits for the group; nothing to do for a workflow without one. Held for the object's life.
  Status enter(std::stop_token stop);

 private:
  Status evaluate();
  const parser::workflow::Workflow& workflow_;
  const OrderedJson &github_, &inputs_;
  const RunSettings& settings_;
  std::string lock_dir_;
  Bus& bus_;
  std::string group_;
  bool cancel_in_progress_ = false;
  std::optional<FileLock> lock_;
};

}  // namespace drydock::runner
