#pragma once
// Runs the steps of one job as GitHub's runner does: conditions, environment layers, commands, outputs, outcome and
// conclusion, actions of every kind with their pre and post steps, background steps, cancellation during which always()
// steps still run. Fetches nothing itself: remote actions come from an ActionSource, containers from the StepHost.
// Publishes step events; job events are the caller's. Jobs may run at the same time, each on its own thread.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "executors/base/events.h"
#include "executors/base/process.h"
#include "executors/step/action_container.h"
#include "executors/step/action_source.h"
#include "executors/step/evaluator.h"
#include "executors/step/job_container.h"
#include "executors/step/job_request.h"
#include "executors/step/native_action.h"
#include "executors/step/node_runtime.h"
#include "parser/diagnostics/diagnostic.h"

namespace drydock::step {

/// Where the programs of a job's steps run: this machine, a view of it, a container. One for each job.
/// Workspace, temporary folder and tool cache have one path everywhere, so files need no translation.
class StepHost {
 public:
  virtual ~StepHost() = default;
  virtual Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token stop) = 0;
  /// Absolute path as seen there.
  virtual std::optional<std::string> find_program(std::string_view name, const Environment& environment) = 0;
  /// What steps inherit there.
  virtual Environment environment() = 0;
  /// Whether a step may start in the directory; a place that cannot tell says yes, and run() then tells.
  virtual bool has_directory(const std::string& path);
  /// Members of the job context that only the place knows: `container` and `services`, as GitHub documents them.
  virtual Object job_members() { return {}; }
  /// What became of files that steps changed outside of the job's places; asked when the steps have ended.
  virtual OutsideChanges outside_changes() { return OutsideChanges::none; }
  /// By which path the Node of this machine starts there. Called when an action needs it.
  virtual Result<std::string> node_program(const std::string& on_this_machine) { return on_this_machine; }
  /// Brings the image of a container action (pulls, or builds it); called before the job's first step.
  virtual Status prepare_container(const ActionContainer& container, std::stop_token stop);
  /// Runs a container action beside the job, in its network, with its workspace, until it ends.
  /// Both refuse by name (unsupported) where no containers can be run.
  virtual Result<ProcessResult> run_container(const ActionContainer& container, std::stop_token stop);
};

/// What a place is made for. The request outlives the place.
struct HostRequest {
  HostRequest(const JobRequest& the_job, JobContainers the_containers = {}, std::stop_token the_stop = {})
      : job(the_job), containers(std::move(the_containers)), stop(std::move(the_stop)) {}
  const JobRequest& job;
  JobContainers containers;
  std::stop_token stop;
  std::function<Environment()> runner_services;  // JobServices::action_environment of the job; may be empty

  /// For places that know of no containers.
  operator const JobRequest&() const { return job; }
};

/// Makes the place for a job; an error (environment) fails the job before its first step.
using HostFactory = std::function<Result<std::unique_ptr<StepHost>>(const HostRequest& request)>;
using Hosts = std::map<Isolation, HostFactory>;

/// Isolation `host`: steps as plain processes of this machine and user.
Hosts machine_hosts();

/// Actions that have a native form run as that, or as their originals (--real-actions).
enum class NativeForms { preferred, unused };

/// A step that has failed its job, while its place is still there.
struct FailedStep {
  const JobRequest& request;
  std::string name, position, message;
  StepHost& host;
  Environment environment;  // as its process had it
  std::string directory;
};

struct JobServices {
  Bus* bus = nullptr;                        // required
  const NativeActions* actions = nullptr;
  NativeForms native_forms = NativeForms::preferred;
  ActionSource* source = nullptr;            // of all other remote actions; they are refused without it
  /// Writes the files of a commit of the job's own repository, for actions at `$/`; they are refused without it.
  std::function<Status(const JobRequest& request, const std::string& commit, const std::string& directory)> own_files;
  NodeSettings node;                         // what runs JavaScript actions
  build::BuildService* builder = nullptr;
  std::function<std::optional<std::string>(const std::string& name)> secret;  // asked for the request's names
  Hosts hosts = machine_hosts();  // a job that names containers, whatever its isolation, gets `container`'s
  /// Called on the job's thread; the job goes on when it returns. Nothing when empty.
  std::function<void(const FailedStep& step, std::stop_token stop)> on_failed_step;
  /// What actions get beside the environment of steps, and scripts do not: the runner's own services
  /// (ACTIONS_RUNTIME_TOKEN, ACTIONS_RESULTS_URL, …). Values that are secret are in the bus's masker already.
  std::function<Environment(const JobRequest& request)> action_environment;
};

/// Whether the value of the secret with this name is masked: those that switch debug messages on are no secrets.
bool is_masked(std::string_view secret_name);

/// What this engine would refuse in the job, as far as it can be told before anything is fetched or run: actions that
/// are not served, metadata that is at hand, unknown shells, functions that are not performed, the isolation.
/// Empty when the job can start.
parser::Diagnostics check_job(const JobRequest& request, const JobServices& services);

/// Runs to the end; makes the directories of request.places and removes docker_config again. A job that
/// check_job refuses, or whose actions cannot be had, fails without running anything. A skipped step has a
/// step_finished event alone. Steps of composite actions have no events of their own but their output, which carries
/// the position of the job's step. On a stop request the running step is interrupted and only always() and cancelled()
/// steps still run, for request.cancel_timeout at most.
JobResult run_job(const JobRequest& request, const JobServices& services, std::stop_token stop = {});

}  // namespace drydock::step
