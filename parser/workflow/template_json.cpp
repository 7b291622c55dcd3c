#include "parser/workflow/template_json.h"

#include "parser/workflow/loader.h"

#include <cmath>

namespace drydock::parser::workflow {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_most_errors = 10;

/// Infinite numbers are quoted, as GitHub's serialiser does.
Json number_json(double value) {
  if (!std::isfinite(value)) return number_to_string(value);
  if (value == std::floor(value) && std::abs(value) < 9e15) return static_cast<std::int64_t>(value);
  return value;
}

std::string_view name_of(PermissionLevel level) {
  return level == PermissionLevel::write ? "write" : level == PermissionLevel::read ? "read" : "none";
}

std::string_view name_of(InputType type) {
  switch (type) {
    case InputType::string: return "string";
    case InputType::boolean: return "boolean";
    case InputType::number: return "number";
    case InputType::choice: return "choice";
    case InputType::environment: return "environment";
  }
  return "string";
}

class Writer {
 public:
  explicit Writer(const TemplateOptions& options) : options_(options) {}

  Json root(const Workflow& workflow) {
    Json json = Json::object();
    enter(workflow.file);
    if (options_.dialect == Dialect::service) input_types(json, workflow);
    if (options_.dialect == Dialect::editor) events(json, workflow);
    put(json, "env", workflow.env);
    if (workflow.permissions) json["permissions"] = permissions(*workflow.permissions);
    if (workflow.defaults) json["defaults"] = token(workflow.defaults->value);
    if (workflow.concurrency) json["concurrency"] = token(workflow.concurrency->value);
    json["jobs"] = jobs(workflow);
    if (options_.source == SourceInfo::kept) json["file-table"] = files_;
    return json;
  }

 private:
  void enter(const std::string& file) {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (files_[i] == file) {
        file_ = static_cast<int>(i) + 1;
        return;
      }
    }
    files_.push_back(file);
    file_ = static_cast<int>(files_.size());
  }

  Json token(const Token& value) {
    const bool sourced = options_.source == SourceInfo::kept;
    if (!sourced) {
      if (value.kind == TokenKind::string) return value.text;
      if (value.kind == TokenKind::boolean) return value.boolean;
      if (value.kind == TokenKind::number) return number_json(value.number);
      if (value.kind == TokenKind::null) return nullptr;
    }
    Json json = {{"type", static_cast<int>(value.kind)}};
    if (sourced && value.range.start.line > 0) {
      json["file"] = file_;
      json["line"] = value.range.start.line;
      json["col"] = value.range.start.column;
    }
    content(json, value);
    return json;
  }

  void content(Json& json, const Token& value) {
    switch (value.kind) {
      case TokenKind::string: json["lit"] = value.text; break;
      case TokenKind::boolean: json["bool"] = value.boolean; break;
      case TokenKind::number: json["num"] = number_json(value.number); break;
      case TokenKind::expression: json["expr"] = value.text; break;
      case TokenKind::insert: json["directive"] = "insert"; break;
      case TokenKind::null: break;
      case TokenKind::sequence:
        for (const auto& item : value.items) json["seq"].push_back(token(item));
        break;
      case TokenKind::mapping:
        for (const auto& [key, entry] : value.entries) json["map"].push_back({{"Key", token(key)}, {"Value", token(entry)}});
        break;
    }
  }

  void put(Json& json, const char* key, const std::optional<Token>& value) {
    if (value) json[key] = token(*value);
  }

  Json literal(const std::string& text, const Range& range) {
    Token value;
    value.kind = TokenKind::string;
    value.text = text;
    value.range = range;
    return token(value);
  }

  static Json condition(const std::string& text) { return {{"type", static_cast<int>(TokenKind::expression)}, {"expr", text}}; }

  Json condition(const std::string& text, const std::optional<Token>& written) {
    auto json = condition(text);
    if (options_.source == SourceInfo::kept && written) {
      json["file"] = file_;
      json["line"] = written->range.start.line;
      json["col"] = written->range.start.column;
    }
    return json;
  }

