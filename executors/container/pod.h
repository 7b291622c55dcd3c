#pragma once
// Pod: the containers of one job and their network: the job's own, its services, and container actions while they run.
// Lives in a process with mount and pid namespaces of its own (serve_pod), so that nothing outlasts that process but
// one directory, which is journalled. start() and the action calls block; run_action may be called from many threads.

#include <functional>
#include <memory>
#include <stop_token>

#include "executors/base/events.h"
#include "executors/base/process.h"
#include "executors/container/pod_request.h"

namespace drydock::container {

struct ActionOutput {
  std::function<void(std::string_view)> out, err;
};

class Pod {
 public:
  Pod(PodRequest request, Bus& bus);
  ~Pod();  // ends everything and removes its directory
  Pod(const Pod&) = delete;
  Pod& operator=(const Pod&) = delete;

  /// Undoes what killed pods left, brings the images, starts the containers, waits until services are healthy.
  /// On an error, what services printed is published before.
  Result<PodAnswer> start(std::stop_token stop);
  /// Of the job's container, for exec.h; -1 when the job has none.
  int job_channel() const;

  Status prepare_action(const ActionRequest& action, std::stop_token stop);
  Result<ProcessResult> run_action(const ActionRequest& action, const ActionOutput& output, std::stop_token stop);

  /// Publishes what services printed, one group for each, as the runner does at the end of a job.
  void publish_logs();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace drydock::container
