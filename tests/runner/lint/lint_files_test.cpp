#include "runner/lint/lint_files.h"

#include "executors/base/process.h"

#include <chrono>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "tests/support/catch.h"

namespace drydock::runner {

namespace {

namespace fs = std::filesystem;

/// A folder of its own, removed at the end.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("drydock-lint-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() {
    std::error_code error;
    fs::remove_all(path, error);
  }
  std::string write(const std::string& name, const std::string& text) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
    return (path / name).string();
  }
};

constexpr const char* k_head = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n";

}  // namespace

TEST_CASE("files, their repository, and what they refer to are found") {
  const Folder folder;
  const auto b = folder.write(".github/workflows/b.yml",
                              std::string(k_head) + "      - uses: ./act\n        with: {x: 1}\n");
  const auto a = folder.write(".github/workflows/a.yaml", std::string(k_head) + "      - run: x\n");
  folder.write(".github/workflows/notes.txt", "");
  folder.write("act/action.yml", "name: a\ndescription: b\nruns:\n  using: composite\n  steps: []\n");
  fs::create_directories(folder.path / "deep/er");
  const auto files = find_workflows((folder.path / "deep/er").string());
  REQUIRE(files.size() == 2);
  CHECK(fs::equivalent(files[0], a));
  CHECK(fs::equivalent(files[1], b));
  CHECK(repository_root(b) == folder.path.string());
  LintRequest request;
  request.files = files;
  const auto done = lint_files(request);
  REQUIRE(done.ok());
  REQUIRE(done->findings.size() == 1);
  CHECK(done->findings[0].file == files[1]);
  CHECK(done->findings[0].rule == "action");
}

TEST_CASE("a repository's own settings name its runners, its variables and what it does not want to see") {
  const Folder folder;
  const std::string text = "on: push\njobs:\n  a:\n    runs-on: [self-hosted, gpu-1]\n    steps:\n" 
                           "      - run: echo ${{ vars.KNOWN }} ${{ vars.OTHER }}\n        shell: fish\n";
  LintRequest request;
  request.files = {folder.write(".github/workflows/a.yml", text), folder.write(".github/workflows/deep/b.yml", text)};
  const auto rules = [&] {
    const auto done = lint_files(request);
    std::string out;
    if (!done.ok()) return done.error().message;
    for (const auto& finding : done->findings) out += (out.empty() ? "" : " ") + finding.rule;
    return out;
  };
  CHECK(rules() == "runner-label shell-name runner-label shell-name");
  folder.write(".github/actionlint.yaml", R"yml(self-hosted-runner: {labels: [gpu-*]}
config-variables: [KNOWN]
paths:
  .github/workflows/*.yml:
    ignore: ['no shell "f.+"', 'property "(KNOWN|OTHER)" here']
  .github/workflows/**/b.yml:
    ignore: ['shells are "bash", .+']
)yml");
  CHECK(rules() == "expression");
  folder.write(".github/actionlint.yaml", "paths: {'**': {ignore: ['(']}}\n");
  CHECK(rules() == ".github/actionlint.yaml: '(' is no regular expression");
  folder.write(".github/actionlint.yaml", "a: @\n");
  CHECK(rules() == ".github/actionlint.yaml:1: Not valid YAML: a value cannot begin with '@'");
}

TEST_CASE("a file that cannot be read is an error") {
  LintRequest request;
  request.files = {"/nonexistent/w.yml"};
  CHECK_FALSE(lint_files(request).ok());
}

TEST_CASE("scripts are given to the checkers that are installed") {
  if (!find_program("shellcheck")) return;
  const Folder folder;
  LintRequest request;
  request.files = {folder.write(
      "w.yml",
      std::string(k_head) +
          "      - run: cat ${{ github.sha }} | grep $x\n      - run: $Env:A\n        shell: pwsh\n")};
  request.shellcheck = true;
  const auto done = lint_files(request);
  REQUIRE(done.ok());
  REQUIRE_FALSE(done->findings.empty());
  for (const auto& finding : done->findings) {
    CHECK(finding.rule == "shellcheck");
    CHECK(finding.range.start == parser::Position{6, 9});
  }
}

TEST_CASE("a thousand files are linted in about a second") {
  const Folder folder;
  std::string text = k_head;
  for (int i = 0; i < 20; ++i) {
    text +=
        "      - uses: actions/checkout@v4\n      - run: echo ${{ github.sha }}\n        if: github.ref == "
        "'refs/heads/main'\n        env:\n          A: ${{ runner.os }}-${{ hashFiles('**/x') }}\n";
  }
  LintRequest request;
  for (int i = 0; i < 1000; ++i)
    request.files.push_back(folder.write("w" + std::to_string(i) + ".yml", text));
  const auto begin = std::chrono::steady_clock::now();
  const auto done = lint_files(request);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  REQUIRE(done.ok());
  CHECK(done->findings.empty());
  WARN("1,000 files of " << text.size() << " bytes: " << took.count() << " s");
  CHECK(took.count() < 20);  // only a hang may fail on a busy machine; the bench has the figure
}

}  // namespace drydock::runner
