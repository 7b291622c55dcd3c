#include "executors/base/orphans.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "executors/base/process.h"
#include "tests/support/catch.h"

using namespace drydock;

namespace {

/// Starts a process that leaves a daemon behind, which leads a session of its own and ignores what it can.
pid_t left_behind(const std::string& tracking_id) {
  Environment environment = current_environment();
  environment["FILLER"] = std::string(60'000, 'x');  // an environment longer than one read
  environment[k_tracking_variable] = tracking_id;
  const auto ran = run_process({.argv = {"sh", "-c", "trap '' INT TERM HUP; setsid sleep 987 >/dev/null 2>&1 </dev/null & echo $!"},
                                .environment = environment});
  REQUIRE(ran.ok());
  return static_cast<pid_t>(std::stol(ran->out));
}

bool lives(pid_t pid) {
  for (int i = 0; i < 100; ++i) {
    ::waitpid(pid, nullptr, WNOHANG);  // orphans come to this process
    if (::kill(pid, 0) != 0) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace

TEST_CASE("what a job left running is ended, and nothing of others") {
  const std::string first = new_tracking_id(), second = first + "2";
  CHECK(first != new_tracking_id());
  const pid_t of_first = left_behind(first), of_second = left_behind(second), escaped = left_behind("");
  CHECK(end_orphans(first) >= 1);
  CHECK(!lives(of_first));
  CHECK(lives(of_second));
  CHECK(end_orphans(second) >= 1);
  CHECK(!lives(of_second));
  CHECK(lives(escaped));
  ::kill(escaped, SIGKILL);
  CHECK(!lives(escaped));
  CHECK(end_orphans(first) == 0);
}
