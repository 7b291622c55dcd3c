#include "runner/plan/event.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "executors/base/fs.h"
#include "parser/expression/value.h"

namespace drydock::runner {
namespace model = parser::workflow;
namespace {

std::string after_last(const std::string& text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

std::string short_ref(const std::string& ref) {
  for (const std::string_view prefix : {"refs/heads/", "refs/tags/", "refs/pull/"}) {
    if (ref.starts_with(prefix)) return after_last(ref, prefix);
  }
  return ref;
}

std::string actor_of(const EventOptions& options, const GitFacts& git) {
  if (!options.actor.empty()) return options.actor;
  if (!git.login.empty()) return git.login;
  if (git.has_remote) return git.owner;
  const char* user = std::getenv("USER");
  return user && *user ? user : "local";
}

OrderedJson repository_json(const GitFacts& git) {
  const std::string html = git.server + "/" + git.repository();
  return {{"name", git.name},
          {"full_name", git.repository()},
          {"private", false},
          {"owner", {{"login", git.owner}, {"name", git.owner}}},
          {"html_url", html},
          {"url", html},
          {"clone_url", html + ".git"},
          {"default_branch", git.default_branch},
          {"master_branch", git.default_branch}};
}

OrderedJson commit_json(const CommitFacts& commit, const GitFacts& git) {
  const OrderedJson person{{"name", commit.author_name}, {"email", commit.author_email}};
  return {{"id", commit.id},
          {"tree_id", commit.tree},
          {"distinct", true},
          {"message", commit.message},
          {"timestamp", commit.timestamp},
          {"url", git.server + "/" + git.repository() + "/commit/" + commit.id},
          {"author", person},
          {"committer", person},
          {"added", commit.added},
          {"removed", commit.removed},
          {"modified", commit.modified}};
}

void add_push(OrderedJson& payload, const GitFacts& git) {
  const bool created = git.before.find_first_not_of('0') == std::string::npos || git.ref.starts_with("refs/tags/");
  payload["ref"] = git.ref;
  payload["before"] = git.ref.starts_with("refs/tags/") ? std::string(40, '0') : git.before;
  payload["after"] = git.sha;
  payload["created"] = created;
  payload["deleted"] = false;
  payload["forced"] = false;
  payload["base_ref"] = nullptr;
  payload["compare"] = git.server + "/" + git.repository() + "/compare/" + git.before.substr(0, 12) + "..." + git.sha.substr(0, 12);
  payload["pusher"] = {{"name", git.user_name}, {"email", git.user_email}};
  OrderedJson commits = OrderedJson::array();
  for (const auto& commit : git.commits) commits.push_back(commit_json(commit, git));
  payload["head_commit"] = commits.empty() ? OrderedJson() : commits.back();
  payload["commits"] = std::move(commits);
}

void add_pull_request(OrderedJson& payload, const GitFacts& git) {
  const OrderedJson repository = repository_json(git);
  payload["action"] = "opened";
  payload["number"] = 1;
  payload["pull_request"] = {
      {"number", 1},
      {"state", "open"},
      {"title", git.commits.empty() ? std::string() : git.commits.back().message.substr(0, git.commits.back().message.find('\n'))},
      {"draft", false},
      {"head", {{"ref", short_ref(git.ref)}, {"sha", git.sha}, {"label", git.owner + ":" + short_ref(git.ref)}, {"repo", repository}}},
      {"base", {{"ref", git.default_branch}, {"sha", git.before}, {"label", git.owner + ":" + git.default_branch}, {"repo", repository}}}};
}

/// The payload that can be made from the repository alone.
OrderedJson make_payload(const EventOptions& options, const GitFacts& git, const std::string& actor,
                         std::vector<std::string>& notes) {
  OrderedJson payload = OrderedJson::object();
  if (options.name == "push") {
    add_push(payload, git);
  } else if (options.name == "pull_request" || options.name == "pull_request_target") {
    add_pull_request(payload, git);
    notes.push_back("the payload of " + options.name + " is assumed: number 1, from " + short_ref(git.ref) + " to " +
                    git.default_branch + "; give the real one with --event-path");
  } else if (options.name == "workflow_dispatch") {
    payload["ref"] = git.ref;
    payload["inputs"] = OrderedJson(options.inputs);
  } else if (options.name != "schedule") {
    notes.push_back("the payload of " + options.name + " holds the repository and the sender alone; give the real one with --event-path");
  }
  payload["repository"] = repository_json(git);
  payload["sender"] = {{"login", actor}, {"type", "User"}};
  return payload;
}

const OrderedJson k_nothing;

std::string text_at(const OrderedJson& json, std::initializer_list<const char*> path) {
  const OrderedJson* at = &json;
  for (const char* name : path) {
    if (!at->is_object() || !at->contains(name)) return {};
    at = &(*at)[name];
  }
  return at->is_string() ? at->get<std::string>() : std::string();
}

/// An id that the payload tells; else one of its own for each name, the same in every run: GitHub's numbers are not
/// known here, and programs want some.
std::string id_at(const OrderedJson& payload, std::initializer_list<const char*> path, const std::string& name) {
  const OrderedJson* at = &payload;
  for (const char* member : path) at = at->is_object() && at->contains(member) ? &(*at)[member] : &k_nothing;
  if (at->is_number_integer()) return std::to_string(at->get<std::int64_t>());
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (const unsigned char c : name) hash = (hash ^ c) * 16777619U;
  return std::to_string(hash % 1'000'000'000U + 1);
}

struct Refs {
  std::string ref, sha, head_ref, base_ref;
  std::string filter_ref;  // what branch and tag filters look at
};

Refs refs_of(const std::string& event, const OrderedJson& payload, const GitFacts& git) {
  Refs refs{.ref = git.ref, .sha = git.sha};
  if (event.starts_with("pull_request")) {
    refs.head_ref = text_at(payload, {"pull_request", "head", "ref"});
    refs.base_ref = text_at(payload, {"pull_request", "base", "ref"});
    refs.filter_ref = "refs/heads/" + refs.base_ref;
    const auto& pull_request = payload.contains("pull_request") ? payload["pull_request"] : payload;
    const auto number = json_or<std::int64_t>(payload, "number", json_or<std::int64_t>(pull_request, "number", 1));
    if (event == "pull_request_target") {
      refs.ref = refs.filter_ref;
      if (const auto sha = text_at(payload, {"pull_request", "base", "sha"}); !sha.empty()) refs.sha = sha;
    } else {
      refs.ref = "refs/pull/" + std::to_string(number) + "/merge";
    }
    return refs;
  }
  if (const auto ref = text_at(payload, {"ref"}); ref.starts_with("refs/")) refs.ref = ref;
  if (const auto after = text_at(payload, {"after"}); event == "push" && !after.empty()) refs.sha = after;
  if (const auto created = text_at(payload, {"ref"}); event == "create" && !created.empty()) {
    refs.ref = (text_at(payload, {"ref_type"}) == "tag" ? "refs/tags/" : "refs/heads/") + created;
  }
  if (event == "release") {
    if (const auto tag = text_at(payload, {"release", "tag_name"}); !tag.empty()) refs.ref = "refs/tags/" + tag;
  }
  if (event == "merge_group") {
    // The group's own branch is what runs; filters look at the branch that it is for.
    if (const auto ref = text_at(payload, {"merge_group", "head_ref"}); !ref.empty()) refs.ref = ref;
    if (const auto sha = text_at(payload, {"merge_group", "head_sha"}); !sha.empty()) refs.sha = sha;
    if (const auto base = text_at(payload, {"merge_group", "base_ref"}); !base.empty()) {
      refs.filter_ref = base;
      return refs;
    }
  }
  refs.filter_ref = refs.ref;
  return refs;
}

/// Those that GitHub answers with the workflows and the last commit of the default branch, whatever they are about.
bool is_of_default_branch(const std::string& event) {
  constexpr std::array<std::string_view, 22> k_events{
      "branch_protection_rule", "check_run", "check_suite", "delete", "discussion", "discussion_comment", "fork", "gollum",
      "image_version", "issue_comment", "issues", "label", "milestone", "page_build", "project", "project_card",
      "project_column", "public", "repository_dispatch", "schedule", "status", "watch"};
  return std::find(k_events.begin(), k_events.end(), event) != k_events.end();
}

std::string api_of(const std::string& server) {
  return server == "https://github.com" ? "https://api.github.com" : server + "/api/v3";
}

Result<OrderedJson> typed_input(const model::Input& input, const std::string& text) {
  const auto wrong = [&](const std::string& expected) {
    return make_error(ErrorCode::usage, "input '" + input.id + "' is '" + text + "'", "give " + expected);
  };
  switch (input.type) {
    case model::InputType::boolean:
      if (text != "true" && text != "false") return wrong("true or false");
      return OrderedJson(text == "true");
    case model::InputType::number: {
      const double number = parser::expression::parse_number(text);
      if (number != number) return wrong("a number");
      return OrderedJson(number);
    }
    case model::InputType::choice: {
      std::string options;
      for (const auto& option : input.options) {
        if (option.value == text) return OrderedJson(text);
        options += (options.empty() ? "" : ", ") + option.value;
      }
      return wrong("one of " + options);
    }
    default: return OrderedJson(text);
  }
}

}  // namespace

Result<TriggerEvent> make_event(const EventOptions& options, const GitFacts& git) {
  TriggerEvent event;
  event.name = options.name;
  const std::string actor = actor_of(options, git);
  OrderedJson payload = make_payload(options, git, actor, event.notes);
  if (!options.payload_file.empty()) {
    event.notes.clear();
    DRYDOCK_ASSIGN(const std::string text, read_file(options.payload_file));
    DRYDOCK_ASSIGN(OrderedJson given, parse_ordered_json(text, "event payload " + options.payload_file));
    if (!given.is_object()) return make_error(ErrorCode::usage, "the event payload " + options.payload_file + " is not an object");
    for (const auto& [name, value] : payload.items()) {
      if ((name == "repository" || name == "sender" || name == "inputs") && !given.contains(name)) given[name] = value;
    }
    payload = std::move(given);
  }
  if (!git.has_remote) event.notes.push_back("the repository has no remote: it is called " + git.repository());

  const Refs refs = refs_of(event.name, payload, git);
  if (is_of_default_branch(event.name) && refs.ref != "refs/heads/" + git.default_branch) {
    event.notes.push_back("GitHub runs " + event.name + " on the default branch, " + git.default_branch + "; this run is on " + short_ref(refs.ref));
  }
  const std::string full = text_at(payload, {"repository", "full_name"});
  const std::string repository = full.find('/') == std::string::npos ? git.repository() : full;
  const std::string sender = text_at(payload, {"sender", "login"});
  const std::string owner = repository.substr(0, repository.find('/'));
  const std::string by = options.actor.empty() && !sender.empty() ? sender : actor;
  const bool is_private = payload.contains("repository") && json_or(payload["repository"], "private", false);
  const bool tag = refs.ref.starts_with("refs/tags/");
  event.github = {{"ref", refs.ref},
                  {"sha", refs.sha},
                  {"repository", repository},
                  {"repository_owner", owner},
                  {"repository_owner_id", id_at(payload, {"repository", "owner", "id"}, owner)},
                  {"repository_id", id_at(payload, {"repository", "id"}, repository)},
                  {"repository_visibility", is_private ? "private" : "public"},
                  {"repositoryUrl", "git://" + git.server.substr(git.server.find("://") + 3) + "/" + repository + ".git"},
                  {"run_id", options.run_id},
                  {"run_number", options.run_number},
                  {"retention_days", "90"},
                  {"run_attempt", options.run_attempt},
                  {"actor", by},
                  {"actor_id", id_at(payload, {"sender", "id"}, by)},
                  {"triggering_actor", by},
                  {"head_ref", refs.head_ref},
                  {"base_ref", refs.base_ref},
                  {"event_name", event.name},
                  {"secret_source", "Actions"},
                  {"server_url", git.server},
                  {"api_url", api_of(git.server)},
                  {"graphql_url", git.server == "https://github.com" ? api_of(git.server) + "/graphql" : git.server + "/api/graphql"},
                  {"ref_name", short_ref(refs.ref)},
                  {"ref_protected", false},
                  {"ref_type", tag ? "tag" : "branch"}};
  event.trigger.event = event.name;
  event.trigger.activity = text_at(payload, {"action"});
  event.trigger.ref = refs.filter_ref;
  event.trigger.schedule = text_at(payload, {"schedule"});
  event.trigger.workflow_name = text_at(payload, {"workflow_run", "name"});
  // A payload of the user's may speak of other commits than those here: paths are then not known.
  if (options.payload_file.empty() || refs.sha == git.sha) event.trigger.changed_paths = git.changed_paths;
  event.github["event"] = std::move(payload);
  return event;
}

OrderedJson github_for(const TriggerEvent& event, const model::Workflow& workflow) {
  OrderedJson github = event.github;
  const std::string name = workflow.name && !workflow.name->text.empty() ? workflow.name->text : workflow.file;
  github["workflow"] = name;
  github["workflow_ref"] = github["repository"].get<std::string>() + "/" + workflow.file + "@" + github["ref"].get<std::string>();
  github["workflow_sha"] = github["sha"];
  // Nobody says which line fired: the first, where the payload is silent.
  const model::Event* schedule = workflow.find_event("schedule");
  if (event.name == "schedule" && schedule && !schedule->schedule.empty() && !github["event"].contains("schedule")) {
    github["event"]["schedule"] = schedule->schedule.front().cron.value;
  }
  if (github["event"].contains("inputs") && event.name == "workflow_dispatch") github["event"]["workflow"] = workflow.file;
  return github;
}

Result<OrderedJson> inputs_for(const TriggerEvent& event, const model::Workflow& workflow) {
  OrderedJson inputs = OrderedJson::object();
  const model::Event* declared = workflow.find_event("workflow_dispatch");
  if (event.name != "workflow_dispatch" || !declared) return inputs;
  const OrderedJson none = OrderedJson::object();
  const OrderedJson& payload = event.payload();
  const OrderedJson& given = payload.contains("inputs") && payload["inputs"].is_object() ? payload["inputs"] : none;
  for (const auto& [name, value] : given.items()) {
    const auto& known = declared->inputs;
    const bool found = std::any_of(known.begin(), known.end(), [&name = name](const model::Input& input) { return input.id == name; });
    if (!found) return make_error(ErrorCode::usage, "the workflow " + workflow.file + " has no input '" + name + "'");
  }
  for (const auto& input : declared->inputs) {
    std::string text;
    if (given.contains(input.id)) {
      const OrderedJson& value = given[input.id];
      text = value.is_string() ? value.get<std::string>() : dump_json(value);
    } else if (input.default_value) {
      text = input.default_value->to_string();
    } else if (input.required) {
      return make_error(ErrorCode::usage, "the workflow " + workflow.file + " needs the input '" + input.id + "'",
                        "give it with --input " + input.id + "=…");
    } else if (input.type == model::InputType::boolean) {
      text = "false";
    } else if (input.type != model::InputType::string) {
      inputs[input.id] = "";
      continue;
    }
    DRYDOCK_ASSIGN(inputs[input.id], typed_input(input, text));
  }
  return inputs;
}

std::string default_event(const std::vector<model::Workflow>& workflows) {
  for (const char* name : {"push", "workflow_dispatch"}) {
    for (const auto& workflow : workflows) {
      if (workflow.find_event(name)) return name;
    }
  }
  return workflows.empty() || workflows.front().on.empty() ? "push" : workflows.front().on.front().name;
}

}  // namespace drydock::runner
