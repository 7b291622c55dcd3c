#include "executors/oci/filehash.h"

#include "executors/oci/store.h"
#include "executors/oci/store_db.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>

namespace drydock::oci {
namespace {

constexpr std::int64_t k_racy_ns = 2'000'000'000;
constexpr std::int64_t k_day_ms = 24 * 3600 * 1000LL;

struct Identity {
  std::int64_t device = 0, inode = 0, size = 0, mtime_ns = 0, ctime_ns = 0;
  friend bool operator==(const Identity&, const Identity&) = default;
};

Identity identity_of(const struct stat& status) {
  auto ns = [](const timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; };
  return {static_cast<std::int64_t>(status.st_dev), static_cast<std::int64_t>(status.st_ino), status.st_size,
          ns(status.st_mtim), ns(status.st_ctim)};
}

struct HashJob {
  std::size_t index = 0;
  Identity identity;
  bool stable = false;  // unchanged over the reading, and not racy
};

std::int64_t clock_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

Result<Digest> hash_file(const std::string& path, HashJob& job, std::string& buffer, FileHash& answer) {
  int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return errno_error("open " + path, errno);
  Sha256 hash;
  Result<Digest> result = Digest();
  for (;;) {
    auto count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) result = errno_error("read " + path, errno);
    if (count <= 0) break;
    hash.update(buffer.data(), static_cast<std::size_t>(count));
  }
  answer.size = hash.size();
  if (result.ok()) result = hash.finish();
  struct stat after {};
  job.stable = ::fstat(fd, &after) == 0 && identity_of(after) == job.identity &&
               clock_ns() - std::max(job.identity.mtime_ns, job.identity.ctime_ns) > k_racy_ns;
  ::close(fd);
  return result;
}

/// Digests that the table has for exactly these identities; the others become jobs.
Status recall(Database& database, const std::vector<Identity>& identities, std::vector<FileHash>& answers,
              std::vector<HashJob>& jobs) {
  auto today = now_ms() / k_day_ms;
  std::vector<Identity> seen;
  Query query(database, "SELECT size, mtime_ns, ctime_ns, digest, seen_day FROM files WHERE device=? AND inode=?");
  for (std::size_t i = 0; i < identities.size(); ++i) {
    const auto& wanted = identities[i];
    query.again();
    query.bind(wanted.device).bind(wanted.inode);
    DRYDOCK_ASSIGN(bool row, query.step());
    if (!row || query.integer(0) != wanted.size || query.integer(1) != wanted.mtime_ns ||
        query.integer(2) != wanted.ctime_ns) {
      jobs.push_back({i, wanted, false});
      continue;
    }
    DRYDOCK_ASSIGN(answers[i].digest, Digest::parse(query.text(3)));
    answers[i].size = static_cast<std::uint64_t>(wanted.size);
    if (query.integer(4) != today) seen.push_back(wanted);
  }
  query.again();
  if (seen.empty()) return {};
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  Query mark(database, "UPDATE files SET seen_day=? WHERE device=? AND inode=?");
  for (const auto& file : seen) {
    mark.again();
    DRYDOCK_TRY(mark.bind(today).bind(file.device).bind(file.inode).run());
  }
  return transaction.commit();
}

Status remember(Database& database, const std::vector<HashJob>& jobs, const std::vector<FileHash>& answers) {
  auto today = now_ms() / k_day_ms;
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  {
    Query query(database,
                "INSERT OR REPLACE INTO files(device, inode, size, mtime_ns, ctime_ns, digest, seen_day) "
                "VALUES(?,?,?,?,?,?,?)");
    for (const auto& job : jobs) {
      if (!job.stable) continue;
      query.again();
      const auto& id = job.identity;
      DRYDOCK_TRY(query.bind(id.device).bind(id.inode).bind(id.size).bind(id.mtime_ns).bind(id.ctime_ns)
                      .bind(answers[job.index].digest.to_string()).bind(today).run());
    }
  }
  return transaction.commit();
}

/// Calls work(i) for all i below count on all cores, until one fails.
template <class Work>
Status on_all_cores(std::size_t count, std::size_t worth_a_thread, const Work& work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  Status status;
  auto loop = [&] {
    std::string buffer(256 << 10, '\0');
    for (std::size_t i; (i = next++) < count;) {
      auto done = work(i, buffer);
      if (done.ok()) continue;
      next = count;
      std::lock_guard lock(mutex);
      if (status.ok()) status = std::move(done);
    }
  };
  std::size_t threads = std::max(1u, std::thread::hardware_concurrency());
  threads = std::min(threads, count / worth_a_thread + 1);
  {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(loop);
    loop();
  }
  return status;
}

}  // namespace

Result<std::vector<FileHash>> FileHashes::hash(const std::vector<std::string>& paths, std::stop_token stop,
                                               FileHashCounts* counts) {
  std::vector<Identity> identities(paths.size());
  DRYDOCK_TRY(on_all_cores(paths.size(), 2000, [&](std::size_t i, std::string&) -> Status {
    struct stat status {};
    if (::lstat(paths[i].c_str(), &status) != 0) return errno_error("stat " + paths[i], errno);
    if (!S_ISREG(status.st_mode)) return make_error(ErrorCode::invalid_input, paths[i] + " is not a regular file");
    identities[i] = identity_of(status);
    return {};
  }));
  std::vector<FileHash> answers(paths.size());
  std::vector<HashJob> jobs;
  DRYDOCK_TRY(recall(store_.database(), identities, answers, jobs));
  std::atomic<std::uint64_t> bytes{0};
  DRYDOCK_TRY(on_all_cores(jobs.size(), 16, [&](std::size_t i, std::string& buffer) -> Status {
    if (stop.stop_requested()) return make_error(ErrorCode::cancelled, "hashing files was cancelled");
    auto& job = jobs[i];
    DRYDOCK_ASSIGN(answers[job.index].digest, hash_file(paths[job.index], job, buffer, answers[job.index]));
    bytes += answers[job.index].size;
    return {};
  }));
  if (std::any_of(jobs.begin(), jobs.end(), [](const HashJob& job) { return job.stable; })) {
    DRYDOCK_TRY(remember(store_.database(), jobs, answers));
  }
  if (counts) *counts = {paths.size() - jobs.size(), jobs.size(), bytes};
  return answers;
}

}  // namespace drydock::oci
