#include "runner/cli/hosts.h"

#include "executors/isolation/sandbox_host.h"
#include "executors/oci/store.h"

namespace drydock::runner {

step::Hosts hosts_of(const WorkflowArguments& arguments, const Config& config, Bus* bus) {
  const auto root = config.store.empty() ? oci::default_store_root() : config.store;
  const bool asked = !arguments.isolation.empty() || !config.isolation.empty();
  auto hosts = step::machine_hosts();
  hosts[step::Isolation::sandbox] = isolation::sandbox_hosts(
      {.state_dir = root + "/state",
       .bus = bus,
       .otherwise = asked ? isolation::Otherwise::fail : isolation::Otherwise::run_on_host});
  return hosts;
}

}  // namespace drydock::runner