  static Json permissions(const Permissions& permissions) {
    static constexpr std::string_view k_all[] = {
        "actions", "artifact-metadata", "attestations", "checks", "contents", "deployments", "discussions", "id-token", "issues",
        "packages", "pages", "pull-requests", "repository-projects", "security-events", "statuses"};
    Json json = Json::object();
    if (permissions.all) {
      for (const auto scope : k_all) json[std::string(scope)] = name_of(*permissions.all);
    }
    for (const auto& [scope, level] : permissions.scopes) {
      if (level != PermissionLevel::none) json[scope] = name_of(level);
    }
    return json;
  }

  static void input_types(Json& json, const Workflow& workflow) {
    const auto* dispatch = workflow.find_event("workflow_dispatch");
    if (dispatch == nullptr) return;
    for (const auto& input : dispatch->inputs) json["input-types"][input.id] = name_of(input.type);
  }

  static void list(Json& json, const char* key, const std::optional<TextList>& values) {
    if (!values) return;
    json[key] = Json::array();
    for (const auto& item : values->items) json[key].push_back(item.value);
  }

  static Json plain(const Token& value) {
    if (value.kind == TokenKind::boolean) return value.boolean;
    if (value.kind == TokenKind::number) return number_json(value.number);
    return value.to_string();
  }

  static Json dispatch_input(const Input& input) {
    Json json = {{"type", name_of(input.type)}};
    if (input.required) json["required"] = true;
    if (input.description) json["description"] = input.description->value;
    if (input.default_value) json["default"] = plain(*input.default_value);
    for (const auto& option : input.options) json["options"].push_back(option.value);
    return json;
  }

  static void events(Json& json, const Workflow& workflow) {
    json["events"] = Json::object();
    for (const auto& event : workflow.on) {
      auto& body = json["events"][event.name] = Json::object();
      list(body, "types", event.types);
      list(body, "branches", event.branches);
      list(body, "branches-ignore", event.branches_ignore);
      list(body, "tags", event.tags);
      list(body, "tags-ignore", event.tags_ignore);
      list(body, "paths", event.paths);
      list(body, "paths-ignore", event.paths_ignore);
      list(body, "workflows", event.workflows);
      list(body, "names", event.names);
      list(body, "versions", event.versions);
      for (const auto& input : event.inputs) body["inputs"][input.id] = dispatch_input(input);
      for (const auto& secret : event.secrets) body["secrets"][secret.id] = {{"required", secret.required}};
      if (event.name == "schedule") {
        body = Json::array();
        for (const auto& schedule : event.schedule) body.push_back({{"cron", schedule.cron.value}});
      }
    }
  }

  Json jobs(const Workflow& workflow) {
    Json list = Json::array();
    for (const auto& job : workflow.jobs) list.push_back(job.is_call() ? call(job) : steps_job(job));
    return list;
  }

  Json common(const Job& job, const char* type) {
    Json json = {{"type", type}, {"id", literal(job.id, job.range)}, {"name", token(job.name)}};
    for (const auto& need : job.needs) json["needs"].push_back(literal(need.value, need.range));
    json["if"] = condition(job.condition, job.if_);
    if (job.granted) json["permissions"] = permissions(*job.granted);
    if (job.strategy) json["strategy"] = token(job.strategy->value);
    if (job.concurrency) json["concurrency"] = token(job.concurrency->value);
    return json;
  }

  Json steps_job(const Job& job) {
    auto json = common(job, "job");
    put(json, "continue-on-error", job.continue_on_error);
    put(json, "timeout-minutes", job.timeout_minutes);
    put(json, "cancel-timeout-minutes", job.cancel_timeout_minutes);
    put(json, "env", job.env);
    if (job.environment) json["environment"] = token(job.environment->value);
    if (job.defaults) json["defaults"] = token(job.defaults->value);
    if (job.runs_on) json["runs-on"] = token(job.runs_on->value);
    if (job.container) json["container"] = token(job.container->value);
    put(json, "services", job.services_value);
    put(json, "outputs", job.outputs);
    if (job.snapshot) json["snapshot"] = token(job.snapshot->value);
    for (const auto& step : job.steps) json["steps"].push_back(this->step(step));
    return json;
  }

