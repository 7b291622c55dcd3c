#include "executors/step/job_container.h"
#include "executors/step/job_state.h"
#include "tests/executors/step/support.h"

using namespace drydock;
using namespace drydock::step;
using namespace drydock::step::test;

namespace {

/// What a job with these keys asks for, with `matrix` and secrets as given.
Result<JobContainers> containers_of(const std::string& keys, const OrderedJson& matrix = {},
                                    const std::map<std::string, std::string>& secrets = {}) {
  JobRequest request = request_of("    steps: [run: 'true']\n");
  const auto read = parser::workflow::read_workflow(
      "on: push\njobs:\n  job:\n    runs-on: ubuntu-latest\n" + keys + "    steps: [run: 'true']\n", "w.yml");
  for (const auto& problem : read.diagnostics) UNSCOPED_INFO(format_line(problem));
  REQUIRE(read.ok());
  const auto& job = read.workflow->jobs.front();
  if (job.container) request.container = tree_of(job.container->value, "w.yml");
  request.services = tree_of(job.services_value, "w.yml");
  request.matrix = matrix;
  const auto back = job_request_from_json(OrderedJson::parse(to_json(request).dump()));
  REQUIRE(back.ok());
  Bus bus(std::make_shared<Masker>());
  Evaluator evaluator(bus, "job", {"PASSWORD"});
  const JobState state(*back, secrets, {});
  return evaluate_containers(*back, evaluator, state.context(state.scope(), {}));
}

}  // namespace

TEST_CASE("a job container is an image or a mapping, and may be an expression as a whole") {
  CHECK(containers_of("    container: alpine:3\n")->container->image == "alpine:3");
  CHECK(containers_of("    container: docker://alpine:3\n")->container->image == "alpine:3");
  const OrderedJson matrix{{"image", "node:22"}, {"none", ""}, {"whole", {{"image", "a"}, {"options", "--cpus 1"}}}};
  CHECK(containers_of("    container: ${{ matrix.image }}\n", matrix)->container->image == "node:22");
  CHECK(containers_of("    container: ${{ matrix.whole }}\n", matrix)->container->options == "--cpus 1");
  CHECK_FALSE(containers_of("    container: ${{ matrix.none }}\n", matrix)->container);
  CHECK_FALSE(containers_of("    container: {image: '${{ matrix.nothing }}', env: {A: b}}\n", matrix)->container);
}

TEST_CASE("services keep their order, and those without an image are left out") {
  const auto found = containers_of(R"(    services:
      redis:
        image: redis
        ports: [6379, '${{ matrix.port }}:80/udp']
        volumes: [data:/data]
      none:
        image: ${{ matrix.nothing }}
      db:
        image: postgres
        env: {POSTGRES_PASSWORD: '${{ secrets.PASSWORD }}', N: 5}
        credentials: {username: captain, password: '${{ secrets.PASSWORD }}'}
        options: >-
          --health-cmd pg_isready
)", {{"port", 8080}}, {{"PASSWORD", "tide"}});
  REQUIRE(found.ok());
  REQUIRE(found->services.size() == 2);
  CHECK(found->services[0].first == "redis");
  CHECK(found->services[0].second.ports == std::vector<std::string>{"6379", "8080:80/udp"});
  CHECK(found->services[0].second.volumes == std::vector<std::string>{"data:/data"});
  const auto& db = found->services[1].second;
  CHECK(db.env == std::vector<std::pair<std::string, std::string>>{{"POSTGRES_PASSWORD", "tide"}, {"N", "5"}});
  CHECK(db.login->password == "tide");
  CHECK(db.options == "--health-cmd pg_isready");
  CHECK(db.options_place.line == 16);
}

TEST_CASE("credentials whose secret does not exist are an error") {
  const auto found = containers_of(
      "    container: {image: a, credentials: {username: u, password: '${{ secrets.PASSWORD }}'}}\n");
  REQUIRE_FALSE(found.ok());
  CHECK(found.error().message == "credentials of container have an empty user name or password");
}

TEST_CASE("a job that names containers needs a place that runs them") {
  const auto ran = run("    steps: [run: 'true']\n", {.change = [](JobRequest& job) {
                         job.container.scalar = Text{.text = "alpine", .place = {"w.yml", 3, 5}};
                       }});
  CHECK(ran.conclusions() == "");
  CHECK(ran.said("w.yml:3:5: containers (of job 'job') are not available here"));
}
