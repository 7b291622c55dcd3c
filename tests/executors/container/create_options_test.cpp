#include "executors/container/create_options.h"

#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::container;
using std::chrono::milliseconds;

TEST_CASE("the flags that jobs give their containers are read as docker create reads them") {
  const auto read = parse_create_options(
      "--health-cmd \"redis-cli ping\" --health-interval 10s --health-timeout=5s --health-retries 5 "
      "--health-start-period 1m30s --name cache --hostname harbour --network-alias a --network-alias=b -u 1000:1000 "
      "-e A=1 -eB=2 --env C= --env D -w /srv -v /x:/y:ro --volume data:/data -p 8080:80 --add-host up:192.0.2.1 "
      "--dns 192.0.2.53 --tmpfs /scratch:size=1m,noexec --ulimit nofile=64:128 --cap-add net_admin --cap-drop CAP_CHOWN "
      "--platform linux/arm64 --memory 2g --shm-size 256mb --cpus 1.5 --read-only --init --rm --label k=v",
      ContainerRole::service);
  REQUIRE(read.ok());
  CHECK(read->health.command == "redis-cli ping");
  CHECK(read->health.interval == milliseconds(10000));
  CHECK(read->health.timeout == milliseconds(5000));
  CHECK(read->health.start_period == milliseconds(90000));
  CHECK(read->health.retries == 5);
  CHECK(read->name == "cache");
  CHECK(read->hostname == "harbour");
  CHECK(read->aliases == std::vector<std::string>{"a", "b"});
  CHECK(read->user == "1000:1000");
  CHECK(read->directory == "/srv");
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  CHECK(read->env == Pairs{{"A", "1"}, {"B", "2"}, {"C", ""}});
  CHECK(read->unset_env == std::vector<std::string>{"D"});
  CHECK(read->volumes == std::vector<std::string>{"/x:/y:ro", "data:/data"});
  CHECK(read->ports == std::vector<std::string>{"8080:80"});
  CHECK(read->add_hosts == Pairs{{"up", "192.0.2.1"}});
  CHECK(read->dns == std::vector<std::string>{"192.0.2.53"});
  CHECK(read->tmpfs.front().path == "/scratch");
  CHECK(read->tmpfs.front().options == std::vector<std::string>{"size=1m", "noexec"});
  CHECK(read->ulimits.front().name == "RLIMIT_NOFILE");
  CHECK(read->cap_add == std::vector<std::string>{"CAP_NET_ADMIN"});
  CHECK(read->cap_drop == std::vector<std::string>{"CAP_CHOWN"});
  CHECK(read->platform->to_string() == "linux/arm64");
  CHECK(read->memory == 2ull << 30);
  CHECK(read->shm_size == 256ull << 20);
  CHECK(read->cpus == 1.5);
  CHECK(read->read_only);
  CHECK_FALSE(read->privileged);
}

TEST_CASE("mounts, devices, groups and security are read as docker create reads them") {
  const auto read = parse_create_options(
      "-it --tty=false --pull always --restart no --mount type=bind,src=/a,dst=/b,readonly --mount source=data,target=/data,volume-nocopy "
      "--mount type=volume,destination=/own --mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=700 --device /dev/fuse "
      "--device /dev/loop0:/dev/disk:r --device /dev/zero:rw --group-add video --group-add 33 --sysctl net.core.somaxconn=7 "
      "--pids-limit 50 --security-opt no-new-privileges --security-opt seccomp=unconfined --security-opt apparmor=unconfined",
      ContainerRole::job);
  REQUIRE(read.ok());
  using Kind = Volume::Kind;
  CHECK(read->mounts == std::vector<Volume>{{Kind::path, "/a", "/b", true}, {Kind::named, "data", "/data", false, false}, {Kind::anonymous, "", "/own"}});
  CHECK(read->tmpfs.front().path == "/t");
  CHECK(read->tmpfs.front().options == std::vector<std::string>{"size=1m", "mode=700"});
  REQUIRE(read->devices.size() == 3);
  CHECK(read->devices[0].destination == "/dev/fuse");
  CHECK(read->devices[0].access == "rwm");
  CHECK(read->devices[1].destination == "/dev/disk");
  CHECK(read->devices[1].access == "r");
  CHECK(read->devices[2].destination == "/dev/zero");
  CHECK(read->devices[2].access == "rw");
  CHECK(read->groups == std::vector<std::string>{"video", "33"});
  CHECK(read->sysctl.front() == std::pair<std::string, std::string>{"net.core.somaxconn", "7"});
  CHECK(read->processes == 50);
  CHECK(read->no_new_privileges);
  CHECK(read->unfiltered);
}

