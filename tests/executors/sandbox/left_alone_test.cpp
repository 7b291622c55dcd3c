#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <thread>

#include "executors/sandbox/supervisor_child.h"
#include "executors/sandbox/view_child.h"
#include "tests/executors/sandbox/support.h"

using namespace drydock::sandbox;

namespace {

constexpr std::size_t k_helpers = 3;

struct Helper {
  int ours = -1, theirs = -1;
};

/// A runner makes some helpers at once and is killed before it tells any of them to begin. Each helper began as a copy of
/// it, with the runner's ends of the others' channels. True when all of them end.
bool all_end(const std::function<void(const Helper&)>& become_helper) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // the helpers come to us
  int told[2];
  REQUIRE(::pipe(told) == 0);
  const pid_t runner = ::fork();
  REQUIRE(runner >= 0);
  if (runner == 0) {
    std::array<Helper, k_helpers> helpers;
    for (auto& helper : helpers) {
      int ends[2];
      if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) ::_exit(1);
      helper = {ends[0], ends[1]};
    }
    for (const auto& helper : helpers) {
      const pid_t pid = ::fork();
      if (pid == 0) {
        ::close(helper.ours);
        become_helper(helper);
        ::_exit(2);
      }
      if (::write(told[1], &pid, sizeof pid) != sizeof pid) ::_exit(1);
    }
    ::_exit(0);
  }
  ::close(told[1]);
  std::array<pid_t, k_helpers> helpers{};
  for (auto& pid : helpers) REQUIRE(::read(told[0], &pid, sizeof pid) == sizeof pid);
  ::close(told[0]);
  REQUIRE(::waitpid(runner, nullptr, 0) == runner);
  std::size_t ended = 0;
  for (int look = 0; look < 1000 && ended < k_helpers; ++look) {
    for (auto& pid : helpers) {
      if (pid <= 0 || ::waitpid(pid, nullptr, WNOHANG) != pid) continue;
      pid = -1;
      ++ended;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  for (const pid_t pid : helpers) {
    if (pid <= 0) continue;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  return ended == k_helpers;
}

}  // namespace

TEST_CASE("holders of views do not keep each other alive") {
  CHECK(all_end([](const Helper& helper) {
    const std::vector<ViewStep> steps;
    view_child::hold({.steps = &steps, .root = "/", .channel = helper.theirs});
  }));
}

TEST_CASE("supervisors do not keep each other alive") {
  CHECK(all_end([](const Helper& helper) {
    child::Plan plan;
    plan.control_fd = helper.theirs;
    plan.status_fd = helper.theirs;
    child::supervise(plan);
  }));
}
