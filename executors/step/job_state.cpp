#include "executors/step/job_state.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "executors/step/hash_files.h"

namespace drydock::step {
namespace expression = parser::expression;
namespace {

// The members of `github` that become GITHUB_<NAME>.
// https://docs.github.com/actions/reference/workflows-and-actions/variables
constexpr std::array k_exported{
    "action", "action_path", "action_ref", "action_repository", "actor", "actor_id", "api_url", "artifacts", "artifacts_list",
    "base_ref", "env",
    "event_name", "event_path", "graphql_url", "head_ref", "job", "output", "path", "ref", "ref_name",
    "ref_protected", "ref_type", "repository", "repository_id", "repository_owner", "repository_owner_id",
    "retention_days", "run_attempt", "run_id", "run_number", "server_url", "sha", "state", "step_summary",
    "triggering_actor", "workflow", "workflow_ref", "workflow_sha", "workspace"};

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

Value object_of(const OrderedJson& json) {
  return json.is_object() ? Value::from_json(json) : Value(Object());
}

/// A number for the job alone, the same whenever the same run is asked: there are no check runs here.
double check_run_id(const std::string& run_id, const std::string& key) {
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a
  for (const unsigned char c : run_id + "/" + key) hash = (hash ^ c) * 1099511628211ULL;
  return static_cast<double>(hash % 100'000'000'000ULL + 1);
}

/// `status` of the job or composite action; cancelled() always asks the job.
void add_status_functions(Context& context, Outcome status, Outcome job) {
  const auto tells = [](bool answer) {
    return [answer](std::span<const Value>) -> expression::Checked<Value> { return Value(answer); };
  };
  context.set_function("always", tells(true));
  context.set_function("success", tells(status == Outcome::success));
  context.set_function("failure", tells(status == Outcome::failure));
  context.set_function("cancelled", tells(job == Outcome::cancelled));
}

}  // namespace

JobState::JobState(const JobRequest& request, std::map<std::string, std::string> secrets, Environment base, Object job)
    : request_(&request), base_(std::move(base)), job_(std::move(job)) {
  const Value github = object_of(request.github);
  for (const auto& member : github.object()) github_.set(member.name, member.value);
  const auto token = secrets.find("GITHUB_TOKEN");
  github_.set("token", token == secrets.end() ? "" : token->second);
  github_.set("job", request.job_id);
  // A script is no action of any repository; steps that are set these.
  for (const char* name : {"action_repository", "action_ref"}) github_.set(name, "");
  github_.set("workspace", request.places.workspace);
  github_.set("event_path", request.places.temp + "/_github_workflow/event.json");
  Object secret_values;
  for (auto& [name, value] : secrets) secret_values.set(name, value);
  secrets_ = Value(std::move(secret_values));
  vars_ = object_of(request.vars);
  inputs_ = object_of(request.inputs);
  needs_ = object_of(request.needs);
  strategy_ = object_of(request.strategy);
  matrix_ = Value::from_json(request.matrix);
  runner_ = runner_value();
  job_.set("check_run_id", check_run_id(json_or(request.github, "run_id", std::string()), request.key));
  matchers_ = std::make_shared<ProblemMatchers>(request.places.workspace,
                                                json_or(request.github, "server_url", std::string("https://github.com")),
                                                json_or(request.github, "repository", std::string()));
}

Value JobState::runner_value() const {
  Object runner;
  runner.set("os", request_->runner.os);
  runner.set("arch", request_->runner.arch);
  runner.set("name", request_->runner.name);
  runner.set("environment", request_->runner.environment);
  runner.set("tool_cache", request_->places.tool_cache);
  runner.set("temp", request_->places.temp);
  runner.set("workspace", std::filesystem::path(request_->places.workspace).parent_path().string());
  if (request_->runner.debug) runner.set("debug", "1");
  return Value(std::move(runner));
}

Value JobState::github_value(const GithubExtras& extras) const {
  Object github = github_;
  for (const auto& [name, value] : extras) github.set(name, value);
  return Value(std::move(github));
}

Context JobState::job_env_context() const {
  Context context;
  context.set("github", Value(github_)).set("vars", vars_).set("inputs", inputs_).set("needs", needs_);
  context.set("strategy", strategy_).set("matrix", matrix_).set("secrets", secrets_);
  return context;
}

Scope JobState::scope() const { return {.inputs = inputs_}; }

Context JobState::context(const Scope& scope, const Layer& layer, const GithubExtras& extras,
                          std::optional<Outcome> as_if) const {
  Context context = job_env_context();
  Object env;
  for (const auto& [name, value] : global_) env.set(name, value);
  for (const auto& [name, value] : layer) env.set(name, value);
  const Outcome job_status = as_if.value_or(status);
  Object job = job_;
  job.set("status", std::string(name_of(job_status)));
  GithubExtras github = scope.github;
  if (scope.action_status) github.emplace_back("action_status", name_of(as_if.value_or(*scope.action_status)));
  github.insert(github.end(), extras.begin(), extras.end());
  context.set("github", github_value(github)).set("env", Value(std::move(env))).set("job", Value(std::move(job)));
  context.set("runner", runner_).set("steps", Value(scope.steps)).set("inputs", scope.inputs);
  add_status_functions(context, as_if.value_or(scope.action_status.value_or(status)), job_status);
  context.set_function("hashFiles", [this](std::span<const Value> arguments) { return hash(arguments); });
  return context;
}

expression::Checked<Value> JobState::hash(std::span<const Value> arguments) const {
  std::vector<std::string> texts;
  for (const auto& argument : arguments) texts.push_back(argument.to_string());
  const auto home = base_.find("HOME");
  auto result = hash_files(texts, {.workspace = request_->places.workspace, .home = home == base_.end() ? "" : home->second});
  if (!result.ok()) return expression::evaluation_error(result.error().to_string());
  return Value(std::move(*result));
}

void JobState::add_variables(const Layer& layer, const GithubExtras& extras, Environment& to) const {
  for (const auto& [name, value] : global_) to[name] = value;
  for (const auto& [name, value] : layer) to[name] = value;
  to["GITHUB_ACTIONS"] = "true";
  const Value github_context = github_value(extras);
  const Object& github = github_context.object();
  for (const char* name : k_exported) {
    const Value* value = github.find(name);
    if (value && value->is_primitive() && !value->is_null()) to["GITHUB_" + upper(name)] = value->to_string();
  }
  for (const auto& member : runner_.object()) to["RUNNER_" + upper(member.name)] = member.value.to_string();
}

Environment JobState::process_environment(const Layer& layer, const GithubExtras& extras) const {
  Environment out = base_;
  out.insert_or_assign("CI", "true");  // the one default that a workflow may change
  out["DOCKER_CONFIG"] = request_->places.docker_config;
  add_variables(layer, extras, out);
  std::string& search = out["PATH"];
  for (auto directory = path_.rbegin(); directory != path_.rend(); ++directory) {
    search = search.empty() ? *directory : *directory + ":" + search;
  }
  return out;
}

Environment JobState::container_environment(const Layer& layer, const GithubExtras& extras) const {
  Environment out{{"CI", "true"}};
  add_variables(layer, extras, out);
  return out;
}

void JobState::apply(const ActionEffects& effects) {
  for (const auto& directory : effects.path) prepend_path(directory);
  for (const auto& [name, value] : effects.environment) set_environment(name, value);
}

void JobState::restore(const ActionEffects& effects) {
  apply(effects);
  if (!effects.artifacts.empty()) artifacts_->restore(effects.artifacts);
  for (const auto& change : effects.matchers) {
    if (change.file.empty()) {
      matchers_->remove({change.text});
    } else if (const auto matchers = parse_matchers(change.text, change.file)) {
      matchers_->add(*matchers);
    }
  }
}

}  // namespace drydock::step
