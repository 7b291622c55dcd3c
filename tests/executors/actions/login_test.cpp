#include <nlohmann/json.hpp>

#include "executors/actions/text.h"
#include "tests/executors/actions/support.h"

using namespace drydock;
using namespace drydock::actions;
using test::Phase;

namespace {

struct FakeRegistry {
  std::vector<std::string> asked;
  ActionServices services;

  FakeRegistry() {
    services.verify_login = [this](const LoginRequest& login, std::stop_token) -> Status {
      asked.push_back(login.registry + " " + login.username + " " + login.password);
      if (login.registry == "down") return make_error(ErrorCode::network, "connection refused");
      if (login.password != "right") return make_error(ErrorCode::registry_auth, "401");
      return {};
    };
  }
};

}  // namespace

TEST_CASE("a login is checked, written and removed") {
  const auto home = test::temporary();
  FakeRegistry registry;
  const auto login = make_login(registry.services);
  test::Setting setting{.uses = "docker/login-action@v3", .inputs = {{"registry", "https://localhost:5000/v2/"}, {"username", "me"}, {"password", "right"}}};
  setting.places.docker_config = home.path() + "/docker";
  auto done = test::run(*login, setting);
  INFO(done.error());
  REQUIRE(done.status.ok());
  CHECK(join(registry.asked, ",") == "localhost:5000 me right");
  const auto file = home.path() + "/docker/config.json";
  CHECK(nlohmann::json::parse(test::text_of(file))["auths"]["localhost:5000"]["auth"] == "bWU6cmlnaHQ=");
  CHECK(done.said("Login Succeeded!"));
  CHECK(!done.said("right"));
  setting.state = done.effects.state;
  done = test::run(*login, setting, Phase::post);
  REQUIRE(done.status.ok());
  CHECK(nlohmann::json::parse(test::text_of(file))["auths"].empty());

  setting.inputs["logout"] = "false";
  setting.inputs["registry"] = "";
  setting.state = test::run(*login, setting).effects.state;
  CHECK(test::run(*login, setting, Phase::post).status.ok());
  CHECK(nlohmann::json::parse(test::text_of(file))["auths"].contains("https://index.docker.io/v1/"));
}

TEST_CASE("one step logs in to several registries and out of them") {
  const auto home = test::temporary();
  FakeRegistry registry;
  const auto login = make_login(registry.services);
  test::Setting setting{.uses = "docker/login-action@v4", .inputs = {{"registry-auth",
      "- username: me\n  password: right\n- registry: r:1\n  username: you\n  password: right\n"}}};
  setting.places.docker_config = home.path() + "/docker";
  auto done = test::run(*login, setting);
  INFO(done.error());
  REQUIRE(done.status.ok());
  CHECK(join(registry.asked, ",") == "docker.io me right,r:1 you right");
  const auto file = home.path() + "/docker/config.json";
  CHECK(nlohmann::json::parse(test::text_of(file))["auths"].size() == 2);
  CHECK(!done.said("right"));
  setting.state = done.effects.state;
  REQUIRE(test::run(*login, setting, Phase::post).status.ok());
  CHECK(nlohmann::json::parse(test::text_of(file))["auths"].empty());
}

