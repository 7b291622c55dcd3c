#pragma once
// A real docker-registry on a free loopback port with its storage in a temporary directory, with or without
// basic authentication. Stopped and removed at the end of its life. Tests skip themselves when the program is
// missing.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>

#include "executors/base/fs.h"
#include "executors/base/process.h"

namespace drydock::test {

enum class RegistryAccess { anonymous, password };

class RealRegistry {
 public:
  static constexpr const char* k_user = "tester";
  static constexpr const char* k_password = "s3cret-pass:word";

  static bool available(RegistryAccess access = RegistryAccess::anonymous) {
    return find_program("docker-registry") &&
           (access == RegistryAccess::anonymous || find_program("htpasswd"));
  }

  explicit RealRegistry(RegistryAccess access = RegistryAccess::anonymous)
      : directory_(TempDir::create().value()) {
    port_ = free_port();
    write_config(access);
    start();
  }
  ~RealRegistry() { stop(); }
  RealRegistry(const RealRegistry&) = delete;
  RealRegistry& operator=(const RealRegistry&) = delete;

  int port() const { return port_; }
  /// "127.0.0.1:41234", as in a reference.
  std::string domain() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url() const { return "http://" + domain(); }
  std::string storage() const { return directory_.path() + "/storage"; }

  void start() {
    const auto log = directory_.path() + "/log";
    const auto config = directory_.path() + "/config.yml";
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (!std::freopen(log.c_str(), "a", stdout) || ::dup2(1, 2) < 0) ::_exit(126);
      ::execlp("docker-registry", "docker-registry", "serve", config.c_str(), nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 500; ++i) {
      if (answers()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    throw std::runtime_error("docker-registry does not start: " + read_file(log).value());
  }

  void stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  static int free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("no free port");
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(fd);
    return ntohs(address.sin_port);
  }

  bool answers() const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    const bool connected = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return connected;
  }

  void write_config(RegistryAccess access) {
    std::string text =
        "version: 0.1\nlog: {level: warn}\nstorage:\n  filesystem: {rootdirectory: " + storage() +
        "}\n  delete: {enabled: true}\nhttp:\n  addr: 127.0.0.1:" + std::to_string(port_) + "\n";
    if (access == RegistryAccess::password) {
      ProcessSpec spec;
      spec.argv = {"htpasswd", "-Bbn", k_user, k_password};
      const auto made = run_process(spec);
      if (!made.ok() || made->exit_code != 0) throw std::runtime_error("htpasswd failed");
      const auto file = directory_.path() + "/htpasswd";
      if (!write_file_atomic(file, made->out).ok()) throw std::runtime_error("cannot write " + file);
      text += "auth:\n  htpasswd: {realm: test, path: " + file + "}\n";
    }
    if (!write_file_atomic(directory_.path() + "/config.yml", text).ok())
      throw std::runtime_error("cannot write the configuration");
  }

  TempDir directory_;
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace drydock::test
