#include "executors/actions/metadata_facts.h"

#include <optional>

#include "executors/actions/text.h"
#include "executors/git/repository.h"

namespace drydock::actions::metadata {
namespace {

std::int64_t milliseconds(Time time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::optional<std::int64_t> commit_time(const std::string& path, const std::string& sha) {
  git_oid id;
  if (path.empty() || ::git_oid_fromstr(&id, sha.c_str()) != 0) return std::nullopt;
  const auto repository = git::open(path);
  if (!repository) return std::nullopt;
  const auto commit = git::commit_at(repository->get(), id);
  return commit ? std::optional(static_cast<std::int64_t>(::git_commit_time(commit->get())) * 1000) : std::nullopt;
}

std::optional<std::int64_t> payload_time(const nlohmann::json& commit, const std::string& sha) {
  if (!commit.is_object() || commit.value("id", nlohmann::json()) != sha) return std::nullopt;
  const auto text = commit.value("timestamp", nlohmann::json());
  if (!text.is_string()) return std::nullopt;
  const auto time = parse_rfc3339(text.get<std::string>());
  return time ? std::optional(milliseconds(*time)) : std::nullopt;
}

/// The payload's commits, then its head commit, then the repository on this machine.
std::optional<std::int64_t> date_of(const step::ActionContext& context, const nlohmann::json& payload, const std::string& sha) {
  if (const auto commits = payload.find("commits"); commits != payload.end() && commits->is_array()) {
    for (const auto& commit : *commits) {
      if (const auto time = payload_time(commit, sha)) return time;
    }
  }
  if (const auto head = payload.find("head_commit"); head != payload.end()) {
    if (const auto time = payload_time(*head, sha)) return time;
  }
  return commit_time(context.places().source, sha);
}

/// The ref that HEAD stands for when it is no branch: a tag, a pull request, a branch of origin at that commit.
Result<std::string> detached_ref(git_repository* repository, const git_oid& head) {
  std::vector<std::string> names;
  const auto collect = [](const char* name, void* into) {
    static_cast<std::vector<std::string>*>(into)->emplace_back(name);
    return 0;
  };
  ::git_reference_foreach_name(repository, collect, &names);
  for (const std::string prefix : {"refs/tags/", "refs/remotes/pull/", "refs/heads/", "refs/remotes/origin/"}) {
    for (const auto& name : names) {
      const auto commit = name.starts_with(prefix) ? git::commit_of_reference(repository, name) : std::nullopt;
      if (!commit || !::git_oid_equal(&*commit, &head) || name == "refs/remotes/origin/HEAD") continue;
      const auto rest = name.substr(prefix.size());
      if (prefix == "refs/tags/") return name;
      return (prefix == "refs/remotes/pull/" ? "refs/pull/" : "refs/heads/") + rest;
    }
  }
  return make_error(ErrorCode::not_found, "context git: no branch and no tag is at the detached HEAD",
                    "check out a branch or a tag, or leave 'context' out");
}

Status take_from_git(const step::ActionContext& context, Happening& happening) {
  DRYDOCK_ASSIGN(const auto repository, git::open(context.workspace()));
  const auto head = git::commit_of_reference(repository.get(), "HEAD");
  if (!head) return make_error(ErrorCode::not_found, "context git: the workspace has no commit", "run actions/checkout before");
  happening.sha = git::hex(*head);
  if (const auto time = commit_time(context.workspace(), happening.sha)) happening.commit_date = *time;
  git_reference* found = nullptr;
  if (!::git_repository_head_detached(repository.get()) && ::git_repository_head(&found, repository.get()) == 0) {
    const git::Reference reference(found);
    happening.ref = ::git_reference_name(found);
    return {};
  }
  DRYDOCK_ASSIGN(happening.ref, detached_ref(repository.get(), *head));
  return {};
}

std::string text_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Result<Happening> happening_of(const step::ActionContext& context, Source source, Time now) {
  Happening out;
  out.event_name = context.github("event_name");
  out.ref = context.github("ref");
  out.sha = context.github("sha");
  out.payload = context.event();
  out.now = milliseconds(now);
  out.commit_date = out.now;
  if (source == Source::git) {
    DRYDOCK_TRY(take_from_git(context, out));
    return out;
  }
  const bool target = out.event_name.find("pull_request_target") != std::string::npos;
  if (target) out.ref = "refs/pull/" + (out.payload.contains("number") ? out.payload["number"].dump() : "undefined") + "/merge";
  if (contains_no_case(context.variable("DOCKER_METADATA_PR_HEAD_SHA"), "true") &&
      out.event_name.find("pull_request") != std::string::npos) {
    const auto pull = out.payload.value("pull_request", nlohmann::json::object());
    const auto head = pull.is_object() ? pull.value("head", nlohmann::json::object()) : nlohmann::json::object();
    if (head.is_object() && head.contains("sha")) out.sha = text_of(head, "sha");
  }
  if (const auto time = date_of(context, out.payload, out.sha)) out.commit_date = *time;
  return out;
}

RepositoryFacts repository_of(const step::ActionContext& context) {
  RepositoryFacts out;
  const auto found = context.event().find("repository");
  if (found != context.event().end() && found->is_object()) {
    out.name = text_of(*found, "name");
    out.description = text_of(*found, "description");
    out.url = text_of(*found, "html_url");
    out.default_branch = text_of(*found, "default_branch");
    if (const auto license = found->find("license"); license != found->end() && license->is_object()) {
      out.license = text_of(*license, "spdx_id");
    }
  }
  const auto full = context.github("repository");
  if (out.name.empty()) out.name = full.substr(full.find('/') + 1);
  if (out.url.empty() && !full.empty()) out.url = context.github("server_url") + "/" + full;
  return out;
}

}  // namespace drydock::actions::metadata
