#include "runner/schedule/concurrency.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <sstream>
#include <vector>

#include "parser/expression/value.h"

namespace drydock::runner {
namespace {

constexpr const char *k_entered = ".entered", *k_cancelled = ".cancelled";

/// FNV-1a over the folded name: groups are compared without case, as on GitHub.
std::string directory_of(const std::string& repository, const std::string& group) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const unsigned char c : parser::expression::fold_case(repository + "\n" + group)) hash = (hash ^ c) * 0x100000001b3u;
  std::ostringstream out;
  out << std::hex << hash;
  return out.str();
}

struct Other {
  unsigned long number;
  std::string file;
  bool entered() const { return exists(file + k_entered); }
  bool cancelled() const { return exists(file + k_cancelled); }
};

void remove_place(const std::string& file) {
  std::error_code ignored;
  for (const char* suffix : {"", k_entered, k_cancelled}) std::filesystem::remove(file + suffix, ignored);
}

/// Who is in the group and alive, in their order; what the dead left is removed. The group's lock is held.
Result<std::vector<Other>> others_in(const std::string& directory, unsigned long own) {
  std::vector<Other> found;
  std::error_code failure;
  for (const auto& each : std::filesystem::directory_iterator(directory, failure)) {
    const std::string name = each.path().filename().string();
    unsigned long number = 0;
    const auto [end, wrong] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (wrong != std::errc() || end != name.data() + name.size() || number == own) continue;
    DRYDOCK_ASSIGN(const auto dead, FileLock::try_acquire(each.path().string()));
    if (dead) remove_place(each.path().string());
    else found.push_back({number, each.path().string()});
  }
  if (failure) return errno_error("reading " + directory, failure.value());
  std::sort(found.begin(), found.end(), [](const Other& a, const Other& b) { return a.number < b.number; });
  return found;
}

Status mark(const std::string& file) { return write_file_atomic(file, "", 0644, Durability::relaxed); }

}  // namespace

std::string GroupPlace::file(const char* suffix) const { return directory_ + "/" + std::to_string(number_) + suffix; }

Result<std::unique_ptr<GroupPlace>> GroupPlace::take(const std::string& lock_dir, const std::string& repository,
                                                     const GroupSettings& settings) {
  const std::string directory = lock_dir + "/groups/" + directory_of(repository, settings.name);
  DRYDOCK_TRY(make_directories(directory));
  // Before the lock, which it takes itself when it goes.
  std::unique_ptr<GroupPlace> place(new GroupPlace(directory, settings.name));
  DRYDOCK_ASSIGN(const auto lock, FileLock::acquire(directory + "/lock"));
  DRYDOCK_ASSIGN(const auto others, others_in(directory, 0));
  place->number_ = others.empty() ? 1 : others.back().number + 1;
  DRYDOCK_ASSIGN(place->alive_, FileLock::try_acquire(place->file()));
  std::size_t waiting = 0;
  for (const Other& other : others) {
    const bool entered = other.entered();
    if (!entered && !other.cancelled()) ++waiting;
    const bool gives_way = entered ? settings.cancel_in_progress : settings.queue == GroupQueue::one || settings.cancel_in_progress;
    if (gives_way) DRYDOCK_TRY(mark(other.file + k_cancelled));
  }
  if (settings.queue == GroupQueue::many && waiting >= k_max_queue) DRYDOCK_TRY(mark(place->file(k_cancelled)));
  DRYDOCK_TRY(place->settle());
  return place;
}

/// The group's lock is held.
Result<GroupPlace::State> GroupPlace::settle() {
  if (exists(file(k_cancelled))) return state_ = State::cancelled;
  DRYDOCK_ASSIGN(const auto others, others_in(directory_, number_));
  const bool blocked = std::any_of(others.begin(), others.end(), [&](const Other& other) {
    return other.entered() || (other.number < number_ && !other.cancelled());
  });
  if (blocked) return state_;
  DRYDOCK_TRY(mark(file(k_entered)));
  return state_ = State::entered;
}

Result<GroupPlace::State> GroupPlace::look() {
  if (state_ == State::cancelled) return state_;
  if (exists(file(k_cancelled))) return state_ = State::cancelled;
  if (state_ == State::entered) return state_;
  DRYDOCK_ASSIGN(const auto lock, FileLock::acquire(directory_ + "/lock"));
  return settle();
}

GroupPlace::~GroupPlace() {
  const auto lock = FileLock::acquire(directory_ + "/lock");
  // Without the lock the files stay, and whoever looks next finds their owner gone.
  if (lock.ok() && alive_) remove_place(file());
}

}  // namespace drydock::runner
