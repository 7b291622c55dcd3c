#include "executors/step/job_request.h"

#include <array>

namespace drydock::step {
namespace {

constexpr std::array k_isolations{"host", "sandbox", "container"};
constexpr std::array k_controls{"none", "wait", "wait-all", "cancel"};
constexpr std::array k_text_kinds{"literal", "expression", "insert"};
constexpr std::array k_outcomes{Outcome::none, Outcome::success, Outcome::failure, Outcome::cancelled,
                                Outcome::skipped};
constexpr std::array k_outcome_names{"", "success", "failure", "cancelled", "skipped"};
constexpr std::array k_levels{"debug", "notice", "warning", "error"};
constexpr int k_last_error_code = static_cast<int>(ErrorCode::internal);

template <class Names>
int index_of(const Names& names, const std::string& name, const char* what) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (name == names[i]) return static_cast<int>(i);
  }
  throw std::out_of_range(std::string(what) + " '" + name + "' is not known");
}

OrderedJson place_json(const Place& place) {
  return OrderedJson::array({place.file, place.line, place.column});
}

Place place_from(const OrderedJson& json) {
  return {json.at(0).get<std::string>(), json.at(1).get<int>(), json.at(2).get<int>()};
}

OrderedJson text_json(const Text& text) {
  OrderedJson json{{"text", text.text}, {"place", place_json(text.place)},
                   {"kind", k_text_kinds[static_cast<std::size_t>(text.kind)]}};
  if (!text.source.empty()) json["source"] = text.source;
  return json;
}

Text text_from(const OrderedJson& json) {
  return {json.at("text").get<std::string>(), place_from(json.at("place")),
          static_cast<TextKind>(index_of(k_text_kinds, json.at("kind").get<std::string>(), "kind")),
          json.value("source", std::string())};
}

OrderedJson map_json(const TextMap& map) {
  OrderedJson out = OrderedJson::array();
  for (const auto& [key, value] : map) out.push_back(OrderedJson::array({text_json(key), text_json(value)}));
  return out;
}

TextMap map_from(const OrderedJson& json) {
  TextMap out;
  for (const auto& entry : json) out.emplace_back(text_from(entry.at(0)), text_from(entry.at(1)));
  return out;
}

OrderedJson tree_json(const TextTree& tree) {
  if (tree.kind == TextTree::Kind::scalar) return text_json(tree.scalar);
  OrderedJson parts = OrderedJson::array();
  for (const auto& item : tree.items) parts.push_back(tree_json(item));
  for (const auto& [key, value] : tree.entries) parts.push_back(OrderedJson::array({text_json(key), tree_json(value)}));
  return {{"at", place_json(tree.scalar.place)},
          {tree.kind == TextTree::Kind::sequence ? "items" : "entries", std::move(parts)}};
}

TextTree tree_from(const OrderedJson& json) {
  TextTree tree;
  if (!json.contains("at")) {
    tree.scalar = text_from(json);
    return tree;
  }
  tree.scalar.place = place_from(json.at("at"));
  tree.kind = json.contains("items") ? TextTree::Kind::sequence : TextTree::Kind::mapping;
  if (tree.kind == TextTree::Kind::sequence) {
    for (const auto& item : json.at("items")) tree.items.push_back(tree_from(item));
  } else {
    for (const auto& entry : json.at("entries")) tree.entries.push_back({text_from(entry.at(0)), tree_from(entry.at(1))});
  }
  return tree;
}

OrderedJson step_json(const StepRequest& step) {
  return {{"id", step.id},
          {"name", text_json(step.name)},
          {"if", text_json(step.condition)},
          {"run", text_json(step.run)},
          {"shell", text_json(step.shell)},
          {"working-directory", text_json(step.working_directory)},
          {"uses", text_json(step.uses)},
          {"with", map_json(step.with)},
          {"env", map_json(step.env)},
          {"continue-on-error", text_json(step.continue_on_error)},
          {"timeout-minutes", text_json(step.timeout_minutes)},
          {"background", step.background},
          {"control", k_controls[static_cast<std::size_t>(step.control)]},
          {"targets", step.targets},
          {"place", place_json(step.place)}};
}

