#include "executors/step/node_closure.h"

#include <filesystem>

#include "executors/base/fs.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::step;

namespace {

/// Runs a program of the closure in a root that holds nothing but a static busybox and the closure.
Result<ProcessResult> run_in_bare_root(const std::string& root, const NodeClosure& closure, std::vector<std::string> argv) {
  std::string script = "set -e\nmkdir -p \"$0/proc\" \"$0/bin\"\n";
  for (const auto& mount : closure.mounts) {
    script += "mkdir -p \"$0" + mount.target + "\"; mount --bind '" + mount.source + "' \"$0" + mount.target + "\"\n";
  }
  script += "mount -t proc proc \"$0/proc\"\ncp \"$(command -v busybox)\" \"$0/bin/sh\"\nexec chroot \"$0\" \"$@\"\n";
  std::vector<std::string> command{"unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "sh", "-c", script, root};
  command.insert(command.end(), argv.begin(), argv.end());
  return run_process({.argv = std::move(command)});
}

}  // namespace

TEST_CASE("a closure of node runs where there is no C library, starts itself again, and lets others alone") {
  const auto node = find_program("node");
  if (!node || !find_program("busybox") || !find_program("unshare")) {
    WARN("skipped: no node, busybox or unshare");
    return;
  }
  auto home = TempDir::create(), root = TempDir::create();
  const auto closure = make_node_closure(std::filesystem::canonical(*node), home->path());
  REQUIRE(closure.ok());
  const auto probe = run_in_bare_root(root->path(), *closure, {"/bin/sh", "-c", "echo up"});
  if (!probe || probe->exit_code != 0) {
    WARN("skipped: no user namespaces here: " << (probe ? probe->err : ""));
    return;
  }
  const std::string script = R"js(
    const {execFileSync} = require('child_process');
    const crypto = require('crypto');
    console.log('main', process.execPath, crypto.createHash('sha256').update('x').digest('hex').slice(0, 8));
    process.stdout.write(execFileSync(process.execPath, ['-e', 'console.log("again", 1 + 1)']));
    process.stdout.write(execFileSync('/bin/sh', ['-c', 'echo "shell [$LD_LIBRARY_PATH]"']));
  )js";
  const auto ran = run_in_bare_root(root->path(), *closure, {closure->program, "-e", script});
  REQUIRE(ran.ok());
  INFO(ran->err);
  CHECK(ran->out == "main /__n/bin/node 2d711642\nagain 2\nshell []\n");

  const auto again = make_node_closure(std::filesystem::canonical(*node), home->path());
  REQUIRE(again.ok());
  CHECK(again->mounts.front().source == closure->mounts.front().source);
}

TEST_CASE("what is no program has no closure") {
  auto home = TempDir::create();
  REQUIRE(write_file_atomic(home->path() + "/script", "#!/bin/sh\n", 0755).ok());
  CHECK(make_node_closure(home->path() + "/script", home->path() + "/made").error().code == ErrorCode::unsupported);
  CHECK(make_node_closure(home->path() + "/absent", home->path() + "/made").error().code == ErrorCode::not_found);
}
