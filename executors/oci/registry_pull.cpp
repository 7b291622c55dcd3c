#include <functional>

#include "executors/oci/registry_state.h"

namespace drydock::oci {
namespace {

constexpr std::uint64_t k_largest_manifest = 64ULL << 20;

void accept_manifests(HttpRequest& request) {
  for (const auto* type : {media_type::k_index, media_type::k_docker_index, media_type::k_manifest,
                           media_type::k_docker_manifest}) {
    request.headers.emplace_back("Accept", type);
  }
}

/// "application/json; charset=utf-8" → "application/json".
std::string bare_type(const HttpResponse& response) {
  auto type = response.header("content-type").value_or("");
  type.erase(std::min(type.find(';'), type.size()));
  while (type.ends_with(' ')) type.pop_back();
  return type;
}

/// Asks one endpoint after the other; the last one's error counts, with what the mirrors said as context.
template <class T>
Result<T> from_any(Session& session, const Reference& reference, const std::stop_token& stop,
                   const std::function<Result<T>(const Endpoint&)>& ask) {
  std::vector<std::string> said;
  const auto endpoints = session.pull_endpoints(reference.domain);
  for (std::size_t i = 0;; ++i) {
    auto answer = ask(endpoints[i]);
    if (answer.ok()) {
      if (session.options().on_answered) session.options().on_answered(reference, endpoints[i].base);
      return answer;
    }
    auto error = as_down(std::move(answer).error(), endpoints[i]);
    if (i + 1 == endpoints.size() || stop.stop_requested()) {
      for (auto& text : said) error.context.push_back(std::move(text));
      return error;
    }
    said.push_back("falling back from a mirror: " + error.message);
  }
}

/// One blob in one go, from wherever the transfer stands.
class BlobDownload {
 public:
  BlobDownload(Session& session, const Reference& repository, const BlobId& blob, const BlobSink& sink)
      : session_(session), repository_(repository), blob_(blob), sink_(sink) {}

  Status from(const Endpoint& endpoint, std::stop_token stop) {
    for (int attempt = 1;; ++attempt) {
      auto status = once(endpoint, stop);
      if (status.ok() || status.error().code != ErrorCode::network ||
          attempt >= session_.options().retry.attempts)
        return status;
      DRYDOCK_TRY(session_.before_retry(what(), attempt + 1, status.error().message, stop));
    }
  }

  Status finish() {
    if (blob_.size && done_ != blob_.size) {
      return make_error(ErrorCode::corrupted, what() + " has " + std::to_string(done_) + " bytes, not " +
                                                  std::to_string(blob_.size));
    }
    const auto digest = hasher_.finish();
    if (digest != blob_.digest)
      return make_error(ErrorCode::corrupted, what() + " has content of digest " + digest.to_string());
    ++session_.counters().blobs_fetched;
    session_.counters().bytes_fetched += done_;
    return {};
  }

  /// What was given to the sink stays given: another endpoint can only go on, not begin anew.
  bool begun() const { return done_ > 0; }
  bool sink_failed() const { return sink_error_.has_value(); }

 private:
  std::string what() const { return "blob " + blob_.digest.to_string() + " of " + repository_.name(); }

  Status once(const Endpoint& endpoint, std::stop_token stop) {
    HttpRequest request;
    request.url = blob_url(endpoint, repository_.repository, blob_.digest);
    const auto start = done_;
    if (start > 0) request.headers.emplace_back("Range", "bytes=" + std::to_string(start) + "-");
    std::uint64_t to_skip = 0;
    request.on_headers = [&](const HttpResponse& response) {
      // A server that ignores the range begins at the beginning.
      if (response.status != 206) to_skip = start;
    };
    request.on_body = [&](std::string_view piece) {
      const auto skipped = std::min<std::uint64_t>(to_skip, piece.size());
      to_skip -= skipped;
      piece.remove_prefix(skipped);
      return piece.empty() || take(piece);
    };
    auto response = session_.send(endpoint, request, pull_scope(repository_.repository), stop);
    if (sink_error_) return *sink_error_;
    if (!response.ok()) return std::move(response).error();
    // Everything was there already when the connection broke at its very end.
    if (response->status == 416 && start > 0) return {};
    if (response->status != 200 && response->status != 206)
      return session_.refusal(endpoint, *response, what());
    return {};
  }

  bool take(std::string_view piece) {
    if (blob_.size && done_ + piece.size() > blob_.size) {
      sink_error_ = make_error(ErrorCode::corrupted,
                               what() + " has more than " + std::to_string(blob_.size) + " bytes");
      return false;
    }
    hasher_.update(piece);
    done_ += piece.size();
    if (auto status = sink_(piece); !status.ok()) {
      sink_error_ = std::move(status).error();
      return false;
    }
    return true;
  }

