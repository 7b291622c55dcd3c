#pragma once
// One transfer on a libcurl handle: sets the options, takes headers and body, maps the outcome.
// Used by http.cpp alone. Belongs to one thread.

#include <stop_token>
#include <string>

#include "executors/base/curl_library.h"
#include "executors/base/http.h"

namespace drydock {

struct TransferSettings {
  std::string user_agent;
  std::string ca_file, ca_directory;
  std::string ca_text;  // replaces both
  std::string http_proxy, no_proxy;
  CURLSH* share = nullptr;
};

class Transfer {
 public:
  Transfer(const CurlLibrary& curl, CURL* handle, const HttpRequest& request, const TransferSettings& settings,
           std::stop_token stop);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  Result<HttpResponse> perform();

 private:
  enum class Aborted { no, by_receiver, too_large };

  Status open_body();
  void set_connection_options(const TransferSettings& settings);
  void set_method();
  void set_headers();
  Error error_of(CURLcode code) const;

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_write(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_read(char* data, std::size_t size, std::size_t count, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);
  static int on_progress(void* self, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                         curl_off_t up);

  const CurlLibrary& curl_;
  CURL* handle_;
  const HttpRequest& request_;
  std::stop_token stop_;
  HttpResponse response_;
  curl_slist* headers_ = nullptr;
  char why_[CURL_ERROR_SIZE] = {};
  int file_ = -1;
  std::uint64_t body_start_ = 0, body_size_ = 0, body_done_ = 0;
  Aborted aborted_ = Aborted::no;
  bool told_headers_ = false;
};

}  // namespace drydock
