#include "runner/cli/workflow_arguments.h"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <set>

#include "executors/base/fs.h"
#include "executors/base/platform.h"
#include "parser/workflow/reader.h"
#include "runner/cli/action_services.h"
#include "runner/cli/called_workflows.h"
#include "runner/cli/cli.h"
#include "runner/cli/common.h"

namespace drydock::runner {

namespace {

namespace fs = std::filesystem;
constexpr const char* k_workflow_directory = ".github/workflows";

bool is_yaml(const fs::path& path) { return path.extension() == ".yml" || path.extension() == ".yaml"; }

std::string relative_to(const std::string& root, const fs::path& path) {
  std::error_code failed;
  const auto relative = fs::relative(path, root, failed);
  return failed || relative.string().starts_with("..") ? path.string() : relative.string();
}

/// The file that was named, or every workflow of the repository.
Result<std::vector<fs::path>> workflow_files(const std::string& named, const std::string& root) {
  const auto directory = fs::path(root) / k_workflow_directory;
  if (!named.empty()) {
    for (const auto& candidate : {fs::path(named), directory / named, directory / (named + ".yml"), directory / (named + ".yaml")}) {
      if (fs::is_regular_file(candidate)) return std::vector{fs::absolute(candidate).lexically_normal()};
    }
    return make_error(ErrorCode::invalid_source, "there is no workflow " + named,
                      "name a file, or one of those in " + directory.string());
  }
  std::vector<fs::path> files;
  std::error_code failed;
  for (const auto& item : fs::directory_iterator(directory, failed)) {
    if (item.is_regular_file() && is_yaml(item.path())) files.push_back(item.path());
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) {
    return make_error(ErrorCode::invalid_source, "there is no workflow in " + directory.string(),
                      "make one there, or name the file: drydock run FILE");
  }
  return files;
}

Result<std::map<std::string, std::string>> gather(const std::string& file, const std::vector<std::string>& given,
                                                  const char* flag) {
  std::map<std::string, std::string> values;
  if (!file.empty()) {
    DRYDOCK_ASSIGN(values, read_env_file(file));
  }
  DRYDOCK_ASSIGN(const auto direct, assignments(given, flag));
  for (const auto& [name, value] : direct) values[name] = value;
  return values;
}

Result<step::RunnerInfo> this_runner(const WorkflowArguments& arguments, const Config& config) {
  step::RunnerInfo runner;
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  runner.name = host;
  runner.os = "Linux";
  const auto architecture = host_platform().architecture;
  runner.arch = architecture == "amd64" ? "X64" : architecture == "arm64" ? "ARM64" : architecture == "386" ? "X86" : architecture == "arm" ? "ARM" : architecture;
  runner.network = arguments.offline ? step::NetworkPolicy::offline : step::NetworkPolicy::online;
  const auto isolation = !arguments.isolation.empty() ? arguments.isolation : !config.isolation.empty() ? config.isolation : "sandbox";
  DRYDOCK_ASSIGN(runner.isolation, step::parse_isolation(isolation));
  return runner;
}

/// GitHub's limit for one workflow file, calls within calls included.
constexpr std::size_t k_max_called = 50;

parser::Diagnostic too_many_calls(const std::string& file) {
  parser::Diagnostic problem;
  problem.file = file;
  problem.range.start = problem.range.end = {1, 1};
  problem.rule = "schema";
  problem.message = "The workflow calls more than " + std::to_string(k_max_called) + " different reusable workflows";
  return problem;
}

void read_one(const std::string& name, std::string text, CalledWorkflows& called, PreparedWorkflows& prepared) {
  std::set<std::string> calls;
  parser::workflow::Options options;
  options.resolve = [&](std::string_view uses) {
    calls.emplace(uses);
    return called.text(uses);
  };
  auto read = parser::workflow::read_workflow(text, name, options);
  if (calls.size() > k_max_called) prepared.diagnostics.push_back(too_many_calls(name));
  prepared.diagnostics.insert(prepared.diagnostics.end(), read.diagnostics.begin(), read.diagnostics.end());
  if (read.workflow) prepared.workflows.push_back(std::move(*read.workflow));
  prepared.texts.push_back({name, std::move(text)});
}

/// The store of actions holds whole repositories, so workflows come from it as well. Made when first needed.
FetchRepository fetch_by_store(const WorkflowArguments& arguments, const PreparedWorkflows& prepared, Calls calls) {
  const auto token = prepared.secrets.find("GITHUB_TOKEN");
  return [&arguments, config = prepared.config, calls, token = token == prepared.secrets.end() ? "" : token->second,
          store = std::shared_ptr<step::ActionSource>()](const std::string& repository, const std::string& ref) mutable
         -> Result<std::optional<std::string>> {
    if (!store) {
      DRYDOCK_ASSIGN(auto made, make_action_store(arguments, config));
      store = std::move(made);
    }
    const step::ActionReference reference{.repository = repository, .version = ref};
    if (calls == Calls::at_hand) {
      DRYDOCK_ASSIGN(const auto tree, store->at_hand(reference));
      return tree ? std::optional(tree->root) : std::nullopt;
    }
    DRYDOCK_ASSIGN(const auto tree, store->get(reference, token, interrupted()));
    return std::optional(tree.root);
  };
}

Status read_files(const std::vector<fs::path>& files, const WorkflowArguments& arguments, Calls calls, PreparedWorkflows& prepared) {
  std::vector<RepositorySource> sources;
  for (const auto& text : arguments.action_sources) {
    DRYDOCK_ASSIGN(auto source, parse_repository_source(text));
    sources.push_back(std::move(source));
  }
  CalledWorkflows called(prepared.git.root, std::move(sources), fetch_by_store(arguments, prepared, calls));
  for (const auto& path : files) {
    DRYDOCK_ASSIGN(auto text, read_file(path.string()));
    read_one(relative_to(prepared.git.root, path), std::move(text), called, prepared);
  }
  for (const auto& [name, text] : called.texts()) prepared.texts.push_back({name, text});
  prepared.warnings = called.failures();
  return {};
}

Status read_workflows(const WorkflowArguments& arguments, Calls calls, PreparedWorkflows& prepared) {
  DRYDOCK_ASSIGN(const auto files, workflow_files(arguments.workflow, prepared.git.root));
  return read_files(files, arguments, calls, prepared);
}

/// As on GitHub, by a secret or a variable; a secret counts first.
bool asks_for_debug(const PreparedWorkflows& prepared) {
  const std::string name = "ACTIONS_STEP_DEBUG";
  const auto secret = prepared.secrets.find(name);
  if (secret != prepared.secrets.end()) return secret->second == "true";
  return json_or(prepared.settings.vars, name, std::string()) == "true";
}

Status make_settings(const WorkflowArguments& arguments, PreparedWorkflows& prepared) {
  auto& settings = prepared.settings;
  DRYDOCK_ASSIGN(const auto vars, gather(arguments.var_file, arguments.vars, "--var"));
  for (const auto& [name, value] : vars) settings.vars[name] = value;
  for (const auto& [name, unused] : prepared.secrets) settings.secrets.push_back(name);
  DRYDOCK_ASSIGN(settings.runner, this_runner(arguments, prepared.config));
  for (auto label : arguments.labels) {
    std::transform(label.begin(), label.end(), label.begin(), [](unsigned char c) { return std::tolower(c); });
    settings.labels.insert(label);
  }
  settings.runner.debug = asks_for_debug(prepared);
  settings.source = prepared.git.root;
  for (const auto& item : arguments.matrix) {
    const auto colon = item.find(':');
    if (colon == std::string::npos) return make_error(ErrorCode::usage, "--matrix \"" + item + "\" is not key:value");
    settings.matrix_filter.emplace(item.substr(0, colon), item.substr(colon + 1));
  }
  if (!arguments.env_file.empty()) {
    DRYDOCK_ASSIGN(const auto environment, read_env_file(arguments.env_file));
    for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  }
  return {};
}

/// A name that no workflow knows is a slip of the hand, not a plan or run of nothing.
Status check_jobs(const WorkflowArguments& arguments, const PreparedWorkflows& prepared) {
  for (const auto& name : arguments.jobs) {
    std::string known;
    bool found = false;
    for (const auto& workflow : prepared.workflows) {
      found = found || workflow.find_job(name) != nullptr;
      for (const auto& job : workflow.jobs) known += (known.empty() ? "" : ", ") + job.id;
    }
    if (!found) return make_error(ErrorCode::usage, "there is no job '" + name + "'", "jobs are: " + known);
  }
  return {};
}

Status make_trigger(const WorkflowArguments& arguments, PreparedWorkflows& prepared) {
  EventOptions options;
  options.name = arguments.event;
  if (options.name.empty()) options.name = default_event(prepared.workflows);
  options.payload_file = arguments.event_path;
  options.ref = arguments.ref;
  options.actor = arguments.actor;
  DRYDOCK_ASSIGN(options.inputs, assignments(arguments.inputs, "--input"));
  DRYDOCK_ASSIGN(prepared.event, make_event(options, prepared.git));
  return {};
}

}  // namespace

Status read_repository_workflows(const WorkflowArguments& arguments, const std::function<bool(const std::string&)>& wanted,
                                 PreparedWorkflows& into) {
  std::error_code none;
  if (!fs::is_directory(fs::path(into.git.root) / k_workflow_directory, none)) return {};
  DRYDOCK_ASSIGN(auto files, workflow_files({}, into.git.root));
  std::erase_if(files, [&](const fs::path& file) {
    const auto text = read_file(file.string());
    return !text.ok() || !wanted(*text);
  });
  return read_files(files, arguments, Calls::fetched, into);
}

void WorkflowArguments::add_to(CLI::App& command) {
  command.add_option("workflow", workflow, "workflow file; all of .github/workflows when left out");
  command.add_option("-e,--event", event, "event to answer to: push, workflow_dispatch, …");
  command.add_option("--event-path", event_path, "JSON file with the event's payload");
  command.add_option("--ref", ref, "branch or tag instead of HEAD");
  command.add_option("--actor", actor, "who triggered the event");
  command.add_option("-j,--job", jobs, "only this job and what it needs");
  command.add_option("--matrix", matrix, "key:value: only these legs of a matrix");
  command.add_option("-s,--secret", secrets, "NAME=VALUE, or NAME to take it from the environment");
  command.add_option("--secret-file", secret_file, "file of NAME=VALUE lines");
  command.add_option("--var", vars, "NAME=VALUE of the vars context");
  command.add_option("--var-file", var_file, "file of NAME=VALUE lines");
  command.add_option("--env-file", env_file, "environment of the steps: file of NAME=VALUE lines");
  command.add_option("--input", inputs, "NAME=VALUE of workflow_dispatch");
  command.add_option("--isolation", isolation, "where steps run: sandbox (the default), host or container");
  command.add_option("--label", labels, "a label of this machine, for runs-on; may be repeated");
  command.add_option("--action-source", action_sources, "OWNER/REPO[@REF]=PATH: a directory that stands for a repository");
  command.add_flag("--offline", offline, "fetch nothing");
  command.add_flag("--real-actions", real_actions, "run the original actions, not the native forms");
}

void PreparedWorkflows::print_diagnostics() const {
  for (const auto& warning : warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  for (const auto& problem : diagnostics) {
    const auto text = std::find_if(texts.begin(), texts.end(), [&](const auto& t) { return t.file == problem.file; });
    const auto source = text == texts.end() ? std::string{} : text->text;
    std::fprintf(stderr, "%s: %s\n", problem.severity == parser::Severity::error ? "error" : "warning",
                 format_with_source(problem, source).c_str());
  }
}

Result<PreparedWorkflows> prepare_workflows(const WorkflowArguments& arguments, Calls calls) {
  PreparedWorkflows prepared;
  DRYDOCK_ASSIGN(prepared.git, read_git_facts(fs::current_path().string(), arguments.ref));
  DRYDOCK_ASSIGN(prepared.config, load_config(prepared.git.root));
  DRYDOCK_ASSIGN(prepared.secrets, gather(arguments.secret_file, arguments.secrets, "--secret"));
  DRYDOCK_TRY(read_workflows(arguments, calls, prepared));
  if (!prepared.ok() || prepared.workflows.empty()) return prepared;
  DRYDOCK_TRY(check_jobs(arguments, prepared));
  DRYDOCK_TRY(make_settings(arguments, prepared));
  DRYDOCK_TRY(make_trigger(arguments, prepared));
  return prepared;
}

}  // namespace drydock::runner
