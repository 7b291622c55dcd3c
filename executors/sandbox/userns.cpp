#include "executors/sandbox/userns.h"

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>

#include <sys/wait.h>

#include "executors/sandbox/files.h"
#include "executors/sandbox/supervisor.h"

namespace drydock::sandbox {
namespace {

constexpr std::uint32_t k_all_ids = 4294967295u;

std::vector<IdRange> read_map(const char* path) {
  std::vector<IdRange> ranges;
  std::ifstream file(path);
  IdRange range;
  while (file >> range.inside >> range.outside >> range.count) ranges.push_back(range);
  return ranges;
}

// Every id of this namespace onto itself. The one range that the initial namespace has is split in two, so that
// runtimes, which look for exactly that range, see that they are in a user namespace.
std::vector<IdRange> identity(const std::vector<IdRange>& own) {
  std::vector<IdRange> ranges;
  for (const auto& range : own) {
    if (range.inside == 0 && range.count == k_all_ids) {
      ranges.push_back({0, 0, 65536});
      ranges.push_back({65536, 65536, k_all_ids - 65536});
    } else {
      ranges.push_back({range.inside, range.inside, range.count});
    }
  }
  return ranges;
}

std::string user_name(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(16384);
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || !found) return {};
  return found->pw_name;
}

std::vector<IdRange> own_then(std::uint32_t own, const std::vector<IdRange>& subordinate) {
  std::vector<IdRange> ranges{{0, own, 1}};
  std::uint32_t next = 1;
  for (const auto& range : subordinate) {
    ranges.push_back({next, range.outside, range.count});
    next += range.count;
  }
  return ranges;
}

std::string map_lines(const std::vector<IdRange>& ranges) {
  std::string text;
  for (const auto& range : ranges) {
    text += std::to_string(range.inside) + " " + std::to_string(range.outside) + " " +
            std::to_string(range.count) + "\n";
  }
  return text;
}

Error missing(std::string what, std::string mend) {
  return make_error(ErrorCode::environment, std::move(what), std::move(mend));
}

Result<IdMap> wanted_map() {
  if (geteuid() == 0) {
    return IdMap{identity(read_map("/proc/self/uid_map")), identity(read_map("/proc/self/gid_map"))};
  }
  if (!find_program("newuidmap") || !find_program("newgidmap")) {
    return missing("newuidmap is not installed: an unprivileged user namespace would have one user id only",
                   "sudo apt-get install uidmap");
  }
  const auto uid = geteuid();
  const auto user = user_name(uid);
  const auto uids = subordinate_ranges(read_text("/etc/subuid"), user, uid);
  const auto gids = subordinate_ranges(read_text("/etc/subgid"), user, uid);
  const auto who = user.empty() ? std::to_string(uid) : user;
  if (uids.empty() || gids.empty()) {
    return missing(who + " has no subordinate ids in " + (uids.empty() ? "/etc/subuid" : "/etc/subgid"),
                   "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 " + who);
  }
  return IdMap{own_then(uid, uids), own_then(getegid(), gids)};
}

Status map_with_tool(const char* tool, pid_t pid, const std::vector<IdRange>& ranges) {
  ProcessSpec spec;
  spec.argv = {tool, std::to_string(pid)};
  for (const auto& range : ranges) {
    for (const auto number : {range.inside, range.outside, range.count}) spec.argv.push_back(std::to_string(number));
  }
  DRYDOCK_ASSIGN(const auto result, run_process(spec));
  if (result.exit_code == 0) return {};
  auto words = result.err;
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return missing(std::string(tool) + " refused the id map: " + words,
                 std::string("check the ranges in /etc/subuid and /etc/subgid, and that ") + tool +
                     " is setuid root or has its file capability (sudo apt-get install --reinstall uidmap)");
}

Status write_maps(pid_t pid, const IdMap& map) {
  if (geteuid() != 0) {
    DRYDOCK_TRY(map_with_tool("newuidmap", pid, map.uids));
    return map_with_tool("newgidmap", pid, map.gids);
  }
  const auto base = "/proc/" + std::to_string(pid);
  DRYDOCK_TRY(write_once(base + "/uid_map", map_lines(map.uids)));
  return write_once(base + "/gid_map", map_lines(map.gids));
}

// Says why the kernel or the machine's policy does not give us a namespace.
Error explain(Error error, StartFailure failure) {
  const auto setting = [](const char* name) { return trimmed(read_text(std::string("/proc/sys/") + name)); };
  if (setting("user/max_user_namespaces") == "0") {
    return missing("user namespaces are switched off (user.max_user_namespaces=0)",
                   "sudo sysctl -w user.max_user_namespaces=15000");
  }
  if (geteuid() != 0 && setting("kernel/unprivileged_userns_clone") == "0") {
    return missing("user namespaces are for root only here (kernel.unprivileged_userns_clone=0)",
                   "sudo sysctl -w kernel.unprivileged_userns_clone=1");
  }
  if (geteuid() != 0 && setting("kernel/apparmor_restrict_unprivileged_userns") == "1" &&
      (failure.step == StartStep::propagation || error.code == ErrorCode::environment)) {
    return missing("AppArmor takes the rights away from unprivileged user namespaces "
                   "(kernel.apparmor_restrict_unprivileged_userns=1)",
                   "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
  }
  if (failure.step == StartStep::propagation) {
    return missing("a user namespace was made, but mounting is refused in it (" + error.message + ")",
                   "if this is a container, start it with --security-opt seccomp=unconfined "
                   "--security-opt apparmor=unconfined, or build on the host");
  }
  if (error.mend.empty()) {
    error.mend = "if this is a container, allow user namespaces in it (--security-opt seccomp=unconfined) or build "
                 "on the host";
  }
  return error;
}

}  // namespace

std::string IdMap::describe() const {
  std::string text;
  const auto add = [&text](char letter, const std::vector<IdRange>& ranges) {
    text += letter;
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      if (i) text += ',';
      text += std::to_string(ranges[i].inside) + ":" + std::to_string(ranges[i].outside) + ":" +
              std::to_string(ranges[i].count);
    }
  };
  add('u', uids);
  text += ' ';
  add('g', gids);
  return text;
}

