#pragma once
// The workflows of one run: those that its event triggers side by side, and those that follow them by workflow_run, as
// soon as what they follow has come so far. One thread for each workflow; everything else on the thread of run().

#include <condition_variable>
#include <deque>
#include <functional>
#include <initializer_list>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "executors/base/events.h"
#include "executors/base/time.h"
#include "runner/cli/followers.h"
#include "runner/schedule/run_workflow.h"

namespace drydock::runner {

/// What others follow, and whether any do: a part of a workflow is nothing that they follow.
enum class Follow { all, none };

class WorkflowRuns {
 public:
  struct Task {
    const parser::workflow::Workflow& workflow;
    const TriggerEvent& event;
    Bus& bus;                                          // of this workflow
    bool among_others;                                 // jobs of others may have the same names
    std::function<void(const std::string&)> on_start;  // its name, once it begins
  };
  using Perform = std::function<RunResult(const Task& task)>;
  struct Done {
    const parser::workflow::Workflow* workflow;
    RunResult result;
  };

  WorkflowRuns(Bus& bus, Followers& followers, Follow follow, std::string run_id, Perform perform);
  ~WorkflowRuns();

  void add(const parser::workflow::Workflow& workflow, const TriggerEvent& event);
  /// Until all have ended. After a stop nothing new begins.
  void run(const std::stop_token& stop);
  /// Those that were run, each before what follows it.
  std::vector<Done> take();

 private:
  struct Node {
    const parser::workflow::Workflow* workflow;
    TriggerEvent event;
    int depth = 0;
    std::string title;
    Time began{};
    RunResult result;
    bool begun = false;
    std::unique_ptr<Bus> bus;  // when its jobs are named with it
    std::list<Node> followers{};
    std::jthread thread{};
  };
  struct News {
    Node* node;
    bool ended = false;
  };

  void start(Node& node);
  void start_followers(Node& node, std::initializer_list<RunActivity> activities, Outcome conclusion);
  bool shares_job_names(const parser::workflow::Workflow& workflow);
  void gather(std::list<Node>& nodes, std::vector<Done>& into);

  Bus& bus_;
  Followers& followers_;
  const Follow follow_;
  const std::string run_id_;
  const Perform perform_;
  std::stop_token stop_;
  std::list<Node> nodes_;
  std::set<std::string> job_names_;
  int running_ = 0;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<News> news_;
};

/// "Build › " of "Build › make"; empty where a job is not named with its workflow.
std::string workflow_part(const std::string& job);

}  // namespace drydock::runner
