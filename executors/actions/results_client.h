#pragma once
// The runner's results service, GitHub's or drydock's own: calls (Twirp in JSON), and blobs behind signed addresses.
// Which one, and as whom, the step's environment says. One per step; not for several threads.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "executors/base/http.h"
#include "executors/base/json.h"
#include "executors/base/masker.h"
#include "executors/base/result.h"
#include "executors/step/action_context.h"

namespace drydock::actions {

struct BackendIds {
  std::string run, job;
};

/// From the token's scope "Actions.Results:<run>:<job>".
Result<BackendIds> backend_ids(const std::string& token);

class ResultsClient {
 public:
  /// An error (environment) names the variable that is missing.
  static Result<ResultsClient> of(step::ActionContext& context);

  /// One method of ArtifactService or CacheService. An answer other than success is `failed` with the original
  /// client's words; 409 is already_exists(). Repeated on transient failures.
  Result<Json> call(const std::string& service, const std::string& method, const Json& request);

  /// A file as a block blob; in blocks when it is large.
  Status upload(const std::string& url, const std::string& file, std::uint64_t size, const std::string& content_type);

  struct Download {
    std::uint64_t size = 0;
    std::string sha256;        // hex
    std::string content_type;
    std::string file_name;     // Content-Disposition's, or ""
  };
  Result<Download> download(const std::string& url, const std::string& file);

  const BackendIds& ids() const { return ids_; }

 private:
  ResultsClient(step::ActionContext& context, std::string url, std::string token, BackendIds ids);
  Status upload_blocks(const std::string& url, const std::string& file, std::uint64_t size, const std::string& content_type);
  Status put(HttpRequest request);
  void mask_signature(const std::string& url);

  step::ActionContext* context_;
  std::shared_ptr<HttpClient> http_;
  std::string url_, token_;
  BackendIds ids_;
};

/// A member of a proto message in JSON, which carries either form of its name; "" when there is none.
std::string proto_text(const Json& json, const char* snake_case, const char* camel_case);

/// Whether a call failed because the name is taken.
bool already_exists(const Error& error);

}  // namespace drydock::actions
