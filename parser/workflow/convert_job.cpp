#include "parser/workflow/converter.h"

#include "parser/workflow/id_builder.h"

#include <algorithm>
#include <charconv>

namespace drydock::parser::workflow {

namespace {

constexpr std::string_view k_docker_scheme = "docker://";

void set(std::optional<Token>& member, const Token* found) {
  if (found != nullptr) member = *found;
}

bool is_image_version(std::string_view text) {
  if (!text.ends_with(".*")) return false;
  text.remove_suffix(2);
  int major = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), major);
  return !text.empty() && text[0] != '-' && result.ec == std::errc{} && result.ptr == text.data() + text.size();
}

}  // namespace

Job Converter::job(const Token& key, const Token& value) {
  Job job;
  job.id = key.text;
  job.range = key.range;
  job.name = key;
  if (const auto problem = IdBuilder().add(key.text)) error(key, *problem);
  for (const auto& [entry_key, entry] : value.entries) {
    if (!job_entry(job, entry_key.text, entry)) call_entry(job, entry_key.text, entry);
  }
  job.condition = condition(job.if_ ? &*job.if_ : nullptr, workflow_schema(), "job-if");
  return job;
}

bool Converter::job_entry(Job& job, std::string_view key, const Token& value) {
  struct Member {
    std::string_view key;
    std::optional<Token> Job::*member;
  };
  static constexpr Member k_members[] = {
      {"if", &Job::if_}, {"outputs", &Job::outputs}, {"env", &Job::env}, {"timeout-minutes", &Job::timeout_minutes},
      {"cancel-timeout-minutes", &Job::cancel_timeout_minutes}, {"continue-on-error", &Job::continue_on_error}};
  for (const auto& member : k_members) {
    if (member.key == key) {
      job.*member.member = value;
      return true;
    }
  }
  if (key == "name") {
    if (!value.is_string() || !value.text.empty()) job.name = value;
  } else if (key == "needs") {
    job.needs = texts_of(value).items;
  } else if (key == "runs-on") {
    job.runs_on = runs_on(value);
  } else if (key == "permissions") {
    job.permissions = permissions(value);
  } else if (key == "environment") {
    job.environment = environment(value);
  } else if (key == "concurrency") {
    job.concurrency = concurrency(value);
  } else if (key == "defaults") {
    job.defaults = defaults(value);
  } else if (key == "strategy") {
    job.strategy = strategy(value);
  } else if (key == "container") {
    job.container = container(value, false);
  } else if (key == "services") {
    job.services_value = value;
    job.services = services(value);
  } else if (key == "snapshot") {
    job.snapshot = snapshot(value);
  } else if (key == "steps") {
    job.steps = steps(value, workflow_schema());
  } else {
    return false;
  }
  return true;
}

bool Converter::call_entry(Job& job, std::string_view key, const Token& value) {
  if (key == "uses") {
    job.uses = value;
    check_uses(value);
  } else if (key == "with") {
    job.with = value;
  } else if (key == "secrets") {
    job.inherit_secrets = value.is_string() && value.text == "inherit";
    if (!job.inherit_secrets) job.secrets = value;
  } else {
    return false;
  }
  return true;
}

void Converter::check_uses(const Token& value) {
  const std::string_view uses = value.text;
  const bool has_ref = uses.find('@') != std::string_view::npos;
  std::string problem;
  if (uses.starts_with("./")) {
    if (has_ref) problem = "a workflow of the same repository takes no @ref";
  } else if (!has_ref || std::count(uses.begin(), uses.end(), '/') < 4) {
    problem = "expected ./.github/workflows/{file} or {owner}/{repo}/.github/workflows/{file}@{ref}";
  }
  if (problem.empty()) return;
  error(value, "Invalid reference to a reusable workflow: '" + value.text + "'", problem);
  issues_.back().stage = Stage::call;
}

