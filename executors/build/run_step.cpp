#include "executors/build/run_step.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "executors/base/fs.h"
#include "executors/base/process.h"
#include "executors/build/mount_points.h"

namespace drydock::build {

namespace {

using parser::dockerfile::NetworkMode;
using parser::dockerfile::SecurityMode;
using MountType = parser::dockerfile::Mount::Type;

constexpr const char* k_ca_variables[] = {"SSL_CERT_FILE",      "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE",
                                          "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO",      "PIP_CERT",
                                          "NPM_CONFIG_CAFILE",  "CARGO_HTTP_CAINFO",   "AWS_CA_BUNDLE"};
constexpr const char* k_proxy_variables[] = {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "FTP_PROXY",
                                             "http_proxy", "https_proxy", "no_proxy", "all_proxy", "ftp_proxy"};

std::string variable_in(const std::string& assignment) { return assignment.substr(0, assignment.find('=')); }

bool has_variable(const std::vector<std::string>& env, const std::string& name) {
  return std::any_of(env.begin(), env.end(), [&](const auto& item) { return variable_in(item) == name; });
}

/// The image's own settings win over what is only lent for the run.
void lend(std::vector<std::string>& env, const std::vector<std::string>& lent) {
  for (const auto& assignment : lent) {
    if (!has_variable(env, variable_in(assignment))) env.push_back(assignment);
  }
}

Status write_text(const std::string& path, const std::string& text, mode_t mode) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return errno_error("write " + path, errno);
  if (::chmod(path.c_str(), mode) != 0) return errno_error("chmod " + path, errno);
  return {};
}

std::string hosts_text(const std::vector<std::string>& add_hosts) {
  std::string text = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  for (const auto& item : add_hosts) {
    auto split = item.find('=');
    if (split == std::string::npos) split = item.find(':');
    if (split != std::string::npos) text += item.substr(split + 1) + "\t" + item.substr(0, split) + "\n";
  }
  return text;
}

/// The files lent to the container, in a directory of their own, and its list of mounts.
class Surroundings {
 public:
  Surroundings(Engine& engine, const RunJob& job, MountPoints& points, sandbox::ContainerSpec& spec)
      : engine_(engine), job_(job), points_(points), spec_(spec) {}

  Status prepare() {
    DRYDOCK_ASSIGN(directory_, engine_.new_directory("run"));
    DRYDOCK_TRY(write_text(directory_ + "/hosts", hosts_text(engine_.request.add_hosts), 0644));
    DRYDOCK_TRY(bind_file(directory_ + "/hosts", "/etc/hosts"));
    if (job_.network != NetworkMode::none && ::access("/etc/resolv.conf", R_OK) == 0) {
      // A copy: the host's file may be a link into a directory that the container does not see.
      DRYDOCK_ASSIGN(const auto resolv, read_file("/etc/resolv.conf"));
      DRYDOCK_TRY(write_text(directory_ + "/resolv.conf", resolv, 0644));
      DRYDOCK_TRY(bind_file(directory_ + "/resolv.conf", "/etc/resolv.conf"));
    }
    if (job_.script) {
      DRYDOCK_TRY(write_text(directory_ + "/script", job_.script->content, 0755));
      DRYDOCK_TRY(bind_file(directory_ + "/script", job_.script_path));
    }
    const auto trust = host_trust_view(engine_.options);
    if (!trust.bundle.empty()) {
      // Below /dev, which is a tmpfs of the container: no mount point is needed in the root.
      spec_.mounts.push_back({"bind", trust.bundle, k_trust_path, {"bind", "ro"}});
    }
    lend(spec_.env, trust.env);
    for (const auto& ready : job_.mounts) DRYDOCK_TRY(add(ready));
    return {};
  }

 private:
  Status bind_file(const std::string& source, const std::string& destination) {
    DRYDOCK_TRY(points_.need(destination, MountPoints::Kind::file));
    spec_.mounts.push_back({"bind", source, destination, {"bind", "ro"}});
    return {};
  }

  std::string target_of(const parser::dockerfile::Mount& mount) const {
    if (mount.target.starts_with('/')) return mount.target;
    return job_.directory + (job_.directory.ends_with('/') ? "" : "/") + mount.target;
  }

