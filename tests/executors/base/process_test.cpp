#include "executors/base/process.h"
#include "executors/base/process_launch.h"

#include "tests/support/catch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <thread>

using namespace drydock;
using namespace std::chrono_literals;

namespace {

ProcessSpec shell(const std::string& script) {
  ProcessSpec spec;
  spec.argv = {"sh", "-c", script};
  return spec;
}

ProcessResult run(const ProcessSpec& spec, std::stop_token stop = {}) {
  auto result = run_process(spec, stop);
  if (!result.ok()) FAIL(result.error().to_string());
  return *result;
}

int open_descriptors() {
  int count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory)) ++count;
  ::closedir(directory);
  return count;
}

}  // namespace

TEST_CASE("exit codes and streams") {
  auto result = run(shell("echo out; echo err >&2; exit 3"));
  CHECK(result.exit_code == 3);
  CHECK(result.signal == 0);
  CHECK(result.out == "out\n");
  CHECK(result.err == "err\n");
  result = run(shell("kill -SEGV $$"));
  CHECK(result.exit_code == 139);
  CHECK(result.signal == SIGSEGV);
}

TEST_CASE("input, directory, environment and argument zero") {
  auto spec = shell("cat; pwd; echo \"$0 $GREETING ${HOME-unset}\"");
  spec.input = std::string(300'000, 'x') + "\n";
  spec.directory = "/";
  spec.environment = Environment{{"GREETING", "hello"}, {"PATH", "/usr/bin:/bin"}};
  const auto result = run(spec);
  CHECK(result.out == spec.input + "/\nsh hello unset\n");
  CHECK(run(shell("cat")).out.empty());
}

TEST_CASE("both streams are drained while the child writes much to each") {
  const auto result = run(shell("head -c 1000000 /dev/zero & head -c 1000000 /dev/zero >&2; wait"));
  CHECK(result.out.size() == 1'000'000);
  CHECK(result.err.size() == 1'000'000);
}

TEST_CASE("callbacks take the text instead of the result") {
  auto spec = shell("echo one; echo two >&2");
  std::string out, err;
  spec.on_stdout = [&](std::string_view piece) { out += piece; };
  spec.on_stderr = [&](std::string_view piece) { err += piece; };
  const auto result = run(spec);
  CHECK(out == "one\n");
  CHECK(err == "two\n");
  CHECK(result.out.empty());
}

#ifndef __SANITIZE_THREAD__  // it makes vfork a fork, whose child cannot tell what failed
TEST_CASE("what cannot be started is an error that says why") {
  ProcessSpec spec;
  spec.argv = {"no-such-program-here"};
  auto result = run_process(spec);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::not_found);
  CHECK(result.error().message.find("no-such-program-here") != std::string::npos);

  spec.argv = {"/etc/passwd"};
  CHECK(run_process(spec).error().code == ErrorCode::permission);
  spec.argv = {"/no/such/file"};
  CHECK(run_process(spec).error().code == ErrorCode::not_found);

  spec = shell("true");
  spec.directory = "/no/such/directory";
  result = run_process(spec);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().message.find("/no/such/directory") != std::string::npos);
}
#endif

TEST_CASE("a timeout ends the whole group") {
  auto spec = shell("sleep 30 & echo $!; sleep 30");
  spec.timeout = 100ms;
  spec.interrupt_grace = 200ms;
  const auto started = std::chrono::steady_clock::now();
  const auto result = run(spec);
  CHECK(result.timed_out);
  CHECK_FALSE(result.stopped);
  CHECK(result.exit_code != 0);
  CHECK(std::chrono::steady_clock::now() - started < 3s);
  std::this_thread::sleep_for(50ms);
  const pid_t background = std::stoi(result.out);
  const bool gone = ::kill(background, 0) != 0;
  bool zombie = false;
  if (!gone) {
    ProcessSpec stat;
    stat.argv = {"cat", "/proc/" + std::to_string(background) + "/stat"};
    zombie = run(stat).out.find(") Z ") != std::string::npos;
  }
  CHECK((gone || zombie));
}

TEST_CASE("a stop request escalates from SIGINT over SIGTERM to SIGKILL") {
  struct Row {
    std::string script;
    std::string said;
    int signal;
  };
  const std::vector<Row> rows = {
      {"trap 'echo int; exit 7' INT; echo up; while :; do sleep 0.02; done", "int\n", 0},
      {"trap '' INT; trap 'echo term; exit 8' TERM; echo up; while :; do sleep 0.02; done", "term\n", 0},
      {"trap '' INT TERM; echo up; while :; do sleep 0.02; done", "", SIGKILL},
  };
  for (const auto& row : rows) {
    INFO(row.script);
    std::stop_source source;
    auto spec = shell(row.script);
    spec.interrupt_grace = 150ms;
    spec.terminate_grace = 150ms;
    std::string out;
    spec.on_stdout = [&](std::string_view piece) {
      out += piece;
      if (piece.find("up") != std::string_view::npos) source.request_stop();
    };
    const auto result = run(spec, source.get_token());
    CHECK(result.stopped);
    CHECK(result.signal == row.signal);
    CHECK(out == "up\n" + row.said);
  }
}

TEST_CASE("a stop request before the start starts nothing") {
  std::stop_source source;
  source.request_stop();
  const auto result = run_process(shell("echo no"), source.get_token());
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::cancelled);
}

