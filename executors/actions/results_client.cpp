#include "executors/actions/results_client.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include "executors/actions/text.h"
#include "executors/base/base64.h"
#include "executors/oci/digest.h"

namespace drydock::actions {
namespace {

constexpr std::uint64_t k_whole_up_to = 64ULL << 20;
constexpr std::uint64_t k_block = 32ULL << 20;
constexpr int k_remote_streams = 4;
constexpr std::string_view k_taken = "(409) Conflict";
constexpr std::chrono::seconds k_durable_write{600};  // a server may be bringing gigabytes to its disk

std::string_view reason(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    default: return "";
  }
}

bool on_this_machine(const std::string& url) {
  return url.starts_with("http://127.0.0.1:") || url.starts_with("http://localhost:");
}

/// Of `attachment; filename="…"; filename*=UTF-8''…`, the second where it is given.
std::string file_name_of(const std::string& disposition) {
  constexpr std::string_view k_extended = "filename*=UTF-8''";
  if (const auto at = disposition.find(k_extended); at != std::string::npos) {
    std::string name;
    for (auto i = at + k_extended.size(); i < disposition.size() && disposition[i] != ';'; ++i) {
      const bool coded = disposition[i] == '%' && i + 2 < disposition.size();
      name += coded ? static_cast<char>(std::strtol(disposition.substr(i + 1, 2).c_str(), nullptr, 16)) : disposition[i];
      if (coded) i += 2;
    }
    return name;
  }
  const auto start = disposition.find("filename=\"");
  if (start == std::string::npos) return {};
  const auto from = start + 10, end = disposition.find('"', from);
  return end == std::string::npos ? std::string() : disposition.substr(from, end - from);
}

std::string block_id(std::size_t index) {
  // All ids of a blob have one length.
  const auto number = std::to_string(index);
  return encode_base64("drydock-block-" + std::string(10 - std::min<std::size_t>(number.size(), 10), '0') + number);
}

std::string query_text(const std::string& id) {
  std::string text;
  for (const char c : id) text += c == '=' ? "%3D" : c == '+' ? "%2B" : c == '/' ? "%2F" : std::string(1, c);
  return text;
}

Error answered(const HttpResponse& response, const std::string& doing) {
  return make_error(ErrorCode::network, doing + ": the server answered " + std::to_string(response.status) + " " +
                                            std::string(reason(response.status)) +
                                            (response.body.empty() ? "" : ": " + response.body.substr(0, 500)));
}

class OutputFile {
 public:
  ~OutputFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  Status open(const std::string& path) {
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd_ < 0 ? Status(errno_error("making " + path, errno)) : Status();
  }
  bool write(std::string_view bytes) {
    hash.update(bytes);
    while (!bytes.empty()) {
      const auto written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        error = errno;
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }
  oci::Sha256 hash;
  int error = 0;

 private:
  int fd_ = -1;
};

}  // namespace

Result<BackendIds> backend_ids(const std::string& token) {
  const auto wrong = make_error(ErrorCode::environment,
                                "Failed to get backend IDs: The provided JWT token is invalid and/or missing claims");
  const auto first = token.find('.'), last = token.rfind('.');
  if (first == std::string::npos || first == last) return wrong;
  const auto text = decode_base64(std::string_view(token).substr(first + 1, last - first - 1), Base64::url);
  if (!text) return wrong;
  const auto claims = parse_json(*text, "the token");
  if (!claims) return wrong;
  for (const auto& scope : split(json_or<std::string>(*claims, "scp", ""), ' ')) {
    const auto parts = split(scope, ':');
    if (parts.front() != "Actions.Results") continue;
    if (parts.size() != 3) return wrong;
    return BackendIds{parts[1], parts[2]};
  }
  return wrong;
}

std::string proto_text(const Json& json, const char* snake_case, const char* camel_case) {
  auto value = json_or<std::string>(json, snake_case, "");
  return value.empty() ? json_or<std::string>(json, camel_case, "") : value;
}

bool already_exists(const Error& error) { return error.message.find(k_taken) != std::string::npos; }

ResultsClient::ResultsClient(step::ActionContext& context, std::string url, std::string token, BackendIds ids)
    : context_(&context), http_(make_curl_client()), url_(std::move(url)), token_(std::move(token)), ids_(std::move(ids)) {}

Result<ResultsClient> ResultsClient::of(step::ActionContext& context) {
  const auto missing = [](const char* name) {
    return make_error(ErrorCode::environment, "Unable to get the " + std::string(name) + " env variable",
                      "artifacts and caches are served to the jobs of drydock run");
  };
  auto token = context.variable("ACTIONS_RUNTIME_TOKEN");
  if (token.empty()) return missing("ACTIONS_RUNTIME_TOKEN");
  auto url = context.variable("ACTIONS_RESULTS_URL");
  if (url.empty()) return missing("ACTIONS_RESULTS_URL");
  // The origin alone.
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return make_error(ErrorCode::environment, "ACTIONS_RESULTS_URL is no address");
  url = url.substr(0, url.find('/', scheme + 3));
  DRYDOCK_ASSIGN(auto ids, backend_ids(token));
  return ResultsClient(context, std::move(url), std::move(token), std::move(ids));
}

Result<Json> ResultsClient::call(const std::string& service, const std::string& method, const Json& request) {
  HttpRequest post;
  post.method = "POST";
  post.url = url_ + "/twirp/github.actions.results.api.v1." + service + "/" + method;
  post.headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + token_}};
  post.body = dump_json(request);
  post.stall_timeout = k_durable_write;
  const auto again = [&](int attempt, const std::string& why) {
    context_->info("Attempt " + std::to_string(attempt) + " failed with error: " + why + ". Retrying request...");
  };
  auto response = retrying(*http_, post, {}, context_->stop(), again);
  if (!response) return std::move(response).error().while_("calling " + method);
  const auto json = parse_json(response->body, "the answer to " + method);
  if (response->status >= 200 && response->status < 300 && json.ok()) return std::move(*json);
  const auto told = json.ok() ? json_or<std::string>(*json, "msg", "") : std::string();
  return make_error(ErrorCode::failed, "Failed to " + method + ": Received non-retryable error: Failed request: (" +
                                           std::to_string(response->status) + ") " + std::string(reason(response->status)) +
                                           (told.empty() ? "" : ": " + told));
}

