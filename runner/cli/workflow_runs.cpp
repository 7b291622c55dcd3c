#include "runner/cli/workflow_runs.h"

#include <algorithm>

namespace drydock::runner {
namespace {

constexpr const char* k_of = " › ";

std::string name_of_workflow(const parser::workflow::Workflow& workflow) {
  return workflow.name && !workflow.name->text.empty() ? workflow.name->text : workflow.file.substr(workflow.file.rfind('/') + 1);
}

}  // namespace

std::string workflow_part(const std::string& job) {
  const auto at = job.find(k_of);
  return at == std::string::npos ? "" : job.substr(0, at + std::string_view(k_of).size());
}

WorkflowRuns::WorkflowRuns(Bus& bus, Followers& followers, Follow follow, std::string run_id, Perform perform)
    : bus_(bus), followers_(followers), follow_(follow), run_id_(std::move(run_id)), perform_(std::move(perform)) {}

WorkflowRuns::~WorkflowRuns() = default;

void WorkflowRuns::add(const parser::workflow::Workflow& workflow, const TriggerEvent& event) {
  nodes_.push_back({.workflow = &workflow, .event = event});
}

/// Jobs of two workflows that are named alike could not be told apart.
bool WorkflowRuns::shares_job_names(const parser::workflow::Workflow& workflow) {
  bool shared = false;
  for (const auto& job : workflow.jobs) shared = !job_names_.insert(job.id).second || shared;
  return shared;
}

void WorkflowRuns::start(Node& node) {
  const bool named = shares_job_names(*node.workflow) || nodes_.size() > 1;
  if (named) {
    node.bus = std::make_unique<Bus>(bus_.shared_masker());
    node.bus->listen([this, prefix = name_of_workflow(*node.workflow) + k_of](const Event& event) {
      Event shown = event;
      if (!shown.job.empty()) shown.job = prefix + shown.job;
      bus_.publish(std::move(shown));
    });
  }
  node.began = std::chrono::system_clock::now();
  node.begun = true;
  ++running_;
  node.thread = std::jthread([this, &node] {
    const auto tell = [this, &node](bool ended) {
      const std::lock_guard lock(mutex_);
      news_.push_back({&node, ended});
      arrived_.notify_all();
    };
    node.result = perform_({*node.workflow, node.event, node.bus ? *node.bus : bus_, node.bus != nullptr, [&](const std::string& name) {
                              node.title = name;
                              tell(false);
                            }});
    tell(true);
  });
}

void WorkflowRuns::start_followers(Node& node, std::initializer_list<RunActivity> activities, Outcome conclusion) {
  // A workflow that was refused has begun nothing that others could follow.
  if (follow_ == Follow::none || node.title.empty() || stop_.stop_requested()) return;
  const FollowedRun followed{.workflow = node.workflow, .event = &node.event, .title = node.title, .id = run_id_,
                             .conclusion = conclusion, .started = node.began, .finished = std::chrono::system_clock::now()};
  for (const auto& next : followers_.of(followed, activities)) {
    if (node.depth >= k_max_followers) {
      bus_.warning(next.workflow->file + " is not run: workflow_run goes on for no more than " + std::to_string(k_max_followers) +
                   " workflows after the first");
      continue;
    }
    bus_.notice(next.workflow->file + " follows " + followed.title + " (workflow_run, " + next.event.trigger.activity + ")");
    node.followers.push_back({.workflow = next.workflow, .event = next.event, .depth = node.depth + 1});
    OrderedJson& github = node.followers.back().event.github;
    for (const char* member : {"run_id", "run_attempt"}) github[member] = node.event.github[member];
    start(node.followers.back());
  }
}

void WorkflowRuns::run(const std::stop_token& stop) {
  stop_ = stop;
  for (auto& node : nodes_) start(node);
  while (running_ > 0) {
    News news;
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [this] { return !news_.empty(); });
      news = news_.front();
      news_.pop_front();
    }
    if (!news.ended) {
      start_followers(*news.node, {RunActivity::requested, RunActivity::in_progress}, Outcome::none);
      continue;
    }
    news.node->thread.join();
    --running_;
    start_followers(*news.node, {RunActivity::completed}, news.node->result.conclusion);
  }
}

void WorkflowRuns::gather(std::list<Node>& nodes, std::vector<Done>& into) {
  for (auto& node : nodes) {
    if (!node.begun) continue;
    into.push_back({node.workflow, std::move(node.result)});
    gather(node.followers, into);
  }
}

std::vector<WorkflowRuns::Done> WorkflowRuns::take() {
  std::vector<Done> out;
  gather(nodes_, out);
  return out;
}

}  // namespace drydock::runner
