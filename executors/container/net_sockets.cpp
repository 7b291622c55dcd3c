#include "executors/container/net_sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

namespace drydock::container {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Result<Address> address_of(const std::string& text, std::uint16_t port) {
  Address address;
  auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, text.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    address.size = sizeof *four;
  } else if (inet_pton(AF_INET6, text.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    address.size = sizeof *six;
  } else {
    return make_error(ErrorCode::invalid_input, "'" + text + "' is no IP address");
  }
  return address;
}

Result<OwnedFd> socket_in(int network, int family, Transport transport) {
  OwnedFd made;
  DRYDOCK_TRY(in_network(network, [&]() -> Status {
    const int type = (transport == Transport::tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC;
    made.reset(::socket(family, type, 0));
    if (made.get() < 0) return errno_error("socket", errno);
    return {};
  }));
  return made;
}

}  // namespace

Status in_network(int network, const std::function<Status()>& work) {
  if (network < 0) return work();
  Status result;
  std::thread([&] {
    result = ::setns(network, CLONE_NEWNET) == 0 ? work() : Status(errno_error("cannot enter a network", errno));
  }).join();
  return result;
}

Result<OwnedFd> new_network_namespace(const std::function<Status()>& inside) {
  OwnedFd made;
  Status result;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      Error error = errno_error("this machine gives no network namespace", errno);
      error.code = ErrorCode::environment;
      result = error;
      return;
    }
    made.reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (made.get() < 0) result = errno_error("cannot open a network namespace", errno);
    else if (inside) result = inside();
  }).join();
  if (!result) return std::move(result).error();
  return made;
}

Result<OwnedFd> listening_socket(int network, Transport transport, const std::string& address, std::uint16_t port) {
  DRYDOCK_ASSIGN(auto where, address_of(address, port));
  DRYDOCK_ASSIGN(auto made, socket_in(network, where.storage.ss_family, transport));
  const int yes = 1;
  if (transport == Transport::tcp) ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (where.storage.ss_family == AF_INET6) ::setsockopt(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  const auto what = "port " + std::to_string(port) + "/" + std::string(name_of(transport)) + " of " + address;
  if (::bind(made.get(), where.get(), where.size) != 0) {
    Error error = errno_error("cannot take " + what, errno);
    error.code = ErrorCode::environment;
    if (errno == EADDRINUSE) error.mend = "another program has it: end that, or give the port alone, so that a free one is taken";
    return error;
  }
  if (transport == Transport::tcp && ::listen(made.get(), 128) != 0) return errno_error("cannot listen on " + what, errno);
  return made;
}

std::uint16_t port_of(int socket) {
  Address address;
  address.size = sizeof address.storage;
  if (::getsockname(socket, address.get(), &address.size) != 0) return 0;
  return ntohs(address.storage.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port
                                                     : reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port);
}

Result<OwnedFd> connected_socket(int network, Transport transport, const std::string& address, std::uint16_t port) {
  DRYDOCK_ASSIGN(auto where, address_of(address, port));
  DRYDOCK_ASSIGN(auto made, socket_in(network, where.storage.ss_family, transport));
  const int yes = 1;
  if (transport == Transport::tcp) ::setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (::connect(made.get(), where.get(), where.size) != 0) {
    return errno_error("cannot connect to " + address + ":" + std::to_string(port), errno);
  }
  return made;
}

std::string path_of(int descriptor) {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(descriptor);
}

}  // namespace drydock::container
