#include "executors/build/remote_file.h"

#include <ctime>
#include <mutex>

#include "executors/base/http.h"

namespace drydock::build {

namespace {

/// Each ADD has a checksum of its own, whoever fetched the file.
Result<RemoteFile> checked(const RemoteFile& file, const std::string& url, const std::string& checksum) {
  if (checksum.empty() || checksum == file.digest.to_string()) return file;
  return make_error(ErrorCode::corrupted, "ADD " + url + ": checksum is " + file.digest.to_string() + ", not " + checksum);
}

std::string file_name(const std::string& url) {
  auto path = url.substr(0, url.find_first_of("?#"));
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::int64_t last_modified(const HttpResponse& response) {
  const auto header = response.header("last-modified");
  std::tm time{};
  if (!header || !::strptime(header->c_str(), "%a, %d %b %Y %H:%M:%S GMT", &time)) return 0;
  return static_cast<std::int64_t>(::timegm(&time)) * 1'000'000'000;
}

}  // namespace

Result<RemoteFile> fetch_remote_file(Engine& engine, const std::string& url, const std::string& checksum) {
  auto& cache = engine.remote_files;
  const std::lock_guard lock(cache.mutex);
  if (const auto found = cache.files.find(url); found != cache.files.end()) return checked(*found->second, url, checksum);
  if (engine.options.offline) return make_error(ErrorCode::network, "ADD " + url + ": not fetched, since offline");
  HttpRequest request;
  request.url = url;
  auto response = retrying(*engine.http, request, {}, engine.stop.get_token());
  if (!response.ok()) return std::move(response).error().while_("fetching " + url);
  if (response->status != 200) {
    return make_error(ErrorCode::not_found, "ADD " + url + ": the server answered " + std::to_string(response->status));
  }
  auto file = std::make_shared<RemoteFile>();
  file->name = file_name(url);
  file->content = std::move(response->body);
  file->mtime_ns = last_modified(*response);
  file->digest = oci::digest_of(file->content);
  if (file->name.empty()) {
    return make_error(ErrorCode::invalid_input, "ADD " + url + ": the address names no file",
                      "give a full path with a file name");
  }
  DRYDOCK_TRY(checked(*file, url, checksum));
  cache.files[url] = file;
  return *file;
}

}  // namespace drydock::build