StepRequest step_from(const OrderedJson& json) {
  StepRequest step;
  step.id = json.at("id").get<std::string>();
  step.name = text_from(json.at("name"));
  step.condition = text_from(json.at("if"));
  step.run = text_from(json.at("run"));
  step.shell = text_from(json.at("shell"));
  step.working_directory = text_from(json.at("working-directory"));
  step.uses = text_from(json.at("uses"));
  step.with = map_from(json.at("with"));
  step.env = map_from(json.at("env"));
  step.continue_on_error = text_from(json.at("continue-on-error"));
  step.timeout_minutes = text_from(json.at("timeout-minutes"));
  json.at("background").get_to(step.background);
  step.control = static_cast<StepControl>(index_of(k_controls, json.at("control").get<std::string>(), "control"));
  json.at("targets").get_to(step.targets);
  step.place = place_from(json.at("place"));
  return step;
}

Outcome outcome_from(const OrderedJson& json) {
  return k_outcomes[index_of(k_outcome_names, json.get<std::string>(), "outcome")];
}

std::string outcome_name(Outcome outcome) {
  return k_outcome_names[static_cast<std::size_t>(outcome)];
}

OrderedJson error_json(const std::optional<ErrorCode>& code) {
  return code ? OrderedJson(std::string(name_of(*code))) : OrderedJson();
}

std::optional<ErrorCode> error_from(const OrderedJson& json) {
  if (json.is_null()) return std::nullopt;
  const auto name = json.get<std::string>();
  for (int i = 0; i <= k_last_error_code; ++i) {
    if (name_of(static_cast<ErrorCode>(i)) == name) return static_cast<ErrorCode>(i);
  }
  throw std::out_of_range("error code '" + name + "' is not known");
}

OrderedJson places_json(const JobPlaces& places) {
  return {{"workspace", places.workspace}, {"temp", places.temp}, {"tool_cache", places.tool_cache},
          {"docker_config", places.docker_config}, {"source", places.source}};
}

OrderedJson runner_json(const RunnerInfo& runner) {
  return {{"name", runner.name}, {"os", runner.os}, {"arch", runner.arch},
          {"environment", runner.environment},
          {"isolation", name_of(runner.isolation)},
          {"offline", runner.network == NetworkPolicy::offline}, {"debug", runner.debug}};
}

RunnerInfo runner_from(const OrderedJson& json) {
  RunnerInfo runner;
  json.at("name").get_to(runner.name);
  json.at("os").get_to(runner.os);
  json.at("arch").get_to(runner.arch);
  json.at("environment").get_to(runner.environment);
  runner.isolation =
      static_cast<Isolation>(index_of(k_isolations, json.at("isolation").get<std::string>(), "isolation"));
  runner.network = json.at("offline").get<bool>() ? NetworkPolicy::offline : NetworkPolicy::online;
  json.at("debug").get_to(runner.debug);
  return runner;
}

OrderedJson step_result_json(const StepResult& step) {
  return {{"id", step.id},
          {"name", step.name},
          {"position", step.position},
          {"outcome", outcome_name(step.outcome)},
          {"conclusion", outcome_name(step.conclusion)},
          {"outputs", step.outputs},
          {"error", error_json(step.error)},
          {"message", step.message},
          {"exit_code", step.exit_code},
          {"elapsed_ms", step.elapsed.count()},
          {"summary", step.summary}};
}

StepResult step_result_from(const OrderedJson& json) {
  StepResult step;
  json.at("id").get_to(step.id);
  json.at("name").get_to(step.name);
  json.at("position").get_to(step.position);
  step.outcome = outcome_from(json.at("outcome"));
  step.conclusion = outcome_from(json.at("conclusion"));
  json.at("outputs").get_to(step.outputs);
  step.error = error_from(json.at("error"));
  json.at("message").get_to(step.message);
  json.at("exit_code").get_to(step.exit_code);
  step.elapsed = std::chrono::milliseconds(json.at("elapsed_ms").get<std::int64_t>());
  json.at("summary").get_to(step.summary);
  return step;
}

