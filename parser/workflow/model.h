#pragma once
// The typed model of one workflow file. Immutable values once read; everything keeps its place.
// What may hold an expression is a Token (kind expression) and is evaluated by later layers, not here.

#include "parser/workflow/token.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drydock::parser::workflow {

/// A literal with its place: names, ids, patterns.
struct Text {
  std::string value;
  Range range;
};

struct TextList {
  std::vector<Text> items;
  Range range;
};

enum class InputType { string, boolean, number, choice, environment };

/// workflow_dispatch and workflow_call inputs.
struct Input {
  std::string id;
  Range range;
  std::optional<Text> description;
  InputType type = InputType::string;
  bool required = false;
  std::optional<Token> default_value;  // workflow_call: may be an expression
  std::vector<Text> options;           // choice
};

struct CallSecret {
  std::string id;
  Range range;
  std::optional<Text> description;
  bool required = false;
};

struct CallOutput {
  std::string id;
  Range range;
  std::optional<Text> description;
  Token value;
};

struct Schedule {
  Text cron;
  std::optional<Text> timezone;
};

/// One entry of `on:`; filters that were not written are empty optionals.
struct Event {
  std::string name;  // "push", "workflow_dispatch", …
  Range range;
  Token value;  // as written below the name; null when there is nothing
  std::optional<TextList> types, branches, branches_ignore, tags, tags_ignore, paths, paths_ignore;
  std::optional<TextList> workflows;        // workflow_run
  std::optional<TextList> names, versions;  // image_version
  std::vector<Schedule> schedule;
  std::vector<Input> inputs;
  std::vector<CallOutput> outputs;
  std::vector<CallSecret> secrets;
};

enum class PermissionLevel { none, read, write };

/// `permissions:`: either a shorthand for all or a level by scope; scopes not named are none.
struct Permissions {
  Range range;
  std::optional<PermissionLevel> all;             // read-all, write-all
  std::map<std::string, PermissionLevel> scopes;  // "contents", "id-token", …
};

struct Defaults {
  Token value;               // as written
  std::optional<Token> run;  // the mapping, or an expression that gives it
  std::optional<Token> shell, working_directory;
};

/// `concurrency:`; when the whole value is one expression that may give a mapping, only `value` is set.
struct Concurrency {
  Token value;
  std::optional<Token> group, cancel_in_progress, queue;
};

/// `environment:`; name is the whole value when it is a scalar.
struct Environment {
  Token value;
  std::optional<Token> name, url, deployment;
};

struct RunsOn {
  Token value;                 // as written: string, sequence, mapping or expression
  std::vector<Token> labels;   // of the string, sequence or `labels:`; an expression may give a sequence
  std::optional<Token> group;
};

struct Strategy {
  Token value;                   // an expression when the whole strategy is one
  std::optional<Token> matrix;   // mapping or expression
  std::optional<Token> fail_fast, max_parallel;
};

struct Credentials {
  Range range;
  std::optional<Token> username, password;
};

/// `container:` or one of `services:`; when the whole value is an expression only `value` is set.
struct Container {
  Token value;
  std::optional<Token> image, options, env, entrypoint, command;
  std::optional<Token> ports, volumes;  // sequences
  std::optional<Credentials> credentials;
};

struct Service {
  Text id;
  Container container;
};

enum class StepKind { run, uses, wait, wait_all, cancel, parallel };

struct Step {
  StepKind kind = StepKind::run;
  Range range;
  std::string id;            // as written, or GitHub's generated one ("__actions_checkout")
  bool id_generated = true;
  Range id_range;
  std::optional<Token> name;
  /// The condition as GitHub completes it: "success()", or "success() && (…)" without a status function.
  std::string condition;
  std::optional<Token> if_;  // as written
  std::optional<Token> run, uses;
  std::optional<Token> with, env;  // mapping or expression
  std::optional<Token> shell, working_directory;
  std::optional<Token> timeout_minutes, continue_on_error;
  bool background = false;
  std::vector<Text> wait_for;     // wait: ids of background steps
  bool wait_all = true;           // wait-all: false switches it off
  std::optional<Text> cancel;     // cancel: id of a background step
  std::vector<Step> parallel;     // parallel: its steps
};

struct Snapshot {
  Token value;
  std::optional<Token> image_name, version, if_;
};

struct Workflow;

struct Job {
  std::string id;
  Range range;  // of the key
  Token name;   // the id when no name was written
  std::vector<Text> needs;
  std::string condition;  // as GitHub completes it
  std::optional<Token> if_;
  std::optional<RunsOn> runs_on;
  std::optional<Permissions> permissions;  // its own
  std::optional<Permissions> granted;      // its own, else its workflow's, else those of the job that calls that
  std::optional<Environment> environment;
  std::optional<Concurrency> concurrency;
  std::optional<Token> outputs;  // mapping
  std::optional<Token> env;      // mapping or expression
  std::optional<Defaults> defaults;
  std::optional<Strategy> strategy;
  std::optional<Token> timeout_minutes, cancel_timeout_minutes, continue_on_error;
  std::optional<Container> container;
  std::vector<Service> services;
  std::optional<Token> services_value;  // the mapping, or an expression that gives it
  std::optional<Snapshot> snapshot;
  std::vector<Step> steps;

  // A job that calls a reusable workflow.
  std::optional<Token> uses;
  std::optional<Token> with;     // mapping
  std::optional<Token> secrets;  // mapping
  bool inherit_secrets = false;
  std::shared_ptr<const Workflow> called;  // when Options::resolve gave it

  bool is_call() const { return uses.has_value(); }
};

struct Workflow {
  std::string file;
  std::optional<Token> name, description, run_name;
  std::vector<Event> on;  // in file order
  Range on_range;
  std::optional<Permissions> permissions;
  std::optional<Token> env;  // mapping or expression
  std::optional<Defaults> defaults;
  std::optional<Concurrency> concurrency;
  std::vector<Job> jobs;  // in file order

  const Event* find_event(std::string_view name) const;
  const Job* find_job(std::string_view id) const;  // ignoring ASCII case
};

}  // namespace drydock::parser::workflow