  Session& session_;
  const Reference& repository_;
  const BlobId& blob_;
  const BlobSink& sink_;
  Sha256 hasher_;
  std::uint64_t done_ = 0;
  std::optional<Error> sink_error_;
};

/// HEAD; nothing when the answer does not say enough.
Result<std::optional<Descriptor>> head_manifest(Session& session, const Endpoint& endpoint,
                                                const Reference& reference, std::stop_token stop) {
  HttpRequest request;
  request.method = "HEAD";
  request.url = manifest_url(endpoint, reference.repository, reference.tag_or_digest());
  accept_manifests(request);
  DRYDOCK_ASSIGN(const auto response,
                 session.send_repeatedly(endpoint, request, pull_scope(reference.repository),
                                         reference.to_string(), stop));
  if (response.status == 404 || response.status == 401 || response.status == 403) {
    return session.refusal(endpoint, response, reference.to_string());
  }
  const auto digest = Digest::parse(response.header("docker-content-digest").value_or(""));
  const auto length = response.header("content-length").value_or("");
  Descriptor descriptor;
  descriptor.media_type = bare_type(response);
  const bool known = is_manifest_type(descriptor.media_type) || is_index_type(descriptor.media_type);
  const bool numeric =
      !length.empty() && length.size() < 12 && length.find_first_not_of("0123456789") == std::string::npos;
  if (response.status != 200 || !digest.ok() || !known || !numeric) return std::optional<Descriptor>();
  if (!reference.digest.empty() && *digest != reference.digest) return std::optional<Descriptor>();
  descriptor.digest = *digest;
  descriptor.size = std::stoll(length);
  return std::optional<Descriptor>(std::move(descriptor));
}

}  // namespace

Result<Fetched> fetch_manifest(Session& session, const Endpoint& endpoint, const Reference& reference,
                               std::stop_token stop) {
  const auto what = reference.to_string();
  HttpRequest request;
  request.url = manifest_url(endpoint, reference.repository, reference.tag_or_digest());
  request.max_body = k_largest_manifest;
  accept_manifests(request);
  DRYDOCK_ASSIGN(auto response,
                 session.send_repeatedly(endpoint, request, pull_scope(reference.repository), what, stop));
  if (response.status != 200) return session.refusal(endpoint, response, what);
  Fetched fetched;
  fetched.text = std::move(response.body);
  fetched.answered_by = endpoint.base;
  const auto digest = digest_of(fetched.text);
  if (!reference.digest.empty() && digest != reference.digest) {
    return make_error(ErrorCode::corrupted, endpoint.name + " answers for " + what +
                                                " with a manifest of digest " + digest.to_string());
  }
  DRYDOCK_ASSIGN(auto type, detect_media_type(fetched.text, what));
  fetched.descriptor = describe(std::move(type), fetched.text);
  ++session.counters().manifests_fetched;
  return fetched;
}

Result<Descriptor> Registry::resolve(const Reference& reference, std::stop_token stop) {
  auto& session = state_->session;
  return from_any<Descriptor>(session, reference, stop, [&](const Endpoint& endpoint) -> Result<Descriptor> {
    DRYDOCK_ASSIGN(auto head, head_manifest(session, endpoint, reference, stop));
    if (head) return std::move(*head);
    DRYDOCK_ASSIGN(auto fetched, fetch_manifest(session, endpoint, reference, stop));
    return std::move(fetched.descriptor);
  });
}

Result<Fetched> Registry::get_manifest(const Reference& reference, std::stop_token stop, From from) {
  auto& session = state_->session;
  if (from == From::origin) {
    const auto endpoint = session.origin(reference.domain);
    auto fetched = fetch_manifest(session, endpoint, reference, stop);
    if (!fetched.ok()) return as_down(std::move(fetched).error(), endpoint);
    return fetched;
  }
  return from_any<Fetched>(session, reference, stop, [&](const Endpoint& endpoint) {
    return fetch_manifest(session, endpoint, reference, stop);
  });
}

Status Registry::get_blob(const Reference& repository, const BlobId& blob, const BlobSink& sink,
                          std::stop_token stop) {
  auto& session = state_->session;
  BlobDownload download(session, repository, blob, sink);
  std::optional<Error> mirror_error;
  for (const auto& endpoint : session.pull_endpoints(repository.domain)) {
    auto status = download.from(endpoint, stop);
    if (status.ok()) return download.finish();
    auto error = as_down(std::move(status).error(), endpoint);
    if (mirror_error) error.context.push_back("falling back from a mirror: " + mirror_error->message);
    if (download.sink_failed() || stop.stop_requested()) return error;
    mirror_error = std::move(error);
  }
  return std::move(*mirror_error);
}

Result<bool> Registry::can_pull_blob(const Reference& repository, const Digest& digest,
                                     std::stop_token stop) {
  auto& session = state_->session;
  std::optional<Error> last;
  for (const auto& endpoint : session.pull_endpoints(repository.domain)) {
    HttpRequest request;
    request.method = "HEAD";
    request.url = blob_url(endpoint, repository.repository, digest);
    auto response = session.send_repeatedly(endpoint, request, pull_scope(repository.repository),
                                            "blob " + digest.to_string(), stop);
    last.reset();
    if (!response.ok()) {
      last = as_down(std::move(response).error(), endpoint);
    } else if (response->status == 200) {
      return true;
    } else if (response->status != 404) {
      last = session.refusal(endpoint, *response, "blob " + digest.to_string() + " of " + repository.name());
    }
  }
  if (last) return std::move(*last);
  return false;
}

}  // namespace drydock::oci