RunsOn Converter::runs_on(const Token& value) {
  RunsOn runs_on;
  runs_on.value = value;
  const Token* labels = &value;
  if (value.is_mapping()) {
    labels = value.find("labels");
    if (const auto* group = value.find("group")) {
      runs_on.group = *group;
      if (!group->is_expression()) check_group(*group);
    }
  }
  if (labels == nullptr) return runs_on;
  if (labels->is_sequence()) {
    runs_on.labels = labels->items;
  } else {
    runs_on.labels.push_back(*labels);
  }
  return runs_on;
}

void Converter::check_group(const Token& value) {
  const std::string_view group = value.text;
  const auto slash = group.find('/');
  if (slash == std::string_view::npos) return;
  const auto message = "Invalid runs-on group name '" + value.text + "'.";
  const auto owner = group.substr(0, slash);
  const bool one_slash = group.find('/', slash + 1) == std::string_view::npos;
  if (one_slash && slash + 1 == group.size()) {
    error(value, message);
  } else if (!one_slash || (owner != "org" && owner != "organization" && owner != "ent" && owner != "enterprise")) {
    error(value, message + " Please use 'organization/' or 'enterprise/' prefix to target a single runner group.");
  }
}

Environment Converter::environment(const Token& value) {
  Environment environment;
  environment.value = value;
  if (!value.is_mapping()) {
    environment.name = value;
    return environment;
  }
  set(environment.name, value.find("name"));
  set(environment.url, value.find("url"));
  set(environment.deployment, value.find("deployment"));
  return environment;
}

Strategy Converter::strategy(const Token& value) {
  Strategy strategy;
  strategy.value = value;
  set(strategy.matrix, value.find("matrix"));
  set(strategy.fail_fast, value.find("fail-fast"));
  set(strategy.max_parallel, value.find("max-parallel"));
  if (strategy.matrix && strategy.matrix->is_mapping()) check_matrix(*strategy.matrix);
  return strategy;
}

void Converter::check_matrix(const Token& matrix) {
  bool has_vector = false;
  for (const auto& [key, value] : matrix.entries) {
    if (!key.is_string()) {
      has_vector = true;
    } else if (key.text == "include") {
      has_vector |= contains_expression(value) || !value.items.empty();
    } else if (key.text != "exclude") {
      has_vector = true;
      if (value.is_sequence() && value.items.empty()) {
        error(value, "Matrix vector '" + key.text + "' does not contain any values");
      }
    }
  }
  if (!has_vector) error(matrix, "Matrix must define at least one vector");
}

Container Converter::container(const Token& value, bool is_service) {
  Container container;
  container.value = value;
  if (value.is_string()) container.image = value;
  set(container.image, value.find("image"));
  set(container.options, value.find("options"));
  set(container.env, value.find("env"));
  set(container.entrypoint, value.find("entrypoint"));
  set(container.command, value.find("command"));
  set(container.ports, value.find("ports"));
  set(container.volumes, value.find("volumes"));
  if (const auto* found = value.find("credentials")) {
    container.credentials = Credentials{found->range, {}, {}};
    set(container.credentials->username, found->find("username"));
    set(container.credentials->password, found->find("password"));
  }
  if (contains_expression(value)) return container;
  const std::string_view image = container.image ? std::string_view(container.image->text) : std::string_view{};
  if (image == k_docker_scheme || (is_service && image.empty())) error(value, "Container image cannot be empty");
  return container;
}

std::vector<Service> Converter::services(const Token& value) {
  std::vector<Service> services;
  for (const auto& [key, entry] : value.entries) {
    if (key.is_string()) services.push_back({text_of(key), container(entry, true)});
  }
  return services;
}

Snapshot Converter::snapshot(const Token& value) {
  Snapshot snapshot;
  snapshot.value = value;
  if (!value.is_mapping()) snapshot.image_name = value;
  set(snapshot.image_name, value.find("image-name"));
  set(snapshot.version, value.find("version"));
  set(snapshot.if_, value.find("if"));
  if (snapshot.if_) condition(&*snapshot.if_, workflow_schema(), "snapshot-if");
  if (snapshot.version && snapshot.version->is_string() && !is_image_version(snapshot.version->text)) {
    error(value, "Expected format '{major-version}.*' Actual '" + snapshot.version->text + "'");
  }
  return snapshot;
}

}  // namespace drydock::parser::workflow
