#include "executors/isolation/sandbox_host.h"

#include <unistd.h>

#include <filesystem>

#include "tests/executors/step/support.h"

using namespace drydock;
using namespace drydock::step;
namespace fs = std::filesystem;

namespace {

struct Ran {
  JobResult result;
  std::string log, messages;
};

Ran run(const std::string& yaml, const fs::path& base, isolation::Otherwise otherwise = isolation::Otherwise::fail) {
  Ran ran;
  JobRequest request = test::request_of(yaml);
  request.places = {.workspace = base / "work", .temp = base / "temp", .docker_config = base / "docker"};
  request.runner.isolation = Isolation::sandbox;
  Bus bus(std::make_shared<Masker>());
  bus.listen([&](const Event& event) {
    if (event.kind == EventKind::log) ran.log += event.text;
    if (event.kind == EventKind::message) ran.messages += event.text + "\n";
  });
  JobServices services;
  services.bus = &bus;
  services.hosts[Isolation::sandbox] =
      isolation::sandbox_hosts({.state_dir = base / "state", .bus = &bus, .otherwise = otherwise});
  ran.result = run_job(request, services);
  return ran;
}

}  // namespace

TEST_CASE("the steps of a job share a view, its files and its commands") {
  auto base = TempDir::create("", "drydock-isolation-");
  REQUIRE(base.ok());
  const auto marker = "/var/tmp/drydock-isolation-" + std::to_string(::getpid());
  const auto ran = run("    outputs: { seen: '${{ steps.look.outputs.seen }}' }\n"
                       "    steps:\n"
                       "      - run: echo kept >" + marker + "; echo A=1 >>$GITHUB_ENV; echo made >made\n"
                       "      - id: look\n"
                       "        run: echo \"seen=$(cat " + marker + ") $(cat made) $A\" >>$GITHUB_OUTPUT\n",
                       base->path());
  INFO(ran.messages << ran.log);
  CHECK(ran.result.conclusion == Outcome::success);
  CHECK(ran.result.outputs.at("seen") == "kept made 1");
  CHECK_FALSE(fs::exists(marker));
  CHECK(*read_file(base->path() + "/work/made") == "made\n");
  CHECK_FALSE(fs::exists(base->path() + "/temp.view"));
  CHECK(fs::is_empty(base->path() + "/state/journal"));
}

TEST_CASE("where no view can be made", "[.no-view]") {
  auto base = TempDir::create("", "drydock-isolation-");
  REQUIRE(base.ok());
  const std::string job = "    steps:\n      - run: echo ran\n      - run: echo again\n";
  const auto refused = run(job, base->path());
  CHECK(refused.result.conclusion == Outcome::failure);
  CHECK(refused.result.error == ErrorCode::environment);
  CHECK(refused.messages.find("use --isolation host") != std::string::npos);
  CHECK(refused.result.steps.empty());

  const auto on_host = run(job, base->path(), isolation::Otherwise::run_on_host);
  CHECK(on_host.result.conclusion == Outcome::success);
  CHECK(on_host.log.find("ran") != std::string::npos);
  CHECK(on_host.messages.starts_with("steps run on this machine itself, not in a sandbox"));
  CHECK(on_host.messages.find("not in a sandbox", on_host.messages.find("not in a sandbox") + 1) == std::string::npos);
}

TEST_CASE("a job that cannot have a view fails, or runs on the machine and says so") {
  ProcessSpec spec;
  // Root without the right to mount, as in a container.
  spec.argv = {"setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", fs::canonical("/proc/self/exe"),
               "where no view can be made"};
  if (::geteuid() != 0 || !find_program("setpriv")) return;
  const auto done = run_process(spec);
  REQUIRE(done.ok());
  INFO(done->out << done->err);
  CHECK(done->exit_code == 0);
}

TEST_CASE("a job of actions alone makes its view when a program asks for one") {
  auto base = TempDir::create("", "drydock-isolation-");
  REQUIRE(base.ok());
  const auto host_of = isolation::sandbox_hosts({.state_dir = base->path() + "/state"});
  JobRequest request = test::request_of("    steps:\n      - uses: actions/checkout@v4\n");
  request.places.temp = base->path() + "/temp";
  REQUIRE(make_directories(request.places.temp).ok());
  auto host = host_of(request);
  REQUIRE(host.ok());
  CHECK_FALSE(fs::exists(base->path() + "/temp.view"));
  ProcessSpec spec;
  spec.argv = {"sh", "-c", "tr '\\0' ' ' </proc/1/cmdline | grep -c test_; test $$ -lt 100"};
  const auto ended = (*host)->run(spec, {});
  REQUIRE(ended.ok());
  CHECK(ended->exit_code == 0);
  CHECK(fs::exists(base->path() + "/temp.view"));
}