TEST_CASE("logins that are refused write nothing") {
  struct Row {
    step::NoCaseMap<std::string> inputs;
    ErrorCode code;
    const char* text;
  };
  const Row rows[] = {
      {{}, ErrorCode::registry_auth, "Username and password required"},
      {{{"username", "me"}}, ErrorCode::registry_auth, "Password required"},
      {{{"password", "x"}}, ErrorCode::registry_auth, "an undefined secret is empty"},
      {{{"registry", "r:1"}, {"username", "me"}, {"password", "wrong"}}, ErrorCode::registry_auth, "r:1 refused the password for user me"},
      {{{"registry", "down"}, {"username", "me"}, {"password", "right"}}, ErrorCode::network, "connection refused"},
      {{{"registry", "1.dkr.ecr.eu-west-1.amazonaws.com"}, {"username", "k"}, {"password", "s"}}, ErrorCode::unsupported, "input 'ecr'"},
      {{{"scope", "team/app@push"}, {"username", "me"}, {"password", "right"}}, ErrorCode::unsupported, "input 'scope'"},
      {{{"registry-auth", "- registry: x"}}, ErrorCode::registry_auth, "Username and password required"},
      {{{"registry-auth", "registry: x"}}, ErrorCode::usage, "no list of registries"},
      {{{"registry-auth", "[{"}}, ErrorCode::usage, "input 'registry-auth' is no YAML"},
      {{{"registry-auth", "[]"}}, ErrorCode::usage, "No registry to login"},
      {{{"registry-auth", "- registry: x"}, {"registry", "y"}}, ErrorCode::usage, "Cannot use registry-auth with other inputs"},
      {{{"registry-auth", "- {username: me, password: right, scope: here}"}}, ErrorCode::unsupported, "input 'scope'"},
      {{{"logout", "perhaps"}}, ErrorCode::usage, "'logout'"},
  };
  const auto home = test::temporary();
  FakeRegistry registry;
  for (const auto& row : rows) {
    test::Setting setting{.uses = "docker/login-action@v3", .inputs = row.inputs};
    setting.places.docker_config = home.path();
    const auto done = test::run(*make_login(registry.services), setting);
    INFO(done.error());
    REQUIRE(!done.status.ok());
    CHECK(done.status.error().code == row.code);
    CHECK(done.error().find(row.text) != std::string::npos);
    CHECK(!exists(home.path() + "/config.json"));
    setting.state = done.effects.state;
    CHECK(test::run(*make_login(registry.services), setting, Phase::post).status.ok());
  }
  test::Setting offline{.uses = "docker/login-action@v3", .inputs = {{"username", "me"}, {"password", "right"}}};
  offline.runner.network = step::NetworkPolicy::offline;
  CHECK(test::run(*make_login(registry.services), offline).error().find("offline") != std::string::npos);
}

TEST_CASE("set-up of QEMU and Buildx tells what this machine runs") {
  ActionServices services;
  services.platforms = [] {
    return std::vector<RunnablePlatform>{{*parse_platform("linux/amd64"), Execution::native, ""},
                                         {*parse_platform("linux/arm64"), Execution::emulated, "QEMU 8"}};
  };
  auto done = test::run(*make_setup_qemu(services), {.uses = "docker/setup-qemu-action@v3", .inputs = {{"platforms", "arm64,riscv64"}}});
  REQUIRE(done.status.ok());
  CHECK(done.output("platforms") == "linux/amd64,linux/arm64");
  CHECK(done.said("linux/arm64 QEMU 8"));
  CHECK(done.said("warning: nothing on this machine runs linux/riscv64"));

  const auto buildx = make_setup_buildx(services);
  done = test::run(*buildx, {.uses = "docker/setup-buildx-action@v3", .inputs = {{"name", "mine"}, {"driver-opts", "image=x"}}});
  REQUIRE(done.status.ok());
  CHECK(done.output("name") == "mine");
  CHECK(done.output("driver") == "docker-container");
  CHECK(done.output("platforms") == "linux/amd64,linux/arm64");
  CHECK(nlohmann::json::parse(done.output("nodes"))[0]["status"] == "running");
  CHECK(done.said("left out: driver-opts"));
  done = test::run(*buildx, {.uses = "docker/setup-buildx-action@v3", .inputs = {{"driver", "remote"}}});
  CHECK(done.error().find("input 'driver': 'remote'") != std::string::npos);
  done = test::run(*buildx, {.uses = "docker/setup-buildx-action@v3", .inputs = {{"append", "- name: x"}}});
  CHECK(done.error().find("input 'append'") != std::string::npos);
}