bool in_initial_user_namespace() {
  const auto map = read_map("/proc/self/uid_map");
  return map.size() == 1 && map[0] == IdRange{0, 0, k_all_ids};
}

std::string current_id_map() {
  if (in_initial_user_namespace()) return "initial";
  return IdMap{read_map("/proc/self/uid_map"), read_map("/proc/self/gid_map")}.describe();
}

std::vector<IdRange> subordinate_ranges(const std::string& text, const std::string& user, std::uint32_t uid) {
  std::vector<IdRange> ranges;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || line[0] == '#') continue;
    const auto who = line.substr(0, first);
    if (who.empty() || (who != user && who != std::to_string(uid))) continue;
    std::istringstream numbers(line.substr(first + 1, second - first - 1) + " " + line.substr(second + 1));
    IdRange range;
    if (numbers >> range.outside >> range.count && range.count > 0) ranges.push_back(range);
  }
  return ranges;
}

struct NamespaceProcess::State {
  Supervised process;
};

NamespaceProcess::NamespaceProcess(std::unique_ptr<State> state) : state_(std::move(state)) {}
NamespaceProcess::NamespaceProcess(NamespaceProcess&&) noexcept = default;
NamespaceProcess& NamespaceProcess::operator=(NamespaceProcess&&) noexcept = default;
NamespaceProcess::~NamespaceProcess() = default;

pid_t NamespaceProcess::pid() const { return state_->process.pid(); }
void NamespaceProcess::signal(int number) { state_->process.signal(number); }
void NamespaceProcess::kill() { state_->process.kill(); }

Result<ProcessResult> NamespaceProcess::wait() {
  const int status = state_->process.wait();
  ProcessResult result;
  if (WIFSIGNALED(status)) {
    result.signal = WTERMSIG(status);
    result.exit_code = 128 + result.signal;
  } else {
    result.exit_code = WEXITSTATUS(status);
  }
  return result;
}

class NamespaceSpawner {
 public:
  static Result<NamespaceProcess> spawn(const std::vector<std::string>& argv, const UserNamespaceOptions& options) {
    SupervisedSpec spec;
    DRYDOCK_TRY(fill(spec, argv, options));
    IdMap map;
    spec.namespaces = CLONE_NEWNS;
    if (options.ids == ChildIds::own_namespace) {
      DRYDOCK_ASSIGN(map, wanted_map());
      spec.map_ids = [&map](pid_t pid) { return write_maps(pid, map); };
      spec.namespaces |= CLONE_NEWUSER;
    }
    if (options.pid == PidNamespace::own_if_possible) spec.namespaces |= CLONE_NEWPID;

    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int standard : {0, 1, 2}) {
      const auto named = std::any_of(options.descriptors.begin(), options.descriptors.end(),
                                     [standard](const auto& pair) { return pair.second == standard; });
      if (!named) spec.descriptors.emplace_back(standard == 2 && fcntl(2, F_GETFD) >= 0 ? 2 : null, standard);
    }
    auto started = start(spec);
    close(null);
    if (!started) return std::move(started).error();
    auto state = std::make_unique<NamespaceProcess::State>(NamespaceProcess::State{std::move(started).value()});
    return NamespaceProcess(std::move(state));
  }

 private:
  static Status fill(SupervisedSpec& spec, const std::vector<std::string>& argv, const UserNamespaceOptions& options) {
    if (argv.empty()) return make_error(ErrorCode::internal, "no program to start in a user namespace");
    spec.argv = argv;
    spec.environment = options.environment ? *options.environment : current_environment();
    spec.directory = options.directory;
    spec.descriptors = options.descriptors;
    if (argv[0].find('/') != std::string::npos) return {};
    const auto path = find_program(argv[0], options.environment ? &*options.environment : nullptr);
    if (!path) return make_error(ErrorCode::not_found, argv[0] + " is not in PATH");
    spec.argv[0] = *path;
    return {};
  }

  static Result<Supervised> start(SupervisedSpec& spec) {
    StartFailure failure;
    auto started = Supervised::start(spec, &failure);
    if (!started && failure.step == StartStep::proc) {
      // A container whose own /proc is partly hidden may not mount another one.
      spec.namespaces &= ~static_cast<unsigned long>(CLONE_NEWPID);
      failure = {};
      started = Supervised::start(spec, &failure);
    }
    const bool program = failure.step == StartStep::exec || failure.step == StartStep::directory;
    if (started || program) return started;
    return explain(std::move(started).error(), failure);
  }
};

Result<NamespaceProcess> spawn_in_user_namespace(const std::vector<std::string>& argv,
                                                 const UserNamespaceOptions& options) {
  return NamespaceSpawner::spawn(argv, options);
}

UserNamespaceSupport probe_user_namespace() {
  UserNamespaceSupport support;
  auto map = wanted_map();
  if (!map) {
    support.why = map.error().message;
    support.mend = map.error().mend;
    return support;
  }
  support.map = std::move(map).value();
  auto process = spawn_in_user_namespace({find_program("true") ? "true" : "sh", "-c", ":"});
  if (!process) {
    support.why = process.error().message;
    support.mend = process.error().mend;
    return support;
  }
  const auto result = process->wait();
  support.possible = result && result->exit_code == 0;
  if (!support.possible) support.why = "a program in a user namespace failed";
  return support;
}

}  // namespace drydock::sandbox