  Status add(const ReadyMount& ready) {
    const auto& mount = ready.mount;
    switch (mount.type) {
      case MountType::tmpfs: {
        DRYDOCK_TRY(points_.need(target_of(mount), MountPoints::Kind::directory));
        std::vector<std::string> options{"nosuid", "nodev", "mode=1777"};
        if (mount.size_limit > 0) options.push_back("size=" + std::to_string(mount.size_limit));
        spec_.mounts.push_back({"tmpfs", "tmpfs", target_of(mount), options});
        return {};
      }
      case MountType::secret: return add_secret(ready);
      case MountType::bind:
      case MountType::cache: {
        struct stat st {};
        const bool file = ::stat(ready.source.c_str(), &st) == 0 && !S_ISDIR(st.st_mode);
        DRYDOCK_TRY(points_.need(target_of(mount), file ? MountPoints::Kind::file : MountPoints::Kind::directory));
        spec_.mounts.push_back(
            {"bind", ready.source, target_of(mount), {"rbind", mount.read_only ? "ro" : "rw", "nosuid", "nodev"}});
        return {};
      }
      case MountType::ssh: break;
    }
    return make_error(ErrorCode::unsupported, "RUN --mount=type=ssh is not supported yet");
  }

  Status add_secret(const ReadyMount& ready) {
    const auto& mount = ready.mount;
    if (mount.env) {
      const auto name = mount.env->empty() ? mount.id : *mount.env;
      std::erase_if(spec_.env, [&](const auto& item) { return variable_in(item) == name; });
      spec_.env.push_back(name + "=" + ready.source);
      if (mount.target.empty()) return {};
    }
    const auto target = mount.target.empty() ? "/run/secrets/" + mount.id : target_of(mount);
    if (!secrets_mount_) {
      // Secrets never reach a disk.
      DRYDOCK_ASSIGN(const auto place, engine_.new_directory("secrets"));
      DRYDOCK_ASSIGN(secrets_mount_, sandbox::mount_tmpfs({8ULL << 20, 0700}, place, engine_.journal));
    }
    const auto path = (secrets_mount_.path() / std::to_string(secrets_++)).string();
    DRYDOCK_TRY(write_text(path, ready.source, mount.mode.value_or(0400)));
    if (::chown(path.c_str(), mount.uid.value_or(0), mount.gid.value_or(0)) != 0) {
      return errno_error("chown of secret " + mount.id, errno);
    }
    return bind_file(path, target);
  }

  Engine& engine_;
  const RunJob& job_;
  MountPoints& points_;
  sandbox::ContainerSpec& spec_;
  std::string directory_;
  sandbox::Mount secrets_mount_;
  int secrets_ = 0;
};

std::string quoted(const std::vector<std::string>& arguments) {
  std::string text;
  for (const auto& argument : arguments) text += (text.empty() ? "" : " ") + argument;
  return text;
}

Status apply_limits(const BuildRequest& request, sandbox::ContainerSpec& spec) {
  for (const auto& text : request.ulimits) {
    DRYDOCK_ASSIGN(auto limit, sandbox::parse_ulimit(text));
    spec.ulimits.push_back(std::move(limit));
  }
  if (!request.shm_size.empty()) {
    std::size_t used = 0;
    const auto number = std::strtoull(request.shm_size.c_str(), nullptr, 10);
    while (used < request.shm_size.size() && std::isdigit(static_cast<unsigned char>(request.shm_size[used]))) ++used;
    std::uint64_t unit = 1;
    const char suffix = used < request.shm_size.size() ? static_cast<char>(std::tolower(request.shm_size[used])) : 'b';
    if (suffix == 'k') unit = 1ULL << 10;
    if (suffix == 'm') unit = 1ULL << 20;
    if (suffix == 'g') unit = 1ULL << 30;
    if (used == 0 || std::string("bkmg").find(suffix) == std::string::npos) {
      return make_error(ErrorCode::usage, "shm-size \"" + request.shm_size + "\" is no size", "write it as 64m or 2g");
    }
    spec.shm_size = number * unit;
  }
  return {};
}

Result<sandbox::ContainerSpec> container_for(Engine& engine, const RunJob& job) {
  sandbox::ContainerSpec spec;
  spec.id = "drydock-" + process_token() + "-" + engine.new_id("run");
  spec.rootfs = job.root;
  spec.args = job.arguments;
  spec.env = job.env;
  spec.cwd = job.directory;
  DRYDOCK_ASSIGN(spec.user, sandbox::resolve_user(job.root, job.user));
  if (!has_variable(spec.env, "HOME")) spec.env.push_back("HOME=" + spec.user.home);
  lend(spec.env, job.hidden_env);
  const auto plan = engine.emulation(job.platform);
  // Under some versions of QEMU a crashing program hangs for ever when it is pid 1.
  if (plan.emulated()) spec.init = sandbox::ContainerInit::ours;
  if (plan.emulated() && plan.qemu) {
    lend(spec.env, sandbox::emulation_environment(job.platform.architecture, *plan.qemu));
  }
  const bool none = job.network == NetworkMode::none ||
                    (job.network == NetworkMode::default_ && engine.request.network == "none");
  spec.network = none ? sandbox::ContainerNetwork::none : sandbox::ContainerNetwork::host;
  if (job.security == SecurityMode::insecure) {
    const auto& allowed = engine.request.allow;
    if (std::find(allowed.begin(), allowed.end(), "security.insecure") == allowed.end()) {
      return make_error(ErrorCode::permission, "RUN --security=insecure is not allowed",
                        "allow it with --allow security.insecure, if you trust this Dockerfile with the whole machine");
    }
    spec.security = sandbox::Security::insecure;
  }
  DRYDOCK_TRY(apply_limits(engine.request, spec));
  return spec;
}

}  // namespace

