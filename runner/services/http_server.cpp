#include "runner/services/http_server.h"

#include "executors/base/shared_library.h"
#include "executors/base/text.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>

namespace drydock::runner {
namespace {

constexpr std::size_t k_connection_memory = 512 << 10;  // one piece of a body is at most so large
constexpr unsigned k_most_connections = 1000;
constexpr unsigned k_idle_seconds = 120;

/// libmicrohttpd, loaded with the first server.
struct Library {
  Library() {
    SharedLibrary library("libmicrohttpd.so.12");
    library.get(add_response_header, "MHD_add_response_header");
    library.get(create_response_from_buffer, "MHD_create_response_from_buffer");
    library.get(create_response_from_fd_at_offset64, "MHD_create_response_from_fd_at_offset64");
    library.get(destroy_response, "MHD_destroy_response");
    library.get(get_connection_values_n, "MHD_get_connection_values_n");
    library.get(get_daemon_info, "MHD_get_daemon_info");
    library.get(queue_response, "MHD_queue_response");
    library.get(start_daemon, "MHD_start_daemon");
    library.get(stop_daemon, "MHD_stop_daemon");
    problem = library.problem();
  }

  decltype(&MHD_add_response_header) add_response_header = nullptr;
  decltype(&MHD_create_response_from_buffer) create_response_from_buffer = nullptr;
  decltype(&MHD_create_response_from_fd_at_offset64) create_response_from_fd_at_offset64 = nullptr;
  decltype(&MHD_destroy_response) destroy_response = nullptr;
  decltype(&MHD_get_connection_values_n) get_connection_values_n = nullptr;
  decltype(&MHD_get_daemon_info) get_daemon_info = nullptr;
  decltype(&MHD_queue_response) queue_response = nullptr;
  decltype(&MHD_start_daemon) start_daemon = nullptr;
  decltype(&MHD_stop_daemon) stop_daemon = nullptr;
  std::string problem;
};

const Library& mhd() {
  static const Library library;
  return library;
}

/// One call between its headers and its answer.
struct Exchange {
  std::unique_ptr<BodyReader> reader;
  std::optional<HttpReply> early;  // decided before the body ended
};

MHD_Result take_header(void* into, MHD_ValueKind, const char* name, std::size_t name_size, const char* value,
                       std::size_t value_size) {
  auto& headers = *static_cast<std::map<std::string, std::string>*>(into);
  headers[lower({name, name_size})] = value ? std::string(value, value_size) : std::string();
  return MHD_YES;
}

MHD_Result take_parameter(void* into, MHD_ValueKind, const char* name, std::size_t name_size, const char* value,
                          std::size_t value_size) {
  auto& query = *static_cast<std::map<std::string, std::string>*>(into);
  query[std::string(name, name_size)] = value ? std::string(value, value_size) : std::string();
  return MHD_YES;
}

HttpCall call_of(MHD_Connection* connection, const char* method, const char* url) {
  HttpCall call{.method = method, .path = url, .query = {}, .headers = {}};
  mhd().get_connection_values_n(connection, MHD_HEADER_KIND, &take_header, &call.headers);
  mhd().get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, &take_parameter, &call.query);
  return call;
}

MHD_Result answer(MHD_Connection* connection, HttpReply reply) {
  MHD_Response* response;
  if (reply.file) {
    response = mhd().create_response_from_fd_at_offset64(reply.file->length, reply.file->file.get(), reply.file->offset);
    if (response) reply.file->file.release();  // closed with the response
  } else {
    response = mhd().create_response_from_buffer(reply.body.size(), reply.body.data(), MHD_RESPMEM_MUST_COPY);
  }
  if (!response) return MHD_NO;
  for (const auto& [name, value] : reply.headers) mhd().add_response_header(response, name.c_str(), value.c_str());
  const auto queued = mhd().queue_response(connection, static_cast<unsigned>(reply.status), response);
  mhd().destroy_response(response);
  return queued;
}

/// Threads of the server inherit the mask: a client that goes away ends no process.
class WithoutBrokenPipe {
 public:
  WithoutBrokenPipe() {
    sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, &before_);
  }
  ~WithoutBrokenPipe() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

struct HttpServer::Callbacks {
  static MHD_Result on_call(void* server, MHD_Connection* connection, const char* url, const char* method,
                            const char* /*version*/, const char* body, std::size_t* body_size, void** state) {
    auto* exchange = static_cast<Exchange*>(*state);
    if (!exchange) return begin(*static_cast<HttpServer*>(server), connection, url, method, state);
    if (*body_size != 0) {
      if (!exchange->early) exchange->early = exchange->reader->take({body, *body_size});
      *body_size = 0;
      return MHD_YES;
    }
    return answer(connection, exchange->early ? std::move(*exchange->early) : exchange->reader->finish());
  }

  static MHD_Result begin(HttpServer& server, MHD_Connection* connection, const char* url, const char* method,
                          void** state) {
    auto decided = server.handler_(call_of(connection, method, url));
    if (auto* reply = std::get_if<HttpReply>(&decided)) return answer(connection, std::move(*reply));
    auto exchange = std::make_unique<Exchange>();
    exchange->reader = std::move(std::get<std::unique_ptr<BodyReader>>(decided));
    *state = exchange.release();
    return MHD_YES;
  }

  static void on_end(void*, MHD_Connection*, void** state, MHD_RequestTerminationCode) {
    delete static_cast<Exchange*>(*state);
    *state = nullptr;
  }
};

std::string HttpCall::header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? std::string() : found->second;
}

std::string HttpCall::parameter(const std::string& name) const {
  const auto found = query.find(name);
  return found == query.end() ? std::string() : found->second;
}

std::optional<std::uint64_t> HttpCall::content_length() const {
  const auto text = header("content-length");
  std::uint64_t length = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return length;
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(CallHandler handler) {
  if (!mhd().problem.empty()) return make_error(ErrorCode::environment, mhd().problem);
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(handler)));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const WithoutBrokenPipe guard;
  auto* daemon = mhd().start_daemon(
      MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, nullptr, nullptr, &Callbacks::on_call,
      server.get(), MHD_OPTION_SOCK_ADDR, reinterpret_cast<sockaddr*>(&address), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      k_connection_memory, MHD_OPTION_CONNECTION_LIMIT, k_most_connections, MHD_OPTION_CONNECTION_TIMEOUT,
      k_idle_seconds, MHD_OPTION_NOTIFY_COMPLETED, &Callbacks::on_end, nullptr, MHD_OPTION_END);
  if (!daemon) {
    auto error = errno_error("listening on 127.0.0.1 for artifacts and caches", errno);
    error.code = ErrorCode::environment;
    return error;
  }
  server->daemon_ = daemon;
  server->port_ = mhd().get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
  return server;
}

HttpServer::~HttpServer() {
  if (daemon_) mhd().stop_daemon(static_cast<MHD_Daemon*>(daemon_));
}

}  // namespace drydock::runner