TEST_CASE("capabilities that reach out of a container are known") {
  CHECK(reaching_out({"CAP_NET_ADMIN", "CAP_SYS_PTRACE", "CAP_IPC_LOCK"}).empty());
  CHECK(reaching_out({"CAP_NET_ADMIN", "CAP_SYS_ADMIN"}) == std::vector<std::string>{"CAP_SYS_ADMIN"});
  CHECK(reaching_out({"ALL"}) == std::vector<std::string>{"ALL"});
}

TEST_CASE("what is not performed is refused by name") {
  struct Row {
    std::string options;
    ContainerRole role;
    ErrorCode code;
    std::string says;
  };
  const Row rows[] = {
      {"--network host", ContainerRole::service, ErrorCode::unsupported, "options: --network is not supported"},
      {"--net=host", ContainerRole::job, ErrorCode::unsupported, "options: --network is not supported"},
      {"--entrypoint sh", ContainerRole::job, ErrorCode::unsupported, "options: --entrypoint is not supported for a job"},
      {"--gpus all", ContainerRole::job, ErrorCode::unsupported, "options: --gpus is not supported"},
      {"--cpus 1 --pid host", ContainerRole::service, ErrorCode::unsupported, "options: --pid is not supported"},
      {"-x", ContainerRole::job, ErrorCode::unsupported, "options: -x is not supported"},
      {"-ix", ContainerRole::job, ErrorCode::unsupported, "options: -x is not supported"},
      {"--ipc host", ContainerRole::job, ErrorCode::unsupported, "options: --ipc is not supported"},
      {"--privileged=yes", ContainerRole::job, ErrorCode::invalid_input, "'yes' is no value for --privileged"},
      {"--security-opt systempaths=unconfined", ContainerRole::job, ErrorCode::invalid_input, "is no value for --security-opt"},
      {"--device fuse", ContainerRole::job, ErrorCode::invalid_input, "'fuse' is no value for --device"},
      {"--device /dev/fuse:rx", ContainerRole::job, ErrorCode::invalid_input, "is no value for --device"},
      {"--mount type=bind,source=up,target=/x", ContainerRole::job, ErrorCode::invalid_input, "is no value for --mount"},
      {"--mount source=data", ContainerRole::job, ErrorCode::invalid_input, "is no value for --mount"},
      {"--mount type=bind,source=/a,target=/b,bind-propagation=shared", ContainerRole::job, ErrorCode::invalid_input, "--mount"},
      {"--sysctl net.core.somaxconn", ContainerRole::job, ErrorCode::invalid_input, "is no value for --sysctl"},
      {"--pids-limit many", ContainerRole::job, ErrorCode::invalid_input, "'many' is no value for --pids-limit"},
      {"--memory lots", ContainerRole::job, ErrorCode::invalid_input, "'lots' is no value for --memory"},
      {"--health-interval 5", ContainerRole::service, ErrorCode::invalid_input, "'5' is no value for --health-interval"},
      {"--health-cmd redis-cli ping", ContainerRole::service, ErrorCode::invalid_input, "'ping' is no flag"},
      {"--user", ContainerRole::service, ErrorCode::invalid_input, "--user needs a value"},
  };
  for (const auto& row : rows) {
    INFO(row.options);
    const auto read = parse_create_options(row.options, row.role);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == row.code);
    CHECK(read.error().message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("sizes and durations") {
  CHECK(parse_size("64") == 64);
  CHECK(parse_size("64k") == 64u << 10);
  CHECK(parse_size("1G") == 1u << 30);
  CHECK_FALSE(parse_size("1x"));
  CHECK_FALSE(parse_size("99999999999t"));
  CHECK(parse_duration("500ms") == milliseconds(500));
  CHECK(parse_duration("1h2m3s") == milliseconds(3723000));
  CHECK(parse_duration("1.5s") == milliseconds(1500));
  CHECK(parse_duration("0") == milliseconds(0));
  CHECK_FALSE(parse_duration("5"));
  CHECK_FALSE(parse_duration(""));
}

TEST_CASE("capabilities are the standard set with changes") {
  const auto standard = sandbox::standard_capabilities().size();
  CHECK(capabilities_with({"CAP_NET_ADMIN"}, {}).size() == standard + 1);
  CHECK(capabilities_with({}, {"CAP_CHOWN"}).size() == standard - 1);
  CHECK(capabilities_with({"CAP_CHOWN"}, {"ALL"}) == std::vector<std::string>{"CAP_CHOWN"});
  CHECK(capabilities_with({"ALL"}, {"CAP_SYS_ADMIN"}).size() == sandbox::all_capabilities().size() - 1);
}
