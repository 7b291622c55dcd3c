#include "executors/actions/cache_client.h"

#include <cmath>

#include "executors/actions/cache_archive.h"
#include "executors/actions/file_task.h"
#include "executors/actions/text.h"
#include "executors/base/fs.h"
#include "executors/base/process.h"

namespace drydock::actions {
namespace {

constexpr const char* k_cache_service = "CacheService";
constexpr std::size_t k_most_keys = 10;
constexpr std::size_t k_longest_key = 512;

/// Restored from here or not, with the cache's errors of its own kinds.
struct Found {
  std::string url, key;
};

Status check(const CacheRequest& request) {
  if (request.paths.empty()) {
    return make_error(ErrorCode::usage, "Path Validation Error: At least one directory or file path is required");
  }
  auto keys = request.restore_keys;
  keys.insert(keys.begin(), request.key);
  if (keys.size() > k_most_keys) {
    return make_error(ErrorCode::usage, "Key Validation Error: Keys are limited to a maximum of 10.");
  }
  for (const auto& key : keys) {
    if (key.size() > k_longest_key) {
      return make_error(ErrorCode::usage, "Key Validation Error: " + key + " cannot be larger than 512 characters.");
    }
    if (key.find(',') != std::string::npos) return make_error(ErrorCode::usage, "Key Validation Error: " + key + " cannot contain commas.");
  }
  return {};
}

/// The compression is part of a cache's version: what the original would choose, by whether zstd is at hand.
CacheCompression compression_in(step::ActionContext& context) {
  if (context.runner().isolation != step::Isolation::container) {
    return find_program("zstd", &context.environment()) ? CacheCompression::zstd : CacheCompression::gzip;
  }
  ProcessSpec spec;
  spec.argv = {"zstd", "--quiet", "--version"};
  spec.on_stdout = spec.on_stderr = [](std::string_view) {};
  const auto ran = context.run_in_place(std::move(spec));
  return ran.ok() && ran->exit_code == 0 ? CacheCompression::zstd : CacheCompression::gzip;
}

std::string size_text(std::uint64_t bytes) {
  return "Cache Size: ~" + std::to_string(std::llround(static_cast<double>(bytes) / (1024 * 1024))) + " MB (" + std::to_string(bytes) + " B)";
}

FileTask task_for(const step::ActionContext& context, FileTask::Kind kind, const std::string& archive, CacheCompression compression) {
  FileTask task;
  task.kind = kind;
  task.archive = archive;
  task.directory = context.workspace();
  task.home = context.variable("HOME");
  task.gzip = compression == CacheCompression::gzip;
  return task;
}

Result<std::optional<Found>> find(ResultsClient& client, const CacheRequest& request, const std::string& version) {
  const Json ask{{"key", request.key}, {"restore_keys", request.restore_keys}, {"version", version}};
  DRYDOCK_ASSIGN(const auto answer, client.call(k_cache_service, "GetCacheEntryDownloadURL", ask));
  if (!json_or<bool>(answer, "ok", false)) return std::optional<Found>();
  return std::optional(Found{proto_text(answer, "signed_download_url", "signedDownloadUrl"), proto_text(answer, "matched_key", "matchedKey")});
}

Result<std::optional<std::string>> try_restore(step::ActionContext& context, const CacheRequest& request) {
  DRYDOCK_ASSIGN(auto client, ResultsClient::of(context));
  const auto compression = compression_in(context);
  DRYDOCK_ASSIGN(const auto found, find(client, request, cache_version(request.paths, compression)));
  if (!found) return std::optional<std::string>();
  context.info((found->key == request.key ? "Cache hit for: " : "Cache hit for restore-key: ") + found->key);
  if (request.lookup_only) {
    context.info("Lookup only - skipping download");
    return std::optional(found->key);
  }
  DRYDOCK_ASSIGN(const auto scratch, TempDir::create(context.temp(), "cache-"));
  const auto archive = scratch.path() + (compression == CacheCompression::gzip ? "/cache.tgz" : "/cache.tzst");
  DRYDOCK_ASSIGN(const auto got, client.download(found->url, archive));
  context.info(size_text(got.size));
  DRYDOCK_TRY(perform_in_place(context, task_for(context, FileTask::Kind::unpack_cache, archive, compression)));
  context.info("Cache restored successfully");
  return std::optional(found->key);
}

Status send(step::ActionContext& context, ResultsClient& client, const CacheRequest& request, const std::string& version,
            const std::string& archive, std::uint64_t size) {
  const auto unable = "Unable to reserve cache with key " + request.key + ", another job may be creating this cache.";
  auto created = client.call(k_cache_service, "CreateCacheEntry", {{"key", request.key}, {"version", version}});
  if (!created) {
    context.debug("Failed to reserve cache: " + created.error().message);
    return make_error(ErrorCode::failed, unable);
  }
  if (!json_or<bool>(*created, "ok", false)) {
    const auto why = json_or<std::string>(*created, "message", "");
    if (!why.empty()) context.warning("Cache reservation failed: " + why);
    return make_error(ErrorCode::failed, unable);
  }
  DRYDOCK_TRY(client.upload(proto_text(*created, "signed_upload_url", "signedUploadUrl"), archive, size, "application/octet-stream"));
  const Json finalize{{"key", request.key}, {"version", version}, {"size_bytes", std::to_string(size)}};
  DRYDOCK_ASSIGN(const auto answer, client.call(k_cache_service, "FinalizeCacheEntryUpload", finalize));
  if (json_or<bool>(answer, "ok", false)) return {};
  const auto why = json_or<std::string>(answer, "message", "");
  return make_error(ErrorCode::network, !why.empty() ? why
                                                     : "Unable to finalize cache with key " + request.key + ", another job may be finalizing this cache.");
}

}  // namespace

Result<std::optional<std::string>> restore_cache(step::ActionContext& context, const CacheRequest& request) {
  DRYDOCK_TRY(check(request));
  auto restored = try_restore(context, request);
  if (restored || context.stop().stop_requested()) return restored;
  context.warning("Failed to restore: " + restored.error().to_string());
  return std::optional<std::string>();
}

Result<bool> save_cache(step::ActionContext& context, const CacheRequest& request) {
  DRYDOCK_TRY(check(request));
  DRYDOCK_ASSIGN(auto client, ResultsClient::of(context));
  const auto compression = compression_in(context);
  DRYDOCK_ASSIGN(const auto scratch, TempDir::create(context.temp(), "cache-"));
  auto task = task_for(context, FileTask::Kind::pack_cache,
                       scratch.path() + (compression == CacheCompression::gzip ? "/cache.tgz" : "/cache.tzst"), compression);
  task.patterns = join(request.paths, "\n");
  DRYDOCK_ASSIGN(const auto packed, perform_in_place(context, task));
  if (packed.files == 0) {
    return make_error(ErrorCode::invalid_source, "Path Validation Error: Path(s) specified in the action for caching do(es) not exist, "
                                                 "hence no cache is being saved.");
  }
  auto sent = send(context, client, request, cache_version(request.paths, compression), task.archive, packed.size);
  if (sent) {
    context.info(size_text(packed.size));
    return true;
  }
  const Error error = std::move(sent).error();
  // That another job was first is nothing to warn of.
  if (error.code == ErrorCode::failed) context.info("Failed to save: " + error.message);
  else context.warning("Failed to save: " + error.to_string());
  return false;
}

}  // namespace drydock::actions
