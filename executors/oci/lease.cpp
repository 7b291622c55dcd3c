#include "executors/oci/lease.h"

#include "executors/oci/store.h"
#include "executors/oci/store_db.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <utility>

namespace drydock::oci {
namespace {

std::string first_line_of_file(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Field 22 of stat; the name in field 2 may hold blanks and parentheses, so count from the last ')'.
std::int64_t start_time_of(std::int64_t pid) {
  auto line = first_line_of_file("/proc/" + std::to_string(pid) + "/stat");
  auto end = line.rfind(')');
  if (end == std::string::npos) return 0;
  std::size_t at = end + 1;
  for (int field = 3; field <= 22; ++field) {
    at = line.find_first_not_of(' ', at);
    if (at == std::string::npos) return 0;
    if (field == 22) return std::strtoll(line.c_str() + at, nullptr, 10);
    at = line.find(' ', at);
  }
  return 0;
}

Owner make_self() {
  Owner owner;
  owner.pid = ::getpid();
  owner.start_time = start_time_of(owner.pid);
  owner.boot_id = first_line_of_file("/proc/sys/kernel/random/boot_id");
  char link[64];
  auto size = ::readlink("/proc/self/ns/pid", link, sizeof link);
  if (size > 0) owner.pid_namespace.assign(link, static_cast<std::size_t>(size));
  return owner;
}

}  // namespace

const Owner& Owner::self() {
  // A forked child must not pass for its parent.
  static thread_local Owner owner = make_self();
  if (owner.pid != ::getpid()) owner = make_self();
  return owner;
}

bool Owner::may_live() const {
  const auto& here = self();
  if (boot_id != here.boot_id) return false;
  if (pid_namespace != here.pid_namespace) return true;
  if (::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) return false;
  auto start = start_time_of(pid);
  // With hidepid another user's process cannot be read; it exists, so it may be the one.
  return start == 0 || start == start_time;
}

Lease::Lease(Lease&& other) noexcept : store_(std::exchange(other.store_, nullptr)), id_(other.id_) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    release();
    store_ = std::exchange(other.store_, nullptr);
    id_ = other.id_;
  }
  return *this;
}

Lease::~Lease() { release(); }

void Lease::release() {
  if (!store_) return;
  auto& database = std::exchange(store_, nullptr)->database();
  Transaction transaction(database);
  if (!transaction.begin().ok()) return;  // void as soon as this process ends
  if (!Query(database, "DELETE FROM lease_items WHERE lease=?").bind(id_).run().ok()) return;
  if (!Query(database, "DELETE FROM leases WHERE id=?").bind(id_).run().ok()) return;
  (void)transaction.commit();
}

Status Lease::protect(const char* kind, const std::string& name) const {
  if (!store_) return make_error(ErrorCode::internal, "a released lease cannot protect " + name);
  auto& database = store_->database();
  return Query(database, "INSERT OR IGNORE INTO lease_items(lease, kind, name) VALUES(?,?,?)")
      .bind(id_).bind(std::string_view(kind)).bind(name).run();
}

Status Lease::protect_blob(const Digest& digest) const { return protect("blob", digest.to_string()); }
Status Lease::protect_snapshot(std::int64_t id) const { return protect("snapshot", std::to_string(id)); }
Status Lease::protect_record(const Digest& key) const { return protect("record", key.to_string()); }

}  // namespace drydock::oci