OrderedJson annotation_json(const Annotation& annotation) {
  return {{"level", k_levels[static_cast<std::size_t>(annotation.level)]},
          {"message", annotation.message},
          {"title", annotation.title},
          {"place", place_json(annotation.place)}};
}

Annotation annotation_from(const OrderedJson& json) {
  Annotation annotation;
  annotation.level = static_cast<Level>(index_of(k_levels, json.at("level").get<std::string>(), "level"));
  json.at("message").get_to(annotation.message);
  json.at("title").get_to(annotation.title);
  annotation.place = place_from(json.at("place"));
  return annotation;
}

/// Runs a reader; its exceptions, the JSON library's included, become one invalid_input.
template <class T, class Read>
Result<T> read_message(const OrderedJson& json, const char* what, int schema, Read read) {
  try {
    if (json.at("schema").get<int>() != schema) {
      return make_error(ErrorCode::invalid_input,
                        std::string(what) + " has schema " + json.at("schema").dump() + ", not " +
                            std::to_string(schema),
                        "use the same version of drydock on both sides");
    }
    return read();
  } catch (const std::exception& problem) {
    return make_error(ErrorCode::invalid_input, std::string(what) + " cannot be read: " + problem.what());
  }
}

}  // namespace

std::string_view name_of(Isolation isolation) { return k_isolations[static_cast<std::size_t>(isolation)]; }

Result<Isolation> parse_isolation(std::string_view text) {
  for (std::size_t i = 0; i < k_isolations.size(); ++i) {
    if (text == k_isolations[i]) return static_cast<Isolation>(i);
  }
  return make_error(ErrorCode::usage, "isolation '" + std::string(text) + "' is not known",
                    "use host, sandbox or container");
}

OrderedJson to_json(const JobRequest& request) {
  OrderedJson steps = OrderedJson::array(), env = OrderedJson::array();
  for (const auto& step : request.steps) steps.push_back(step_json(step));
  for (const auto& layer : request.env) env.push_back(map_json(layer));
  return {{"schema", JobRequest::k_schema},
          {"key", request.key},
          {"job_id", request.job_id},
          {"name", request.name},
          {"workflow_file", request.workflow_file},
          {"place", place_json(request.place)},
          {"steps", std::move(steps)},
          {"container", tree_json(request.container)},
          {"services", tree_json(request.services)},
          {"env", std::move(env)},
          {"default_shell", text_json(request.default_shell)},
          {"default_working_directory", text_json(request.default_working_directory)},
          {"outputs", map_json(request.outputs)},
          {"contexts",
           {{"github", request.github}, {"vars", request.vars}, {"inputs", request.inputs},
            {"needs", request.needs}, {"strategy", request.strategy}, {"matrix", request.matrix},
            {"job", request.job}}},
          {"environment", {{"name", request.environment}, {"url", text_json(request.environment_url)}}},
          {"secrets", request.secrets},
          {"permissions", request.permissions},
          {"places", places_json(request.places)},
          {"runner", runner_json(request.runner)},
          {"timeout_ms", request.timeout ? OrderedJson(request.timeout->count()) : OrderedJson()},
          {"cancel_timeout_ms", request.cancel_timeout.count()},
          {"go_on", request.go_on ? OrderedJson{{"first", request.go_on->first}, {"run", request.go_on->run},
                                                {"trail", to_json(request.go_on->trail)}}
                                  : OrderedJson()},
          {"leaves_places", request.leaves_places}};
}