  Json step(const Step& step) {
    Json json = {{"id", step.id}};
    put(json, "name", step.name);
    json["if"] = condition(step.condition, step.if_);
    put(json, "continue-on-error", step.continue_on_error);
    put(json, "timeout-minutes", step.timeout_minutes);
    put(json, "env", step.env);
    put(json, "uses", step.uses);
    put(json, "with", step.with);
    put(json, "working-directory", step.working_directory);
    put(json, "shell", step.shell);
    put(json, "run", step.run);
    return json;
  }

  Json call(const Job& job) {
    auto json = common(job, "reusableWorkflowJob");
    if (!json.contains("needs")) json["needs"] = Json::array();
    json["ref"] = token(*job.uses);
    put(json, "input-values", job.with);
    put(json, "secret-values", job.secrets);
    if (job.inherit_secrets) json["inherit-secrets"] = true;
    if (!job.called) return json;
    const auto caller = file_;
    enter(job.called->file);
    called(json, *job.called);
    json["jobs"] = jobs(*job.called);
    file_ = caller;
    return json;
  }

  void called(Json& json, const Workflow& workflow) {
    const auto* event = workflow.find_event("workflow_call");
    if (event != nullptr) {
      const auto raw = [&](const char* key, const char* name) {
        if (const auto* found = event->value.find(key)) json[name] = token(*found);
      };
      raw("inputs", "input-definitions");
      raw("secrets", "secret-definitions");
      raw("outputs", "outputs");
    }
    put(json, "env", workflow.env);
    if (workflow.defaults) json["defaults"] = token(workflow.defaults->value);
    if (workflow.concurrency) json["embedded-concurrency"] = token(workflow.concurrency->value);
  }

  const TemplateOptions& options_;
  std::vector<std::string> files_;
  int file_ = 1;
};

/// Only the first stage that failed, as GitHub stops there; the service keeps the first ten.
Json errors_json(const Issues& issues, Dialect dialect) {
  bool syntax = false;
  for (const auto& issue : issues) syntax |= issue.stage == Stage::syntax && issue.severity == Severity::error;
  Json list = Json::array();
  for (const auto& issue : issues) {
    if (issue.severity != Severity::error || (syntax && issue.stage != Stage::syntax)) continue;
    if (dialect == Dialect::editor || list.size() < k_most_errors) list.push_back({{"Message", github_text(issue)}});
  }
  return {{"errors", list}};
}

bool skips(const nlohmann::json& options, const char* reader) {
  if (!options.contains("skip") || !options["skip"].is_array()) return false;
  for (const auto& item : options["skip"]) {
    if (item == reader) return true;
  }
  return false;
}

}  // namespace

TemplateOptions template_options(const nlohmann::json& options) {
  TemplateOptions result;
  result.source = options.value("include-source", false) ? SourceInfo::kept : SourceInfo::left_out;
  if (skips(options, "C#") && skips(options, "Go")) result.dialect = Dialect::editor;
  if (result.dialect == Dialect::editor) result.read.unknown_dispatch_keys = UnknownDispatchKeys::refused;
  if (options.value("permissions-policy", std::string{}) == "LimitedRead") {
    result.read.permissions_policy = PermissionsPolicy::limited_read;
  }
  result.read.max_result_size = options.value("max-result-size", result.read.max_result_size);
  result.read.max_call_depth = options.value("max-nested-reusable-workflows-depth", result.read.max_call_depth);
  return result;
}

nlohmann::ordered_json template_json(std::string_view text, const std::string& file_name,
                                     const std::map<std::string, std::string>& references, const TemplateOptions& options) {
  auto read = options.read;
  read.resolve = [&](std::string_view uses) -> std::optional<std::string> {
    const auto found = references.find(std::string(uses));
    return found == references.end() ? std::nullopt : std::optional(found->second);
  };
  const auto loaded = load_workflow(text, file_name, read);
  for (const auto& issue : loaded.issues) {
    if (issue.severity == Severity::error) return errors_json(loaded.issues, options.dialect);
  }
  return Writer(options).root(*loaded.workflow);
}

}  // namespace drydock::parser::workflow
