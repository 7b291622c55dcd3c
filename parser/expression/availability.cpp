#include "parser/expression/availability.h"

#include <map>

namespace drydock::parser::expression {

namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view k_caller[] = {"github", "inputs", "vars"};
constexpr std::string_view k_caller_secrets[] = {"github", "secrets", "inputs", "vars"};
constexpr std::string_view k_caller_jobs[] = {"github", "jobs", "vars", "inputs"};
constexpr std::string_view k_needs[] = {"github", "needs", "vars", "inputs"};
constexpr std::string_view k_matrix[] = {"github", "needs", "strategy", "matrix", "vars", "inputs"};
constexpr std::string_view k_matrix_secrets[] = {"github", "needs",   "strategy", "matrix",
                                                 "vars",   "secrets", "inputs"};
constexpr std::string_view k_defaults[] = {"github", "needs", "strategy", "matrix", "env", "vars", "inputs"};
constexpr std::string_view k_credentials[] = {"github", "needs", "strategy", "matrix",
                                              "env",    "vars",  "secrets",  "inputs"};
constexpr std::string_view k_container_env[] = {"github", "needs", "strategy", "matrix",  "job",
                                                "runner", "env",   "vars",     "secrets", "inputs"};
constexpr std::string_view k_environment_url[] = {"github", "needs", "strategy", "matrix", "job",
                                                  "runner", "env",   "vars",     "steps",  "inputs"};
constexpr std::string_view k_steps[] = {"github", "needs", "strategy", "matrix", "job",   "runner",
                                        "env",    "vars",  "secrets",  "steps",  "inputs"};
constexpr std::string_view k_step_if[] = {"github", "needs", "strategy", "matrix", "job",
                                          "runner", "env",   "vars",     "steps",  "inputs"};
constexpr std::string_view k_status[] = {"always", "cancelled", "success", "failure"};
constexpr std::string_view k_status_and_hash[] = {"always", "cancelled", "success", "failure", "hashFiles"};
constexpr std::string_view k_hash[] = {"hashFiles"};

constexpr Availability k_table[] = {
    {"run-name", k_caller, {}},
    {"concurrency", k_caller, {}},
    {"env", k_caller_secrets, {}},
    {"jobs.<job_id>.concurrency", k_matrix, {}},
    {"jobs.<job_id>.container", k_matrix, {}},
    {"jobs.<job_id>.container.credentials", k_credentials, {}},
    {"jobs.<job_id>.container.env.<env_id>", k_container_env, {}},
    {"jobs.<job_id>.container.image", k_matrix, {}},
    {"jobs.<job_id>.continue-on-error", k_matrix, {}},
    {"jobs.<job_id>.defaults.run", k_defaults, {}},
    {"jobs.<job_id>.env", k_matrix_secrets, {}},
    {"jobs.<job_id>.environment", k_matrix, {}},
    {"jobs.<job_id>.environment.url", k_environment_url, {}},
    {"jobs.<job_id>.if", k_needs, k_status},
    {"jobs.<job_id>.name", k_matrix, {}},
    {"jobs.<job_id>.outputs.<output_id>", k_steps, {}},
    {"jobs.<job_id>.runs-on", k_matrix, {}},
    {"jobs.<job_id>.secrets.<secrets_id>", k_matrix_secrets, {}},
    {"jobs.<job_id>.services", k_matrix, {}},
    {"jobs.<job_id>.services.<service_id>.credentials", k_credentials, {}},
    {"jobs.<job_id>.services.<service_id>.env.<env_id>", k_container_env, {}},
    {"jobs.<job_id>.snapshot", k_matrix, {}},
    {"jobs.<job_id>.snapshot.if", k_step_if, k_status_and_hash},
    {"jobs.<job_id>.steps.continue-on-error", k_steps, k_hash},
    {"jobs.<job_id>.steps.env", k_steps, k_hash},
    {"jobs.<job_id>.steps.if", k_step_if, k_status_and_hash},
    {"jobs.<job_id>.steps.name", k_steps, k_hash},
    {"jobs.<job_id>.steps.run", k_steps, k_hash},
    {"jobs.<job_id>.steps.timeout-minutes", k_steps, k_hash},
    {"jobs.<job_id>.steps.with", k_steps, k_hash},
    {"jobs.<job_id>.steps.working-directory", k_steps, k_hash},
    {"jobs.<job_id>.strategy", k_needs, {}},
    {"jobs.<job_id>.timeout-minutes", k_matrix, {}},
    {"jobs.<job_id>.with.<with_id>", k_matrix, {}},
    {"on.workflow_call.inputs.<inputs_id>.default", k_caller, {}},
    {"on.workflow_call.outputs.<output_id>.value", k_caller_jobs, {}},
};

std::string_view first_part(std::string_view& path) {
  const auto dot = path.find('.');
  const auto part = path.substr(0, dot);
  path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  return part;
}

// A listed key matches when its parts, placeholders included, begin the key; how many parts do, 0 for none.
int matched_parts(std::string_view listed, std::string_view key) {
  int parts = 0;
  while (!listed.empty()) {
    if (key.empty()) return 0;
    const auto wanted = first_part(listed);
    const auto given = first_part(key);
    if (wanted != given && !wanted.starts_with('<')) return 0;
    ++parts;
  }
  return parts;
}

Scope make_scope(const Availability& availability) {
  Scope scope;
  for (const auto name : availability.contexts) scope.add_name(name);
  for (const auto name : availability.functions) {
    if (name == "hashFiles") scope.add_hash_files();
  }
  if (availability.functions.size() >= std::size(k_status)) scope.add_status_functions();
  // Of a job, success() and failure() may name the jobs they ask for.
  if (availability.key == "jobs.<job_id>.if") scope.add_function("success", {}).add_function("failure", {});
  return scope;
}

}  // namespace

std::span<const Availability> availability_table() {
  return k_table;
}

const Availability* availability_of(std::string_view key) {
  const Availability* best = nullptr;
  int best_parts = 0;
  for (const auto& entry : k_table) {
    const int parts = matched_parts(entry.key, key);
    if (parts > best_parts) {
      best = &entry;
      best_parts = parts;
    }
  }
  return best;
}

const Scope& scope_of(std::string_view key) {
  static const auto* const scopes = [] {
    auto* made = new std::map<const Availability*, Scope>{{nullptr, Scope()}};
    for (const auto& entry : k_table) made->emplace(&entry, make_scope(entry));
    return made;
  }();
  return scopes->at(availability_of(key));
}

}  // namespace drydock::parser::expression
