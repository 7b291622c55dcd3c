#include <sys/stat.h>

#include <cerrno>

#include "executors/oci/registry_state.h"

namespace drydock::oci {
namespace {

/// The content of a blob: bytes in memory, or a file.
struct Content {
  BlobId id;
  const std::string* bytes = nullptr;
  std::string path;

  void put_into(HttpRequest& request, std::uint64_t offset, std::uint64_t length) const {
    if (bytes) {
      request.body = bytes->substr(offset, length);
      return;
    }
    request.body_file = path;
    request.body_offset = offset;
    request.body_length = length;
  }
};

/// "0-1023" → 1024, the number of bytes that the registry has.
std::uint64_t end_of_range(const HttpResponse& response) {
  const auto range = response.header("range").value_or("");
  const auto dash = range.find('-');
  const auto last = dash == std::string::npos ? std::string() : range.substr(dash + 1);
  if (last.empty() || last.size() > 18 || last.find_first_not_of("0123456789") != std::string::npos) return 0;
  const auto number = std::stoull(last);
  return number == 0 ? 0 : number + 1;  // an empty upload says "0-0", as one of a single byte does
}

/// Content is only sent below a digest that was computed from it. A registry that finds another one has mixed it with an
/// upload of the same content by somebody else; docker-registry 2.8 does when both come within a few milliseconds.
bool is_mixed_up(const HttpResponse& response) {
  return response.status == 400 && response.body.find("DIGEST_INVALID") != std::string::npos;
}

/// Sending one blob: repeated as a whole when small, resumed chunk by chunk when large.
class BlobUpload {
 public:
  BlobUpload(Session& session, const Reference& repository, const Content& content,
             const TransferProgress& progress, std::stop_token stop)
      : session_(session),
        repository_(repository),
        content_(content),
        progress_(progress),
        stop_(std::move(stop)),
        endpoint_(session.origin(repository.domain)),
        scopes_(push_scope(repository.repository)) {}

  Status run() {
    for (int attempt = 1;; ++attempt) {
      auto status = once();
      if (status.ok()) return status;
      if (status.error().code != ErrorCode::network || attempt >= session_.options().retry.attempts) {
        return as_down(std::move(status).error(), endpoint_).while_("sending " + what());
      }
      DRYDOCK_TRY(session_.before_retry(what(), attempt + 1, status.error().message, stop_));
    }
  }

 private:
  std::string what() const { return "blob " + content_.id.digest.to_string() + " to " + repository_.name(); }

  Result<bool> there() {
    HttpRequest request;
    request.method = "HEAD";
    request.url = blob_url(endpoint_, repository_.repository, content_.id.digest);
    DRYDOCK_ASSIGN(const auto response, session_.send(endpoint_, request, scopes_, stop_));
    if (response.status == 200) return true;
    if (response.status == 404) return false;
    return session_.refusal(endpoint_, response, repository_.name());
  }

  Status once() {
    bool present = false;
    if (!session_.take_absent(repository_, content_.id.digest)) {
      DRYDOCK_ASSIGN(present, there());
    }
    if (present) {
      // After a first attempt it may be ours, sent before the connection broke.
      ++(sent_all_ ? session_.counters().blobs_sent : session_.counters().blobs_skipped);
      return {};
    }
    DRYDOCK_TRY(begin());
    if (content_.id.size > session_.options().monolithic_limit) DRYDOCK_TRY(send_chunks());
    DRYDOCK_TRY(complete());
    ++session_.counters().blobs_sent;
    session_.counters().bytes_sent += content_.id.size;
    return {};
  }

  Status begin() {
    HttpRequest request;
    request.method = "POST";
    request.url = endpoint_.base + "/v2/" + repository_.repository + "/blobs/uploads/";
    DRYDOCK_ASSIGN(const auto response, session_.send(endpoint_, request, scopes_, stop_));
    if (response.status != 202) return session_.refusal(endpoint_, response, repository_.name());
    done_ = 0;
    return take_location(response, request.url);
  }

  Status take_location(const HttpResponse& response, const std::string& request_url) {
    const auto location = response.header("location");
    if (!location) {
      return make_error(ErrorCode::registry_refused,
                        endpoint_.name + " does not say where to send " + what());
    }
    location_ = absolute_url(*location, request_url);
    return {};
  }

