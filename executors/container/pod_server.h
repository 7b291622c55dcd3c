#pragma once
// A pod in a process of its own: serve_pod is the inside, PodClient the outside. The process has mount and pid
// namespaces of its own, and a user namespace where it is not root's or needs an emulator of its own; it ends, with all
// that is in it, when its client does, however that ends.

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "executors/base/events.h"
#include "executors/base/process.h"
#include "executors/base/process_launch.h"
#include "executors/container/pod_request.h"

namespace drydock::container {

/// Inside: answers on the socket `fd` until the client closes it. The process's exit status.
int serve_pod(int fd);

class PodClient {
 public:
  /// Starts `program containers --stdio` and in it the pod; events go to `bus`. Blocks until services are ready.
  static Result<std::unique_ptr<PodClient>> start(const std::string& program, const PodRequest& request, Bus& bus,
                                                  std::stop_token stop);
  ~PodClient();  // publishes what services printed, and ends everything

  const PodAnswer& answer() const;
  /// Of the job's container, for exec.h; -1 when it has none.
  int job_channel() const;

  Status prepare_action(const ActionRequest& action, std::stop_token stop);
  Result<ProcessResult> run_action(const ActionRequest& action, const std::function<void(std::string_view)>& on_stdout,
                                   const std::function<void(std::string_view)>& on_stderr, std::stop_token stop);

 private:
  PodClient();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace drydock::container
