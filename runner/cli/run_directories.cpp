#include "runner/cli/run_directories.h"

#include "executors/base/fs.h"
#include "executors/oci/store.h"
#include "runner/config/config.h"
#include "runner/events/run_record.h"

namespace drydock::runner {

Result<std::string> runs_directory() {
  DRYDOCK_ASSIGN(const auto config, load_config({}));
  return (config.store.empty() ? oci::default_store_root() : config.store) + "/runs";
}

Result<std::string> directory_of_run(const std::string& runs_directory, const std::string& id) {
  if (id.empty() || id == "latest") {
    const auto runs = list_runs(runs_directory).runs;
    if (runs.empty()) return make_error(ErrorCode::not_found, "no run is kept in " + runs_directory, "run a workflow first");
    return runs_directory + "/" + runs.front().id;
  }
  DRYDOCK_TRY(read_run(runs_directory + "/" + id));
  return runs_directory + "/" + id;
}

}  // namespace drydock::runner
