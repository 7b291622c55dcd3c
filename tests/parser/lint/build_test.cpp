#include "tests/parser/lint/support.h"

#include "tests/support/catch.h"

namespace drydock::parser::lint {

namespace {

struct Job {
  std::string head;  // of the job, indented by four
  std::string with;  // of the build, one line each
};

/// The build stands last; `with` begins in the line after its `uses`.
std::string workflow(const std::vector<Job>& jobs, const std::string& on = "push") {
  std::string text = "on: " + on + "\njobs:\n";
  char id = 'a';
  for (const auto& job : jobs) {
    text += "  " + std::string(1, id++) + ":\n" + job.head;
    if (job.head.find("steps:") == std::string::npos) text += "    steps:\n";
    text += "      - uses: docker/build-push-action@v6\n        with:\n" + job.with;
  }
  return text;
}

const std::string k_linux = "    runs-on: ubuntu-latest\n";
const std::string k_arm = "    runs-on: ubuntu-24.04-arm\n";
const std::string k_push = "          push: true\n";
const std::string k_both = "          platforms: linux/amd64,linux/arm64\n";
const std::string k_qemu = k_linux + "    steps:\n      - uses: docker/setup-qemu-action@v3\n";

}  // namespace

TEST_CASE("an image for ARM alone is named with the failure it will cause") {
  CHECK(found(workflow({{k_arm, k_push}})) == Found{"6:15 build-platforms"});
  CHECK(lint(workflow({{k_arm, k_push}}), "w.yml")[0].message.find(
            "no matching manifest for linux/amd64 in the manifest list entries") != std::string::npos);
  CHECK(found(workflow({{k_linux, k_push}})).empty());
  CHECK(found(workflow({{k_arm, "          load: true\n"}})).empty());
  CHECK(found(workflow({{k_arm, k_push + "          platforms: linux/arm64\n"}})).empty());
  LintOptions options;
  options.runner_labels = {"mine"};
  options.platforms.native = {"linux/arm64"};
  CHECK(found(workflow({{"    runs-on: mine\n", k_push}}), options) == Found{"6:15 build-platforms"});
}

TEST_CASE("platforms of other processors need an emulator or a worker") {
  CHECK(found(workflow({{k_linux, k_both}})) == Found{"8:22 build-platforms"});
  CHECK(found(workflow({{k_qemu, k_both}})).empty());
  CHECK(found(workflow(
            {{k_linux +
                  "    steps:\n      - uses: docker/setup-qemu-action@v3\n        with: {platforms: arm}\n",
              "          platforms: linux/s390x\n"}})) == Found{"10:22 build-platforms"});
  LintOptions options;
  options.platforms.native = {"linux/arm64"};
  CHECK(found(workflow({{k_linux, k_both}}), options).empty());
}

TEST_CASE("several platforms cannot be loaded") {
  CHECK(found(workflow({{k_qemu, k_both + "          load: true\n"}})) == Found{"10:17 build-load"});
  CHECK(found(workflow({{k_qemu, "          platforms: linux/arm64\n          load: true\n"}})).empty());
}

TEST_CASE("caches that overwrite each other, or that nobody writes") {
  const std::string gha = "          cache-to: type=gha\n          cache-from: type=gha\n";
  const std::string matrix = "    runs-on: ubuntu-latest\n    strategy:\n      matrix:\n        t: [x, y]\n";
  CHECK(found(workflow({{k_linux, gha}})).empty());
  CHECK(found(workflow({{k_linux, gha + "          target: x\n"},
                        {k_linux, gha + "          target: y\n"}})) == Found{"16:21 build-cache"});
  CHECK(found(workflow({{k_linux, gha}, {k_linux, gha + k_push}})).empty());
  CHECK(found(workflow({{matrix, gha + "          target: ${{ matrix.t }}\n"}})) ==
        Found{"11:21 build-cache"});
  CHECK(
      found(
          workflow(
              {{matrix,
                "          cache-to: type=gha,scope=${{ matrix.t }}\n          target: ${{ matrix.t }}\n"}}))
          .empty());
  CHECK(found(workflow({{k_linux,
                         "          cache-from: type=registry,ref=r/a:c\n          cache-to: "
                         "type=registry,ref=r/b:c\n"}})) == Found{"8:23 build-cache"});
  CHECK(found(workflow({{k_linux, "          cache-from: type=gha\n"}}, "pull_request")).empty());
}

TEST_CASE("tags that race") {
  const std::string matrix = "    runs-on: ubuntu-latest\n    strategy:\n      matrix:\n        t: [x, y]\n";
  CHECK(found(workflow({{matrix, k_push + "          tags: r/a:1\n"}})) == Found{"12:17 build-tags"});
  CHECK(found(workflow({{matrix, k_push + "          tags: r/a:${{ matrix.t }}\n"}})).empty());
  CHECK(found(workflow(
                  {{matrix,
                    "          tags: r/a\n          outputs: type=image,push-by-digest=true,push=true\n"}}))
            .empty());
  CHECK(found(workflow({{k_linux, k_push + "          tags: r/a:1\n"},
                        {k_linux, k_push + "          tags: r/a:1\n"}})) == Found{"16:17 build-tags"});
  CHECK(found(workflow({{k_linux, k_push + "          tags: r/a:1\n"},
                        {"    needs: a\n" + k_linux, k_push + "          tags: r/a:1\n"}}))
            .empty());
}

TEST_CASE("pushes for pull requests of anybody") {
  CHECK(found(workflow({{k_linux, k_push}}, "pull_request")) == Found{"8:17 build-untrusted-push"});
  CHECK(found(workflow({{k_linux, "          push: ${{ github.event_name != 'pull_request' }}\n"}},
                       "pull_request"))
            .empty());
  CHECK(found(workflow({{"    if: github.event_name == 'push'\n" + k_linux, k_push}}, "[push, pull_request]"))
            .empty());
  const auto head = k_linux +
                    "    steps:\n      - uses: actions/checkout@v4\n        with: {ref: '${{ "
                    "github.event.pull_request.head.sha }}'}\n";
  CHECK(found(workflow({{head, "          push: false\n"}}, "pull_request_target")) ==
        Found{"8:15 build-untrusted-push"});
}

}  // namespace drydock::parser::lint