Result<JobRequest> job_request_from_json(const OrderedJson& json) {
  return read_message<JobRequest>(json, "job request", JobRequest::k_schema, [&] {
    JobRequest request;
    json.at("key").get_to(request.key);
    json.at("job_id").get_to(request.job_id);
    json.at("name").get_to(request.name);
    json.at("workflow_file").get_to(request.workflow_file);
    request.place = place_from(json.at("place"));
    for (const auto& step : json.at("steps")) request.steps.push_back(step_from(step));
    request.container = tree_from(json.at("container"));
    request.services = tree_from(json.at("services"));
    for (const auto& layer : json.at("env")) request.env.push_back(map_from(layer));
    request.default_shell = text_from(json.at("default_shell"));
    request.default_working_directory = text_from(json.at("default_working_directory"));
    request.outputs = map_from(json.at("outputs"));
    const OrderedJson& contexts = json.at("contexts");
    request.github = contexts.at("github");
    request.vars = contexts.at("vars");
    request.inputs = contexts.at("inputs");
    request.needs = contexts.at("needs");
    request.strategy = contexts.at("strategy");
    request.matrix = contexts.at("matrix");
    request.job = contexts.at("job");
    json.at("environment").at("name").get_to(request.environment);
    request.environment_url = text_from(json.at("environment").at("url"));
    json.at("secrets").get_to(request.secrets);
    json.at("permissions").get_to(request.permissions);
    const OrderedJson& places = json.at("places");
    places.at("workspace").get_to(request.places.workspace);
    places.at("temp").get_to(request.places.temp);
    places.at("tool_cache").get_to(request.places.tool_cache);
    places.at("docker_config").get_to(request.places.docker_config);
    places.at("source").get_to(request.places.source);
    request.runner = runner_from(json.at("runner"));
    if (const OrderedJson& timeout = json.at("timeout_ms"); !timeout.is_null()) {
      request.timeout = std::chrono::milliseconds(timeout.get<std::int64_t>());
    }
    request.cancel_timeout = std::chrono::milliseconds(json.at("cancel_timeout_ms").get<std::int64_t>());
    if (const OrderedJson& go_on = json.at("go_on"); !go_on.is_null()) {
      request.go_on = GoOn{go_on.at("first").get<std::size_t>(), go_on.at("run").get<std::string>(), job_trail_from(go_on.at("trail"))};
    }
    json.at("leaves_places").get_to(request.leaves_places);
    return request;
  });
}

OrderedJson to_json(const JobResult& result) {
  OrderedJson steps = OrderedJson::array(), annotations = OrderedJson::array();
  for (const auto& step : result.steps) steps.push_back(step_result_json(step));
  for (const auto& annotation : result.annotations) annotations.push_back(annotation_json(annotation));
  return {{"schema", JobResult::k_schema},
          {"key", result.key},
          {"conclusion", outcome_name(result.conclusion)},
          {"outputs", result.outputs},
          {"steps", std::move(steps)},
          {"annotations", std::move(annotations)},
          {"environment", {{"name", result.environment}, {"url", result.environment_url}}},
          {"error", error_json(result.error)},
          {"message", result.message},
          {"elapsed_ms", result.elapsed.count()},
          {"trail", result.trail ? to_json(*result.trail) : OrderedJson()}};
}

Result<JobResult> job_result_from_json(const OrderedJson& json) {
  return read_message<JobResult>(json, "job result", JobResult::k_schema, [&] {
    JobResult result;
    json.at("key").get_to(result.key);
    result.conclusion = outcome_from(json.at("conclusion"));
    json.at("outputs").get_to(result.outputs);
    for (const auto& step : json.at("steps")) result.steps.push_back(step_result_from(step));
    for (const auto& entry : json.at("annotations")) result.annotations.push_back(annotation_from(entry));
    if (const auto environment = json.find("environment"); environment != json.end()) {
      environment->at("name").get_to(result.environment);
      environment->at("url").get_to(result.environment_url);
    }
    result.error = error_from(json.at("error"));
    json.at("message").get_to(result.message);
    result.elapsed = std::chrono::milliseconds(json.at("elapsed_ms").get<std::int64_t>());
    // Results of an earlier drydock have none.
    if (const auto trail = json.find("trail"); trail != json.end() && !trail->is_null()) result.trail = job_trail_from(*trail);
    return result;
  });
}

}  // namespace drydock::step