  Status send_chunks() {
    int failures = 0;
    while (done_ < content_.id.size) {
      auto status = send_chunk();
      if (status.ok()) {
        failures = 0;
        continue;
      }
      if (status.error().code != ErrorCode::network || ++failures >= session_.options().retry.attempts)
        return status;
      DRYDOCK_TRY(session_.before_retry(what(), failures + 1, status.error().message, stop_));
      DRYDOCK_TRY(find_where_it_stands());
    }
    return {};
  }

  Status send_chunk() {
    const auto length = std::min(session_.options().chunk_size, content_.id.size - done_);
    HttpRequest request;
    request.method = "PATCH";
    request.url = location_;
    request.headers = {{"Content-Type", "application/octet-stream"},
                       {"Content-Range", std::to_string(done_) + "-" + std::to_string(done_ + length - 1)}};
    content_.put_into(request, done_, length);
    report_from(request, done_);
    DRYDOCK_ASSIGN(const auto response, session_.send(endpoint_, request, scopes_, stop_));
    // 416: the registry has another part of it than we think; find_where_it_stands tells which.
    if (response.status == 416)
      return make_error(ErrorCode::network, endpoint_.name + " has another part of " + what());
    if (response.status != 202 && response.status != 204)
      return session_.refusal(endpoint_, response, what());
    done_ += length;
    return take_location(response, request.url);
  }

  Status find_where_it_stands() {
    HttpRequest request;
    request.url = location_;
    DRYDOCK_ASSIGN(const auto response, session_.send_repeatedly(endpoint_, request, scopes_, what(), stop_));
    // The upload is forgotten: the blob begins anew in the next attempt.
    if (response.status == 404)
      return make_error(ErrorCode::network, endpoint_.name + " forgot the upload of " + what());
    if (response.status != 204 && response.status != 202)
      return session_.refusal(endpoint_, response, what());
    const auto end = end_of_range(response);
    if (end > content_.id.size)
      return make_error(ErrorCode::network, endpoint_.name + " has more than all of " + what());
    done_ = end;
    if (response.header("location")) return take_location(response, request.url);
    return {};
  }

  /// The last request: names the digest, and carries what was not sent in chunks.
  Status complete() {
    HttpRequest request;
    request.method = "PUT";
    request.url = with_query(location_, "digest", content_.id.digest.to_string());
    request.headers = {{"Content-Type", "application/octet-stream"}};
    const auto start = done_;
    if (start < content_.id.size) content_.put_into(request, start, content_.id.size - start);
    report_from(request, start);
    sent_all_ = true;
    DRYDOCK_ASSIGN(const auto response, session_.send(endpoint_, request, scopes_, stop_));
    if (response.status == 201 || response.status == 204) return {};
    // An upload that vanished between two requests (a restart, a load balancer): the blob begins anew.
    if (response.status == 404)
      return make_error(ErrorCode::network, endpoint_.name + " forgot the upload of " + what());
    if (is_mixed_up(response)) return make_error(ErrorCode::network, endpoint_.name + " mixed up uploads of " + what());
    return session_.refusal(endpoint_, response, what());
  }

  void report_from(HttpRequest& request, std::uint64_t start) const {
    if (!progress_) return;
    request.on_progress = [this, start](std::uint64_t done, std::uint64_t) {
      progress_(std::min(start + done, content_.id.size), content_.id.size);
    };
  }

