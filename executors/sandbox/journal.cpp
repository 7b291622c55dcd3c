#include "executors/sandbox/journal.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "executors/sandbox/files.h"
#include "executors/sandbox/journal_file.h"

namespace drydock::sandbox {
namespace {

// One write for each line: O_APPEND keeps them whole.
Status append(int fd, const nlohmann::json& line) {
  const auto text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size())) return {};
  return errno_error("cannot write the journal", errno);
}

std::uint64_t start_time_of_self() {
  const auto stat = read_text("/proc/self/stat");
  // The name, field 2, may hold blanks and brackets; fields are counted from its last bracket.
  const auto bracket = stat.rfind(')');
  if (bracket == std::string::npos) return 0;
  std::istringstream fields(stat.substr(bracket + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  return field.empty() ? 0 : std::stoull(field);
}

}  // namespace

std::string_view name_of(Held kind) {
  switch (kind) {
    case Held::mount: return "mount";
    case Held::name_space: return "namespace";
    case Held::container: return "container";
    case Held::port: return "port";
    case Held::directory: return "directory";
    case Held::binfmt: return "binfmt";
  }
  return "unknown";
}

Owner this_process() {
  Owner owner;
  owner.pid = getpid();
  owner.start_time = start_time_of_self();
  owner.boot_id = trimmed(read_text("/proc/sys/kernel/random/boot_id"));
  std::error_code ignored;
  owner.mount_namespace = std::filesystem::read_symlink("/proc/self/ns/mnt", ignored).string();
  return owner;
}

struct Journal::State {
  Fd file;
  std::mutex mutex;
  std::uint64_t last = 0;
  std::set<std::uint64_t> held;
};

Journal::Journal(std::filesystem::path state_dir, std::filesystem::path file, std::unique_ptr<State> state)
    : state_dir_(std::move(state_dir)), file_(std::move(file)), state_(std::move(state)) {}

Result<std::shared_ptr<Journal>> Journal::open(const std::filesystem::path& state_dir) {
  const auto directory = state_dir / "journal";
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return errno_error("cannot make " + directory.string(), error.value());

  static std::atomic<unsigned> opened{0};
  const auto owner = this_process();
  // The pid alone does not name a process: other pid namespaces may share the directory.
  const auto stem = std::to_string(owner.pid) + "-" + std::to_string(owner.start_time) + "-" +
                    std::to_string(opened.fetch_add(1)) + "-" + owner.mount_namespace.substr(5 < owner.mount_namespace.size() ? 5 : 0);
  std::string name;
  for (const char c : stem) {
    if (c != '[' && c != ']') name += c;
  }
  const auto path = directory / (name + ".jsonl");
  auto state = std::make_unique<State>();
  // Locked before its first line is written: whoever finds it unlocked finds a dead owner's or an empty one.
  state->file = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!state->file) return errno_error("cannot make " + path.string(), errno);
  if (::flock(state->file.get(), LOCK_EX | LOCK_NB) != 0) return errno_error("cannot lock " + path.string(), errno);
  DRYDOCK_TRY(append(state->file.get(), journal_header(owner)));
  return std::shared_ptr<Journal>(new Journal(state_dir, path, std::move(state)));
}

Journal::~Journal() {
  if (state_->held.empty()) ::unlink(file_.c_str());
}

Result<std::uint64_t> Journal::note(const JournalEntry& entry) {
  std::lock_guard lock(state_->mutex);
  const auto number = state_->last + 1;
  DRYDOCK_TRY(append(state_->file.get(), journal_line(number, entry)));
  state_->last = number;
  state_->held.insert(number);
  return number;
}

void Journal::gone(std::uint64_t number) {
  std::lock_guard lock(state_->mutex);
  if (state_->held.erase(number) == 0) return;
  // A line that cannot be written leaves an entry that no longer matches anything: reap() skips it.
  (void)append(state_->file.get(), {{"gone", number}});
}

}  // namespace drydock::sandbox
