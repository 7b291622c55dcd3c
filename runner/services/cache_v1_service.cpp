#include "runner/services/cache_v1_service.h"

#include <charconv>
#include <cstdio>

#include "runner/services/cache_service.h"
#include "runner/services/piece_reader.h"
#include "runner/services/wire.h"

namespace drydock::runner {
namespace {

constexpr std::string_view k_caches = "caches/";

HttpReply no_content() { return {.status = 204, .headers = {}, .body = {}, .file = {}}; }

HttpReply cache_v1_error_reply(const Error& error) {
  switch (error.code) {
    case ErrorCode::failed: return message_reply(409, error.message);
    case ErrorCode::permission: return message_reply(400, error.message);
    case ErrorCode::invalid_input: return message_reply(400, error.message);
    case ErrorCode::timeout: return message_reply(503, error.message);
    default: return message_reply(500, error.to_string());
  }
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const auto comma = std::min(text.find(',', start), text.size());
    parts.push_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  return parts;
}

struct ContentRange {
  std::uint64_t first = 0, last = 0;
};

/// "bytes 0-199/*".
std::optional<ContentRange> content_range(const std::string& text) {
  ContentRange range;
  if (!text.starts_with("bytes ")) return std::nullopt;
  const char *at = text.data() + 6, *end = text.data() + text.size();
  const auto first = std::from_chars(at, end, range.first);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return std::nullopt;
  const auto last = std::from_chars(first.ptr + 1, end, range.last);
  if (last.ec != std::errc() || range.last < range.first) return std::nullopt;
  return range;
}

}  // namespace

CallAnswer CacheV1Service::call(const HttpCall& call, const std::string& resource) {
  auto job = state_.caller(call, "runtime");
  if (!job) return message_reply(401, job.error().message);
  const auto refuse = [](const std::string& why) { return message_reply(400, why); };
  if (call.method == "GET" && resource == "cache") return look_up(call, **job);
  if (call.method == "GET" && resource == "caches") return list(call, **job);
  if (call.method == "POST" && resource == "caches") {
    return json_reader([this, job = *job](const Json& request) { return reserve(job, request); }, refuse);
  }
  if (resource.starts_with(k_caches)) {
    const auto number = resource.substr(k_caches.size());
    if (call.method == "PATCH") return upload(call, **job, number);
    if (call.method == "POST") {
      return json_reader([this, job = *job, number](const Json& request) { return commit(*job, number, request); }, refuse);
    }
  }
  return message_reply(404, "the cache service has no " + call.method + " " + resource);
}

HttpReply CacheV1Service::look_up(const HttpCall& call, const JobAccess& job) {
  const auto keys = split(call.parameter("keys"));
  for (const auto& key : keys) {
    if (const auto problem = cache_key_problem(key); !problem.empty()) return message_reply(400, problem);
  }
  const auto found = state_.caches().find(job.caches, keys, call.parameter("version"), std::chrono::system_clock::now());
  if (!found) return cache_v1_error_reply(found.error());
  if (!*found) return no_content();
  return json_reply(200, {{"result", "hit"},
                          {"cacheKey", (*found)->key},
                          {"scope", (*found)->scope},
                          {"cacheVersion", (*found)->version},
                          {"creationTime", format_rfc3339((*found)->created, TimePrecision::milliseconds)},
                          {"archiveLocation", cache_address(state_, (*found)->id)}});
}

HttpReply CacheV1Service::list(const HttpCall& call, const JobAccess& job) {
  const auto found = state_.caches().like(job.caches, call.parameter("key"));
  if (!found) return cache_v1_error_reply(found.error());
  Json entries = Json::array();
  for (const auto& each : *found) {
    entries.push_back({{"cacheKey", each.key},
                       {"scope", each.scope},
                       {"cacheVersion", each.version},
                       {"creationTime", format_rfc3339(each.created, TimePrecision::milliseconds)}});
  }
  return json_reply(200, {{"totalCount", entries.size()}, {"artifactCaches", entries}});
}

HttpReply CacheV1Service::reserve(const std::shared_ptr<const JobAccess>& job, const Json& request) {
  const auto size = json_or<std::uint64_t>(request, "cacheSize", 0);
  if (size > state_.limits().cache_bytes) {
    return message_reply(400, "Cache size of " + std::to_string(size) + " bytes is over the limit of " +
                                  std::to_string(state_.limits().cache_bytes) + " bytes (services.cache.max-size)");
  }
  const auto begun = begin_cache(state_, job, message_text(request, "key", "key"), message_text(request, "version", "version"));
  if (!begun) return cache_v1_error_reply(begun.error());
  return json_reply(201, {{"cacheId", (*begun)->number}});
}

std::shared_ptr<Pending> CacheV1Service::own(const JobAccess& job, const std::string& number) const {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (failure != std::errc() || end != number.data() + number.size()) return nullptr;
  auto pending = state_.pending_number(value);
  return pending && pending->kind == UploadKind::cache && pending->owner->job == job.job ? pending : nullptr;
}

CallAnswer CacheV1Service::upload(const HttpCall& call, const JobAccess& job, const std::string& number) {
  const auto pending = own(job, number);
  if (!pending) return message_reply(404, "this job has not reserved cache " + number);
  const auto range = content_range(call.header("content-range"));
  if (!range) return message_reply(400, "Content-Range is missing or cannot be read");
  auto piece = pending->upload->range(range->first, range->last - range->first + 1);
  if (!piece) return cache_v1_error_reply(piece.error());
  return std::make_unique<PieceReader>(std::move(*piece), &cache_v1_error_reply, [] { return no_content(); });
}

HttpReply CacheV1Service::commit(const JobAccess& job, const std::string& number, const Json& request) {
  const auto pending = own(job, number);
  if (!pending) return message_reply(404, "this job has not reserved cache " + number);
  if (const auto committed = pending->upload->commit_ranges(json_or<std::uint64_t>(request, "size", 0)); !committed) {
    return cache_v1_error_reply(Status(committed).error());
  }
  const auto id = keep_cache(state_, *pending);
  return id ? no_content() : cache_v1_error_reply(id.error());
}

}  // namespace drydock::runner
