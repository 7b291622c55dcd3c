#include "tests/executors/sandbox/support.h"

#include <fcntl.h>

#include <atomic>
#include <cstdlib>
#include <iostream>

namespace drydock::sandbox::test {

namespace fs = std::filesystem;

Scratch::Scratch() {
  static std::atomic<unsigned> made{0};
  const char* base = std::getenv("DRYDOCK_TEST_SCRATCH");
  path_ = fs::path(base ? base : "/tmp") /
          ("drydock-test-" + std::to_string(getpid()) + "-" + std::to_string(made.fetch_add(1)));
  fs::create_directories(path_);
}

Scratch::~Scratch() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path Scratch::make(const std::string& name) const {
  fs::create_directories(path_ / name);
  return path_ / name;
}

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool is_root() { return geteuid() == 0 && in_initial_user_namespace(); }

std::optional<fs::path> native_busybox() {
  for (const auto* path : {"/usr/bin/busybox", "/bin/busybox"}) {
    if (fs::exists(path)) return path;
  }
  return std::nullopt;
}

std::optional<fs::path> arm64_busybox(std::string& why) {
  const char* chosen = std::getenv("DRYDOCK_TEST_CACHE");
  const fs::path cache = chosen ? fs::path(chosen) : fs::temp_directory_path() / "drydock-test-cache";
  const auto binary = cache / "arm64/bin/busybox";
  if (fs::exists(binary)) return binary;
  if (!find_program("apt-get") || !find_program("dpkg-deb")) {
    why = "no apt-get to fetch an arm64 busybox";
    return std::nullopt;
  }
  // apt's own directories, so that neither its lists nor dpkg's architectures change.
  ProcessSpec spec;
  spec.argv = {"sh", "-ec",
               "mkdir -p \"$1\"/apt/lists/partial \"$1\"/apt/cache/archives/partial \"$1\"/arm64; cd \"$1\"/apt; : >status\n"
               "o=\"-o Dir::State=$1/apt -o Dir::State::lists=$1/apt/lists -o Dir::State::status=$1/apt/status "
               "-o Dir::Cache=$1/apt/cache -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=\"\n"
               "apt-get $o -qq update; apt-get $o -qq download busybox-static\n"
               "dpkg-deb -x busybox-static_*_arm64.deb ../arm64; rm -rf \"$1\"/apt",
               "sh", cache.string()};
  spec.timeout = std::chrono::seconds(60);
  const auto result = run_process(spec);
  if (result && result->exit_code == 0 && fs::exists(binary)) return binary;
  why = "an arm64 busybox cannot be fetched: " + (result ? result->err : result.error().to_string());
  return std::nullopt;
}

void make_rootfs(const fs::path& rootfs, const fs::path& busybox) {
  for (const auto* name : {"bin", "etc", "proc", "sys", "dev", "tmp", "root", "home"}) {
    fs::create_directories(rootfs / name);
  }
  fs::copy_file(busybox, rootfs / "bin/busybox", fs::copy_options::overwrite_existing);
  fs::permissions(rootfs / "bin/busybox", fs::perms(0755));
  for (const auto* name : {"sh", "id", "cat", "echo", "sleep", "true", "uname", "ls", "grep", "wc", "mount", "kill"}) {
    fs::create_symlink("busybox", rootfs / "bin" / name);
  }
  write(rootfs / "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n");
  write(rootfs / "etc/group", "root:x:0:\nnode:x:1000:\nstaff:x:50:node,other\n");
}

Rerun in_user_namespace(const std::string& filter, const fs::path& scratch) {
  UserNamespaceOptions options;
  options.environment = current_environment();
  (*options.environment)["DRYDOCK_TEST_SCRATCH"] = scratch.string();
  const auto output = scratch / "output.txt";
  const int fd = ::open(output.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  options.descriptors = {{fd, 1}, {fd, 2}};
  Rerun rerun;
  auto process = spawn_in_user_namespace({fs::read_symlink("/proc/self/exe").string(), filter}, options);
  ::close(fd);
  if (!process) {
    rerun.output = process.error().to_string();
    return rerun;
  }
  if (const auto result = process->wait()) rerun.exit_code = result->exit_code;
  rerun.output = read(output);
  return rerun;
}

std::string why_no_containers() {
  if (geteuid() != 0) return "not root, and not in a user namespace";
  if (!native_busybox()) return "busybox-static is not installed";
  if (!find_program("runc") && !find_program("crun")) return "neither runc nor crun is installed";
  return {};
}

void skipped(const std::string& reason) { std::cerr << "skipped: " << reason << "\n"; }

}  // namespace drydock::sandbox::test
