#include "executors/build/run_mounts.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "executors/build/copy_files.h"

namespace drydock::build {

using parser::dockerfile::Mount;

namespace {

/// Waits in short turns, so that a stop request is heard.
Status lock_waiting(int fd, std::stop_token stop) {
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return errno_error("lock of a cache mount", errno);
    if (stop.stop_requested()) return make_error(ErrorCode::cancelled, "stopped");
    ::usleep(50'000);
  }
  return {};
}

}  // namespace

std::string cache_mount_id(const Mount& mount) {
  if (mount.type != Mount::Type::cache) return {};
  return mount.id.empty() ? mount.target : mount.id;
}

RunMounts::~RunMounts() = default;

Result<std::optional<ReadyMount>> RunMounts::ready(const StepMount& mount) {
  switch (mount.mount.type) {
    case Mount::Type::secret: return ready_secret(mount.mount);
    case Mount::Type::tmpfs: return std::optional(ReadyMount{mount.mount, {}});
    case Mount::Type::cache: return ready_cache(mount);
    case Mount::Type::bind: return ready_bind(mount);
    case Mount::Type::ssh: break;
  }
  if (!mount.mount.required) return std::optional<ReadyMount>{};
  return make_error(ErrorCode::unsupported, "RUN --mount=type=ssh,required is not supported yet");
}

Result<std::optional<ReadyMount>> RunMounts::ready_secret(const Mount& mount) {
  const auto& secrets = engine_.request.secrets;
  const auto found = std::find_if(secrets.begin(), secrets.end(), [&](const auto& s) { return s.id == mount.id; });
  if (found != secrets.end()) return std::optional(ReadyMount{mount, found->value});
  if (!mount.required) return std::optional<ReadyMount>{};
  return make_error(ErrorCode::not_found, "the secret \"" + mount.id + "\" is required and was not given",
                    "pass it with --secret id=" + mount.id + ",src=FILE, or the action's input `secrets`");
}

Result<std::optional<ReadyMount>> RunMounts::ready_bind(const StepMount& mount) {
  DRYDOCK_ASSIGN(const auto tree, tree_of_(mount.source));
  DRYDOCK_ASSIGN(const auto real, tree->resolve(mount.mount.source));
  auto path = (tree->root() / real).string();
  const bool filtered = mount.source.kind == FileSource::Kind::context ||
                        mount.source.kind == FileSource::Kind::named_context;
  if (filtered && tree->has_filter()) {
    // What .dockerignore leaves out must not be seen here either.
    DRYDOCK_ASSIGN(const auto copy, engine_.new_directory("bind"));
    CopyJob job;
    job.sources = {TreeSource{tree, mount.mount.source, {}}};
    job.destination = "/content";
    DRYDOCK_TRY(copy_into(copy, job));
    path = copy + "/content";
  }
  if (!mount.mount.read_only) {
    DRYDOCK_ASSIGN(path, scratch_over(path));
  }
  return std::optional(ReadyMount{mount.mount, path});
}

/// A writable view whose changes are dropped with the run.
Result<std::string> RunMounts::scratch_over(const std::string& directory) {
  struct stat st {};
  if (::stat(directory.c_str(), &st) != 0) return errno_error(directory, errno);
  DRYDOCK_ASSIGN(const auto base, engine_.new_directory("scratch"));
  for (const auto* name : {"/upper", "/work", "/view"}) {
    if (::mkdir((base + name).c_str(), 0755) != 0) return errno_error(base + name, errno);
  }
  if (!S_ISDIR(st.st_mode)) {
    std::error_code failed;
    std::filesystem::copy_file(directory, base + "/file", failed);
    if (failed) return errno_error(directory, failed.value());
    return base + "/file";
  }
  DRYDOCK_ASSIGN(auto mount,
                 sandbox::mount_overlay({{directory}, base + "/upper", base + "/work", sandbox::default_marks()},
                                        base + "/view", engine_.journal));
  scratch_.push_back(std::move(mount));
  return base + "/view";
}

Result<std::optional<ReadyMount>> RunMounts::ready_cache(const StepMount& mount) {
  DRYDOCK_ASSIGN(auto directory, cache_directory(mount.mount));
  if (mount.has_source) {
    std::error_code ignored;
    if (std::filesystem::is_empty(directory, ignored)) {
      DRYDOCK_ASSIGN(const auto tree, tree_of_(mount.source));
      CopyJob job;
      job.sources = {TreeSource{tree, mount.mount.source, {}}};
      job.destination = "/";
      job.source_owner = SourceOwner::keep;
      DRYDOCK_TRY(copy_into(directory, job));
    }
  }
  auto ready = ReadyMount{mount.mount, std::move(directory)};
  return std::optional(std::move(ready));
}

Result<std::string> RunMounts::cache_directory(const Mount& mount) {
  DRYDOCK_ASSIGN(const auto all, engine_.store->directory("cache-mounts"));
  const auto id = cache_mount_id(mount);
  const auto base = all + "/" + engine_.snapshots->space().name() + "-" +
                    std::string(oci::digest_of(id).hex().substr(0, 24));
  for (int turn = 0;; ++turn) {
    const auto directory = turn == 0 ? base : base + "-" + std::to_string(turn);
    if (mount.sharing != Mount::Sharing::shared) {
      OwnedFd lock(::open((directory + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
      if (!lock.valid()) return errno_error(directory + ".lock", errno);
      if (mount.sharing == Mount::Sharing::locked) {
        DRYDOCK_TRY(lock_waiting(lock.get(), engine_.stop.get_token()));
      } else if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        continue;  // private: another run has this one, take the next
      }
      locks_.push_back(std::move(lock));
    }
    if (::mkdir(directory.c_str(), 0755) == 0) {
      ::chmod(directory.c_str(), mount.mode.value_or(0755));
      if (::chown(directory.c_str(), mount.uid.value_or(0), mount.gid.value_or(0)) != 0) {
        return errno_error("chown of a cache mount", errno);
      }
    } else if (errno != EEXIST) {
      return errno_error(directory, errno);
    }
    return directory;
  }
}

}  // namespace drydock::build
