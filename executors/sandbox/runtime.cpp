#include "executors/sandbox/runtime.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <sstream>

#include <nlohmann/json.hpp>

#include "executors/base/process.h"
#include "executors/sandbox/container_init.h"
#include "executors/sandbox/control_groups.h"
#include "executors/sandbox/files.h"
#include "executors/sandbox/supervisor.h"

namespace drydock::sandbox {
namespace {

constexpr std::size_t k_tail = 4096;

bool valid_id(const std::string& id) {
  return !id.empty() && id.size() <= 200 && id[0] != '.' && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

std::uint64_t oom_kills() {
  std::istringstream lines(read_text("/proc/vmstat"));
  std::string name;
  std::uint64_t value = 0;
  while (lines >> name >> value) {
    if (name == "oom_kill") return value;
  }
  return 0;
}

/// A pipe whose read end is ours.
struct Output {
  Fd read_end, write_end;
  static Result<Output> open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return errno_error("pipe", errno);
    Output output;
    output.read_end = Fd(ends[0]);
    output.write_end = Fd(ends[1]);
    return output;
  }
};

/// Passes output on until the container has ended and both pipes are empty; kills it on a stop request.
class Pump {
 public:
  Pump(Supervised& process, Output& out, Output& err, const ContainerIo& io, ContainerResult& result)
      : process_(process), out_(out), err_(err), io_(io), result_(result) {}

  void run(const std::stop_token& stop) {
    const Fd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const std::stop_callback on_stop(stop, [&wake] { eventfd_write(wake.get(), 1); });
    bool stopping = false;
    while (out_.read_end || err_.read_end) {
      pollfd waiting[3] = {{out_.read_end.get(), POLLIN, 0},
                           {err_.read_end.get(), POLLIN, 0},
                           {stopping ? -1 : wake.get(), POLLIN, 0}};
      if (poll(waiting, 3, -1) < 0 && errno != EINTR) break;
      if (waiting[2].revents) {
        stopping = true;
        result_.stopped = true;
        process_.kill();
      }
      if (waiting[0].revents) take(out_.read_end, io_.on_stdout);
      if (waiting[1].revents) take_error();
    }
  }

 private:
  std::string_view read_piece(Fd& fd) {
    ssize_t size;
    do {
      size = ::read(fd.get(), buffer_, sizeof buffer_);
    } while (size < 0 && errno == EINTR);
    if (size <= 0) {
      fd.reset();
      return {};
    }
    return {buffer_, static_cast<std::size_t>(size)};
  }
  void take(Fd& fd, const std::function<void(std::string_view)>& listener) {
    const auto piece = read_piece(fd);
    if (!piece.empty() && listener) listener(piece);
  }
  void take_error() {
    const auto piece = read_piece(err_.read_end);
    if (piece.empty()) return;
    result_.stderr_tail.append(piece);
    if (result_.stderr_tail.size() > k_tail) result_.stderr_tail.erase(0, result_.stderr_tail.size() - k_tail);
    if (io_.on_stderr) io_.on_stderr(piece);
  }

  Supervised& process_;
  Output &out_, &err_;
  const ContainerIo& io_;
  ContainerResult& result_;
  char buffer_[65536];
};

/// The bundle directory and the journal's entry; both gone at the end.
struct Bundle {
  std::filesystem::path directory;
  std::shared_ptr<Journal> journal;
  std::uint64_t entry = 0;

  ~Bundle() {
    std::error_code ignored;
    if (!directory.empty()) std::filesystem::remove_all(directory, ignored);
    if (journal && entry) journal->gone(entry);
  }
};

// The runtime's own complaint in its log, when it could not start the program.
std::string runtime_complaint(const std::filesystem::path& log) {
  std::istringstream lines(read_text(log));
  std::string complaint;
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object()) continue;
    const auto level = json.value("level", "error");
    if (level == "error" || level == "fatal") complaint = json.value("msg", line);
  }
  return complaint;
}

bool is_about_the_program(const std::string& complaint) {
  return complaint.find("exec") != std::string::npos || complaint.find("executable file") != std::string::npos ||
         complaint.find("chdir") != std::string::npos || complaint.find("cwd") != std::string::npos;
}

Error start_error(const std::string& runtime, const ContainerSpec& spec, std::string complaint) {
  const auto program = spec.args.empty() ? std::string() : spec.args.front();
  if (complaint.find("exec format error") != std::string::npos) {
    return make_error(ErrorCode::failed, "cannot start " + program + ": exec format error",
                      "no emulator runs this binary here, or it is a script without a \"#!\" line");
  }
  if (is_about_the_program(complaint)) {
    return make_error(ErrorCode::failed, "cannot start " + program + ": " + complaint);
  }
  return make_error(ErrorCode::environment, runtime + ": " + complaint);
}

