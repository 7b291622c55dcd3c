#include "executors/base/http_transfer.h"

#include "executors/base/text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

namespace drydock {
namespace {

/// Without the query, which may hold a signature or token.
std::string shown(const std::string& url) {
  return url.substr(0, url.find('?'));
}

std::string_view trimmed_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool sends_body(const std::string& method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

Transfer::Transfer(const CurlLibrary& curl, CURL* handle, const HttpRequest& request,
                   const TransferSettings& settings, std::stop_token stop)
    : curl_(curl), handle_(handle), request_(request), stop_(std::move(stop)) {
  set_connection_options(settings);
}

Transfer::~Transfer() {
  // The handle keeps its connections, and nothing that points here.
  curl_.easy_reset(handle_);
  curl_.slist_free_all(headers_);
  if (file_ >= 0) ::close(file_);
}

void Transfer::set_connection_options(const TransferSettings& settings) {
  curl_.easy_setopt(handle_, CURLOPT_URL, request_.url.c_str());
  curl_.easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
  curl_.easy_setopt(handle_, CURLOPT_SHARE, settings.share);
  curl_.easy_setopt(handle_, CURLOPT_USERAGENT, settings.user_agent.c_str());
  curl_.easy_setopt(handle_, CURLOPT_ERRORBUFFER, why_);
  curl_.easy_setopt(handle_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_.easy_setopt(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_.easy_setopt(handle_, CURLOPT_REDIR_PROTOCOLS_STR,
                   request_.url.starts_with("https:") ? "https" : "http,https");
  curl_.easy_setopt(handle_, CURLOPT_FOLLOWLOCATION, request_.follow_redirects ? 1L : 0L);
  curl_.easy_setopt(handle_, CURLOPT_MAXREDIRS, 10L);
  curl_.easy_setopt(handle_, CURLOPT_CONNECTTIMEOUT, static_cast<long>(request_.connect_timeout.count()));
  curl_.easy_setopt(handle_, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_.easy_setopt(handle_, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request_.stall_timeout.count()));
  curl_.easy_setopt(handle_, CURLOPT_BUFFERSIZE, 256L * 1024);
  curl_.easy_setopt(handle_, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
  if (!settings.ca_text.empty()) {
    curl_blob blob{const_cast<char*>(settings.ca_text.data()), settings.ca_text.size(), CURL_BLOB_NOCOPY};
    curl_.easy_setopt(handle_, CURLOPT_CAINFO_BLOB, &blob);
  } else if (!settings.ca_file.empty()) {
    curl_.easy_setopt(handle_, CURLOPT_CAINFO, settings.ca_file.c_str());
  }
  if (!settings.ca_directory.empty())
    curl_.easy_setopt(handle_, CURLOPT_CAPATH, settings.ca_directory.c_str());
  if (!settings.http_proxy.empty() && request_.url.starts_with("http:")) {
    curl_.easy_setopt(handle_, CURLOPT_PROXY, settings.http_proxy.c_str());
  }
  curl_.easy_setopt(handle_, CURLOPT_NOPROXY, settings.no_proxy.c_str());

  curl_.easy_setopt(handle_, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  curl_.easy_setopt(handle_, CURLOPT_HEADERDATA, this);
  curl_.easy_setopt(handle_, CURLOPT_WRITEFUNCTION, &Transfer::on_write);
  curl_.easy_setopt(handle_, CURLOPT_WRITEDATA, this);
  curl_.easy_setopt(handle_, CURLOPT_READFUNCTION, &Transfer::on_read);
  curl_.easy_setopt(handle_, CURLOPT_READDATA, this);
  curl_.easy_setopt(handle_, CURLOPT_SEEKFUNCTION, &Transfer::on_seek);
  curl_.easy_setopt(handle_, CURLOPT_SEEKDATA, this);
  curl_.easy_setopt(handle_, CURLOPT_NOPROGRESS, 0L);
  curl_.easy_setopt(handle_, CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
  curl_.easy_setopt(handle_, CURLOPT_XFERINFODATA, this);
}

Status Transfer::open_body() {
  if (!request_.body_file) {
    body_size_ = request_.body.size();
    return {};
  }
  file_ = ::open(request_.body_file->c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) return errno_error("cannot open " + *request_.body_file + " to send it", errno);
  struct stat info {};
  if (::fstat(file_, &info) != 0) return errno_error("cannot look at " + *request_.body_file, errno);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  body_start_ = request_.body_offset;
  if (body_start_ > size || (request_.body_length && *request_.body_length > size - body_start_)) {
    return make_error(ErrorCode::corrupted,
                      *request_.body_file + " is shorter than what is to be sent of it");
  }
  body_size_ = request_.body_length.value_or(size - body_start_);
  return {};
}

void Transfer::set_method() {
  const auto& method = request_.method;
  if (method == "HEAD") {
    curl_.easy_setopt(handle_, CURLOPT_NOBODY, 1L);
  } else if (sends_body(method) || body_size_ > 0) {
    // Also for an empty body, so that a Content-Length of 0 is sent.
    curl_.easy_setopt(handle_, CURLOPT_UPLOAD, 1L);
    curl_.easy_setopt(handle_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(body_size_));
    curl_.easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, method.c_str());
  } else if (method != "GET") {
    curl_.easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
}

void Transfer::set_headers() {
  // Waiting for "100 Continue" costs a second with servers that do not know it.
  headers_ = curl_.slist_append(headers_, "Expect:");
  for (const auto& [name, value] : request_.headers) {
    const auto line = value.empty() ? name + ";" : name + ": " + value;
    headers_ = curl_.slist_append(headers_, line.c_str());
  }
  curl_.easy_setopt(handle_, CURLOPT_HTTPHEADER, headers_);
}

Result<HttpResponse> Transfer::perform() {
  if (stop_.stop_requested()) return make_error(ErrorCode::cancelled, "asked to stop");
  for (const auto& [name, value] : request_.headers) {
    if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return make_error(ErrorCode::usage,
                        "a header of the request for " + shown(request_.url) + " has a line break in it");
    }
  }
  DRYDOCK_TRY(open_body());
  set_method();
  set_headers();
  const auto code = curl_.easy_perform(handle_);
  if (code != CURLE_OK) return error_of(code);
  long status = 0;
  char* url = nullptr;
  curl_.easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  curl_.easy_getinfo(handle_, CURLINFO_EFFECTIVE_URL, &url);
  response_.status = static_cast<int>(status);
  if (url) response_.effective_url = url;
  return std::move(response_);
}

Error Transfer::error_of(CURLcode code) const {
  const auto url = shown(request_.url);
  if (stop_.stop_requested()) return make_error(ErrorCode::cancelled, "asked to stop");
  if (aborted_ == Aborted::by_receiver)
    return make_error(ErrorCode::cancelled, "the receiver of " + url + " stopped the transfer");
  if (aborted_ == Aborted::too_large) {
    return make_error(ErrorCode::registry_refused, "the answer of " + url + " is larger than " +
                                                       std::to_string(request_.max_body) + " bytes");
  }
  const std::string why = why_[0] ? why_ : curl_.easy_strerror(code);
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return make_error(ErrorCode::usage, "\"" + url + "\" is not a URL that can be fetched: " + why);
    case CURLE_PEER_FAILED_VERIFICATION:
      return make_error(ErrorCode::environment, "the certificate of " + url + " does not verify: " + why,
                        "name the certificate authority's file in SSL_CERT_FILE");
    case CURLE_SSL_CACERT_BADFILE:
      return make_error(ErrorCode::environment, "cannot read the certificate authorities: " + why,
                        "check SSL_CERT_FILE and CURL_CA_BUNDLE");
    case CURLE_COULDNT_CONNECT:
      return make_error(ErrorCode::network, "cannot connect to " + url + ": " + why);
    case CURLE_OPERATION_TIMEDOUT:
      return make_error(ErrorCode::network, url + " did not answer in time: " + why);
    default:
      return make_error(ErrorCode::network, request_.method + " " + url + " failed: " + why);
  }
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& response = static_cast<Transfer*>(self)->response_;
  const auto line = trimmed_blanks(std::string_view(data, size * count));
  if (line.starts_with("HTTP/")) {
    // A new answer: after a redirect, or after "100 Continue".
    response.headers.clear();
    const auto space = line.find(' ');
    response.status =
        space == std::string_view::npos ? 0 : std::atoi(std::string(line.substr(space + 1, 3)).c_str());
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    response.headers.emplace(lower(line.substr(0, colon)), trimmed_blanks(line.substr(colon + 1)));
  }
  return size * count;
}

std::size_t Transfer::on_write(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string_view piece(data, size * count);
  if (transfer.request_.on_body && transfer.response_.status < 300) {
    if (transfer.request_.on_headers && !transfer.told_headers_) transfer.request_.on_headers(transfer.response_);
    transfer.told_headers_ = true;
    if (transfer.request_.on_body(piece)) return piece.size();
    transfer.aborted_ = Aborted::by_receiver;
    return 0;
  }
  if (transfer.response_.body.size() + piece.size() > transfer.request_.max_body) {
    transfer.aborted_ = Aborted::too_large;
    return 0;
  }
  transfer.response_.body.append(piece);
  return piece.size();
}

std::size_t Transfer::on_read(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const auto wanted = std::min<std::uint64_t>(size * count, transfer.body_size_ - transfer.body_done_);
  if (transfer.file_ < 0) {
    std::memcpy(data, transfer.request_.body.data() + transfer.body_done_, wanted);
    transfer.body_done_ += wanted;
    return wanted;
  }
  for (;;) {
    const auto got =
        ::pread(transfer.file_, data, wanted, static_cast<off_t>(transfer.body_start_ + transfer.body_done_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || (got == 0 && wanted > 0)) return CURL_READFUNC_ABORT;
    transfer.body_done_ += static_cast<std::uint64_t>(got);
    return static_cast<std::size_t>(got);
  }
}

int Transfer::on_seek(void* self, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (origin != SEEK_SET || offset < 0 || static_cast<std::uint64_t>(offset) > transfer.body_size_)
    return CURL_SEEKFUNC_FAIL;
  transfer.body_done_ = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

int Transfer::on_progress(void* self, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                          curl_off_t up) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.stop_.stop_requested()) return 1;
  if (transfer.request_.on_progress) {
    const bool uploading = up_total > 0;
    transfer.request_.on_progress(static_cast<std::uint64_t>(uploading ? up : down),
                                  static_cast<std::uint64_t>(uploading ? up_total : down_total));
  }
  return 0;
}

}  // namespace drydock
