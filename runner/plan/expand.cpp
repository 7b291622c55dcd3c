#include "runner/plan/expand.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <utility>

#include "executors/base/text.h"
#include "executors/step/evaluator.h"
#include "executors/step/from_model.h"
#include "parser/expression/template_string.h"
#include "parser/workflow/matrix.h"
#include "runner/plan/token_values.h"

namespace drydock::runner {
namespace model = parser::workflow;
namespace expression = parser::expression;
using expression::Value;
namespace {

constexpr double k_default_timeout_minutes = 360;

/// What the job context says of the file that the job stands in: of the caller's, or of a called one.
OrderedJson workflow_members(const OrderedJson& github, const std::string& file) {
  const std::string sha = github.value("sha", std::string());
  const auto at = file.find('@');
  if (at == std::string::npos) {
    const std::string repository = github.value("repository", std::string());
    const std::string path = file.starts_with("./") ? file.substr(2) : file;
    return {{"workflow_ref", repository + "/" + path + "@" + github.value("ref", std::string())},
            {"workflow_sha", sha},
            {"workflow_repository", repository},
            {"workflow_file_path", path}};
  }
  const auto name_end = file.find('/', file.find('/') + 1);
  OrderedJson out{{"workflow_ref", file},
                  {"workflow_repository", file.substr(0, name_end)},
                  {"workflow_file_path", file.substr(name_end + 1, at - name_end - 1)}};
  // The commit behind a tag or branch of another repository is not known here.
  const std::string ref = file.substr(at + 1);
  if (ref.size() == 40 && ref.find_first_not_of("0123456789abcdef") == std::string::npos) out["workflow_sha"] = ref;
  return out;
}

expression::Context known_context(const ExpansionContexts& contexts, const RunSettings& settings) {
  expression::Context context;
  context.set("github", Value::from_json(contexts.github));
  context.set("inputs", contexts.planned_inputs ? *contexts.planned_inputs : Value::from_json(contexts.inputs));
  context.set("vars", Value::from_json(settings.vars)).set("needs", contexts.needs);
  return context;
}

class Expander {
 public:
  Expander(const model::Workflow& workflow, const model::Job& job, const ExpansionContexts& contexts,
           const RunSettings& settings)
      : workflow_(workflow), job_(job), contexts_(contexts), settings_(settings), values_(workflow.file, out_.problems) {}

  Expansion run() {
    if (contexts_.refused == Refused::stopped) out_.problems = unsupported_in(workflow_, job_);
    if (has_errors(out_.problems)) return std::move(out_);
    decide();
    if (out_.will == Will::skip) return std::move(out_);
    const Value matrix = job_.strategy ? expand_strategy() : Value();
    if (has_errors(out_.problems) || !out_.matrix_waits_for.empty()) return std::move(out_);
    if (matrix.is_null()) {
      add_leg(Value(), "", 0, 1);
      return std::move(out_);
    }
    add_matrix_legs(matrix);
    return std::move(out_);
  }

 private:
  expression::Context context() const;
  std::optional<Value> evaluate(const model::Token& token, const expression::Context& context);
  void problem(const parser::Range& range, std::string message, std::string mend = {});
  void decide();
  Value expand_strategy();
  void add_matrix_legs(const Value& matrix);
  void add_leg(const Value& matrix, const std::string& suffix, std::size_t index, std::size_t total);
  void read_labels(const expression::Context& context, JobLeg& leg);
  void read_limits(const expression::Context& context, JobLeg& leg);
  std::optional<double> minutes(const std::optional<model::Token>& written, const char* key,
                                const expression::Context& context);
  void read_environment(const expression::Context& context, step::JobRequest& request);
  void read_defaults(step::JobRequest& request) const;
  bool wanted(const Value& matrix) const;