Environment runtime_environment() {
  Environment kept;
  for (auto& [name, value] : current_environment()) {
    if (name == "PATH" || name == "XDG_RUNTIME_DIR" || name == "HOME" || name == "TMPDIR") kept[name] = value;
  }
  return kept;
}

}  // namespace

Result<ContainerResult> Runtime::run(const ContainerSpec& spec, const ContainerIo& io, std::stop_token stop) const {
  if (!valid_id(spec.id)) return make_error(ErrorCode::internal, "not a container id: \"" + spec.id + "\"");
  if (spec.args.empty()) return make_error(ErrorCode::invalid_input, "container " + spec.id + " has no command");
  if (stop.stop_requested()) return make_error(ErrorCode::cancelled, "stopped before " + spec.args[0] + " started");

  const auto root = state_dir_ / "runtime";
  const auto group = host_.cgroups_writable ? host_.cgroup_parent + "/" + spec.id : std::string();
  Bundle bundle;
  if (journal_) {
    DRYDOCK_ASSIGN(bundle.entry, journal_->note({Held::container, spec.id,
                                                 {{"runtime", path_.string()},
                                                  {"root", root.string()},
                                                  {"group", group},
                                                  {"bundle", (state_dir_ / "bundles" / spec.id).string()}}}));
    bundle.journal = journal_;
  }
  bundle.directory = state_dir_ / "bundles" / spec.id;
  std::error_code error;
  std::filesystem::create_directories(root, error);
  std::filesystem::create_directories(bundle.directory, error);
  if (error) return errno_error("cannot make " + bundle.directory.string(), error.value());
  ContainerSpec complete = spec;
  if (spec.init == ContainerInit::ours) {
    DRYDOCK_ASSIGN(complete, with_container_init(spec, state_dir_));
  }
  {
    std::ofstream config(bundle.directory / "config.json");
    config << runtime_config(complete, host_).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (!config.flush()) return errno_error("cannot write " + (bundle.directory / "config.json").string(), errno);
  }

  DRYDOCK_ASSIGN(auto out, Output::open());
  DRYDOCK_ASSIGN(auto err, Output::open());
  const Fd null(io.stdin_fd < 0 ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : -1);
  const auto log = bundle.directory / "log.json";
  SupervisedSpec process;
  process.argv = {path_.string(), "--root", root.string(), "--log", log.string(), "--log-format", "json"};
  if (name_ == "crun" && !host_.cgroups_writable) process.argv.push_back("--cgroup-manager=disabled");
  for (const auto& word : {std::string("run"), std::string("--bundle"), bundle.directory.string()}) {
    process.argv.push_back(word);
  }
  if (!io.more.empty()) {
    process.argv.insert(process.argv.end(), {"--preserve-fds", std::to_string(io.more.size())});
  }
  process.argv.push_back(spec.id);
  process.environment = runtime_environment();
  process.descriptors = {
      {io.stdin_fd < 0 ? null.get() : io.stdin_fd, 0}, {out.write_end.get(), 1}, {err.write_end.get(), 2}};
  for (std::size_t i = 0; i < io.more.size(); ++i) process.descriptors.emplace_back(io.more[i], 3 + static_cast<int>(i));
  process.last_words = {path_.string(), "--root", root.string(), "delete", "--force", spec.id};

  const auto kills_before = oom_kills();
  DRYDOCK_ASSIGN(auto started, Supervised::start(process));
  out.write_end.reset();
  err.write_end.reset();
  ContainerResult result;
  Pump(started, out, err, io, result).run(stop);
  const int status = started.wait();

  if (std::filesystem::exists(root / spec.id, error)) {
    ProcessSpec remove;
    remove.argv = process.last_words;
    (void)run_process(remove);
  }
  // A runtime that was stopped early knows nothing of the groups that it has made.
  if (result.stopped && !group.empty()) (void)remove_control_group(group);
  if (!result.stopped) {
    auto complaint = runtime_complaint(log);
    if (!complaint.empty()) return start_error(name_, spec, std::move(complaint));
  }
  result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  if (result.exit_code > 128 && result.exit_code <= 128 + 64) result.signal = result.exit_code - 128;
  result.out_of_memory = result.signal == SIGKILL && !result.stopped && oom_kills() > kills_before;
  return result;
}

}  // namespace drydock::sandbox