  Session& session_;
  const Reference& repository_;
  const Content& content_;
  const TransferProgress& progress_;
  std::stop_token stop_;
  Endpoint endpoint_;
  Scopes scopes_;
  std::string location_;
  std::uint64_t done_ = 0;
  bool sent_all_ = false;
};

}  // namespace

Result<bool> Registry::has_blob(const Reference& repository, const Digest& digest, std::stop_token stop) {
  auto& session = state_->session;
  const auto endpoint = session.origin(repository.domain);
  HttpRequest request;
  request.method = "HEAD";
  request.url = blob_url(endpoint, repository.repository, digest);
  auto response = session.send_repeatedly(endpoint, request, push_scope(repository.repository),
                                          "blob " + digest.to_string(), stop);
  if (!response.ok()) return as_down(std::move(response).error(), endpoint);
  if (response->status == 404) {
    session.note_absent(repository, digest);
    return false;
  }
  if (response->status != 200) return session.refusal(endpoint, *response, repository.name());
  ++session.counters().blobs_skipped;
  return true;
}

Result<bool> Registry::mount_blob(const Reference& repository, const Digest& digest,
                                  const std::string& from_repository, std::stop_token stop) {
  auto& session = state_->session;
  const auto endpoint = session.origin(repository.domain);
  HttpRequest request;
  request.method = "POST";
  request.url = with_query(with_query(endpoint.base + "/v2/" + repository.repository + "/blobs/uploads/",
                                      "mount", digest.to_string()),
                           "from", from_repository);
  auto scopes = push_scope(repository.repository);
  scopes.merge(pull_scope(from_repository));
  auto response = session.send_repeatedly(endpoint, request, scopes, "blob " + digest.to_string(), stop);
  if (!response.ok()) return as_down(std::move(response).error(), endpoint);
  if (response->status == 201) {
    (void)session.take_absent(repository, digest);
    ++session.counters().blobs_mounted;
    return true;
  }
  if (response->status == 202) {
    // An upload was begun instead; it is given back, best effort.
    if (const auto location = response->header("location")) {
      HttpRequest cancel;
      cancel.method = "DELETE";
      cancel.url = absolute_url(*location, request.url);
      (void)session.send(endpoint, cancel, scopes, stop);
    }
    return false;
  }
  // No right to the other repository, or a registry that does not mount: it is sent instead.
  if (response->status >= 400 && response->status < 500) return false;
  return session.refusal(endpoint, *response, repository.name());
}

Status Registry::push_blob_file(const Reference& repository, const BlobId& blob, const std::string& path,
                                const TransferProgress& progress, std::stop_token stop) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return errno_error("cannot send " + path, errno);
  if (static_cast<std::uint64_t>(info.st_size) != blob.size) {
    return make_error(ErrorCode::corrupted, path + " has " + std::to_string(info.st_size) + " bytes, not " +
                                                std::to_string(blob.size));
  }
  const Content content{blob, nullptr, path};
  return BlobUpload(state_->session, repository, content, progress, std::move(stop)).run();
}

Status Registry::push_blob(const Reference& repository, const std::string& bytes, std::stop_token stop) {
  const Content content{{digest_of(bytes), bytes.size()}, &bytes, {}};
  const TransferProgress no_progress;
  return BlobUpload(state_->session, repository, content, no_progress, std::move(stop)).run();
}

Status Registry::push_manifest(const Reference& reference, const std::string& media_type,
                               const std::string& text, std::stop_token stop, ReadBack read_back) {
  auto& session = state_->session;
  const auto endpoint = session.origin(reference.domain);
  const auto digest = digest_of(text);
  if (!reference.digest.empty() && reference.digest != digest) {
    return make_error(ErrorCode::internal,
                      "the manifest for " + reference.to_string() + " has digest " + digest.to_string());
  }
  HttpRequest request;
  request.method = "PUT";
  request.url = manifest_url(endpoint, reference.repository, reference.tag_or_digest());
  request.headers = {{"Content-Type", media_type}};
  request.body = text;
  const auto send = [&] {
    return session.send_repeatedly(endpoint, request, push_scope(reference.repository), reference.to_string(), stop);
  };
  auto response = send();
  for (int attempt = 2; response.ok() && is_mixed_up(*response) && attempt <= session.options().retry.attempts; ++attempt) {
    DRYDOCK_TRY(session.before_retry(reference.to_string(), attempt, "it mixed up two uploads of the same content", stop));
    response = send();
  }
  if (!response.ok()) return as_down(std::move(response).error(), endpoint);
  if (response->status != 201 && response->status != 200)
    return session.refusal(endpoint, *response, reference.to_string());
  const auto stored = response->header("docker-content-digest");
  if (stored && *stored != digest.to_string()) {
    return make_error(ErrorCode::corrupted, endpoint.name + " stored " + reference.to_string() + " as " +
                                                *stored + ", not " + digest.to_string());
  }
  ++session.counters().manifests_sent;
  if (read_back == ReadBack::no) return {};
  auto fetched = fetch_manifest(session, endpoint, reference, stop);
  if (!fetched.ok()) return std::move(fetched).error().while_("reading back what was pushed");
  if (fetched->descriptor.digest != digest) {
    return make_error(ErrorCode::corrupted,
                      reference.to_string() + " was pushed as " + digest.to_string() + " and reads back as " +
                          fetched->descriptor.digest.to_string(),
                      "somebody else moved it meanwhile: run again");
  }
  return {};
}

}  // namespace drydock::oci
