#pragma once
// An HTTP/1.1 server on a free port of the loopback interface: bodies are streams in both directions, one thread for
// each connection. Owns sockets and threads; knows no protocol above HTTP. libmicrohttpd lies behind it.
// The handler is called from several threads at once.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "executors/base/owned_fd.h"
#include "executors/base/result.h"

namespace drydock::runner {

struct HttpCall {
  std::string method;
  std::string path;                            // percent-decoded, without the query
  std::map<std::string, std::string> query;    // decoded
  std::map<std::string, std::string> headers;  // names in lower case

  std::string header(const std::string& lower_case_name) const;
  std::string parameter(const std::string& name) const;
  /// Of the body; nothing when it is not told (chunked) or there is none.
  std::optional<std::uint64_t> content_length() const;
};

/// A part of an open file; it stays readable though its name is removed meanwhile.
struct FileBody {
  OwnedFd file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct HttpReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<FileBody> file;  // instead of body
};

/// Takes the body of one call as it comes, and answers at its end. Used by one thread.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  /// An answer ends the reading: the rest of the body is thrown away.
  virtual std::optional<HttpReply> take(std::string_view piece) = 0;
  virtual HttpReply finish() = 0;
};

/// What the headers alone lead to: an answer, with the body left unread, or a reader of the body.
using CallAnswer = std::variant<HttpReply, std::unique_ptr<BodyReader>>;
using CallHandler = std::function<CallAnswer(const HttpCall&)>;

class HttpServer {
 public:
  /// Listens on 127.0.0.1. Error environment when no socket can be had.
  static Result<std::unique_ptr<HttpServer>> start(CallHandler handler);
  /// Closes every connection and waits for their threads.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const { return port_; }

 private:
  struct Callbacks;
  explicit HttpServer(CallHandler handler) : handler_(std::move(handler)) {}

  CallHandler handler_;
  void* daemon_ = nullptr;  // MHD_Daemon
  int port_ = 0;
};

}  // namespace drydock::runner
