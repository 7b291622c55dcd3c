#include "executors/sandbox/view.h"

#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <sstream>
#include <tuple>

#include "executors/base/fs.h"
#include "executors/sandbox/files.h"
#include "executors/sandbox/view_child.h"
#include "executors/sandbox/view_facts.h"
#include "executors/sandbox/view_launch.h"

namespace drydock::sandbox {
namespace {

std::string describe(const ViewStep& step) {
  switch (step.act) {
    case Act::make_directory: return "making " + step.target;
    case Act::make_link: return "linking " + step.target;
    case Act::make_file: return "writing " + step.target;
    case Act::copy_file: return "copying " + step.source + " to " + step.target;
    case Act::mount: return "mounting " + (step.type.empty() ? step.source : step.type) + " on " + step.target;
    case Act::protect: return "protecting " + step.target;
  }
  return step.target;
}

std::string setting(const char* name) { return trimmed(read_text(std::string("/proc/sys/") + name)); }

/// Why the machine does not give us namespaces, as far as it can be told.
Error no_view(const std::string& what, int error) {
  auto failure = errno_error("this machine gives no view of itself: " + what, error);
  failure.code = ErrorCode::environment;
  if (setting("user/max_user_namespaces") == "0" && ::geteuid() != 0) {
    failure.mend = "sudo sysctl -w user.max_user_namespaces=15000, or use --isolation host";
  } else if (setting("kernel/unprivileged_userns_clone") == "0" && ::geteuid() != 0) {
    failure.mend = "sudo sysctl -w kernel.unprivileged_userns_clone=1, or use --isolation host";
  } else if (setting("kernel/apparmor_restrict_unprivileged_userns") == "1" && ::geteuid() != 0) {
    failure.mend = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or use --isolation host";
  } else {
    failure.mend = "use --isolation host; in a container a view needs the right to mount (--privileged)";
  }
  return failure;
}

/// One id, the caller's own: what the user may do outside is what it may do inside.
Status map_own_id(pid_t pid) {
  const auto base = "/proc/" + std::to_string(pid);
  const auto line = [](unsigned id) { return std::to_string(id) + " " + std::to_string(id) + " 1\n"; };
  DRYDOCK_TRY(write_once(base + "/setgroups", "deny"));
  DRYDOCK_TRY(write_once(base + "/uid_map", line(::geteuid())));
  return write_once(base + "/gid_map", line(::getegid()));
}

/// Where this process keeps its command line; fields 48 and 49 of /proc/self/stat.
std::pair<char*, unsigned long> own_arguments() {
  const auto stat = read_text("/proc/self/stat");
  const auto bracket = stat.rfind(')');
  if (bracket == std::string::npos) return {};
  std::istringstream fields(stat.substr(bracket + 1));
  std::string field;
  for (int i = 3; i < 48; ++i) fields >> field;
  unsigned long start = 0, end = 0;
  if (!(fields >> start >> end) || start == 0 || end < start) return {};
  return {reinterpret_cast<char*>(start), end - start};
}

struct Received {
  view_child::Made message;
  std::array<Fd, view_child::k_handles> handles;
};

Result<Received> receive(int channel) {
  Received received;
  int numbers[view_child::k_handles];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof numbers)] = {};
  iovec text{&received.message, sizeof received.message};
  msghdr header{};
  header.msg_iov = &text;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t size;
  do {
    size = ::recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size != static_cast<ssize_t>(sizeof received.message)) {
    return make_error(ErrorCode::environment, "the holder of the view ended at once");
  }
  const cmsghdr* rights = CMSG_FIRSTHDR(&header);
  if (received.message.step != view_child::k_made) return received;
  if (!rights || rights->cmsg_type != SCM_RIGHTS || rights->cmsg_len != CMSG_LEN(sizeof numbers)) {
    return make_error(ErrorCode::internal, "the holder of the view handed nothing over");
  }
  std::memcpy(numbers, CMSG_DATA(rights), sizeof numbers);
  for (int i = 0; i < view_child::k_handles; ++i) received.handles[i] = Fd(numbers[i]);
  return received;
}

