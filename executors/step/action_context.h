#pragma once
// What a native action sees of its job, and the only way in which it acts on it: the counterpart of
// @actions/core. One context per main or post; used by one thread. After the action has returned, the engine
// reads the effects: outputs, environment, path, state.

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "executors/base/events.h"
#include "executors/base/process.h"
#include "executors/base/result.h"
#include "executors/step/job_request.h"
#include "executors/step/job_trail.h"

namespace drydock::build {
class BuildService;
}

namespace drydock::step {

struct LessNoCase {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};
template <class T>
using NoCaseMap = std::map<std::string, T, LessNoCase>;

/// Everything a context is made from; a test fills what its action reads.
struct ActionSetup {
  std::string job, step;             // as in events: "build (linux)", "3", "3.post"
  std::string uses;                  // "docker/build-push-action@v5"
  NoCaseMap<std::string> inputs;     // evaluated, defaults applied; an input that was left out is absent or ""
  Environment environment;           // the step's, all layers applied, RUNNER_* and GITHUB_* included
  nlohmann::json github;             // github context; its "event" is the payload
  std::map<std::string, std::string> state;  // what main saved, for post
  JobPlaces places;
  RunnerInfo runner;
  std::vector<Annotation>* annotations = nullptr;  // when given, notices, warnings and errors are kept here too
  Bus* bus = nullptr;                // required
  build::BuildService* builder = nullptr;
  /// Runs a program where the job's steps run; on this machine itself when empty.
  std::function<Result<ProcessResult>(const ProcessSpec&, std::stop_token)> in_place;
  std::stop_token stop;
};

/// What an action did to its job.
struct ActionEffects {
  std::map<std::string, std::string> outputs;
  std::vector<std::pair<std::string, std::string>> environment;  // for later steps, in order
  std::vector<std::string> path;     // prepended to PATH of later steps, in order of the calls
  std::map<std::string, std::string> state;
  std::string summary;               // Markdown
  std::vector<MatcherChange> matchers;  // in force already, as the commands were given
  std::string artifacts;             // all that the job's steps have declared, where this one declared any
  bool masks = false;                // it masked values that no secret told of
};

class ActionContext {
 public:
  explicit ActionContext(ActionSetup setup) : setup_(std::move(setup)) { effects_.state = setup_.state; }

  /// Trimmed as core.getInput does; "" when not given.
  std::string input(std::string_view name) const;
  std::string raw_input(std::string_view name) const;
  /// Its lines, trimmed, empty ones left out.
  std::vector<std::string> input_lines(std::string_view name) const;
  /// true|True|TRUE|false|False|FALSE as core.getBooleanInput takes them; otherwise an error naming the input.
  Result<bool> boolean_input(std::string_view name) const;
  /// The input, or an error "Input required and not supplied: name".
  Result<std::string> required_input(std::string_view name) const;

  void set_output(std::string name, std::string value);
  /// For this action from now on, and for later steps.
  void export_variable(const std::string& name, const std::string& value);
  void add_path(const std::string& directory);
  void save_state(const std::string& name, std::string value);
  /// What main saved; "" when nothing was.
  std::string state(const std::string& name) const;
  void add_summary(std::string_view markdown);

  /// One or more lines of the step's log.
  void info(std::string_view text);
  void debug(std::string_view text);
  void notice(std::string text, Place place = {});
  void warning(std::string text, Place place = {});
  void error(std::string text, Place place = {});
  void start_group(std::string name);
  void end_group();
  void add_mask(std::string_view secret);

  /// Runs a program with the step's environment in the workspace unless the specification says otherwise;
  /// output that it does not take goes to the step's log.
  Result<ProcessResult> run(ProcessSpec spec);
  /// The same in the place of the job's steps (its sandbox), so that it sees and changes what they do.
  Result<ProcessResult> run_in_place(ProcessSpec spec);

  const Environment& environment() const { return setup_.environment; }
  std::string variable(const std::string& name) const;
  const nlohmann::json& github() const { return setup_.github; }
  /// A string member of the github context ("sha", "ref_name"); "" when absent.
  std::string github(const std::string& name) const;
  const nlohmann::json& event() const;  // github.event; an empty object when absent

  const std::string& workspace() const { return setup_.places.workspace; }
  const std::string& temp() const { return setup_.places.temp; }
  /// Where a login writes config.json and where builds read it: the job's own, never the user's.
  const std::string& docker_config() const { return setup_.places.docker_config; }
  const JobPlaces& places() const { return setup_.places; }
  const RunnerInfo& runner() const { return setup_.runner; }
  bool offline() const { return setup_.runner.network == NetworkPolicy::offline; }

  const std::string& job() const { return setup_.job; }
  const std::string& step() const { return setup_.step; }
  const std::string& uses() const { return setup_.uses; }
  Bus& bus() { return *setup_.bus; }
  /// Refused by name (environment) where nothing builds images.
  Result<build::BuildService*> builder();
  std::stop_token stop() const { return setup_.stop; }

  const ActionEffects& effects() const { return effects_; }

 private:
  void message(Level level, std::string text, Place place);
  void complete(ProcessSpec& spec);

  ActionSetup setup_;
  ActionEffects effects_;
};

}  // namespace drydock::step