void ResultsClient::mask_signature(const std::string& url) {
  const auto start = url.find("sig=");
  if (start == std::string::npos) return;
  context_->add_mask(url.substr(start + 4, url.find('&', start) - start - 4));
}

Status ResultsClient::put(HttpRequest request) {
  request.method = "PUT";
  request.headers.emplace_back("x-ms-version", "2021-12-02");
  request.stall_timeout = k_durable_write;
  auto response = retrying(*http_, request, {}, context_->stop());
  if (!response) return std::move(response).error();
  return response->status == 201 ? Status() : Status(answered(*response, "uploading"));
}

Status ResultsClient::upload(const std::string& url, const std::string& file, std::uint64_t size, const std::string& content_type) {
  mask_signature(url);
  // A server on this machine takes any size as one stream.
  if (size > k_whole_up_to && !on_this_machine(url)) return upload_blocks(url, file, size, content_type);
  HttpRequest request;
  request.url = url;
  request.headers = {{"x-ms-blob-type", "BlockBlob"}, {"x-ms-blob-content-type", content_type}, {"Content-Type", "application/octet-stream"}};
  request.body_file = file;
  request.body_length = size;
  return put(std::move(request));
}

Status ResultsClient::upload_blocks(const std::string& url, const std::string& file, std::uint64_t size, const std::string& content_type) {
  const std::size_t blocks = static_cast<std::size_t>((size + k_block - 1) / k_block);
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  Status first_error;
  const auto work = [&] {
    for (auto i = next++; i < blocks; i = next++) {
      HttpRequest request;
      request.url = url + "&comp=block&blockid=" + query_text(block_id(i));
      request.headers = {{"Content-Type", "application/octet-stream"}};
      request.body_file = file;
      request.body_offset = i * k_block;
      request.body_length = std::min(k_block, size - i * k_block);
      if (auto done = put(std::move(request)); !done) {
        const std::lock_guard lock(mutex);
        if (first_error) first_error = std::move(done);
        next = blocks;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < k_remote_streams; ++i) threads.emplace_back(work);
  }
  DRYDOCK_TRY(std::move(first_error));
  HttpRequest list;
  list.url = url + "&comp=blocklist";
  list.headers = {{"Content-Type", "application/xml"}, {"x-ms-blob-content-type", content_type}};
  list.body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
  for (std::size_t i = 0; i < blocks; ++i) list.body += "<Latest>" + block_id(i) + "</Latest>";
  list.body += "</BlockList>";
  return put(std::move(list));
}

Result<ResultsClient::Download> ResultsClient::download(const std::string& url, const std::string& file) {
  mask_signature(url);
  constexpr int k_attempts = 5;
  for (int attempt = 1;; ++attempt) {
    OutputFile output;
    DRYDOCK_TRY(output.open(file));
    HttpRequest request;
    request.url = url;
    request.on_body = [&](std::string_view bytes) { return output.write(bytes); };
    auto response = http_->perform(request, context_->stop());
    if (output.error != 0) return errno_error("writing " + file, output.error);
    if (response && response->status == 200) {
      Download done;
      done.size = output.hash.size();
      done.sha256 = std::string(output.hash.finish().hex());
      done.content_type = response->header("content-type").value_or("");
      done.file_name = file_name_of(response->header("content-disposition").value_or(""));
      return done;
    }
    auto error = response ? answered(*response, "downloading") : std::move(response).error();
    const bool transient = error.code == ErrorCode::network && (!response || is_transient_status(response->status));
    if (!transient || attempt == k_attempts) return error;
    context_->info("Failed to download after " + std::to_string(attempt) + " retries due to " + error.message + ". Retrying...");
    std::this_thread::sleep_for(std::chrono::milliseconds(250) * (1 << attempt));
  }
}

}  // namespace drydock::actions
