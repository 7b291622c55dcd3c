#include "runner/cli/hosts.h"

#include "executors/container/container_host.h"
#include "executors/isolation/sandbox_host.h"
#include "executors/oci/store.h"
#include "runner/build/build_machine.h"
#include "runner/cli/called_workflows.h"

namespace drydock::runner {

step::Hosts hosts_of(const WorkflowArguments& arguments, const Config& config, Bus* bus,
                     build::BuildService* builder) {
  const auto root = config.store.empty() ? oci::default_store_root() : config.store;
  const bool asked = !arguments.isolation.empty() || !config.isolation.empty();
  auto hosts = step::machine_hosts();
  hosts[step::Isolation::sandbox] = isolation::sandbox_hosts(
      {.state_dir = root + "/state",
       .bus = bus,
       .otherwise = asked ? isolation::Otherwise::fail : isolation::Otherwise::run_on_host});
  container::ContainerOptions containers;
  containers.engine = engine_options(config);
  containers.engine.store_root = root;
  containers.engine.offline = arguments.offline;
  containers.bus = bus;
  containers.builder = builder;
  containers.default_image = config.image;
  // The files of remote actions, wherever they come from.
  containers.shared.push_back({root + "/actions", true});
  for (const auto& text : arguments.action_sources) {
    if (const auto source = parse_repository_source(text); source.ok()) containers.shared.push_back({source->path, true});
  }
  containers.node_directory = root + "/node";
  return container::with_containers(std::move(containers), std::move(hosts));
}

}  // namespace drydock::runner
