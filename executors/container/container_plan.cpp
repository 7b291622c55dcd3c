#include "executors/container/container_plan.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "executors/step/shell.h"

namespace drydock::container {
namespace {

constexpr const char* k_standard_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string at(const Place& place) {
  if (place.line == 0) return {};
  return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": ";
}

Error placed(Error error, const Place& place, const std::string& name) {
  error.message = at(place) + name + ": " + error.message;
  return error;
}

void set(Environment& environment, const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals != std::string::npos && equals > 0) environment[assignment.substr(0, equals)] = assignment.substr(equals + 1);
}

std::chrono::milliseconds from_nanoseconds(std::int64_t value, std::chrono::milliseconds otherwise) {
  return value > 0 ? std::chrono::milliseconds(value / 1000000) : otherwise;
}

}  // namespace

Result<ContainerPlan> plan_container(std::string name, ContainerRole role, const step::JobContainer& wish) {
  ContainerPlan plan{std::move(name), role, wish, {}, {}, {}};
  auto options = parse_create_options(wish.options, role);
  if (!options) return placed(std::move(options).error(), wish.options_place, plan.name);
  plan.options = std::move(*options);
  for (const std::vector<std::string>* list : {&wish.ports, &std::as_const(plan.options.ports)}) {
    for (const auto& text : *list) {
      auto ports = parse_ports(text);
      if (!ports) return placed(std::move(ports).error(), wish.place, plan.name);
      plan.ports.insert(plan.ports.end(), ports->begin(), ports->end());
    }
  }
  for (const std::vector<std::string>* list : {&wish.volumes, &std::as_const(plan.options.volumes)}) {
    for (const auto& text : *list) {
      auto volume = parse_volume(text);
      if (!volume) return placed(std::move(volume).error(), wish.place, plan.name);
      plan.volumes.push_back(std::move(*volume));
    }
  }
  plan.volumes.insert(plan.volumes.end(), plan.options.mounts.begin(), plan.options.mounts.end());
  return plan;
}

std::optional<HealthCheck> health_check_of(const HealthOptions& options, const oci::ContainerConfig& image) {
  HealthCheck check;
  if (options.none) return {};
  if (image.healthcheck) {
    const auto& own = *image.healthcheck;
    check.interval = from_nanoseconds(own.interval, check.interval);
    check.timeout = from_nanoseconds(own.timeout, check.timeout);
    check.start_period = from_nanoseconds(own.start_period, check.start_period);
    if (own.retries > 0) check.retries = own.retries;
    if (own.test.size() > 1 && own.test[0] == "CMD") check.test.assign(own.test.begin() + 1, own.test.end());
    if (own.test.size() > 1 && own.test[0] == "CMD-SHELL") check.test = {"/bin/sh", "-c", own.test[1]};
  }
  if (options.command) check.test = {"/bin/sh", "-c", *options.command};
  if (check.test.empty()) return {};
  // Zero means "as usual", as docker has it.
  const auto take = [](std::chrono::milliseconds& value, const std::optional<std::chrono::milliseconds>& given) {
    if (given && given->count() > 0) value = *given;
  };
  take(check.interval, options.interval);
  take(check.timeout, options.timeout);
  take(check.start_period, options.start_period);
  if (options.retries && *options.retries > 0) check.retries = *options.retries;
  return check;
}

Environment environment_of(const oci::ContainerConfig& image, const ContainerPlan& plan) {
  Environment environment{{"PATH", k_standard_path}};
  for (const auto& assignment : image.env) set(environment, assignment);
  for (const auto& [name, value] : plan.wish.env) environment[name] = value;
  for (const auto& [name, value] : plan.options.env) environment[name] = value;
  for (const auto& name : plan.options.unset_env) {
    if (const char* value = std::getenv(name.c_str())) environment[name] = value;
  }
  return environment;
}

std::vector<std::string> command_of(const oci::ContainerConfig& image, const std::optional<std::string>& entrypoint,
                                    const std::optional<std::vector<std::string>>& command) {
  std::vector<std::string> words = entrypoint ? step::split_arguments(*entrypoint) : image.entrypoint;
  // An entrypoint of one's own drops the image's command.
  const auto& rest = command ? *command : entrypoint ? std::vector<std::string>{} : image.cmd;
  words.insert(words.end(), rest.begin(), rest.end());
  return words;
}

std::string hosts_text(const std::vector<HostName>& names) {
  std::string text = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  for (const auto& [name, address] : names) text += address + "\t" + name + "\n";
  return text;
}

std::string resolv_text(const CreateOptions& options, const std::string& server, const std::string& own) {
  std::string text;
  std::istringstream lines(own);
  for (std::string line; std::getline(lines, line);) {
    if (options.dns_search.empty() && (line.starts_with("search ") || line.starts_with("options "))) text += line + "\n";
  }
  if (!options.dns_search.empty()) {
    text += "search";
    for (const auto& domain : options.dns_search) text += " " + domain;
    text += "\n";
  }
  const auto servers = options.dns.empty() ? std::vector<std::string>{server} : options.dns;
  for (const auto& each : servers) text += "nameserver " + each + "\n";
  return text;
}

Result<sandbox::ContainerSpec> container_spec(const ContainerPlan& plan, const oci::ContainerConfig& image,
                                              const std::filesystem::path& root) {
  const auto& options = plan.options;
  sandbox::ContainerSpec spec;
  spec.rootfs = root;
  auto user = sandbox::resolve_user(root, options.user.value_or(image.user));
  if (!user) return placed(std::move(user).error(), plan.wish.options_place, plan.name);
  spec.user = std::move(*user);
  spec.cwd = options.directory.value_or(image.working_dir);
  if (!spec.cwd.starts_with('/')) spec.cwd = "/" + spec.cwd;
  if (options.read_only) spec.root_access = sandbox::RootAccess::read_only;
  if (options.privileged) spec.security = sandbox::Security::insecure;
  // A privileged container has all of them, as docker has it.
  if (!options.privileged && (!options.cap_add.empty() || !options.cap_drop.empty())) {
    spec.capabilities = capabilities_with(options.cap_add, options.cap_drop);
  }
  if (options.shm_size) spec.shm_size = options.shm_size;
  spec.memory = static_cast<std::int64_t>(options.memory);
  spec.cpus = options.cpus;
  spec.processes = options.processes;
  spec.ulimits = options.ulimits;
  spec.devices = options.devices;
  spec.sysctl = {options.sysctl.begin(), options.sysctl.end()};
  if (options.unfiltered) spec.system_calls = sandbox::SystemCalls::unfiltered;
  if (options.no_new_privileges) spec.privileges = sandbox::Privileges::no_new;
  for (const auto& group : options.groups) {
    auto member = sandbox::resolve_user(root, "0:" + group);
    if (!member) return placed(std::move(member).error(), plan.wish.options_place, plan.name);
    spec.user.groups.push_back(member->gid);
  }
  for (const auto& tmpfs : options.tmpfs) {
    std::vector<std::string> flags{"nosuid", "nodev", "noexec", "mode=1777"};
    flags.insert(flags.end(), tmpfs.options.begin(), tmpfs.options.end());
    spec.mounts.push_back({"tmpfs", "tmpfs", tmpfs.path, std::move(flags)});
  }
  return spec;
}

}  // namespace drydock::container
