#pragma once
// What one job needs to run anywhere, as one serialisable message, and what comes back.
// A JobRequest holds the texts of the workflow with their places (evaluated where the job runs, because most
// depend on earlier steps) and the contexts that are known beforehand. Secrets are named, never contained.
// Contexts keep the order in which the workflow wrote them: toJSON(matrix) shows it. Plain values.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "executors/base/events.h"
#include "executors/base/json.h"
#include "executors/base/result.h"
#include "executors/step/job_trail.h"

namespace drydock::step {

/// insert: the key `${{ insert }}`, whose value gives further entries.
enum class TextKind { literal, expression, insert };

/// A scalar of the workflow and where it stands. An expression is kept without ${{ }}, text around it folded in
/// as the workflow reader does: "v${{ a }}" is format('v{0}', a).
struct Text {
  std::string text;
  Place place;
  TextKind kind = TextKind::literal;
  std::string source;  // an expression as it was written; empty for literals

  /// For people: as written.
  const std::string& shown() const { return source.empty() ? text : source; }
  bool empty() const { return text.empty(); }
  bool is_expression() const { return kind == TextKind::expression; }
};

/// `env:`, `with:`, `outputs:`. A whole mapping written as one expression is a single entry with an insert key.
using TextMap = std::vector<std::pair<Text, Text>>;

/// What a step without `run` and `uses` does to background steps.
enum class StepControl { none, wait, wait_all, cancel };

/// A value of the workflow that may have parts: `container:`, `services:`. A sequence holds items; a mapping holds
/// entries; anything else is the scalar, which is empty when nothing was written.
struct TextEntry;
struct TextTree {
  enum class Kind { scalar, sequence, mapping };
  Kind kind = Kind::scalar;
  Text scalar;  // of a sequence or mapping its place alone
  std::vector<TextTree> items;
  std::vector<TextEntry> entries;

  bool empty() const { return kind == Kind::scalar && scalar.empty(); }
};
struct TextEntry {
  Text key;
  TextTree value;
};

struct StepRequest {
  std::string id;  // as written, or made ("__run"); unique among the steps beside it
  Text name;
  Text condition;  // completed: "success()", or "success() && (…)" without a status function
  Text run;        // a step has either run …
  Text shell;
  Text working_directory;
  Text uses;       // … or uses
  TextMap with;
  TextMap env;
  Text continue_on_error;  // "true", "false" or an expression
  Text timeout_minutes;    // a number or an expression
  bool background = false;           // the next step does not wait for it
  StepControl control = StepControl::none;
  std::vector<std::string> targets;  // wait, cancel: ids of background steps
  Place place;

  bool is_action() const { return !uses.empty(); }
};

enum class Isolation { host, sandbox, container };
enum class NetworkPolicy { online, offline };

std::string_view name_of(Isolation isolation);
Result<Isolation> parse_isolation(std::string_view text);

/// Directories of this job on the machine that runs it; made by the runner of the job when missing.
struct JobPlaces {
  std::string workspace;   // GITHUB_WORKSPACE; empty until a checkout fills it
  std::string temp;        // RUNNER_TEMP; the job's alone, removed by whoever made the request
  std::string tool_cache;  // RUNNER_TOOL_CACHE
  std::string docker_config;  // DOCKER_CONFIG of the job: credentials that a login writes
  std::string source;      // the repository that a checkout takes from: a git working tree or a bare one
};

struct RunnerInfo {
  std::string name;         // runner.name
  std::string os;           // "Linux"
  std::string arch;         // "X64", "ARM64"
  std::string environment = "self-hosted";
  Isolation isolation = Isolation::host;
  NetworkPolicy network = NetworkPolicy::online;
  bool debug = false;       // ACTIONS_STEP_DEBUG: debug messages are shown
};

struct JobRequest {
  static constexpr int k_schema = 3;

  std::string key;       // "build" or "build (linux, 22)": unique in the run, names the job in events
  std::string job_id;    // the key under `jobs:`, GITHUB_JOB
  std::string name;      // what a person reads
  std::string workflow_file;  // relative to the repository, for messages
  Place place;

  std::vector<StepRequest> steps;
  TextTree container;              // of the job; empty without one
  TextTree services;               // service containers by their ids
  std::vector<TextMap> env;        // layers, outermost first: workflow, job
  Text default_shell;              // defaults.run, the job's over the workflow's
  Text default_working_directory;
  TextMap outputs;

  // Contexts as objects; `env`, `steps`, `job`, `runner` and `secrets` are made where the job runs.
  OrderedJson github = OrderedJson::object();
  OrderedJson vars = OrderedJson::object();
  OrderedJson inputs = OrderedJson::object();
  OrderedJson needs = OrderedJson::object();
  OrderedJson strategy = OrderedJson::object();
  OrderedJson matrix = OrderedJson();            // null without a matrix
  OrderedJson job = OrderedJson::object();       // members of the job context that the schedule knows: workflow_ref, …
  std::vector<std::string> secrets;  // names that may be asked for
  /// What `permissions:` grants: "id-token" → "write"; "all" for read-all and write-all. Empty when nothing is said.
  std::map<std::string, std::string> permissions;

  std::string environment;  // its name; empty without one
  Text environment_url;     // evaluated when the steps have ended

  JobPlaces places;
  RunnerInfo runner;
  std::optional<std::chrono::milliseconds> timeout;  // timeout-minutes of the job
  std::chrono::milliseconds cancel_timeout{std::chrono::minutes(5)};  // for what still runs in a cancelled job

  std::optional<GoOn> go_on;  // the steps before one are not run: an earlier run of the job has done them
  bool leaves_places = false;  // somebody may go on with this job: what is kept with its places is left
};

struct Annotation {
  Level level = Level::notice;
  std::string message;
  std::string title;
  Place place;  // in the user's repository, as the command said; or in the workflow
};

struct StepResult {
  std::string id;
  std::string name;      // evaluated
  std::string position;  // "3" or "3.post", as in events
  Outcome outcome = Outcome::none;
  Outcome conclusion = Outcome::none;
  std::map<std::string, std::string> outputs;
  std::optional<ErrorCode> error;  // why it failed, where more is known than an exit code
  std::string message;
  int exit_code = 0;
  std::chrono::milliseconds elapsed{0};
  std::string summary;   // what it wrote to GITHUB_STEP_SUMMARY, masked
};

struct JobResult {
  static constexpr int k_schema = 1;

  std::string key;
  Outcome conclusion = Outcome::none;  // success, failure, cancelled
  std::map<std::string, std::string> outputs;
  std::vector<StepResult> steps;
  std::vector<Annotation> annotations;
  std::string environment, environment_url;  // masked; empty where the job has none
  std::optional<ErrorCode> error;      // of the first step that failed the job
  std::string message;
  std::chrono::milliseconds elapsed{0};
  std::optional<JobTrail> trail;       // of a job whose steps were reached
};

OrderedJson to_json(const JobRequest& request);
/// An unknown schema or a missing member is invalid_input.
Result<JobRequest> job_request_from_json(const OrderedJson& json);
OrderedJson to_json(const JobResult& result);
Result<JobResult> job_result_from_json(const OrderedJson& json);

}  // namespace drydock::step
