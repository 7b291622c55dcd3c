#include <CLI/CLI.hpp>
#include <unistd.h>

#include <cstdio>

#include "executors/action_store/action_disk.h"
#include "executors/actions/file_task.h"
#include "executors/base/text.h"
#include "executors/build/engine_channel.h"
#include "executors/container/pod_server.h"
#include "executors/oci/prune.h"
#include "runner/cli/cli.h"
#include "runner/cli/exit_code.h"
#include "runner/cli/run_directories.h"
#include "runner/config/config.h"
#include "runner/events/printer.h"
#include "runner/events/run_record.h"
#include "runner/services/artifact_store.h"
#include "runner/services/cache_store.h"

namespace drydock::runner {

namespace {

Result<std::unique_ptr<oci::Store>> open_store() {
  DRYDOCK_ASSIGN(const auto config, load_config({}));
  oci::StoreOptions options;
  options.root = config.store;
  return oci::Store::open(options);
}

/// Artifacts and caches of jobs, in the same store.
struct JobStores {
  std::unique_ptr<ServiceDb> db;
  ArtifactStore artifacts;
  CacheStore caches;

  JobStores(std::unique_ptr<ServiceDb> opened, const ServiceLimits& limits)
      : db(std::move(opened)), artifacts(*db, limits), caches(*db, limits) {}
};

Result<std::unique_ptr<JobStores>> open_job_stores(const std::string& root) {
  DRYDOCK_ASSIGN(const auto config, load_config({}));
  DRYDOCK_ASSIGN(auto db, ServiceDb::open(root));
  return std::make_unique<JobStores>(std::move(db), config.services);
}

Status print_job_stores(const std::string& root) {
  DRYDOCK_ASSIGN(const auto stores, open_job_stores(root));
  DRYDOCK_ASSIGN(const auto artifacts, stores->artifacts.usage());
  DRYDOCK_ASSIGN(const auto caches, stores->caches.usage());
  for (const auto& [name, amount] : {std::pair{"artifacts", artifacts}, std::pair{"caches", caches}}) {
    std::printf("%-12s %8zu  %s\n", name, amount.entries, size_text(amount.bytes).c_str());
  }
  return {};
}

int usage_of_disk() {
  auto store = open_store();
  if (!store.ok()) return report(store.error());
  const auto usage = oci::disk_usage(**store);
  if (!usage.ok()) return report(usage.error());
  std::printf("%-12s %8zu  %s\n", "blobs", usage->blobs, size_text(usage->blob_bytes).c_str());
  std::printf("%-12s %8zu  %s\n", "snapshots", usage->snapshots,
              size_text(usage->snapshot_bytes).c_str());
  std::printf("%-12s %8zu\n", "records", usage->records);
  const WorkFolders work = work_folders((*store)->root() + "/runs");
  std::printf("%-12s %8zu  %s\n", "workspaces", work.jobs, size_text(work.bytes).c_str());
  const auto actions = action_store::actions_on_disk((*store)->root() + "/actions");
  if (!actions) return report(actions.error());
  std::printf("%-12s %8zu  %s\n", "actions", actions->trees, size_text(actions->bytes).c_str());
  if (const auto printed = print_job_stores((*store)->root()); !printed) return report(Status(printed).error());
  return k_exit_ok;
}

struct PruneArguments {
  std::int64_t unused_hours = -1;
  std::int64_t keep_megabytes = -1;
  bool all = false;
};

/// --unused-hours and --keep-megabytes hold for caches too, --all takes them all; artifacts go when they have expired.
Status prune_job_stores(const std::string& root, const PruneArguments& arguments) {
  DRYDOCK_ASSIGN(const auto stores, open_job_stores(root));
  const auto now = std::chrono::system_clock::now();
  DRYDOCK_ASSIGN(auto caches, stores->caches.evict(now));
  if (arguments.all || arguments.unused_hours >= 0 || arguments.keep_megabytes >= 0) {
    constexpr std::int64_t k_never = std::int64_t{1} << 60, k_hour = 60LL * 60 * 1000;
    const auto keep = arguments.all ? 0 : arguments.keep_megabytes >= 0 ? static_cast<std::uint64_t>(arguments.keep_megabytes) * 1'000'000 : UINT64_MAX;
    const auto unused = arguments.all ? 0 : arguments.unused_hours >= 0 ? arguments.unused_hours * k_hour : k_never;
    DRYDOCK_ASSIGN(const auto more, stores->caches.evict(now, keep, unused));
    caches.entries += more.entries;
    caches.bytes += more.bytes;
  }
  DRYDOCK_ASSIGN(const auto artifacts, stores->artifacts.evict(now));
  std::printf("removed %zu caches, %zu artifacts: %s\n", caches.entries, artifacts.entries,
              size_text(caches.bytes + artifacts.bytes).c_str());
  return {};
}

/// Runs are kept for so long where nobody says otherwise: they are small, and asked for in the days after.
constexpr std::chrono::hours k_runs_kept{30 * 24};

Result<std::size_t> prune_old_runs(const PruneArguments& arguments) {
  DRYDOCK_ASSIGN(const auto directory, runs_directory());
  const auto now = std::chrono::system_clock::now();
  const auto kept = arguments.all ? std::chrono::hours(0)
                    : arguments.unused_hours >= 0 ? std::chrono::hours(arguments.unused_hours) : k_runs_kept;
  return prune_runs(directory, now - kept);
}

/// Like runs, but for --keep-megabytes: what was fetched once is fetched again only by who has a network.
Result<action_store::ActionsOnDisk> prune_fetched_actions(const std::string& root, const PruneArguments& arguments) {
  const auto now = std::chrono::system_clock::now();
  action_store::ActionPrune what;
  what.unused_since = arguments.all ? Time::max()
                                    : now - (arguments.unused_hours >= 0 ? std::chrono::hours(arguments.unused_hours) : k_runs_kept);
  if (arguments.keep_megabytes >= 0) what.keep_bytes = static_cast<std::uint64_t>(arguments.keep_megabytes) * 1'000'000;
  return action_store::prune_actions(root + "/actions", what);
}

int prune_store(const PruneArguments& arguments) {
  auto store = open_store();
  if (!store.ok()) return report(store.error());
  oci::PruneOptions options;
  if (arguments.unused_hours >= 0) options.unused_for = std::chrono::hours(arguments.unused_hours);
  if (arguments.keep_megabytes >= 0) options.keep_bytes = static_cast<std::uint64_t>(arguments.keep_megabytes) * 1'000'000;
  options.all = arguments.all;
  const auto pruned = oci::prune(**store, options);
  if (!pruned.ok()) return report(pruned.error());
  const auto runs = prune_old_runs(arguments);
  if (!runs.ok()) return report(runs.error());
  for (const auto& problem : pruned->problems) std::fprintf(stderr, "warning: %s\n", problem.c_str());
  std::printf("removed %zu records, %zu images, %zu snapshots, %zu blobs, %zu runs: %s\n", pruned->records, pruned->images,
              pruned->snapshots, pruned->blobs, *runs, size_text(pruned->bytes).c_str());
  const auto actions = prune_fetched_actions((*store)->root(), arguments);
  if (!actions) return report(actions.error());
  std::printf("removed %zu actions: %s\n", actions->trees, size_text(actions->bytes).c_str());
  if (const auto done = prune_job_stores((*store)->root(), arguments); !done) return report(Status(done).error());
  return k_exit_ok;
}

}  // namespace

void add_cache_commands(CLI::App& app, Chosen& chosen) {
  auto* cache = app.add_subcommand("cache", "the local store");
  cache->require_subcommand(1);
  cache->add_subcommand("du", "what it takes on disk")->callback([&chosen] { chosen.run = usage_of_disk; });
  auto arguments = std::make_shared<PruneArguments>();
  auto* prune = cache->add_subcommand("prune", "remove what nothing uses");
  prune->add_option("--unused-hours", arguments->unused_hours, "results not used, and runs that ended, so long ago");
  prune->add_option("--keep-megabytes", arguments->keep_megabytes, "and the least used until the store is this small");
  prune->add_flag("--all", arguments->all, "every result that no running build holds, and every run that has ended");
  prune->callback([arguments, &chosen] { chosen.run = [arguments] { return prune_store(*arguments); }; });
}

void add_engine_command(CLI::App& app, Chosen& chosen) {
  auto* engine = app.add_subcommand("engine", "the build engine in a namespace of its own; started by drydock itself");
  engine->group("");
  engine->add_flag("--stdio")->description("one call on standard input, events and the answer on standard output");
  auto* files = app.add_subcommand("file-task", "work on a job's files inside its sandbox; started by drydock itself");
  files->group("");
  files->callback([&chosen] { chosen.run = [] { return actions::serve_file_task(STDIN_FILENO, STDOUT_FILENO); }; });
  engine->callback([&chosen] { chosen.run = [] { return build::serve_engine(STDIN_FILENO, STDOUT_FILENO); }; });
  auto* containers = app.add_subcommand("containers", "the containers of one job; started by drydock itself");
  containers->group("");
  containers->add_flag("--stdio")->description("calls and answers on standard input, a socket");
  containers->callback([&chosen] { chosen.run = [] { return container::serve_pod(STDIN_FILENO); }; });
}

}  // namespace drydock::runner
