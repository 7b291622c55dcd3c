#include "runner/services/job_access.h"

#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;

namespace {

OrderedJson pull_request(const std::string& event, const std::string& ref, const std::string& head, const std::string& base) {
  const auto repo = [](const std::string& name) { return name.empty() ? OrderedJson() : OrderedJson{{"full_name", name}}; };
  return {{"repository", "Octo/App"},
          {"ref", ref},
          {"base_ref", "develop"},
          {"head_ref", "topic"},
          {"event_name", event},
          {"event",
           {{"repository", {{"default_branch", "main"}}},
            {"pull_request", {{"number", 7}, {"head", {{"repo", repo(head)}}}, {"base", {{"repo", repo(base)}}}}}}}};
}

OrderedJson push(const std::string& ref) {
  return {{"repository", "Octo/App"}, {"ref", ref}, {"event_name", "push"}, {"event", {{"repository", {{"default_branch", "main"}}}}}};
}

std::string scopes_text(const OrderedJson& github) {
  const auto scopes = cache_scopes(github);
  std::string text = scopes.write + " <";
  for (const auto& each : scopes.read) text += " " + each;
  return text;
}

}  // namespace

TEST_CASE("cache scopes: one's own, the base, the default branch; a fork writes the pull request's alone") {
  struct Row {
    const char* what;
    OrderedJson github;
    std::string expected;
  };
  const Row rows[] = {
      {"default branch", push("refs/heads/main"), "refs/heads/main < refs/heads/main"},
      {"topic branch", push("refs/heads/topic"), "refs/heads/topic < refs/heads/topic refs/heads/main"},
      {"tag", push("refs/tags/v1"), "refs/tags/v1 < refs/tags/v1 refs/heads/main"},
      {"own pull request", pull_request("pull_request", "refs/pull/7/merge", "octo/app", "Octo/App"),
       "refs/pull/7/merge < refs/pull/7/merge refs/heads/develop refs/heads/main"},
      {"fork", pull_request("pull_request", "refs/pull/7/merge", "evil/app", "Octo/App"),
       "refs/pull/7/merge < refs/pull/7/merge refs/heads/develop refs/heads/main"},
      {"target of own", pull_request("pull_request_target", "refs/heads/develop", "Octo/App", "Octo/App"),
       "refs/heads/develop < refs/heads/develop refs/heads/main"},
      {"target of a fork", pull_request("pull_request_target", "refs/heads/develop", "evil/app", "Octo/App"),
       "refs/pull/7/merge < refs/pull/7/merge refs/heads/develop refs/heads/main"},
      {"target of a deleted fork", pull_request("pull_request_target", "refs/heads/develop", "", "Octo/App"),
       "refs/pull/7/merge < refs/pull/7/merge refs/heads/develop refs/heads/main"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    CHECK(scopes_text(row.github) == row.expected);
  }
  CHECK(cache_scopes(push("refs/heads/main")).repository == "octo/app");
}

TEST_CASE("subjects of identity tokens") {
  CHECK(subject_of(push("refs/heads/main"), "") == "repo:Octo/App:ref:refs/heads/main");
  CHECK(subject_of(push("refs/heads/main"), "production") == "repo:Octo/App:environment:production");
  CHECK(subject_of(push("refs/heads/main"), "a:ref:refs/heads/main") == "repo:Octo/App:environment:a%3Aref%3Arefs/heads/main");
  CHECK(subject_of(pull_request("pull_request", "refs/pull/7/merge", "Octo/App", "Octo/App"), "") == "repo:Octo/App:pull_request");
}

TEST_CASE("jobs are told apart, and runs that are resumed are read") {
  const JobFacts facts{.run = "2", .key = "build", .workflow = "a.yml", .github = push("refs/heads/main"), .permissions = {},
                       .environment = ""};
  const auto access = job_access(facts, {"1"});
  CHECK(access.backends.size() == 2);
  CHECK(access.backends[0] == access.backend);
  auto other = facts;
  other.key = "build (linux)";
  CHECK(job_access(other, {}).job != access.job);
  CHECK(job_access(other, {}).backend == access.backend);
  other = facts;
  other.workflow = "b.yml";
  CHECK(job_access(other, {}).backend != access.backend);
  other = facts;
  other.run = "1";
  CHECK(job_access(other, {}).backend == access.backends[1]);
  CHECK(access.job.size() == 36);
  CHECK(access.job[14] == '8');
}

TEST_CASE("claims tell a called workflow from its caller") {
  JobFacts facts{.run = "1", .key = "j", .workflow = "w", .github = push("refs/heads/main"), .permissions = {}, .environment = "prod"};
  facts.github["workflow_ref"] = "Octo/App/.github/workflows/a.yml@refs/heads/main";
  CHECK(job_access(facts, {}).claims["job_workflow_ref"] == "Octo/App/.github/workflows/a.yml@refs/heads/main");
  facts.job_workflow_ref = "Octo/Shared/.github/workflows/b.yml@v1";
  const auto claims = job_access(facts, {}).claims;
  CHECK(claims["job_workflow_ref"] == "Octo/Shared/.github/workflows/b.yml@v1");
  CHECK(claims["workflow_ref"] == "Octo/App/.github/workflows/a.yml@refs/heads/main");
  CHECK(claims["environment"] == "prod");
  CHECK(claims["repository_visibility"] == "public");
}

TEST_CASE("identity tokens need the permission") {
  JobFacts facts{.run = "1", .key = "j", .workflow = "w", .github = push("refs/heads/main"), .permissions = {}, .environment = ""};
  struct Row {
    std::map<std::string, std::string> permissions;
    bool granted;
  };
  const Row rows[] = {{{}, false},
                      {{{"contents", "write"}}, false},
                      {{{"id-token", "none"}}, false},
                      {{{"id-token", "read"}}, false},
                      {{{"all", "read"}}, false},
                      {{{"id-token", "write"}}, true},
                      {{{"all", "write"}}, true}};
  for (const auto& row : rows) {
    facts.permissions = row.permissions;
    CHECK(job_access(facts, {}).identity_tokens == row.granted);
  }
}
