#include "executors/worker/placement.h"

#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::worker;

namespace {

const Platform k_amd64{"linux", "amd64"}, k_arm64{"linux", "arm64"}, k_s390x{"linux", "s390x"};

Worker worker_of(std::string name, Locality locality, Platform native, std::vector<Platform> emulated = {},
                 double load = 0, double speed = 1) {
  return {std::move(name), locality, {std::move(native)}, std::move(emulated), load, speed, {}};
}

std::string placed(const std::vector<Worker>& workers, const std::vector<Platform>& platforms) {
  std::vector<Leg> legs;
  for (const auto& platform : platforms) legs.push_back({platform.to_string(), platform, {}});
  std::string out;
  for (const auto& placement : place(legs, workers)) {
    out += (out.empty() ? "" : " ") + (placement.worker ? placement.worker_name : "-");
    out += ":" + std::string(placement.execution == Execution::none ? "none" : name_of(placement.execution));
    CHECK(!placement.reason.empty());
  }
  return out;
}

}  // namespace

TEST_CASE("legs go where they run best") {
  const Worker local = worker_of("local", Locality::local, k_amd64, {k_arm64});
  const Worker arm = worker_of("arm", Locality::remote, k_arm64, {k_amd64});
  struct Row {
    const char* what;
    std::vector<Worker> workers;
    std::vector<Platform> platforms;
    const char* expected;
  };
  const std::vector<Row> rows{
      {"alone: native and emulated", {local}, {k_amd64, k_arm64}, "local:native local:emulated"},
      {"remote native beats emulated", {local, arm}, {k_amd64, k_arm64}, "local:native arm:remote"},
      {"native here beats an idle machine",
       {worker_of("local", Locality::local, k_amd64, {}, 9), worker_of("big", Locality::remote, k_amd64)},
       {k_amd64}, "local:native"},
      {"nobody", {local, arm}, {k_s390x}, "-:none"},
      {"no workers", {}, {k_amd64}, "-:none"},
      {"less load", {worker_of("a", Locality::remote, k_arm64, {}, 3), worker_of("b", Locality::remote, k_arm64, {}, 1)},
       {k_arm64}, "b:remote"},
      {"load over speed",
       {worker_of("a", Locality::remote, k_arm64, {}, 3, 4), worker_of("b", Locality::remote, k_arm64, {}, 1, 1)},
       {k_arm64}, "a:remote"},
      {"ties by name, whatever the order",
       {worker_of("b", Locality::remote, k_arm64), worker_of("a", Locality::remote, k_arm64)}, {k_arm64}, "a:remote"},
      {"a placed leg is load", {worker_of("a", Locality::remote, k_arm64), worker_of("b", Locality::remote, k_arm64)},
       {k_arm64, k_arm64, k_arm64}, "a:remote b:remote a:remote"},
      {"386 is native on amd64", {local}, {Platform{"linux", "386"}}, "local:native"},
  };
  for (const auto& row : rows) {
    INFO(row.what);
    CHECK(placed(row.workers, row.platforms) == row.expected);
  }
}

TEST_CASE("a leg goes only where its needs are allowed") {
  Worker local = worker_of("local", Locality::local, k_amd64);
  Worker open = worker_of("open", Locality::remote, k_amd64);
  open.capabilities = {"insecure"};
  const std::vector<Leg> legs{{"x", k_amd64, {"insecure"}}};
  CHECK(place(legs, {local, open}).front().worker_name == "open");
  const auto refused = place(legs, {local}).front();
  CHECK(!refused.worker);
  CHECK(refused.reason == "no worker that runs linux/amd64 allows insecure");
}
