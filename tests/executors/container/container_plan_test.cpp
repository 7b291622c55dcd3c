#include "executors/container/container_plan.h"

#include <nlohmann/json.hpp>

#include "executors/container/action_paths.h"
#include "executors/container/job_network.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::container;
using std::chrono::milliseconds;

TEST_CASE("what is wrong in a container is told with its place in the workflow") {
  step::JobContainer wish;
  wish.image = "redis";
  wish.place = {"w.yml", 4, 9};
  wish.options_place = {"w.yml", 7, 18};
  wish.options = "--gpus all";
  CHECK(plan_container("cache", ContainerRole::service, wish).error().message ==
        "w.yml:7:18: cache: options: --gpus is not supported");
  wish.options.clear();
  wish.ports = {"nine"};
  CHECK(plan_container("cache", ContainerRole::service, wish).error().message ==
        "w.yml:4:9: cache: ports: 'nine' is no port");
}

TEST_CASE("a health check comes from the options, else from the image") {
  oci::ContainerConfig image;
  CHECK_FALSE(health_check_of({}, image));
  image.healthcheck = oci::Healthcheck{{"CMD", "pg_isready", "-q"}, 2'000'000'000, 0, 0, 0, 7};
  const auto own = health_check_of({}, image);
  CHECK(own->test == std::vector<std::string>{"pg_isready", "-q"});
  CHECK(own->interval == milliseconds(2000));
  CHECK(own->timeout == milliseconds(30000));
  CHECK(own->retries == 7);
  HealthOptions options;
  options.command = "true";
  options.retries = 2;
  const auto given = health_check_of(options, image);
  CHECK(given->test == std::vector<std::string>{"/bin/sh", "-c", "true"});
  CHECK(given->interval == milliseconds(2000));
  CHECK(given->retries == 2);
  options.none = true;
  CHECK_FALSE(health_check_of(options, image));
  image.healthcheck->test = {"NONE"};
  CHECK_FALSE(health_check_of({}, image));
}

TEST_CASE("the environment is the image's, then the job's, then that of the options") {
  oci::ContainerConfig image;
  image.env = {"PATH=/opt/bin", "A=image", "B=image", "C=image"};
  ContainerPlan plan;
  plan.wish.env = {{"B", "job"}, {"C", "job"}};
  plan.options.env = {{"C", "options"}};
  CHECK(environment_of(image, plan) == Environment{{"PATH", "/opt/bin"}, {"A", "image"}, {"B", "job"}, {"C", "options"}});
  CHECK(environment_of({}, {}).at("PATH").find("/usr/bin") != std::string::npos);
}

TEST_CASE("entrypoint and command are put together as docker does") {
  oci::ContainerConfig image;
  image.entrypoint = {"entry"};
  image.cmd = {"one", "two"};
  using Words = std::vector<std::string>;
  CHECK(command_of(image, {}, {}) == Words{"entry", "one", "two"});
  CHECK(command_of(image, {}, Words{"x"}) == Words{"entry", "x"});
  CHECK(command_of(image, "sh -c", {}) == Words{"sh", "-c"});
  CHECK(command_of(image, "sh", Words{"x"}) == Words{"sh", "x"});
}

TEST_CASE("names and name servers") {
  CHECK(hosts_text({{"db", "10.0.0.9"}}).ends_with("10.0.0.9\tdb\n"));
  CreateOptions options;
  CHECK(resolv_text(options, "10.0.0.3", "search a.example\nnameserver 127.0.0.53\noptions edns0\n") ==
        "search a.example\noptions edns0\nnameserver 10.0.0.3\n");
  options.dns = {"192.0.2.53"};
  options.dns_search = {"b.example"};
  CHECK(resolv_text(options, "10.0.0.3", "search a.example\n") == "search b.example\nnameserver 192.0.2.53\n");
}

TEST_CASE("a job's network lies where no route of the machine leads") {
  const std::string head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
  const auto route = [](const char* destination, const char* mask) {
    return std::string("eth0\t") + destination + "\t00000000\t0001\t0\t0\t0\t" + mask + "\t0\t0\t0\n";
  };
  CHECK(choose_subnet("").cidr() == "10.193.7.0/24");
  CHECK(choose_subnet(head + route("00000000", "00000000")).cidr() == "10.193.7.0/24");  // the default route
  CHECK(choose_subnet(head + route("0007C10A", "00FFFFFF")).cidr() == "10.193.8.0/24");  // 10.193.7.0/24
  CHECK(choose_subnet(head + route("0500C00A", "FFFFFFFF")).cidr() == "10.193.7.0/24");  // 10.192.0.5
  CHECK(choose_subnet("nonsense\n\n").cidr() == "10.193.7.0/24");
}

TEST_CASE("container actions see GitHub's paths") {
  step::JobPlaces places;
  places.workspace = "/w/app/app";
  places.temp = "/w/_temp";
  const auto paths = action_paths(places);
  CHECK(paths.inside("/w/app/app/src") == "/github/workspace/src");
  CHECK(paths.inside("/w/app/application") == "/w/app/application");
  CHECK(paths.inside("/w/_temp/_runner_file_commands/set_env_1") == "/github/file_commands/set_env_1");
  CHECK(paths.inside("/w/_temp/_github_workflow/event.json") == "/github/workflow/event.json");
  CHECK(paths.inside("/w/_temp/x") == "/github/runner_temp/x");
  CHECK(paths.inside("text with /w/app/app in it") == "text with /w/app/app in it");
  CHECK(paths.inside(Environment{{"GITHUB_WORKSPACE", "/w/app/app"}, {"HOME", "/root"}}) ==
        Environment{{"GITHUB_WORKSPACE", "/github/workspace"}, {"HOME", "/github/home"}});
}

TEST_CASE("requests and answers survive the wire") {
  PodRequest request;
  request.job = "build";
  request.workspace = "/w";
  request.shared = {{"/w", false}, {"/tools", true}};
  request.loopback = {4711};
  step::JobContainer container;
  container.image = "busybox";
  container.env = {{"A", "b"}};
  container.entrypoint = "sh";
  container.login = step::RegistryLogin{"u", "p"};
  request.containers.container = container;
  request.containers.services = {{"db", container}};
  const auto back = pod_request_from_json(nlohmann::json::parse(to_json(request).dump()));
  REQUIRE(back.ok());
  CHECK(to_json(*back) == to_json(request));
  CHECK(pod_request_from_json({{"schema", 99}}).error().code == ErrorCode::invalid_input);

  PodAnswer answer;
  answer.network = "n";
  answer.environment = {{"PATH", "/bin"}};
  answer.services = {{"db", {"id", {{"5432", "40000"}}}}};
  const auto answered = pod_answer_from_json(nlohmann::json::parse(to_json(answer).dump()));
  REQUIRE(answered.ok());
  CHECK(to_json(*answered) == to_json(answer));
}