TEST_CASE("children inherit no descriptor and default signals") {
  const int leaked = ::open("/dev/null", O_RDONLY);            // deliberately without close-on-exec
  CHECK(run(shell("ls /proc/self/fd | wc -l")).out == "4\n");  // 0, 1, 2 and the directory itself
  ::close(leaked);
  ::signal(SIGPIPE, SIG_IGN);
  CHECK(run(shell("kill -PIPE $$; echo ignored")).signal == SIGPIPE);
  ::signal(SIGPIPE, SIG_DFL);
}

TEST_CASE("a child dies with its parent") {
  // The parent here is a forked copy of this test that is killed while its own child runs.
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t middle = ::fork();
  if (middle == 0) {
    auto spec = shell("echo $$; exec sleep 30");
    spec.on_stdout = [&](std::string_view piece) {
      [[maybe_unused]] const auto count = ::write(ends[1], piece.data(), piece.size());
    };
    (void)run_process(spec);
    ::_exit(0);
  }
  char text[32] = {};
  REQUIRE(::read(ends[0], text, sizeof text - 1) > 0);
  const pid_t child = std::atoi(text);
  ::kill(middle, SIGKILL);
  bool gone = false;
  for (int i = 0; i < 100 && !gone; ++i) {
    std::this_thread::sleep_for(20ms);
    std::string path = "/proc/" + std::to_string(child) + "/cmdline";
    const int fd = ::open(path.c_str(), O_RDONLY);
    char line[8];
    gone = fd < 0 || ::read(fd, line, sizeof line) <= 0;  // a zombie has an empty command line
    if (fd >= 0) ::close(fd);
  }
  CHECK(gone);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("many at once, and no descriptor is left") {
  (void)run(shell("true"));
  const int before = open_descriptors();
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([t, &right] {
      for (int i = 0; i < 12; ++i) {
        auto spec = shell("cat; exit " + std::to_string(t));
        spec.input = "thread " + std::to_string(t);
        const auto result = run_process(spec);
        if (result.ok() && result->exit_code == t && result->out == spec.input) ++right;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(right == 96);
  CHECK(open_descriptors() == before);
}

TEST_CASE("programs are found in PATH") {
  CHECK(find_program("sh").has_value());
  CHECK_FALSE(find_program("no-such-program-here").has_value());
  const Environment empty_path = {{"PATH", "/nonexistent"}};
  CHECK_FALSE(find_program("sh", &empty_path).has_value());
  CHECK(*find_program("./x") == "./x");
}

namespace {

/// process_token() of the first process of a new pid namespace; empty where none can be made.
std::string token_in_own_pid_namespace() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  const auto outer = ::fork();
  if (outer == 0) {
    if (::unshare(::geteuid() == 0 ? CLONE_NEWPID : CLONE_NEWUSER | CLONE_NEWPID) != 0) ::_exit(1);
    const auto inner = ::fork();
    if (inner == 0) {
      const auto token = process_token();
      ::_exit(::write(ends[1], token.data(), token.size()) > 0 ? 0 : 1);
    }
    ::waitpid(inner, nullptr, 0);
    ::_exit(0);
  }
  ::close(ends[1]);
  char text[128];
  const auto size = ::read(ends[0], text, sizeof text);
  ::close(ends[0]);
  ::waitpid(outer, nullptr, 0);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string{};
}

}  // namespace

TEST_CASE("a process has a name that no other has, though its pid may") {
  CHECK(process_token() == process_token());
  const auto inside = token_in_own_pid_namespace();
  if (inside.empty()) {
    WARN("skipped: no pid namespace can be made here");
    return;
  }
  CHECK(inside.starts_with("1."));
  CHECK(inside.substr(2) != process_token().substr(process_token().find('.') + 1));
}

TEST_CASE("a program can trap the signals that end it, though its runner ignores them") {
  const auto before = std::signal(SIGINT, SIG_IGN);
  const auto result = run(shell("trap 'echo got INT' INT; trap 'echo got TERM' TERM; kill -INT $$; kill -TERM $$"));
  std::signal(SIGINT, before);
  CHECK(result.out == "got INT\ngot TERM\n");
}

namespace {

/// One that has ended before anybody looks.
class EndedProgram : public RunningProgram {
 public:
  EndedProgram() { REQUIRE(::pipe(ends_) == 0); ::close(ends_[1]); }
  ~EndedProgram() override { ::close(ends_[0]); }
  int end_descriptor() const override { return ends_[0]; }
  bool ended() override { return true; }
  void signal(int) override {}
  Result<int> status() override { return 0; }

 private:
  int ends_[2];
};

}  // namespace

TEST_CASE("output that waits is taken, however long the taker of the piece before it took") {
  int out[2];
  REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
  const auto say = [&](const char* text) { REQUIRE(::write(out[1], text, 1) == 1); };
  std::string taken;
  ProcessSpec spec;
  spec.on_stdout = [&](std::string_view piece) {
    taken += piece;
    if (taken == "a") say("b");
    if (taken != "ab") return;
    std::this_thread::sleep_for(5100ms);  // longer than what is waited for when nothing comes
    say("c");
    ::close(out[1]);
  };
  say("a");
  EndedProgram program;
  CHECK(run_to_end(spec, program, OwnedFd(out[0]), OwnedFd(), {}).ok());
  CHECK(taken == "abc");
}
