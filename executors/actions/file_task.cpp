#include "executors/actions/file_task.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "executors/actions/artifact_files.h"
#include "executors/actions/cache_archive.h"
#include "executors/actions/text.h"
#include "executors/actions/zip_file.h"
#include "executors/base/file_glob.h"
#include "executors/base/fs.h"

namespace drydock::actions {
namespace {

constexpr int k_schema = 1;

Result<FileTaskResult> pack_artifact(const FileTask& task) {
  DRYDOCK_ASSIGN(auto found, find_artifact_files(task.patterns, task.directory, task.home, task.hidden));
  FileTaskResult result;
  result.files = found.files.size();
  result.log = std::move(found.log);
  if (found.files.empty()) return result;
  WrittenFile written;
  if (task.raw) {
    if (found.files.size() > 1) return result;
    result.name = found.files.front().substr(found.files.front().rfind('/') + 1);
    DRYDOCK_ASSIGN(written, copy_hashed(found.files.front(), task.archive));
  } else {
    DRYDOCK_ASSIGN(const auto sources, zip_sources(found));
    DRYDOCK_ASSIGN(written, write_zip(task.archive, sources, task.level));
  }
  result.size = written.size;
  result.sha256 = written.sha256;
  return result;
}

Result<FileTaskResult> unpack_artifact(const FileTask& task) {
  FileTaskResult result;
  if (task.raw) {
    DRYDOCK_TRY(make_directories(task.directory));
    // Only the last part of what the server calls it.
    const auto name = task.patterns.substr(task.patterns.rfind('/') + 1);
    if (name.empty() || name == "." || name == ".." || name.find('\0') != std::string::npos) {
      return make_error(ErrorCode::corrupted, "the artifact has no usable file name");
    }
    DRYDOCK_ASSIGN(const auto written, copy_hashed(task.archive, task.directory + "/" + name));
    (void)written;
    result.files = 1;
    return result;
  }
  DRYDOCK_ASSIGN(const auto files, extract_zip(task.archive, task.directory));
  result.files = files;
  return result;
}

/// As @actions/cache names what it packs: relative to the workspace.
std::string relative_to(const std::string& workspace, const std::string& path) {
  const auto from = split(workspace == "/" ? "" : workspace, '/'), to = split(path == "/" ? "" : path, '/');
  std::size_t same = 0;
  while (same < from.size() && same < to.size() && from[same] == to[same]) ++same;
  std::vector<std::string> parts(from.size() - same, "..");
  parts.insert(parts.end(), to.begin() + static_cast<std::ptrdiff_t>(same), to.end());
  return parts.empty() ? "." : join(parts, "/");
}

Result<FileTaskResult> pack_cache(const FileTask& task) {
  FileGlobOptions options{.directory = task.directory, .home = task.home};
  options.descendants = Descendants::named;
  DRYDOCK_ASSIGN(const auto glob, FileGlob::parse(task.patterns, options));
  DRYDOCK_ASSIGN(const auto found, glob.find());
  FileTaskResult result;
  std::vector<std::string> paths;
  for (const auto& path : found) paths.push_back(relative_to(task.directory, path));
  result.files = paths.size();
  if (paths.empty()) return result;
  DRYDOCK_ASSIGN(const auto written, write_cache_archive(task.archive, task.directory, paths,
                                                         task.gzip ? CacheCompression::gzip : CacheCompression::zstd));
  result.size = written.size;
  return result;
}

Json task_json(const FileTask& task) {
  return {{"schema", k_schema},       {"kind", static_cast<int>(task.kind)}, {"archive", task.archive},
          {"directory", task.directory}, {"home", task.home},             {"patterns", task.patterns},
          {"hidden", task.hidden},    {"raw", task.raw},                  {"level", task.level},
          {"gzip", task.gzip}};
}

Result<FileTask> task_from(const Json& json) {
  FileTask task;
  if (json_or<int>(json, "schema", 0) != k_schema) return make_error(ErrorCode::invalid_input, "the file task has another form");
  task.kind = static_cast<FileTask::Kind>(json_or<int>(json, "kind", 0));
  DRYDOCK_ASSIGN(task.archive, json_get<std::string>(json, "archive", "the file task"));
  DRYDOCK_ASSIGN(task.directory, json_get<std::string>(json, "directory", "the file task"));
  task.home = json_or<std::string>(json, "home", "");
  task.patterns = json_or<std::string>(json, "patterns", "");
  task.hidden = json_or<bool>(json, "hidden", true);
  task.raw = json_or<bool>(json, "raw", false);
  task.level = json_or<int>(json, "level", 6);
  task.gzip = json_or<bool>(json, "gzip", false);
  return task;
}

Json result_json(const Result<FileTaskResult>& result) {
  if (!result) {
    const auto& error = result.error();
    return {{"error", error.message}, {"mend", error.mend}, {"code", static_cast<int>(error.code)}};
  }
  return {{"files", result->files}, {"size", result->size}, {"sha256", result->sha256}, {"name", result->name}, {"log", result->log}};
}

Result<FileTaskResult> result_from(const std::string& text) {
  DRYDOCK_ASSIGN(const auto json, parse_json(text, "the answer of drydock file-task"));
  if (json.contains("error")) {
    return make_error(static_cast<ErrorCode>(json_or<int>(json, "code", static_cast<int>(ErrorCode::internal))),
                      json_or<std::string>(json, "error", ""), json_or<std::string>(json, "mend", ""));
  }
  FileTaskResult result;
  result.files = json_or<std::uint64_t>(json, "files", 0);
  result.size = json_or<std::uint64_t>(json, "size", 0);
  result.sha256 = json_or<std::string>(json, "sha256", "");
  result.name = json_or<std::string>(json, "name", "");
  result.log = json_or<std::vector<std::string>>(json, "log", {});
  return result;
}

std::string own_program() {
  std::string path(4096, '\0');
  const auto size = ::readlink("/proc/self/exe", path.data(), path.size());
  path.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return path;
}

Result<FileTaskResult> perform_in_sandbox(step::ActionContext& context, const FileTask& task) {
  std::string out, err;
  ProcessSpec spec;
  spec.argv = {own_program(), "file-task"};
  spec.input = dump_json(task_json(task));
  spec.on_stdout = [&out](std::string_view piece) { out += piece; };
  spec.on_stderr = [&err](std::string_view piece) { err += piece; };
  DRYDOCK_ASSIGN(const auto ended, context.run_in_place(std::move(spec)));
  if (ended.stopped) return make_error(ErrorCode::cancelled, "cancelled");
  if (ended.exit_code != 0) {
    return make_error(ErrorCode::environment, "drydock cannot run in the job's sandbox (exit status " +
                                                  std::to_string(ended.exit_code) + "): " + trimmed(err));
  }
  return result_from(out);
}

bool inside(const std::string& path, const std::string& directory) {
  return !directory.empty() && (path == directory || path.starts_with(directory + "/"));
}

/// Names in a cache may lead anywhere, so the container's own tar unpacks it, as the original does.
Result<FileTaskResult> untar_in_container(step::ActionContext& context, const FileTask& task) {
  ProcessSpec spec;
  spec.argv = {"tar", "-xf", task.archive, "-P", "-C", task.directory};
  if (task.gzip) spec.argv.emplace_back("-z");
  else spec.argv.insert(spec.argv.end(), {"--use-compress-program", "unzstd"});
  DRYDOCK_ASSIGN(const auto ended, context.run_in_place(std::move(spec)));
  if (ended.exit_code == 0) return FileTaskResult{};
  return make_error(ErrorCode::failed, "tar failed in the job's container with exit status " + std::to_string(ended.exit_code));
}

/// In a container drydock itself cannot run, so only what this machine and the container share can be reached.
Result<FileTaskResult> perform_for_container(step::ActionContext& context, const FileTask& task) {
  std::vector<std::string> touched{normal_path(task.directory)};
  if (task.kind == FileTask::Kind::pack_artifact || task.kind == FileTask::Kind::pack_cache) {
    DRYDOCK_ASSIGN(const auto glob, FileGlob::parse(task.patterns, {.directory = task.directory, .home = task.home}));
    touched = glob.search_paths();
  }
  if (task.kind == FileTask::Kind::unpack_cache) return untar_in_container(context, task);
  for (const auto& path : touched) {
    const auto& places = context.places();
    if (inside(path, places.workspace) || inside(path, places.temp) || inside(path, places.tool_cache)) continue;
    return make_error(ErrorCode::unsupported, context.uses() + " cannot reach " + path + " in the job's container",
                      "use a path below the workspace, or run the original with --real-actions");
  }
  return perform(task);
}

}  // namespace

Result<FileTaskResult> perform(const FileTask& task) {
  switch (task.kind) {
    case FileTask::Kind::pack_artifact: return pack_artifact(task);
    case FileTask::Kind::unpack_artifact: return unpack_artifact(task);
    case FileTask::Kind::pack_cache: return pack_cache(task);
    case FileTask::Kind::unpack_cache: break;
  }
  DRYDOCK_TRY(extract_cache_archive(task.archive, task.directory));
  return FileTaskResult{};
}

Result<FileTaskResult> perform_in_place(step::ActionContext& context, const FileTask& task) {
  switch (context.runner().isolation) {
    case step::Isolation::host: return perform(task);
    case step::Isolation::sandbox: return perform_in_sandbox(context, task);
    case step::Isolation::container: break;
  }
  return perform_for_container(context, task);
}

int serve_file_task(int in, int out) {
  std::string text;
  for (char buffer[4096];;) {
    const auto got = ::read(in, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  const auto run = [&]() -> Result<FileTaskResult> {
    DRYDOCK_ASSIGN(const auto json, parse_json(text, "the file task"));
    DRYDOCK_ASSIGN(const auto task, task_from(json));
    return perform(task);
  };
  const auto answer = dump_json(result_json(run()));
  for (std::size_t done = 0; done < answer.size();) {
    const auto written = ::write(out, answer.data() + done, answer.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return 1;
    done += static_cast<std::size_t>(written);
  }
  return 0;
}

}  // namespace drydock::actions