/// What the changes in a view's directory lie over, one place a line: they mean nothing over other ones.
std::string places_of(const ViewFacts& facts) {
  std::string out;
  for (const auto* places : {&facts.mounts, &facts.writable}) {
    for (const auto& place : *places) out += place.path + "\n";
  }
  return out;
}

constexpr const char* k_places = "/places";

/// The directories of changes in it.
std::vector<std::filesystem::path> layers_in(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> found;
  std::error_code none;
  for (const auto& each : std::filesystem::directory_iterator(directory, none)) {
    if (std::filesystem::is_directory(each.path() / "upper", none)) found.push_back(each.path());
  }
  return found;
}

/// Takes up what an earlier view left. The kernel takes no work directory of an overlay that was not synced again.
Status take_up(const std::filesystem::path& directory, const ViewFacts& facts) {
  const auto places = read_file_if_exists(directory.string() + k_places);
  if (!places || !*places || **places != places_of(facts)) {
    return make_error(ErrorCode::environment, "the changes in " + directory.string() + " are not those of this machine's mounts as they are now",
                      "run the whole job again");
  }
  for (const auto& layer : layers_in(directory)) DRYDOCK_TRY(remove_tree((layer / "work").string()));
  return remove_tree(root_of_view(facts));
}

}  // namespace

struct View::State {
  ViewKind kind = ViewKind::copy_on_write;
  AfterView after = AfterView::removed;
  bool in_memory = false;
  std::filesystem::path directory;
  std::shared_ptr<Journal> journal;
  std::uint64_t entry = 0;
  pid_t holder = -1;
  Fd channel;
  std::array<Fd, view_child::k_handles> handles;

  ~State() {
    end_holder();
    if (directory.empty()) return;
    if (after == AfterView::left && !in_memory) {
      if (journal) journal->gone(entry);
      return;
    }
    const auto removed = remove_tree(directory.string());
    if (removed && journal) journal->gone(entry);
  }

  /// The kernel ends all that is in the pid namespace before the holder can be waited for.
  void end_holder() {
    for (auto& handle : handles) handle.reset();
    channel.reset();
    if (holder < 0) return;
    ::kill(holder, SIGKILL);
    while (::waitpid(holder, nullptr, 0) < 0 && errno == EINTR) {
    }
    holder = -1;
  }

  Status start(const ViewFacts& facts);
};

Status View::State::start(const ViewFacts& facts) {
  const auto steps = plan_view(facts);
  const std::string root = root_of_view(facts);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return errno_error("socketpair", errno);
  channel = Fd(ends[0]);
  Fd other(ends[1]);
  view_child::Hold plan{&steps, root.c_str(), other.get(), facts.kind == ViewKind::read_only};
  std::tie(plan.arguments, plan.arguments_size) = own_arguments();
  unsigned long name_spaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
  if (plan.user_namespace) name_spaces |= CLONE_NEWUSER;
  {
    const SignalsHeld held;
    const long pid = ::syscall(SYS_clone, name_spaces | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
      ::close(ends[0]);
      view_child::hold(plan);
    }
    if (pid < 0) return no_view("no new namespaces", errno);
    holder = static_cast<pid_t>(pid);
  }
  other.reset();
  if (plan.user_namespace) {
    if (auto mapped = map_own_id(holder); !mapped) return no_view(mapped.error().message, EPERM);
  }
  const unsigned char go = 0;
  if (::send(channel.get(), &go, 1, MSG_NOSIGNAL) != 1) return errno_error("cannot reach the view's holder", errno);
  DRYDOCK_ASSIGN(auto received, receive(channel.get()));
  const auto& message = received.message;
  if (message.step >= 0) return no_view(describe(steps[static_cast<std::size_t>(message.step)]), message.error);
  if (message.step == view_child::k_private) return no_view("making mounts private", message.error);
  if (message.step != view_child::k_made) return no_view("changing the root", message.error);
  handles = std::move(received.handles);
  return {};
}

View::View(std::unique_ptr<State> state) : state_(std::move(state)) {}
View::View(View&&) noexcept = default;
View& View::operator=(View&&) noexcept = default;
View::~View() = default;