HostTrustView host_trust_view(const EngineOptions& options) {
  HostTrustView view;
  if (options.host_trust == HostTrust::hidden) return view;
  for (const auto* candidate : {std::getenv("SSL_CERT_FILE"), std::getenv("NODE_EXTRA_CA_CERTS"),
                                static_cast<char*>(nullptr)}) {
    if (candidate && *candidate && ::access(candidate, R_OK) == 0) view.bundle = candidate;
    if (!view.bundle.empty()) break;
  }
  if (view.bundle.empty() && ::access("/etc/ssl/certs/ca-certificates.crt", R_OK) == 0) {
    view.bundle = "/etc/ssl/certs/ca-certificates.crt";
  }
  if (!view.bundle.empty()) {
    for (const auto* name : k_ca_variables) view.env.push_back(std::string(name) + "=" + k_trust_path);
  }
  for (const auto* name : k_proxy_variables) {
    if (const auto* value = std::getenv(name)) view.env.push_back(std::string(name) + "=" + value);
  }
  return view;
}

Result<RunOutcome> execute_run(Engine& engine, const RunJob& job, Vertex& vertex, std::stop_token stop) {
  DRYDOCK_ASSIGN(const auto* runtime, engine.runtime());
  DRYDOCK_ASSIGN(auto points, MountPoints::open(job.root));
  DRYDOCK_ASSIGN(auto spec, container_for(engine, job));
  for (const auto* place : {"/proc", "/sys", "/dev"}) DRYDOCK_TRY(points.need(place, MountPoints::Kind::directory));
  Surroundings surroundings(engine, job, points, spec);
  DRYDOCK_TRY(surroundings.prepare());
  const sandbox::ContainerIo io{-1, [&](std::string_view piece) { vertex.output(Stream::out, piece); },
                                [&](std::string_view piece) { vertex.output(Stream::err, piece); }};
  DRYDOCK_ASSIGN(const auto result, runtime->run(spec, io, stop));
  if (result.stopped) return make_error(ErrorCode::cancelled, "stopped");
  RunOutcome outcome;
  if (result.exit_code == 0) return outcome;
  const auto emulated = engine.emulation(job.platform).emulated() ? sandbox::Emulated::yes : sandbox::Emulated::no;
  const auto failure = sandbox::classify_failure(result.exit_code, result.signal, result.stderr_tail, emulated);
  outcome.succeeded = false;
  outcome.emulator_crashed = failure.retry();
  outcome.error = make_error(ErrorCode::failed, "\"" + quoted(job.arguments) + "\" failed with exit code " +
                                                    std::to_string(result.exit_code) +
                                                    (failure.kind == sandbox::FailureKind::program ? "" : ": " + failure.why),
                             failure.mend);
  return outcome;
}

}  // namespace drydock::build