  const model::Workflow& workflow_;
  const model::Job& job_;
  const ExpansionContexts& contexts_;
  const RunSettings& settings_;
  Expansion out_;
  TokenValues values_;
};

expression::Context Expander::context() const {
  expression::Context context = known_context(contexts_, settings_);
  const auto status = [&](auto test) {
    return [answer = test()](std::span<const Value>) -> expression::Checked<Value> { return Value(answer); };
  };
  const Outcome ancestors = contexts_.ancestors.value_or(Outcome::success);
  context.set_function("always", status([] { return true; }));
  context.set_function("cancelled", status([&] { return contexts_.cancelled; }));
  context.set_function("success", [this, ancestors](std::span<const Value>) -> expression::Checked<Value> {
    if (ancestors != Outcome::success || contexts_.cancelled) return Value(false);
    std::vector<Value> undecided;
    for (const auto& name : contexts_.undecided) undecided.push_back(Value::unknown(name));
    return undecided.empty() ? Value(true) : Value::unknown_from(undecided);
  });
  context.set_function("failure", status([&] { return ancestors == Outcome::failure && !contexts_.cancelled; }));
  return context;
}

void Expander::problem(const parser::Range& range, std::string message, std::string mend) {
  values_.problem(range, std::move(message), std::move(mend));
}

std::optional<Value> Expander::evaluate(const model::Token& token, const expression::Context& context) {
  return values_.evaluate(token, context);
}

void Expander::decide() {
  const auto condition = expression::parse_condition(job_.condition, step::job_scope());
  const auto value = condition ? expression::evaluate(condition->ast, context()) : expression::Checked<Value>(condition.error());
  if (!value) {
    out_.will = Will::skip;
    return problem(job_.if_ ? job_.if_->range : job_.range, value.error().message);
  }
  switch (value->truth()) {
    case expression::Truth::yes: return;
    case expression::Truth::no:
      out_.will = Will::skip;
      out_.reason = job_.if_                                   ? "its condition is false: " + job_.condition
                   : contexts_.cancelled                       ? "the run was cancelled"
                   : contexts_.ancestors == Outcome::skipped   ? "a job that it needs is skipped"
                                                               : "a job that it needs did not succeed";
      return;
    case expression::Truth::undecided:
      out_.will = Will::unknown;
      for (const auto& name : value->unknown().depends_on) out_.reason += (out_.reason.empty() ? "depends on " : ", ") + name;
  }
}

Value Expander::expand_strategy() {
  const expression::Context known = context();
  const model::Strategy& strategy = *job_.strategy;
  const auto whole = evaluate(strategy.value, known);
  if (!whole) return Value();
  if (whole->has_unknown()) {
    std::string names;
    const Value unknown = Value::unknown_from({*whole});
    for (const auto& name : unknown.unknown().depends_on) names += (names.empty() ? "" : ", ") + name;
    out_.matrix_waits_for = names;
    return Value();
  }
  if (whole->kind() != expression::Kind::object) return Value();
  if (const Value fail_fast = whole->member("fail-fast"); !fail_fast.is_null()) out_.fail_fast = fail_fast.truthy();
  if (const Value limit = whole->member("max-parallel"); !limit.is_null()) {
    out_.max_parallel = static_cast<int>(std::max(1.0, limit.to_number()));
  }
  return whole->member("matrix");
}

bool Expander::wanted(const Value& matrix) const {
  for (auto filter = settings_.matrix_filter.begin(); filter != settings_.matrix_filter.end();) {
    const auto end = settings_.matrix_filter.upper_bound(filter->first);
    const Value value = matrix.member(filter->first);
    const std::string text = value.is_primitive() ? value.to_string() : value.to_json_text();
    const bool any = std::any_of(filter, end, [&](const auto& entry) { return entry.second == text; });
    if (!value.is_null() && !any) return false;
    filter = end;
  }
  return true;
}

void Expander::add_matrix_legs(const Value& matrix) {
  const model::MatrixExpansion expansion = model::expand_matrix(matrix);
  if (!expansion.ok()) return problem(job_.strategy->value.range, expansion.problem);
  if (expansion.combinations.empty()) {
    return problem(job_.strategy->value.range, "Matrix must define at least one vector", "give the matrix a value");
  }
  for (std::size_t i = 0; i < expansion.combinations.size(); ++i) {
    if (wanted(expansion.combinations[i])) {
      add_leg(expansion.combinations[i], expansion.suffixes[i], i, expansion.combinations.size());
    }
  }
  if (out_.legs.empty() && out_.problems.empty()) {
    out_.will = Will::skip;
    out_.reason = "no job of its matrix matches --matrix";
  }
}

void Expander::add_leg(const Value& matrix, const std::string& suffix, std::size_t index, std::size_t total) {
  JobLeg leg;
  step::JobRequest& request = leg.request;
  request.job_id = job_.id;
  request.key = contexts_.caller.key + job_.id + suffix;
  request.workflow_file = workflow_.file;
  request.place = step::place_of(job_.range, workflow_.file);
  request.github = contexts_.github;
  request.inputs = contexts_.inputs;
  request.vars = settings_.vars;
  request.needs = contexts_.needs.is_null() ? OrderedJson::object() : contexts_.needs.to_json();
  request.matrix = matrix.to_json();
  request.strategy = {{"fail-fast", out_.fail_fast},
                      {"job-index", index},
                      {"job-total", total},
                      {"max-parallel", out_.max_parallel > 0 ? static_cast<std::size_t>(out_.max_parallel) : total}};
  expression::Context known = context();
  known.set("matrix", matrix).set("strategy", Value::from_json(request.strategy));

  const auto name = job_.name.is_expression() ? evaluate(job_.name, known) : Value(job_.name.to_string());
  request.name = name && !name->is_unknown() ? name->to_string() : job_.id + suffix;
  const bool names_matrix = job_.name.is_expression();
  if (!names_matrix && !suffix.empty()) request.name += suffix;
  request.name = contexts_.caller.name + request.name;

  if (workflow_.env) request.env.push_back(step::map_of(workflow_.env, workflow_.file));
  if (job_.env) request.env.push_back(step::map_of(job_.env, workflow_.file));
  request.outputs = step::map_of(job_.outputs, workflow_.file);
  request.steps = step::steps_of(job_.steps, workflow_.file);
  if (job_.container) request.container = step::tree_of(job_.container->value, workflow_.file);
  request.services = step::tree_of(job_.services_value, workflow_.file);
  read_defaults(request);
  request.secrets = settings_.secrets;
  if (const auto& granted = job_.granted) {
    constexpr std::array k_levels{"none", "read", "write"};
    if (granted->all) request.permissions["all"] = k_levels[static_cast<std::size_t>(*granted->all)];
    for (const auto& [scope, level] : granted->scopes) request.permissions[scope] = k_levels[static_cast<std::size_t>(level)];
  }
  request.runner = settings_.runner;
  // No job id holds a dot or a plus, so no two jobs meet in one directory.
  const std::string base = settings_.work_dir + "/" + contexts_.caller.directory + job_.id + (suffix.empty() ? "" : "." + std::to_string(index));
  const std::string repository = contexts_.github.value("repository", std::string("work/work"));
  const std::string leaf = repository.substr(repository.rfind('/') + 1);
  request.places = {.workspace = base + "/" + leaf + "/" + leaf, .temp = base + "/_temp",
                    .tool_cache = settings_.tool_cache, .docker_config = base + "/_docker", .source = settings_.source};
  request.job = workflow_members(contexts_.github, workflow_.file);
  read_labels(known, leg);
  read_limits(known, leg);
  read_environment(known, request);
  if (job_.concurrency) leg.group = group_of(*job_.concurrency, values_, known);
  out_.legs.push_back(std::move(leg));
}

void Expander::read_defaults(step::JobRequest& request) const {
  for (const auto* defaults : {&job_.defaults, &workflow_.defaults}) {
    if (!*defaults) continue;
    if (request.default_shell.empty()) request.default_shell = step::text_of((*defaults)->shell, workflow_.file);
    if (request.default_working_directory.empty()) {
      request.default_working_directory = step::text_of((*defaults)->working_directory, workflow_.file);
    }
  }
}

void Expander::read_labels(const expression::Context& known, JobLeg& leg) {
  if (!job_.runs_on) return;
  const model::RunsOn& runs_on = *job_.runs_on;
  const auto add = [&](const Value& value) {
    value.collect_unknown(leg.labels_depend_on);
    if (value.kind() == expression::Kind::array) {
      for (const auto& item : value.items()) {
        if (!item.is_unknown()) leg.labels.push_back(item.to_string());
      }
    } else if (value.kind() == expression::Kind::object) {
      problem(runs_on.value.range, "A mapping was not expected as a label of runs-on", "name one of its members");
    } else if (!value.is_unknown() && !value.is_null()) {
      leg.labels.push_back(value.to_string());
    }
  };
  const auto group = runs_on.group ? evaluate(*runs_on.group, known) : Value();
  if (group && !group->is_null() && !group->is_unknown()) leg.runner_group = group->to_string();
  for (const auto& token : runs_on.labels) {
    const auto value = evaluate(token, known);
    if (!value) return;
    // The whole of runs-on may be one expression that gives a group and labels.
    const bool whole = runs_on.value.is_expression() && value->kind() == expression::Kind::object;
    if (whole) leg.runner_group = value->member("group").to_string();
    add(whole ? value->member("labels") : *value);
  }
  if (const std::string why = refuse_labels(leg.labels, settings_); !why.empty()) {
    out_.problems.push_back(step::refusal(runs_on.value.range, workflow_.file, why,
                                          "give this machine the label with --label"));
  }
}

std::optional<double> Expander::minutes(const std::optional<model::Token>& written, const char* key,
                                        const expression::Context& known) {
  if (!written) return std::nullopt;
  const auto value = evaluate(*written, known);
  if (!value || value->is_unknown()) return std::nullopt;
  // An expression that gives a text is as wrong as on GitHub, whatever the text says.
  if (written->is_expression() && value->kind() != expression::Kind::number) {
    const std::string shown = value->is_primitive() ? value->to_string() : std::string(expression::name_of(value->kind()));
    problem(written->range, "Unexpected value '" + shown + "'", "a number is expected; fromJSON() makes one from text");
    return std::nullopt;
  }
  if (const double minutes = value->to_number(); minutes > 0) return minutes;
  problem(written->range, std::string(key) + " is '" + value->to_string() + "'", "give a number above zero");
  return std::nullopt;
}

void Expander::read_limits(const expression::Context& known, JobLeg& leg) {
  const auto milliseconds = [](double minutes) {
    return std::chrono::milliseconds(std::llround(std::min(minutes, 60.0 * 24 * 365) * 60000));
  };
  leg.request.timeout = milliseconds(minutes(job_.timeout_minutes, "timeout-minutes", known).value_or(k_default_timeout_minutes));
  if (const auto limit = minutes(job_.cancel_timeout_minutes, "cancel-timeout-minutes", known)) {
    leg.request.cancel_timeout = milliseconds(*limit);
  }
  if (job_.continue_on_error) {
    const auto value = evaluate(*job_.continue_on_error, known);
    if (value) leg.continue_on_error = value->truthy();
  }
}

void Expander::read_environment(const expression::Context& known, step::JobRequest& request) {
  if (!job_.environment) return;
  if (job_.environment->name) {
    const auto name = evaluate(*job_.environment->name, known);
    if (name && !name->is_unknown()) request.environment = name->to_string();
  }
  request.environment_url = step::text_of(job_.environment->url, workflow_.file);
}

std::string mend_of(const model::Token& uses) {
  const std::string text = uses.to_string();
  if (text.starts_with("./")) return "make the file, or name another one";
  const auto at = text.find('@');
  const auto repository = text.substr(0, text.find('/', text.find('/') + 1));
  return "give a clone of it with --action-source " + repository + (at == std::string::npos ? "" : text.substr(at)) + "=PATH";
}

}  // namespace

expression::Context leg_context(const ExpansionContexts& contexts, const RunSettings& settings, const step::JobRequest& leg) {
  expression::Context context = known_context(contexts, settings);
  context.set("matrix", Value::from_json(leg.matrix)).set("strategy", Value::from_json(leg.strategy));
  return context;
}

std::string_view name_of(Will will) {
  constexpr std::array k_names{"run", "skip", "unknown"};
  return k_names[static_cast<std::size_t>(will)];
}

Expansion expand_job(const model::Workflow& workflow, const model::Job& job, const ExpansionContexts& contexts,
                     const RunSettings& settings) {
  return Expander(workflow, job, contexts, settings).run();
}

parser::Diagnostics unsupported_in(const model::Workflow& workflow, const model::Job& job) {
  parser::Diagnostics out;
  const auto refuse = [&](const parser::Range& range, const std::string& what, const std::string& mend = {}) {
    out.push_back(step::refusal(range, workflow.file, what, mend));
  };
  if (job.is_call()) {
    if (!job.called) refuse(job.uses->range, "the reusable workflow '" + job.uses->to_string() + "' is not here", mend_of(*job.uses));
    return out;
  }
  if (job.snapshot) refuse(job.snapshot->value.range, "custom images ('snapshot:' of job '" + job.id + "') are not supported");
  return out;
}

std::string refuse_labels(const std::vector<std::string>& labels, const RunSettings& settings) {
  const std::string arch = lower(settings.runner.arch);
  for (const auto& written : labels) {
    const std::string label = lower(written);
    if (settings.labels.contains(label) || label == "self-hosted" || label == "linux" || label == arch) continue;
    if (label.starts_with("ubuntu-")) {
      const bool arm = label.ends_with("-arm");
      if (arm == (arch == "arm64")) continue;
      // The plain labels mean GitHub's amd64 machines; most jobs run on any, so only -arm ones insist.
      if (!arm) continue;
      return "runs-on '" + written + "' asks for an arm64 machine, and this one is " + arch;
    }
    if (label.starts_with("windows")) return "runs-on '" + written + "': Windows jobs cannot run on this machine";
    if (label.starts_with("macos")) return "runs-on '" + written + "': macOS jobs cannot run on this machine";
    if (label == "x64" || label == "x86" || label == "arm64" || label == "arm") {
      return "runs-on '" + written + "' asks for another processor; this machine is " + arch;
    }
    return "runs-on '" + written + "' is no label of this machine";
  }
  return {};
}

}  // namespace drydock::runner