ViewKind View::kind() const { return state_->kind; }
bool View::has_changes() const {
  if (state_->in_memory) return true;
  const auto layers = layers_in(state_->directory);
  return std::any_of(layers.begin(), layers.end(), [](const auto& layer) {
    std::error_code none;
    return !std::filesystem::is_empty(layer / "upper", none);
  });
}

bool View::keeps_changes() const { return state_->after == AfterView::left && !state_->in_memory; }

pid_t View::pid() const { return state_->holder; }

Result<View> View::make(const ViewSpec& spec) {
  auto state = std::make_unique<State>();
  const auto directory = std::filesystem::absolute(spec.directory).lexically_normal();
  if (spec.journal) {
    DRYDOCK_ASSIGN(state->entry, spec.journal->note({Held::directory, directory.string(), {}}));
    state->journal = spec.journal;
  }
  state->directory = directory;
  state->after = spec.after;
  // The kernel takes no directory that was used for such an overlay before.
  if (!spec.goes_on) DRYDOCK_TRY(remove_tree(directory.string()));
  DRYDOCK_TRY(make_directories(directory.string(), 0700));
  DRYDOCK_ASSIGN(auto facts, gather_view_facts(spec));
  state->kind = facts.kind;
  if (spec.goes_on) {
    DRYDOCK_TRY(take_up(directory, facts));
    DRYDOCK_TRY(state->start(facts));
    return View(std::move(state));
  }
  if (spec.after == AfterView::left) DRYDOCK_TRY(write_file_atomic(directory.string() + k_places, places_of(facts), 0600, Durability::relaxed));
  if (auto started = state->start(facts); !started) {
    // The directory may be on a file system that cannot hold an overlay's changes (another overlay, NFS).
    state->end_holder();
    state->in_memory = facts.in_memory = true;
    if (!state->start(facts)) return std::move(started).error();
  }
  return View(std::move(state));
}

std::optional<std::string> View::find_program(std::string_view name, const Environment& environment) const {
  if (name.empty()) return {};
  if (name.find('/') != std::string_view::npos) return std::string(name);
  const auto path = environment.find("PATH");
  std::string_view rest = path == environment.end() ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
                                                    : std::string_view(path->second);
  // Links are followed as they are inside: "/" is the view's root.
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  for (;;) {
    const auto colon = rest.find(':');
    const auto candidate = std::string(rest.substr(0, colon)) + "/" + std::string(name);
    const int root = state_->handles[view_child::k_root].get();
    const Fd file(candidate[0] != '/' ? -1
                                      : static_cast<int>(::syscall(SYS_openat2, root, candidate.c_str(), &how, sizeof how)));
    struct stat status {};
    if (file && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) &&
        ::faccessat(AT_FDCWD, ("/proc/self/fd/" + std::to_string(file.get())).c_str(), X_OK, 0) == 0) {
      return candidate;
    }
    if (colon == std::string_view::npos) return {};
    rest.remove_prefix(colon + 1);
  }
}

Result<ProcessResult> View::run(const ProcessSpec& spec, std::stop_token stop) const {
  if (spec.argv.empty()) return make_error(ErrorCode::internal, "no program was given");
  const Environment environment = spec.environment ? *spec.environment : current_environment();
  ViewLaunch launch;
  const auto program = find_program(spec.argv[0], environment);
  if (!program) {
    return make_error(ErrorCode::not_found, "cannot start " + spec.argv[0] + ": no such program in PATH",
                      "install it in an earlier step, or name it with its path");
  }
  if (stop.stop_requested()) {
    return make_error(ErrorCode::cancelled, spec.argv[0] + " was not started: asked to stop");
  }
  launch.program = *program;
  launch.environment = &environment;
  for (int i = 0; i < view_child::k_handles; ++i) launch.handles[i] = state_->handles[i].get();
  launch.user_namespace = state_->kind == ViewKind::read_only;
  DRYDOCK_ASSIGN(auto launched, launch_in_view(launch, spec));
  return run_launched(spec, std::move(launched), std::move(stop));
}

}  // namespace drydock::sandbox
