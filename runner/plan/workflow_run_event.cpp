#include "runner/plan/workflow_run_event.h"

#include <array>

namespace drydock::runner {
namespace {

std::string text_of(const OrderedJson& github, const char* name) { return json_or(github, name, std::string()); }

/// A number of its own for each workflow, the same in every run: GitHub's are not known here.
std::int64_t id_of(const std::string& text) {
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (const unsigned char c : text) hash = (hash ^ c) * 16777619U;
  return hash % 1'000'000'000U + 1;
}

const OrderedJson& member(const OrderedJson& json, const char* name) {
  static const OrderedJson none = OrderedJson::object();
  return json.is_object() && json.contains(name) ? json[name] : none;
}

struct Head {
  std::string branch, sha;
};

/// Of a pull request its own branch, of a push the branch or tag.
Head head_of(const OrderedJson& github) {
  const OrderedJson& pull = member(member(github, "event"), "pull_request");
  if (!pull.empty()) return {text_of(member(pull, "head"), "ref"), text_of(member(pull, "head"), "sha")};
  // A run that follows another one runs on the default branch.
  return {text_of(github, "ref_name"), text_of(github, "sha")};
}

OrderedJson pull_requests_of(const OrderedJson& github) {
  OrderedJson out = OrderedJson::array();
  const OrderedJson& pull = member(member(github, "event"), "pull_request");
  if (pull.empty()) return out;
  const auto side = [&](const char* name) {
    return OrderedJson{{"ref", text_of(member(pull, name), "ref")}, {"sha", text_of(member(pull, name), "sha")}};
  };
  out.push_back({{"number", json_or<std::int64_t>(pull, "number", 1)}, {"head", side("head")}, {"base", side("base")}});
  return out;
}

std::string name_of_workflow(const parser::workflow::Workflow& workflow) {
  return workflow.name && !workflow.name->text.empty() ? workflow.name->text : workflow.file;
}

OrderedJson workflow_json(const FollowedRun& run, const OrderedJson& repository) {
  const std::string url = text_of(repository, "html_url");
  return {{"id", id_of(run.workflow->file)},
          {"name", name_of_workflow(*run.workflow)},
          {"path", run.workflow->file},
          {"state", "active"},
          {"html_url", url + "/blob/" + text_of(repository, "default_branch") + "/" + run.workflow->file}};
}

OrderedJson run_json(const FollowedRun& run, RunActivity activity, const OrderedJson& repository) {
  const OrderedJson& github = run.event->github;
  const Head head = head_of(github);
  const bool completed = activity == RunActivity::completed;
  const std::string url = text_of(repository, "html_url") + "/actions/runs/" + run.id;
  const OrderedJson actor{{"login", text_of(github, "actor")}, {"type", "User"}};
  const auto number = [](const std::string& text) {
    return text.empty() || text.find_first_not_of("0123456789") != std::string::npos ? 1 : std::stoll(text.substr(0, 18));
  };
  return {{"id", number(run.id)},
          {"name", name_of_workflow(*run.workflow)},
          {"head_branch", head.branch},
          {"head_sha", head.sha},
          {"path", run.workflow->file},
          {"display_title", run.title},
          {"run_number", number(text_of(github, "run_number"))},
          {"event", run.event->name},
          {"status", completed ? "completed" : activity == RunActivity::requested ? "queued" : "in_progress"},
          {"conclusion", completed ? OrderedJson(std::string(drydock::name_of(run.conclusion))) : OrderedJson()},
          {"workflow_id", id_of(run.workflow->file)},
          {"url", url},
          {"html_url", url},
          {"pull_requests", pull_requests_of(github)},
          {"created_at", format_rfc3339(run.started)},
          {"run_started_at", format_rfc3339(run.started)},
          {"updated_at", format_rfc3339(completed ? run.finished : run.started)},
          {"actor", actor},
          {"triggering_actor", actor},
          {"run_attempt", number(text_of(github, "run_attempt"))},
          {"referenced_workflows", OrderedJson::array()},
          {"head_commit", {{"id", head.sha}}},
          {"repository", repository},
          {"head_repository", repository}};
}

}  // namespace

std::string_view name_of(RunActivity activity) {
  constexpr std::array k_names{"requested", "in_progress", "completed"};
  return k_names[static_cast<std::size_t>(activity)];
}

Result<TriggerEvent> follow_event(const FollowedRun& run, RunActivity activity, const GitFacts& on_default) {
  EventOptions options{.name = "workflow_run", .actor = text_of(run.event->github, "actor")};
  DRYDOCK_ASSIGN(TriggerEvent event, make_event(options, on_default));
  event.notes.clear();  // the payload is made here, and the rest was said of the first event
  OrderedJson& payload = event.github["event"];
  const OrderedJson repository = member(payload, "repository");
  payload["action"] = std::string(name_of(activity));
  payload["workflow"] = workflow_json(run, repository);
  payload["workflow_run"] = run_json(run, activity, repository);
  event.trigger.activity = payload["action"];
  event.trigger.workflow_name = name_of_workflow(*run.workflow);
  event.trigger.ref = "refs/heads/" + payload["workflow_run"]["head_branch"].get<std::string>();
  event.trigger.changed_paths.reset();
  return event;
}

}  // namespace drydock::runner
