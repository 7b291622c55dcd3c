#include "runner/services/artifact_store.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "executors/base/fs.h"
#include "runner/services/wire.h"

namespace drydock::runner {
namespace {

constexpr std::size_t k_longest_name = 256;
constexpr const char* k_columns_all =
    "SELECT id, run, backend, job, name, size, digest, mime, created, expires FROM artifacts ORDER BY id";
constexpr const char* k_columns_backend =
    "SELECT id, run, backend, job, name, size, digest, mime, created, expires FROM artifacts WHERE backend=? ORDER BY id";
constexpr const char* k_columns_id =
    "SELECT id, run, backend, job, name, size, digest, mime, created, expires FROM artifacts WHERE id=?";

Time time_of(std::int64_t milliseconds) { return Time(std::chrono::milliseconds(milliseconds)); }

Artifact artifact_of(const oci::Query& row) {
  return {.id = row.integer(0),
          .run = row.text(1),
          .backend = row.text(2),
          .job = row.text(3),
          .name = row.text(4),
          .size = static_cast<std::uint64_t>(row.integer(5)),
          .digest = row.text(6),
          .mime = row.text(7),
          .created = time_of(row.integer(8)),
          .expires = time_of(row.integer(9))};
}

Result<std::vector<Artifact>> rows(oci::Query& query) {
  std::vector<Artifact> found;
  for (;;) {
    DRYDOCK_ASSIGN(const bool row, query.step());
    if (!row) return found;
    found.push_back(artifact_of(query));
  }
}

}  // namespace

std::string artifact_name_problem(std::string_view name) {
  if (name.empty()) return "the artifact name is empty";
  if (name.size() > k_longest_name) return "the artifact name is longer than " + std::to_string(k_longest_name) + " bytes";
  if (!is_plain_text(name)) return "the artifact name contains control characters or is not UTF-8";
  if (name.find_first_of("\"\\:<>|*?/") != std::string_view::npos) {
    return "the artifact name '" + std::string(name) + "' contains one of \" : < > | * ? \\ /";
  }
  if (name == "." || name == "..") return "the artifact name is '" + std::string(name) + "'";
  return {};
}

std::string ArtifactStore::path(const Artifact& artifact) const {
  return db_.artifacts(artifact.run) + "/" + std::to_string(artifact.id);
}

Result<std::int64_t> ArtifactStore::add(Artifact artifact, Upload& upload) {
  DRYDOCK_ASSIGN(const auto evicted, evict(artifact.created, artifact.size));
  (void)evicted;
  DRYDOCK_ASSIGN(const auto used, usage());
  if (used.bytes + artifact.size > limits_.artifact_bytes) {
    return make_error(ErrorCode::permission, "the artifacts of running workflows take " + std::to_string(used.bytes) +
                                                 " bytes, and services.artifacts.max-size is " + std::to_string(limits_.artifact_bytes));
  }
  DRYDOCK_TRY(make_directories(db_.artifacts(artifact.run), 0700));
  DRYDOCK_TRY(upload.sync());
  auto& database = db_.database();
  oci::Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  oci::Query insert(database,
                    "INSERT OR IGNORE INTO artifacts(run, backend, job, name, size, digest, mime, created, expires) "
                    "VALUES(?,?,?,?,?,?,?,?,?)");
  DRYDOCK_TRY(insert.bind(artifact.run).bind(artifact.backend).bind(artifact.job).bind(artifact.name)
                  .bind(static_cast<std::int64_t>(artifact.size)).bind(artifact.digest).bind(artifact.mime)
                  .bind(unix_milliseconds(artifact.created)).bind(unix_milliseconds(artifact.expires)).run());
  if (database.changes() == 0) {
    return make_error(ErrorCode::failed, "an artifact with this name already exists on the workflow run");
  }
  artifact.id = database.last_id();
  DRYDOCK_TRY(upload.move_to(path(artifact)));
  DRYDOCK_TRY(transaction.commit());
  return artifact.id;
}

Result<std::vector<Artifact>> ArtifactStore::all() const {
  oci::Query query(db_.database(), k_columns_all);
  return rows(query);
}

Result<std::vector<Artifact>> ArtifactStore::list(const std::vector<std::string>& backends) const {
  std::vector<Artifact> found;
  for (const auto& backend : backends) {
    oci::Query query(db_.database(), k_columns_backend);
    query.bind(backend);
    DRYDOCK_ASSIGN(auto some, rows(query));
    std::move(some.begin(), some.end(), std::back_inserter(found));
  }
  std::erase_if(found, [now = std::chrono::system_clock::now()](const auto& each) { return each.expires <= now; });
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return found;
}

Result<std::optional<Artifact>> ArtifactStore::find(std::int64_t id) const {
  oci::Query query(db_.database(), k_columns_id);
  query.bind(id);
  DRYDOCK_ASSIGN(auto found, rows(query));
  return found.empty() ? std::optional<Artifact>() : std::optional(std::move(found.front()));
}

Status ArtifactStore::remove(std::int64_t id) {
  DRYDOCK_ASSIGN(const auto artifact, find(id));
  if (!artifact) return {};
  // The row first: a file without one is in nobody's way.
  DRYDOCK_TRY(oci::Query(db_.database(), "DELETE FROM artifacts WHERE id=?").bind(id).run());
  return remove_tree(path(*artifact));
}

Result<OwnedFd> ArtifactStore::open(const Artifact& artifact) const {
  OwnedFd file(::open(path(artifact).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) return errno_error("opening artifact '" + artifact.name + "'", errno);
  return file;
}

Result<Amount> ArtifactStore::evict(Time now, std::uint64_t room) {
  DRYDOCK_ASSIGN(const auto artifacts, all());
  std::uint64_t used = room;
  for (const auto& each : artifacts) used += each.size;
  Amount evicted;
  for (const auto& each : artifacts) {
    const bool expired = each.expires <= now;
    const bool gone = !exists(path(each));  // its run's directory was removed
    if (!expired && !gone && (used <= limits_.artifact_bytes || db_.lives(each.run))) continue;
    DRYDOCK_TRY(remove(each.id));
    used -= each.size;
    ++evicted.entries;
    evicted.bytes += each.size;
  }
  return evicted;
}

Result<Amount> ArtifactStore::usage() const {
  oci::Query query(db_.database(), "SELECT count(*), coalesce(sum(size), 0) FROM artifacts");
  DRYDOCK_ASSIGN(const bool row, query.step());
  if (!row) return Amount{};
  return Amount{static_cast<std::size_t>(query.integer(0)), static_cast<std::uint64_t>(query.integer(1))};
}

}  // namespace drydock::runner
