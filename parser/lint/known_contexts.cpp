#include "parser/lint/known_contexts.h"

#include "parser/lint/context.h"

#include <initializer_list>

namespace drydock::parser::lint {

namespace {

TypePtr github_type() {
  Properties properties;
  for (const auto name : {"action",
                          "action_path",
                          "action_ref",
                          "action_repository",
                          "action_status",
                          "actor",
                          "actor_id",
                          "api_url",
                          "artifacts",
                          "artifacts_list",
                          "base_ref",
                          "env",
                          "event_name",
                          "event_path",
                          "graphql_url",
                          "head_ref",
                          "job",
                          "job_workflow_sha",
                          "output",
                          "path",
                          "ref",
                          "ref_name",
                          "ref_type",
                          "repository",
                          "repository_id",
                          "repository_owner",
                          "repository_owner_id",
                          "repositoryurl",
                          "repository_visibility",
                          "run_id",
                          "run_number",
                          "run_attempt",
                          "secret_source",
                          "server_url",
                          "sha",
                          "state",
                          "step_summary",
                          "token",
                          "triggering_actor",
                          "workflow",
                          "workflow_ref",
                          "workflow_sha",
                          "workspace"}) {
    properties.emplace(name, string_type());
  }
  properties["event"] = loose_object();
  properties["ref_protected"] = boolean_type();
  properties["retention_days"] = number_type();
  properties["artifact_cache_size_limit"] = number_type();
  return object_type(std::move(properties));
}

TypePtr strings(std::initializer_list<std::string_view> names) {
  Properties properties;
  for (const auto name : names) properties.emplace(name, string_type());
  return object_type(std::move(properties));
}

Properties contexts() {
  const auto service =
      object_type({{"id", string_type()}, {"network", string_type()}, {"ports", map_type(string_type())}});
  return {
      {"github", github_type()},
      {"env", map_type(string_type())},
      {"vars", map_type(string_type())},
      {"job", object_type({{"container", strings({"id", "network"})},
                           {"services", map_type(service)},
                           {"status", string_type()},
                           {"check_run_id", number_type()},
                           {"workflow_ref", string_type()},
                           {"workflow_sha", string_type()},
                           {"workflow_repository", string_type()},
                           {"workflow_file_path", string_type()}})},
      {"steps", object_type({})},
      {"runner", strings({"name", "os", "arch", "temp", "tool_cache", "debug", "environment", "workspace"})},
      {"secrets", map_type(string_type())},
      {"strategy", object_type({{"fail-fast", boolean_type()},
                                {"job-index", number_type()},
                                {"job-total", number_type()},
                                {"max-parallel", number_type()}})},
      {"matrix", object_type({})},
      {"needs", object_type({})},
      {"inputs", object_type({})},
      {"jobs", object_type({})}};
}

std::vector<Signature> make_signatures() {
  const auto& s = string_type();
  const auto& b = boolean_type();
  const auto& any = any_type();
  return {{"contains", {s, s}, b},
          {"contains", {array_type(any), any}, b},
          {"startswith", {s, s}, b},
          {"endswith", {s, s}, b},
          {"format", {s, any}, s, true},
          {"join", {array_type(s), s}, s},
          {"join", {s, s}, s},
          {"join", {array_type(s)}, s},
          {"join", {s}, s},
          {"tojson", {any}, s},
          {"fromjson", {s}, any},
          {"hashfiles", {s}, s, true},
          {"case", {any, any, any}, any, true},
          {"success", {}, b},
          {"always", {}, b},
          {"cancelled", {}, b},
          {"failure", {}, b}};
}

}  // namespace

const Properties& known_contexts() {
  static const Properties table = contexts();
  return table;
}

std::vector<const Signature*> signatures_of(std::string_view function) {
  static const std::vector<Signature> table = make_signatures();
  const auto name = lower(function);
  std::vector<const Signature*> found;
  for (const auto& signature : table) {
    if (signature.name == name) found.push_back(&signature);
  }
  return found;
}

}  // namespace drydock::parser::lint
