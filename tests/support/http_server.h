#pragma once
// A small HTTP/1.1 server on a free loopback port for tests: a handler answers each request; an answer may be
// cut short or delayed. One thread for each connection. Header-only.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace drydock::test {

struct ServedRequest {
  std::string method, target, body;
  std::map<std::string, std::string> headers;  // names in lower case
};

struct ServedResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<std::size_t> close_after;  // so many bytes of the body, then the connection is closed
  std::chrono::milliseconds delay{0};      // before the answer
};

class HttpServer {
 public:
  using Handler = std::function<ServedResponse(const ServedRequest&)>;

  explicit HttpServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 64) != 0) {
      throw std::runtime_error("the test server cannot listen");
    }
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }

  ~HttpServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
      std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
  }

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }

 private:
  void accept_all() {
    while (!stopping_) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++connections_;
      std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] {
        serve(fd);
        std::lock_guard inner(mutex_);
        open_.erase(std::find(open_.begin(), open_.end(), fd));
        ::close(fd);
      });
    }
  }

  void serve(int fd) {
    std::string buffer;
    ServedRequest request;
    while (read_request(fd, buffer, request)) {
      const auto response = handler_(request);
      std::this_thread::sleep_for(response.delay);
      std::string text = "HTTP/1.1 " + std::to_string(response.status) + " X\r\n";
      for (const auto& [name, value] : response.headers) text += name + ": " + value + "\r\n";
      const bool own_length =
          std::any_of(response.headers.begin(), response.headers.end(),
                      [](const auto& header) { return header.first == "Content-Length"; });
      if (!own_length) text += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
      text += "\r\n";
      if (request.method != "HEAD")
        text += response.body.substr(0, response.close_after.value_or(response.body.size()));
      if (!send_all(fd, text) || response.close_after) return;
    }
  }

  static bool send_all(int fd, std::string_view text) {
    while (!text.empty()) {
      const auto count = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  static bool read_more(int fd, std::string& buffer) {
    char piece[64 * 1024];
    const auto count = ::recv(fd, piece, sizeof piece, 0);
    if (count <= 0) return false;
    buffer.append(piece, static_cast<std::size_t>(count));
    return true;
  }

  static bool read_request(int fd, std::string& buffer, ServedRequest& request) {
    std::size_t end;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more(fd, buffer)) return false;
    }
    request = {};
    std::size_t start = buffer.find("\r\n");
    const auto first = buffer.substr(0, start);
    request.method = first.substr(0, first.find(' '));
    request.target = first.substr(request.method.size() + 1, first.rfind(' ') - request.method.size() - 1);
    while (start < end) {
      const auto next = buffer.find("\r\n", start + 2);
      const auto line = buffer.substr(start + 2, next - start - 2);
      auto name = line.substr(0, line.find(':'));
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      if (line.size() > name.size() + 2) request.headers[name] = line.substr(name.size() + 2);
      start = next;
    }
    const auto length =
        request.headers.count("content-length") ? std::stoul(request.headers["content-length"]) : 0;
    while (buffer.size() < end + 4 + length) {
      if (!read_more(fd, buffer)) return false;
    }
    request.body = buffer.substr(end + 4, length);
    buffer.erase(0, end + 4 + length);
    return true;
  }

  Handler handler_;
  int listener_ = -1, port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::thread acceptor_;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
};

}  // namespace drydock::test
