#include "runner/plan/git_facts.h"

#include "executors/git/repository.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <filesystem>

namespace drydock::runner {
namespace {

constexpr const char* k_zeros = "0000000000000000000000000000000000000000";
constexpr int k_most_commits = 20;

std::string time_text(const git_time& time) {
  const std::time_t shifted = time.time + time.offset * 60;
  std::tm parts{};
  gmtime_r(&shifted, &parts);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  const int minutes = std::abs(time.offset);
  std::array<char, 16> zone{};
  std::snprintf(zone.data(), zone.size(), "%c%02d:%02d", time.offset < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
  return std::string(text.data()) + (minutes == 0 ? "Z" : zone.data());
}

git::Commit find_commit(git_repository* repository, const git_oid* id) {
  git_commit* raw = nullptr;
  return git::Commit(git_commit_lookup(&raw, repository, id) == 0 ? raw : nullptr);
}

git::Tree tree_of(const git_commit* commit) {
  git_tree* raw = nullptr;
  return git::Tree(commit && git_commit_tree(&raw, commit) == 0 ? raw : nullptr);
}

struct Changes {
  std::vector<std::string> added, removed, modified;
};

/// Between two commits; no old one means everything was added.
Changes changes_between(git_repository* repository, const git_commit* old_commit, const git_commit* new_commit) {
  Changes changes;
  const git::Tree old_tree = tree_of(old_commit), new_tree = tree_of(new_commit);
  git_diff* raw = nullptr;
  if (git_diff_tree_to_tree(&raw, repository, old_tree.get(), new_tree.get(), nullptr) != 0) return changes;
  const git::Diff diff(raw);
  for (std::size_t i = 0; i < git_diff_num_deltas(diff.get()); ++i) {
    const git_diff_delta* delta = git_diff_get_delta(diff.get(), i);
    if (delta->status == GIT_DELTA_ADDED) changes.added.emplace_back(delta->new_file.path);
    else if (delta->status == GIT_DELTA_DELETED) changes.removed.emplace_back(delta->old_file.path);
    else changes.modified.emplace_back(delta->new_file.path);
  }
  return changes;
}

/// HEAD's branch, a tag at a detached HEAD, or the ref asked for; with its commit.
Status read_ref(git_repository* repository, const std::string& wanted, GitFacts& facts, git_oid& id) {
  git_reference* raw = nullptr;
  if (!wanted.empty()) {
    if (git_reference_dwim(&raw, repository, wanted.c_str()) != 0) {
      return make_error(ErrorCode::usage, "there is no branch or tag '" + wanted + "' in " + facts.root);
    }
  } else if (git_repository_head(&raw, repository) != 0) {
    return make_error(ErrorCode::not_found, "the repository " + facts.root + " has no commit", "commit something first");
  }
  const git::Reference reference(raw);
  facts.ref = git_reference_name(reference.get());
  git_object* peeled = nullptr;
  if (git_reference_peel(&peeled, reference.get(), GIT_OBJECT_COMMIT) != 0) {
    return make_error(ErrorCode::invalid_input, facts.ref + " names no commit: " + git::last_problem());
  }
  const git::Object commit(peeled);
  git_oid_cpy(&id, git_object_id(commit.get()));
  facts.sha = git::hex(id);
  if (facts.ref == "HEAD") {
    struct Search {
      git_repository* repository;
      git_oid wanted;
      std::string found;
    } search{repository, id, {}};
    git_tag_foreach(repository, [](const char* name, git_oid* tag, void* data) {
      auto& at = *static_cast<Search*>(data);
      git_object *object = nullptr, *target = nullptr;
      if (git_object_lookup(&object, at.repository, tag, GIT_OBJECT_ANY) != 0) return 0;
      const git::Object owned(object);
      if (git_object_peel(&target, object, GIT_OBJECT_COMMIT) != 0) return 0;
      const git::Object commit(target);
      if (git_oid_equal(git_object_id(target), &at.wanted)) at.found = std::max(at.found, std::string(name));
      return 0;
    }, &search);
    facts.ref = search.found;  // empty: completed with the default branch
  }
  return {};
}

void read_remote(git_repository* repository, GitFacts& facts) {
  git_remote* raw = nullptr;
  std::string name = "origin";
  if (git_remote_lookup(&raw, repository, "origin") != 0) {
    git_strarray names{};
    if (git_remote_list(&names, repository) == 0 && names.count > 0) {
      name = names.strings[0];
      if (git_remote_lookup(&raw, repository, name.c_str()) != 0) raw = nullptr;
    }
    git_strarray_dispose(&names);
  }
  const git::Remote remote(raw);
  const char* url = remote ? git_remote_url(remote.get()) : nullptr;
  if (const auto parts = url ? parse_remote_url(url) : std::nullopt) {
    facts.server = parts->server;
    facts.owner = parts->owner;
    facts.name = parts->name;
    facts.clone_url = facts.server + "/" + facts.repository() + ".git";
    facts.has_remote = true;
  }
  git_reference* head = nullptr;
  if (remote && git_reference_lookup(&head, repository, ("refs/remotes/" + name + "/HEAD").c_str()) == 0) {
    const git::Reference owned(head);
    const std::string prefix = "refs/remotes/" + name + "/";
    const char* target = git_reference_symbolic_target(head);
    if (target && std::string(target).starts_with(prefix)) facts.default_branch = std::string(target).substr(prefix.size());
  }
}

void choose_default_branch(git_repository* repository, GitFacts& facts) {
  if (!facts.default_branch.empty()) return;
  std::vector<std::string> candidates{"main", "master"};
  if (const auto configured = git::config_text(repository, "init.defaultBranch"); !configured.empty()) {
    candidates.push_back(configured);
  }
  for (const auto& candidate : candidates) {
    git_reference* raw = nullptr;
    if (git_reference_lookup(&raw, repository, ("refs/heads/" + candidate).c_str()) == 0) {
      git_reference_free(raw);
      facts.default_branch = candidate;
      return;
    }
  }
  facts.default_branch = facts.ref.starts_with("refs/heads/") ? facts.ref.substr(11) : "main";
}

/// What the remote has of this branch, when that is an older commit of it; else the first parent.
git::Commit commit_before(git_repository* repository, const GitFacts& facts, const git_commit* head) {
  git_reference* raw = nullptr;
  if (git_reference_lookup(&raw, repository, facts.ref.c_str()) == 0) {
    const git::Reference branch(raw);
    git_reference* upstream_raw = nullptr;
    if (git_branch_upstream(&upstream_raw, branch.get()) == 0) {
      const git::Reference upstream(upstream_raw);
      const git_oid* id = git_reference_target(upstream.get());
      if (id && git_graph_descendant_of(repository, git_commit_id(head), id) == 1) return find_commit(repository, id);
    }
  }
  git_commit* parent = nullptr;
  return git::Commit(git_commit_parent(&parent, head, 0) == 0 ? parent : nullptr);
}

CommitFacts describe(git_repository* repository, const git_commit* commit) {
  CommitFacts out;
  out.id = git::hex(*git_commit_id(commit));
  out.tree = git::hex(*git_commit_tree_id(commit));
  out.message = git_commit_message(commit);
  while (out.message.ends_with('\n')) out.message.pop_back();
  const git_signature* author = git_commit_author(commit);
  out.author_name = author->name;
  out.author_email = author->email;
  out.timestamp = time_text(author->when);
  git_commit* raw = nullptr;
  const git::Commit parent(git_commit_parent(&raw, commit, 0) == 0 ? raw : nullptr);
  Changes changes = changes_between(repository, parent.get(), commit);
  out.added = std::move(changes.added);
  out.removed = std::move(changes.removed);
  out.modified = std::move(changes.modified);
  return out;
}

void read_history(git_repository* repository, const git_oid& id, GitFacts& facts) {
  const git::Commit head = find_commit(repository, &id);
  if (!head) return;
  const git::Commit before = commit_before(repository, facts, head.get());
  facts.before = before ? git::hex(*git_commit_id(before.get())) : k_zeros;
  Changes changes = changes_between(repository, before.get(), head.get());
  for (auto* part : {&changes.added, &changes.removed, &changes.modified}) {
    facts.changed_paths.insert(facts.changed_paths.end(), part->begin(), part->end());
  }
  std::sort(facts.changed_paths.begin(), facts.changed_paths.end());

  git_revwalk* raw = nullptr;
  if (git_revwalk_new(&raw, repository) != 0) return;
  const git::RevisionWalk walk(raw);
  git_revwalk_sorting(raw, GIT_SORT_TOPOLOGICAL);
  git_revwalk_push(raw, &id);
  if (before) git_revwalk_hide(raw, git_commit_id(before.get()));
  git_oid next;
  while (facts.commits.size() < k_most_commits && git_revwalk_next(&next, raw) == 0) {
    if (const git::Commit commit = find_commit(repository, &next)) facts.commits.push_back(describe(repository, commit.get()));
  }
  std::reverse(facts.commits.begin(), facts.commits.end());
}

bool has_uncommitted(git_repository* repository) {
  git_status_options options = GIT_STATUS_OPTIONS_INIT;
  options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
  options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_EXCLUDE_SUBMODULES;
  git_status_list* raw = nullptr;
  if (git_status_list_new(&raw, repository, &options) != 0) return false;
  const git::StatusList list(raw);
  return git_status_list_entrycount(raw) > 0;
}

}  // namespace

std::optional<RemoteName> parse_remote_url(const std::string& url) {
  std::string rest = url, scheme;
  if (const auto at = rest.find("://"); at != std::string::npos) {
    scheme = rest.substr(0, at);
    rest = rest.substr(at + 3);
  } else if (rest.find(':') == std::string::npos || rest.starts_with('/') || rest.starts_with('.')) {
    return std::nullopt;  // a path on this machine
  } else {
    rest.replace(rest.find(':'), 1, "/");
  }
  if (scheme == "file") return std::nullopt;
  const auto host_end = rest.find('/');
  if (host_end == std::string::npos) return std::nullopt;
  std::string host = rest.substr(0, host_end), path = rest.substr(host_end + 1);
  if (const auto user = host.rfind('@'); user != std::string::npos) host.erase(0, user + 1);
  if (scheme == "ssh" || scheme == "git") host = host.substr(0, host.find(':'));
  while (path.ends_with('/')) path.pop_back();
  if (path.ends_with(".git")) path.resize(path.size() - 4);
  const auto slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == path.size()) return std::nullopt;
  return RemoteName{(scheme == "http" ? "http://" : "https://") + host, path.substr(0, slash), path.substr(slash + 1)};
}

Result<GitFacts> read_git_facts(const std::string& directory, const std::string& ref) {
  git::start();
  git_repository* raw = nullptr;
  if (git_repository_open_ext(&raw, directory.c_str(), 0, nullptr) != 0) {
    return make_error(ErrorCode::not_found, "no git repository at " + directory + ": " + git::last_problem(),
                      "run drydock inside one, or make one with 'git init' and a first commit");
  }
  const git::Repository repository(raw);
  GitFacts facts;
  const char* workdir = git_repository_workdir(raw);
  facts.root = workdir ? workdir : git_repository_path(raw);
  while (facts.root.size() > 1 && facts.root.ends_with('/')) facts.root.pop_back();

  git_oid id;
  DRYDOCK_TRY(read_ref(raw, ref, facts, id));
  read_remote(raw, facts);
  if (!facts.has_remote) {
    facts.owner = "local";
    facts.name = std::filesystem::path(facts.root).filename().string();
  }
  choose_default_branch(raw, facts);
  if (facts.ref.empty()) facts.ref = "refs/heads/" + facts.default_branch;
  facts.user_name = git::config_text(raw, "user.name");
  facts.user_email = git::config_text(raw, "user.email");
  facts.login = git::config_text(raw, "github.user");
  read_history(raw, id, facts);
  facts.uncommitted = workdir && has_uncommitted(raw);
  return facts;
}

}  // namespace drydock::runner
